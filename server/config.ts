/**
 * The configuration: `letro.toml`, every key overridable by environment, checked once at start.
 *
 * One table below says everything about a key: name, default, what is allowed, one line of documentation. The names
 * in the environment, the refusals and `letro.example.toml` come from it. All problems are reported at once.
 */
import { parse as parseToml, TomlError } from 'smol-toml'
import type { BackupSettings } from './backup/backups.ts'
import { backupSettings, composeBackup } from './config-backup.ts'
import { type Setting, setting } from './config-setting.ts'
import {
  formatHostPort,
  formatRate,
  type HostPort,
  isLocalName,
  isLoopback,
  parseBoolean,
  parseBytes,
  parseDays,
  parseHostPort,
  parseHosts,
  parseOrigin,
  parseRate,
  parseText,
  snakeCase,
} from './config-values.ts'
import { type Limit, type LimitName, limitDefaults } from './http/rate-limit.ts'
import { isResidency } from './protocol/card.ts'
import { isNewLocalpart, parseServerName, type ServerName } from './protocol/ids.ts'

export interface Config {
  /** All keys, for who looks at them. */
  readonly shown: readonly ShownSetting[]
  readonly server: {
    readonly name: ServerName
    /** No name was given: for a look, not for a life. */
    readonly trial: boolean
    /** Without a slash at the end. */
    readonly origin: string
    readonly data: string
  }
  readonly listen: {
    readonly client: HostPort
    readonly federation: HostPort | null
    /** Plain http. null: there is no trust page. */
    readonly trustPage: HostPort | null
  }
  readonly federation: {
    /** Where other servers dial us, as our card says. */
    readonly address: HostPort
    /** The jurisdiction that our card names. */
    readonly residency: string | null
  }
  readonly tls: { readonly certificate: string; readonly key: string } | null
  /** Who vouches for the certificate in the data folder, with which people are answered then; null: they are not. */
  readonly tlsAuthority: 'own' | 'organisation' | null
  readonly accounts: {
    readonly registration: 'invite' | 'open'
    readonly passwords: boolean
    /** The part before the colon. */
    readonly firstAdministrator: string
  }
  readonly limits: {
    readonly enabled: boolean
    readonly rates: Readonly<Record<LimitName, Limit>>
    readonly uploadBytes: number
    readonly mediaQuotaBytes: number
  }
  readonly admin: { readonly tokenFile: string | null }
  readonly metrics: { readonly tokenFile: string | null }
  /** null: no syslog. */
  readonly syslog: {
    readonly address: HostPort
    readonly authority: string | null
    readonly identity: { readonly certificate: string; readonly key: string } | null
  } | null
  readonly devices: { readonly lockAfterDays: number }
  /** Push services that may be reached; none: no Web Push. */
  readonly presence: { readonly enabled: boolean }
  readonly push: { readonly hosts: readonly string[] }
  readonly backup: BackupSettings
}

/** A key as an administrator sees it: the value as it would stand in the file, null where there is none. */
export interface ShownSetting {
  readonly key: string
  readonly value: string | null
  readonly from: 'file' | 'environment' | 'default'
  readonly doc: string
}

export interface Problem {
  readonly key: string
  readonly value: string
  readonly allowed: string
}

export class ConfigError extends Error {
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map(({ key, value, allowed }) => `${key} = ${value}: ${allowed}`).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

// ── the keys ─────────────────────────────────────────────────────────────────────────────────────────

const settings = {
  'server.name': setting(
    value => parseServerName(value) ?? undefined,
    'a server name: a DNS name, with a port where it needs one',
    '',
    'The part behind the colon in every user id. It can never change: choose it before the first real account. Without it the server is a trial named "localhost".',
  ),
  'server.origin': setting(
    parseOrigin,
    'an https URL of a DNS name without a path (http and "localhost" for a trial on this machine only; no IP address)',
    '',
    'The address that people open. Passkeys are bound to its host, so the host cannot change once a passkey exists. Default: https and the host of server.name.',
  ),
  'server.data': setting(parseText, 'the path of a folder', '"data"', 'Where everything is kept.'),
  'listen.client': setting(
    parseHostPort,
    'host:port',
    '"localhost:8008"',
    'Where clients are answered. "0.0.0.0:8008" or "[::]:8008" answers from everywhere.',
  ),
  'listen.federation': setting(
    parseHostPort,
    'host:port',
    '',
    'Where other servers are answered, always by TLS: "[::]:8448". Without it this server speaks with no other one. Only servers that an administrator has pinned get more than our public keys.',
  ),
  'listen.trust_page': setting(
    parseHostPort,
    'host:port',
    '',
    'Where devices are told, by plain http, how they learn to trust the private authority (tls.authority): "[::]:80". Nothing else is answered there. Without it there is no such page.',
  ),
  'federation.address': setting(
    parseHostPort,
    'host:port',
    '',
    'Where other servers dial this one; it stands in the card that they pin. Default: the host of server.name, and its port or that of listen.federation.',
  ),
  'federation.residency': setting(
    value => (isResidency(value) ? value : undefined),
    'a jurisdiction in capitals such as "DE" or "CH-ZH"',
    '',
    'The jurisdiction in which this server keeps what it is sent; it stands in the card. Rooms may demand one.',
  ),
  'tls.certificate': setting(
    parseText,
    'the path of a PEM file',
    '',
    'The certificate and its chain. Without it, and without tls.authority, the server speaks plain http, for a proxy on the same machine.',
  ),
  'tls.key': setting(parseText, 'the path of a PEM file', '', 'The private key of the certificate.'),
  'tls.authority': setting(
    value => (value === 'own' || value === 'organisation' ? value : undefined),
    '"own" or "organisation"',
    '',
    'In place of tls.certificate and tls.key: the server keeps its certificate in the data folder. "own": one of a private authority that can vouch for this server’s names alone; it renews itself, and people’s devices must trust that authority. "organisation": one that was brought by: letro certificate import.',
  ),
  'accounts.registration': setting(
    value => (value === 'invite' || value === 'open' ? value : undefined),
    '"invite" or "open"',
    '"invite"',
    'Who may make an account: people with an enrolment link or a registration token, or everybody.',
  ),
  'accounts.passwords': setting(
    parseBoolean,
    'true or false',
    'false',
    'Sign-in and registration by password, beside passkeys: for bots, tests and migration.',
  ),
  'accounts.first_administrator': setting(
    value => (typeof value === 'string' && isNewLocalpart(value) ? value : undefined),
    'the part of a user id before the colon, such as "amal"',
    '"admin"',
    'Whose link is printed at each start while nobody administers this server.',
  ),
  'limits.enabled': setting(
    parseBoolean,
    'true or false',
    'true',
    'Rate limits count each person, or each network address where nobody is signed in.',
  ),
  ...rateSettings(),
  'limits.upload_size': setting(parseBytes, 'a size such as "100 MiB"', '"100 MiB"', 'The largest file.'),
  'limits.media_quota': setting(
    parseBytes,
    'a size such as "100 MiB"',
    '"10 GiB"',
    'What all files of one person may take together.',
  ),
  'admin.token_file': setting(
    parseText,
    'the path of a file',
    '',
    'A file with a bearer token for the administration API: for automation. Off by default: whoever reads the file is an administrator.',
  ),
  'metrics.token_file': setting(
    parseText,
    'the path of a file',
    '',
    'A file with a bearer token for /_letro/metrics, where Prometheus reads how this server is: numbers, and names of peers. Off by default.',
  ),
  'syslog.address': setting(
    parseHostPort,
    'host:port',
    '',
    'A collector that gets health and audit by syslog over TLS (RFC 5425, usually port 6514). People are pseudonyms there. Off by default. The first time it gets the whole audit.',
  ),
  'syslog.authority': setting(
    parseText,
    'the path of a PEM file',
    '',
    'The authority that issued the collector’s certificate. Default: those that the machine trusts.',
  ),
  'syslog.certificate': setting(
    parseText,
    'the path of a PEM file',
    '',
    'The certificate with which this server shows the collector who it is, where that asks for one.',
  ),
  'syslog.key': setting(parseText, 'the path of a PEM file', '', 'The private key of that certificate.'),
  'devices.lock_after_days': setting(
    parseDays,
    'a number of days, 0 to 365',
    '30',
    'A device that had no contact with the server for so long locks itself until it has. 0: never.',
  ),
  'presence.enabled': setting(
    parseBoolean,
    'true or false',
    'false',
    'Whether people see who is there, and people of pinned servers as well. It tells when somebody works.',
  ),
  'push.hosts': setting(
    parseHosts,
    'a list of host names such as ["updates.push.services.mozilla.com"]; "*." in front allows all names below',
    '[]',
    'Push services of browser vendors that this server may reach, so that a phone rings while Letro is closed. They learn when a device is rung, never by whom or why. Chrome: "fcm.googleapis.com"; Firefox: "updates.push.services.mozilla.com"; Safari: "*.push.apple.com"; Edge: "*.notify.windows.com".',
  ),
  ...backupSettings,
} as const satisfies Readonly<Record<string, Setting<unknown>>>

type Settings = typeof settings
type Key = keyof Settings
type Values = { -readonly [K in Key]?: Settings[K] extends Setting<infer T> ? T : never }

function rateSettings() {
  const entries = Object.entries(limitDefaults).map(([name, limit]) => [
    `limits.${snakeCase(name)}`,
    setting(
      parseRate,
      'a rate such as "20/s burst 200" (per s, m or h)',
      `"${formatRate(limit)}"`,
      `Limits ${limit.covers}.`,
    ),
  ])
  return Object.fromEntries(entries) as Record<`limits.${LimitName}`, Setting<Limit>>
}

export const configKeys: readonly string[] = Object.keys(settings)

export function environmentName(key: string): string {
  return `LETRO_${key.replaceAll('.', '_').toUpperCase()}`
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────

/**
 * @param toml the text of letro.toml, '' where there is none
 * @throws ConfigError with all that is wrong
 */
export function parseConfig(
  toml: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly config: Config; readonly warnings: readonly string[] } {
  const problems: Problem[] = []
  const given = new Map<string, { value: unknown; from: string }>()
  for (const [key, value] of flatten(readToml(toml))) given.set(key, { value, from: key })
  const keyOfName = new Map(configKeys.map(key => [environmentName(key), key]))
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('LETRO_') || value === undefined) continue
    const key = keyOfName.get(name)
    if (key) given.set(key, { value, from: name })
    else problems.push({ key: name, value: show(value), allowed: unknown(name, [...keyOfName.keys()]) })
  }

  const values: Record<string, unknown> = {}
  for (const [key, { value, from }] of given) {
    const known = (settings as Record<string, Setting<unknown>>)[key]
    if (!known) {
      problems.push({ key, value: show(value), allowed: unknown(key, configKeys) })
      continue
    }
    const parsed = known.parse(value)
    if (parsed === undefined) {
      problems.push({ key: from, value: show(value), allowed: `allowed is ${known.allowed}` })
    } else values[key] = parsed
  }
  for (const [key, { byDefault, parse }] of Object.entries(settings)) {
    if (values[key] === undefined && byDefault !== '') {
      values[key] = parse(parseToml(`value = ${byDefault}`)['value'])
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const { config, warnings } = compose(values as Values)
  return { config: { ...config, shown: shownSettings(given, config) }, warnings }
}

/** What is in force and where it comes from, for an administrator who looks. No value is a secret: secrets are in files. */
function shownSettings(
  given: ReadonlyMap<string, { readonly value: unknown; readonly from: string }>,
  { server, federation }: Omit<Config, 'shown'>,
): ShownSetting[] {
  const derived: Readonly<Record<string, string>> = {
    'server.name': server.name,
    'server.origin': server.origin,
    'federation.address': formatHostPort(federation.address),
  }
  return Object.entries(settings).map(([key, { byDefault, doc }]) => {
    const found = given.get(key)
    if (found)
      return { key, value: show(found.value), from: found.from === key ? 'file' : 'environment', doc }
    const value = key in derived ? JSON.stringify(derived[key]) : byDefault === '' ? null : byDefault
    return { key, value, from: 'default', doc }
  })
}

function compose(values: Values): { config: Omit<Config, 'shown'>; warnings: string[] } {
  const warnings: string[] = []
  const client = values['listen.client']!
  const trial = values['server.name'] === undefined
  const name = values['server.name'] ?? ('localhost' as ServerName)
  const tls = pairOf(values, 'tls.certificate', 'tls.key')
  const tlsAuthority = values['tls.authority'] ?? null
  if (tls && tlsAuthority) {
    throw new ConfigError([
      {
        key: 'tls.authority',
        value: show(tlsAuthority),
        allowed: 'tls.certificate and tls.key are given as well: either those files, or this',
      },
    ])
  }
  const hasTls = tls !== null || tlsAuthority !== null
  const origin = values['server.origin'] ?? defaultOrigin(name, client, hasTls)
  if (tlsAuthority && origin.startsWith('http:')) {
    throw new ConfigError([
      {
        key: 'tls.authority',
        value: show(tlsAuthority),
        allowed: `server.origin = ${origin} is no https URL: people would be answered by TLS at an address that is without`,
      },
    ])
  }
  warnings.push(...originWarnings(origin))
  if (!isLoopback(client.host) && !hasTls) {
    warnings.push(
      `listen.client = ${formatHostPort(client)} answers beyond this machine without TLS: whoever is on the way reads access tokens. Set tls.certificate and tls.key or tls.authority, or listen on localhost behind a TLS proxy.`,
    )
  }
  if (values['admin.token_file'] !== undefined) {
    warnings.push(
      'admin.token_file is set: whoever reads that file administers this server, without a passkey and without a name in the audit.',
    )
  }
  if (!values['limits.enabled']) {
    warnings.push(
      'limits.enabled = false: nothing slows down who guesses or floods. For tests and benchmarks only.',
    )
  }
  const rates = Object.fromEntries(
    Object.keys(limitDefaults).map(limit => [
      limit,
      (values as Record<string, unknown>)[`limits.${snakeCase(limit)}`],
    ]),
  ) as Record<LimitName, Limit>
  const backup = composeBackup(values)
  if ('because' in backup) {
    const allowed = `needed, because ${backup.because} is given`
    throw new ConfigError([{ key: backup.key, value: '(nothing)', allowed }])
  }
  const config: Omit<Config, 'shown'> = {
    server: { name, trial, origin, data: values['server.data']! },
    listen: {
      client,
      federation: values['listen.federation'] ?? null,
      trustPage: values['listen.trust_page'] ?? null,
    },
    federation: {
      address: values['federation.address'] ?? defaultAddress(name, values['listen.federation']),
      residency: values['federation.residency'] ?? null,
    },
    tls,
    tlsAuthority,
    accounts: {
      registration: values['accounts.registration']!,
      passwords: values['accounts.passwords']!,
      firstAdministrator: values['accounts.first_administrator']!,
    },
    limits: {
      enabled: values['limits.enabled']!,
      rates,
      uploadBytes: values['limits.upload_size']!,
      mediaQuotaBytes: values['limits.media_quota']!,
    },
    admin: { tokenFile: values['admin.token_file'] ?? null },
    metrics: { tokenFile: values['metrics.token_file'] ?? null },
    syslog: composeSyslog(values),
    devices: { lockAfterDays: values['devices.lock_after_days']! },
    presence: { enabled: values['presence.enabled']! },
    push: { hosts: values['push.hosts']! },
    backup,
  }
  return { config, warnings }
}

function composeSyslog(values: Values): Config['syslog'] {
  const address = values['syslog.address']
  const identity = pairOf(values, 'syslog.certificate', 'syslog.key')
  const authority = values['syslog.authority'] ?? null
  if (address !== undefined) return { address, authority, identity }
  if (authority === null && identity === null) return null
  throw new ConfigError([
    { key: 'syslog.address', value: '(nothing)', allowed: 'needed, because other keys of syslog are given' },
  ])
}

type FileKey = 'tls.certificate' | 'tls.key' | 'syslog.certificate' | 'syslog.key'

/** A certificate and its key: both or none. */
function pairOf(
  values: Values,
  certificateKey: FileKey,
  keyKey: FileKey,
): { readonly certificate: string; readonly key: string } | null {
  const { [certificateKey]: certificate, [keyKey]: key } = values
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  if (certificate === undefined && key === undefined) return null
  const [there, missing] = key === undefined ? [certificateKey, keyKey] : [keyKey, certificateKey]
  throw new ConfigError([
    { key: missing, value: '(nothing)', allowed: `needed, because ${there} is given: both or none` },
  ])
}

/** Spec: server-server-api#resolving-server-names: 8448 where the name has no port. */
function defaultAddress(name: ServerName, listen: HostPort | undefined): HostPort {
  const [, host = '', port] = /^\[?([^\]]*?)\]?(?::([0-9]{1,5}))?$/.exec(name) ?? []
  return { host, port: port === undefined ? (listen?.port ?? 8448) : Number(port) }
}

function defaultOrigin(name: ServerName, client: HostPort, tls: boolean): string {
  const host = name.replace(/:[0-9]+$/, '')
  if (host === 'localhost') return `${tls ? 'https' : 'http'}://localhost:${client.port}`
  const origin = parseOrigin(`https://${host}`)
  if (origin !== undefined) return origin
  throw new ConfigError([
    {
      key: 'server.origin',
      value: '(nothing)',
      allowed: `needed, because server.name = ${name} is no name that people could open: ${settings['server.origin'].allowed}`,
    },
  ])
}

function originWarnings(origin: string): string[] {
  const { hostname } = new URL(origin)
  if (isLocalName(hostname)) return []
  if (!hostname.includes('.')) {
    return [
      `server.origin = ${origin}: a name without a dot gets no publicly trusted certificate, and a search domain can make it mean another machine.`,
    ]
  }
  if (hostname.endsWith('.local')) {
    return [
      `server.origin = ${origin}: .local names are answered by whoever shouts first on the network, and get no publicly trusted certificate.`,
    ]
  }
  return []
}

function readToml(text: string): Record<string, unknown> {
  try {
    return parseToml(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0] ?? ''
    throw new ConfigError([
      { key: 'letro.toml', value: `line ${error.line}, column ${error.column}`, allowed: reason },
    ])
  }
}

function* flatten(table: Record<string, unknown>, prefix = ''): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(table)) {
    const isTable =
      typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
    if (isTable) yield* flatten(value as Record<string, unknown>, `${prefix}${name}.`)
    else yield [prefix + name, value]
  }
}

// ── telling ──────────────────────────────────────────────────────────────────────────────────────────

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

function unknown(key: string, known: readonly string[]): string {
  const near = known.map(name => ({ name, steps: distance(key, name) })).sort((a, b) => a.steps - b.steps)[0]
  const hint = near && near.steps <= 3 ? `; did you mean ${near.name}?` : ''
  return `there is no such key${hint}`
}

/** Levenshtein: how many letters to change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change))
    }
    row = next
  }
  return row[b.length]!
}

/** letro.example.toml: every key with its line of documentation, commented out where it has no default. */
export function exampleToml(): string {
  const lines = [
    '# Letro’s configuration. Every key may be left out; what stands here is the default.',
    '# The environment overrides the file: server.name is LETRO_SERVER_NAME, accounts.passwords LETRO_ACCOUNTS_PASSWORDS.',
    '# This file is made from server/config.ts: npm start -- --example-config',
  ]
  let table = ''
  let allowedAbove = ''
  for (const [key, { allowed, byDefault, doc }] of Object.entries(settings)) {
    const [section, name] = key.split('.') as [string, string]
    if (section !== table) lines.push('', `[${section}]`)
    table = section
    lines.push(`# ${doc}`)
    if (allowed !== allowedAbove) lines.push(`# Allowed: ${allowed}.`)
    allowedAbove = allowed
    lines.push(byDefault === '' ? `# ${name} = ""` : `${name} = ${byDefault}`)
  }
  return `${lines.join('\n')}\n`
}
