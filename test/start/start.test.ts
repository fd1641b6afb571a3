/** The program itself: what it prints, what it refuses, how it stops. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'

const main = join(import.meta.dirname, '../../server/main.ts')

interface Started {
  readonly child: ChildProcess
  readonly port: number
  output(): string
  /** Until the output matches. */
  shows(pattern: RegExp): Promise<void>
  ended: Promise<number | null>
}

async function start(
  t: ExecutionContext,
  environment: Record<string, string>,
  args: readonly string[] = [],
): Promise<Started> {
  const port = await freePort()
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [main, ...args], {
    cwd: tmpdir(),
    env: { PATH, HOME, LETRO_LISTEN_CLIENT: `localhost:${port}`, ...environment },
  })
  let output = ''
  child.stdout!.on('data', chunk => {
    output += chunk
  })
  child.stderr!.on('data', chunk => {
    output += chunk
  })
  const ended = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    port,
    output: () => output,
    async shows(pattern) {
      await until(() => pattern.test(output) || child.exitCode !== null).catch(() => {})
      t.regex(output, pattern)
    },
    ended,
  }
}

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'letro-start-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return join(path, 'data')
}

const enrolmentLink = /http:\/\/localhost:\d+\/enrol#\S+/

test('the first start makes everything, prints address and link; the second finds it again', async t => {
  const data = await folder(t)
  const first = await start(t, { LETRO_SERVER_DATA: data })
  await first.shows(/"message":"started","state":"serving","new":true/)
  t.regex(first.output(), new RegExp(`Letro serves localhost at http://localhost:${first.port}`))
  t.regex(first.output(), /trial: this name cannot become production/)
  t.regex(first.output(), enrolmentLink)
  t.is((await fetch(`http://localhost:${first.port}/_letro/health`)).status, 200)
  t.is((await stat(data)).mode & 0o777, 0o700)
  const keyFile = join(data, 'keys', 'event-signing.json')
  t.is((await stat(keyFile)).mode & 0o777, 0o600)
  t.is((await stat(join(data, 'maintenance.token'))).mode & 0o777, 0o600)
  const key = await readFile(keyFile, 'utf8')
  t.regex(key, /"ed25519:a_\w{4}"/)
  first.child.kill('SIGTERM')
  // Within 5 s: later than that the program ends itself, with 1.
  t.is(await first.ended, 0)

  const second = await start(t, { LETRO_SERVER_DATA: data })
  await second.shows(/"message":"started","state":"serving","new":false/)
  t.is(await readFile(keyFile, 'utf8'), key)
  const [old] = enrolmentLink.exec(first.output()) ?? []
  const [fresh] = enrolmentLink.exec(second.output()) ?? []
  t.not(fresh?.split('#')[1], old?.split('#')[1], 'an unused link ends with its start')
  second.child.kill('SIGINT')
  t.is(await second.ended, 0)
})

const refusals: readonly (readonly [string, (data: string) => Promise<Record<string, string>>, RegExp])[] = [
  [
    'an unknown key',
    async data => ({ LETRO_SERVER_DATA: data, LETRO_SERVER_NAM: 'x' }),
    /LETRO_SERVER_NAM = "x"\n {4}there is no such key; did you mean LETRO_SERVER_NAME\?/,
  ],
  [
    'an IP address as origin',
    async data => ({ LETRO_SERVER_DATA: data, LETRO_SERVER_ORIGIN: 'https://192.0.2.1' }),
    /LETRO_SERVER_ORIGIN = "https:\/\/192\.0\.2\.1"\n {4}allowed is an https URL/,
  ],
  [
    'a folder with files of somebody else',
    async data => {
      await mkdir(data)
      await writeFile(join(data, 'thesis.txt'), 'words')
      return { LETRO_SERVER_DATA: data }
    },
    /holds files that are not Letro's \(thesis\.txt\)/,
  ],
  [
    'a file as folder',
    async data => {
      await writeFile(data, '')
      return { LETRO_SERVER_DATA: data }
    },
    /server\.data = .* cannot be used \(EEXIST\)/,
  ],
  [
    'data of another name',
    async data => {
      await mkdir(data)
      await writeFile(join(data, 'identity.json'), '{"name":"example.org"}')
      return { LETRO_SERVER_DATA: data, LETRO_SERVER_NAME: 'example.com' }
    },
    /belongs to example\.org\. Under another name all its accounts, rooms and messages would be lost/,
  ],
  [
    'data whose signing key is missing',
    async data => {
      await mkdir(data)
      await writeFile(join(data, 'identity.json'), '{"name":"localhost"}')
      return { LETRO_SERVER_DATA: data }
    },
    /event-signing\.json is missing, but there is data that was signed with it/,
  ],
  [
    'data whose identity is missing',
    async data => {
      await mkdir(join(data, 'store'), { recursive: true })
      return { LETRO_SERVER_DATA: data }
    },
    /identity\.json is missing/,
  ],
  [
    'a certificate that is not there',
    async data => ({
      LETRO_SERVER_DATA: data,
      LETRO_TLS_CERTIFICATE: '/nowhere/c.pem',
      LETRO_TLS_KEY: '/nowhere/k.pem',
    }),
    /tls\.certificate = \/nowhere\/c\.pem cannot be read \(ENOENT\)/,
  ],
  [
    'an administration token that is too short',
    async data => {
      await mkdir(data)
      const file = join(data, '.token')
      await writeFile(file, 'short')
      return { LETRO_SERVER_DATA: data, LETRO_ADMIN_TOKEN_FILE: file }
    },
    /admin\.token_file/,
  ],
]
for (const [what, prepare, expected] of refusals) {
  test(`does not start, and says what to do: ${what}`, async t => {
    const data = await folder(t)
    const started = await start(t, await prepare(data))
    t.is(await started.ended, 1)
    t.regex(started.output(), /^Letro does not start\./)
    t.regex(started.output(), expected)
    t.false(started.output().includes('    at '), 'no stack for what an operator can mend')
  })
}

test('on an appliance the link of the first administrator does not stand in the journal', async t => {
  const server = await start(t, {
    LETRO_SERVER_DATA: await folder(t),
    LETRO_APPLIANCE_REPORT: join(tmpdir(), 'no-report.json'),
  })
  await server.shows(/"message":"started"/)
  t.regex(server.output(), /Letro serves localhost/)
  t.notRegex(server.output(), enrolmentLink)
  t.notRegex(server.output(), /administer|[█▀▄]/)
})

test('a taken port is named, and nothing stays locked', async t => {
  const data = await folder(t)
  const other = createServer()
  await new Promise<void>(ready => other.listen(0, '127.0.0.1', ready))
  t.teardown(() => void other.close())
  const { port } = other.address() as { port: number }
  const refused = await start(t, { LETRO_SERVER_DATA: data, LETRO_LISTEN_CLIENT: `localhost:${port}` })
  t.is(await refused.ended, 1)
  t.regex(refused.output(), new RegExp(`listen\\.client = localhost:${port} is taken by another program`))
  const started = await start(t, { LETRO_SERVER_DATA: data })
  await started.shows(/"message":"started"/)
})

test('one folder serves one server', async t => {
  const data = await folder(t)
  const first = await start(t, { LETRO_SERVER_DATA: data })
  await first.shows(/"message":"started"/)
  const second = await start(t, { LETRO_SERVER_DATA: data })
  t.is(await second.ended, 1)
  t.regex(second.output(), /Another Letro, or a letro command, has the data open/)
})

test('a configuration file is read, and the example is one', async t => {
  const data = await folder(t)
  const example = await start(t, {}, ['--example-config'])
  t.is(await example.ended, 0)
  const file = `${data}.toml`
  await writeFile(file, example.output().replace('data = "data"', `data = ${JSON.stringify(data)}`))
  const started = await start(t, {}, ['--config', file])
  await started.shows(/"message":"started"/)
  t.regex(started.output(), new RegExp(`Data: ${data}`))
  const missing = await start(t, {}, ['--config', `${data}/none.toml`])
  t.is(await missing.ended, 1)
  t.regex(missing.output(), /--config = .*none\.toml cannot be read \(ENOENT\)/)
})

test('a server that was killed finds its data again', async t => {
  const data = await folder(t)
  const first = await start(t, { LETRO_SERVER_DATA: data })
  await first.shows(/"message":"started"/)
  first.child.kill('SIGKILL')
  await first.ended
  const second = await start(t, { LETRO_SERVER_DATA: data })
  await second.shows(/"message":"started","state":"serving","new":false/)
})

test('a folder that cannot be written is named', async t => {
  if (process.getuid?.() === 0) return t.pass('root may write everywhere')
  const data = await folder(t)
  await mkdir(data)
  await chmod(data, 0o500)
  const started = await start(t, { LETRO_SERVER_DATA: data })
  t.is(await started.ended, 1)
  t.regex(started.output(), /cannot be used \(EACCES\)/)
})

test('a first start that was cut off is a first start again', async t => {
  const data = await folder(t)
  // What a power cut leaves after the keys were made and before the folder was marked as ready.
  await mkdir(join(data, 'keys'), { recursive: true })
  await writeFile(join(data, 'keys', 'half-written.new'), 'x')
  await writeFile(join(data, 'identity.json'), '{"name":"localhost","createdTs":1,"ready":false}')
  const server = await start(t, { LETRO_SERVER_DATA: data })
  await server.shows(/Open this link once/)
  t.true(JSON.parse(await readFile(join(data, 'identity.json'), 'utf8')).ready)
})

test('localhost is both loopback addresses', async t => {
  const server = await start(t, { LETRO_SERVER_DATA: await folder(t) })
  await server.shows(/Letro serves/)
  t.is((await fetch(`http://127.0.0.1:${server.port}/_matrix/client/versions`)).status, 200)
  const hasIpv6 = Object.values(networkInterfaces()).some(list =>
    list?.some(({ address }) => address === '::1'),
  )
  if (hasIpv6) t.is((await fetch(`http://[::1]:${server.port}/_matrix/client/versions`)).status, 200)
})
