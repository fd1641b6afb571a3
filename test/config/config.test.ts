import { readFileSync } from 'node:fs'
import test from 'ava'
import { ConfigError, configKeys, environmentName, exampleToml, parseConfig } from '../../server/config.ts'
import { TestAuthority } from '../support/certificates.ts'

function problems(toml: string, environment: Record<string, string> = {}) {
  try {
    parseConfig(toml, environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

test('without any configuration the server is a trial on localhost that is safe by default', t => {
  const { config, warnings } = parseConfig('', {})
  t.deepEqual(config.server, {
    name: 'localhost',
    trial: true,
    origin: 'http://localhost:8008',
    data: 'data',
  } as never)
  t.deepEqual(config.listen, { client: { host: 'localhost', port: 8008 }, federation: null, trustPage: null })
  t.deepEqual(config.accounts, { registration: 'invite', passwords: false, firstAdministrator: 'admin' })
  t.true(config.limits.enabled)
  t.is(config.limits.uploadBytes, 100 * 1024 * 1024)
  t.is(config.admin.tokenFile, null)
  t.is(config.tls, null)
  t.deepEqual(warnings, [])
})

test('a name alone makes the origin', t => {
  const { config } = parseConfig('[server]\nname = "example.org:8448"', {})
  t.is(config.server.origin, 'https://example.org')
  t.false(config.server.trial)
})

test('every key can be set in the file and by environment, and the environment wins', t => {
  const toml = '[accounts]\npasswords = false\n[limits]\nsend = "1/m burst 2"'
  const { config } = parseConfig(toml, { LETRO_ACCOUNTS_PASSWORDS: 'true', PATH: '/bin' })
  t.true(config.accounts.passwords)
  t.deepEqual(config.limits.rates.send, { perSecond: 1 / 60, burst: 2 })
})

test('no two keys share a name in the environment', t => {
  t.is(new Set(configKeys.map(environmentName)).size, configKeys.length)
})

test('the example file is what the table of keys says, and means the defaults', t => {
  const file = readFileSync(new URL('../../letro.example.toml', import.meta.url), 'utf8')
  t.is(file, exampleToml(), 'npm start -- --example-config > letro.example.toml')
  const meant = (toml: string) => {
    const { config, warnings } = parseConfig(toml, {})
    const { shown, given: _, ...rest } = config
    return { rest, warnings, values: shown.map(({ key, value }) => `${key} = ${value}`) }
  }
  t.deepEqual(meant(file), meant(''))
})

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['[backup]\nsftp = "sftp://a@b/c"', 'backup.sftp_host_key', /needed, because backup.sftp is given/],
  ['[backup]\nsftp = "user@host:/x"', 'backup.sftp', /sftp:\/\/letro@backup.example/],
  ['[backup]\nrecipients = ["AGE-SECRET-KEY-1QQ"]', 'backup.recipients', /public keys of age/],
  ['[backup]\nat = "25:00"', 'backup.at', /a time of day/],
  ['[backup]\nkeep = 0', 'backup.keep', /1 to 100/],
  ['[backup]\nsftp_host_key = "backup.example ssh-ed25519 AAAA"', 'backup.sftp_host_key', /ssh-keyscan/],
  ['[server]\nnam = "a"', 'server.nam', /did you mean server\.name/],
  ['[serve]\nname = "a"', 'serve.name', /did you mean server\.name/],
  ['nonsense = 1', 'nonsense', /no such key$/],
  ['[server]\nname = "a b"', 'server.name', /a server name/],
  ['[server]\nname = 5', 'server.name', /a server name/],
  ['[server]\norigin = "https://192.0.2.1"', 'server.origin', /no IP address/],
  ['[server]\norigin = "https://[2001:db8::1]"', 'server.origin', /no IP address/],
  ['[server]\norigin = "https://3221225985"', 'server.origin', /no IP address/],
  ['[server]\norigin = "https://0x7f.1"', 'server.origin', /no IP address/],
  ['[server]\norigin = "http://127.0.0.1:8008"', 'server.origin', /no IP address/],
  ['[server]\norigin = "http://example.org"', 'server.origin', /https URL/],
  ['[server]\norigin = "https://example.org/letro"', 'server.origin', /without a path/],
  ['[server]\norigin = "https://example.org/?x"', 'server.origin', /without a path/],
  ['[server]\norigin = "https://me@example.org"', 'server.origin', /https URL/],
  ['[server]\norigin = "ftp://example.org"', 'server.origin', /https URL/],
  ['[server]\norigin = "example.org"', 'server.origin', /https URL/],
  ['[server]\ndata = ""', 'server.data', /a folder/],
  ['[listen]\nclient = "8008"', 'listen.client', /host:port/],
  ['[listen]\nclient = "localhost:99999"', 'listen.client', /host:port/],
  ['[listen]\nclient = "[localhost]:80"', 'listen.client', /host:port/],
  ['[accounts]\nregistration = "closed"', 'accounts.registration', /"invite" or "open"/],
  ['[accounts]\npasswords = "yes"', 'accounts.passwords', /true or false/],
  ['[limits]\nsend = "20"', 'limits.send', /20\/s burst 200/],
  ['[limits]\nsend = "0/s burst 5"', 'limits.send', /20\/s burst 200/],
  ['[limits]\nupload_size = "lots"', 'limits.upload_size', /100 MiB/],
  ['[tls]\nkey = "key.pem"', 'tls.certificate', /both or none/],
  ['[syslog]\naddress = "c.example:6514"\nkey = "key.pem"', 'syslog.certificate', /both or none/],
  ['[syslog]\naddress = "c.example"', 'syslog.address', /host:port/],
  ['[syslog]\nauthority = "ca.pem"', 'syslog.address', /needed/],
  [
    '[syslog]\nauthority = "-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----"',
    'syslog.authority',
    /PEM/,
  ],
  ['[syslog]\nauthority = "-----BEGIN CERTIFICATE-----"', 'syslog.authority', /PEM/],
  ['[metrics]\ntoken_sha256 = "secret"', 'metrics.token_sha256', /64 hexadecimal digits/],
  [
    `[metrics]\ntoken_file = "/token"\ntoken_sha256 = "${'ab'.repeat(32)}"`,
    'metrics.token_sha256',
    /one of the two/,
  ],
  ['[server]\nname = "192.0.2.1"', 'server.origin', /needed/],
  ['[server\n', 'letro.toml', /./],
  ['[server]\nname = "a"\nname = "b"', 'letro.toml', /./],
]
for (const [toml, key, allowed] of refused) {
  test(`refused with key, value and what is allowed: ${JSON.stringify(toml)}`, t => {
    const [problem, ...others] = problems(toml)
    t.deepEqual(others, [])
    t.is(problem?.key, key)
    t.regex(problem?.allowed ?? '', allowed)
    t.true((problem?.value ?? '').length > 0)
  })
}

test('certificates are taken as a field of a page gives them, without their line breaks', t => {
  const [one, other] = [new TestAuthority('one').certificate, new TestAuthority('other').certificate].map(
    pem => `${pem.replaceAll('\r', '').trim()}\n`,
  )
  const authority = (text: string) => {
    const toml = `[syslog]\naddress = "c.example:6514"\nauthority = ${JSON.stringify(text)}`
    return parseConfig(toml, {}).config.syslog?.authority
  }
  t.is(authority(one! + other!), one! + other!)
  t.is(authority((one! + other!).replaceAll('\n', '')), one! + other!)
  t.is(authority((one! + other!).replaceAll('\n', ' ')), one! + other!)
  t.is(authority('/etc/ca.pem'), '/etc/ca.pem')
  const key = '-----BEGIN PRIVATE KEY-----AAAA-----END PRIVATE KEY-----'
  const refused = t.throws<ConfigError>(() => authority(one! + key), { instanceOf: ConfigError })
  t.deepEqual(
    refused?.problems.map(problem => problem.key),
    ['syslog.authority'],
  )
})

test('all problems are told at once', t => {
  t.is(
    problems('a = 1\n[server]\nname = "?"', { LETRO_LISTEN_CLIENT: 'x', LETRO_SERVER_NAMES: 'y' }).length,
    4,
  )
})

test('a wrong variable is named as it was written, with what was meant', t => {
  t.deepEqual(
    problems('', { LETRO_ACCOUNT_PASSWORDS: 'true' }).map(({ key, allowed }) => [key, allowed]),
    [['LETRO_ACCOUNT_PASSWORDS', 'there is no such key; did you mean LETRO_ACCOUNTS_PASSWORDS?']],
  )
})

const warned: readonly (readonly [string, RegExp | null])[] = [
  ['[server]\norigin = "https://chat.local"', /\.local names/],
  ['[server]\norigin = "https://chat"', /without a dot/],
  ['[server]\norigin = "https://chat.example.org"', null],
  ['[server]\norigin = "http://letro.localhost:8008"', null],
  ['[listen]\nclient = "0.0.0.0:8008"', /without TLS/],
  ['[listen]\nclient = "[::1]:8008"', null],
  ['[listen]\nclient = "0.0.0.0:8448"\n[tls]\ncertificate = "c"\nkey = "k"', null],
  ['[admin]\ntoken_file = "t"', /admin\.token_file/],
  ['[limits]\nenabled = false', /limits\.enabled/],
]
for (const [toml, expected] of warned) {
  test(`${expected ? 'warned about' : 'no warning about'}: ${JSON.stringify(toml)}`, t => {
    const { warnings } = parseConfig(toml, {})
    if (expected) t.regex(warnings.join('\n'), expected)
    else t.deepEqual(warnings, [])
  })
}
