/**
 * The configuration: `letro.toml`, every key overridable by environment, checked once at start, and again with what
 * administrators set while the server runs (running-settings.ts).
 *
 * What each key is stands in config-keys.ts, what they mean together in config-compose.ts. All problems are reported at once.
 */
import { parse as parseToml, TomlError } from 'smol-toml'
import type { BackupSettings } from './backup/backups.ts'
import { compose } from './config-compose.ts'
import { configKeys, environmentName, settings, type Values } from './config-keys.ts'
import { ConfigError, type Problem, show, unknown } from './config-problems.ts'
import type { Setting } from './config-setting.ts'
import { formatHostPort, type HostPort } from './config-values.ts'
import type { Limit, LimitName } from './http/rate-limit.ts'
import type { ServerName } from './protocol/ids.ts'

export { configKeys, environmentName, exampleToml } from './config-keys.ts'
export { ConfigError, type Problem } from './config-problems.ts'

export interface Config {
  /** All keys, for who looks at them. */
  readonly shown: readonly ShownSetting[]
  /** What file and environment say, for who adds settings to it. */
  readonly given: GivenValues
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
  /** At most one of the two; neither: no metrics. */
  readonly metrics: { readonly tokenFile: string | null; readonly tokenSha256: string | null }
  /** null: no syslog. */
  readonly syslog: {
    readonly address: HostPort
    /** PEM, or the path of a file with it. */
    readonly authority: string | null
    readonly identity: { readonly certificate: string; readonly key: string } | null
  } | null
  /** The machine report and the updater's socket; null: this is no appliance. */
  readonly appliance: { readonly report: string | null; readonly updateSocket: string | null }
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
  readonly from: Source
  readonly doc: string
}

/** Who says a value: what an administrator set while the server ran (settings.json) stands above the file, and below the environment. */
export type Source = 'file' | 'environment' | 'set' | 'default'

/** What administrators set, by key; null: as if nothing stood in the file. */
export type SetValues = ReadonlyMap<string, unknown>

interface Given {
  readonly value: unknown
  readonly from: Source
  /** As whoever wrote it knows it: the key, or its name in the environment. */
  readonly named: string
}

/** What file and environment say. */
export type GivenValues = ReadonlyMap<string, Given>

export interface Parsed {
  readonly config: Config
  readonly warnings: readonly string[]
}

/**
 * @param toml the text of letro.toml, '' where there is none
 * @throws ConfigError with all that is wrong
 */
export function parseConfig(toml: string, environment: Readonly<Record<string, string | undefined>>): Parsed {
  const problems: Problem[] = []
  const given = new Map<string, Given>()
  for (const [key, value] of flatten(readToml(toml))) given.set(key, { value, from: 'file', named: key })
  const keyOfName = new Map(configKeys.map(key => [environmentName(key), key]))
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('LETRO_') || value === undefined) continue
    const key = keyOfName.get(name)
    if (key) given.set(key, { value, from: 'environment', named: name })
    else problems.push({ key: name, value: show(value), allowed: unknown(name, [...keyOfName.keys()]) })
  }
  return configOf(given, new Map(), problems)
}

/** The same with what administrators set since. Throws ConfigError. */
export function withSettings({ given }: Config, set: SetValues): Parsed {
  return configOf(given, set, [])
}

function configOf(said: GivenValues, set: SetValues, problems: Problem[]): Parsed {
  const given = new Map(said)
  for (const [key, value] of set) {
    if (given.get(key)?.from === 'environment') continue
    given.set(key, { value, from: 'set', named: key })
  }
  const values: Record<string, unknown> = {}
  for (const [key, { value, from, named }] of given) {
    const known = (settings as Record<string, Setting<unknown>>)[key]
    if (!known) {
      problems.push({ key, value: show(value), allowed: unknown(key, configKeys) })
      continue
    }
    if (from === 'set' && value === null && known.byDefault === '') continue
    const parsed = known.parse(value)
    if (parsed === undefined) {
      problems.push({ key: named, value: show(value), allowed: `allowed is ${known.allowed}` })
    } else values[key] = parsed
  }
  for (const [key, { byDefault, parse }] of Object.entries(settings)) {
    if (values[key] === undefined && byDefault !== '') {
      values[key] = parse(parseToml(`value = ${byDefault}`)['value'])
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const { config, warnings } = compose(values as Values)
  return { config: { ...config, shown: shownSettings(given, config), given: said }, warnings }
}

/** What is in force and where it comes from, for an administrator who looks. No value is a secret: secrets are in files. */
function shownSettings(
  given: GivenValues,
  { server, federation }: Omit<Config, 'shown' | 'given'>,
): ShownSetting[] {
  const derived: Readonly<Record<string, string>> = {
    'server.name': server.name,
    'server.origin': server.origin,
    'federation.address': formatHostPort(federation.address),
  }
  return Object.entries(settings).map(([key, { byDefault, doc }]) => {
    const found = given.get(key)
    // Whole: an appliance's firewall reads it from there, and who changes it begins with it.
    if (found)
      return { key, value: found.value === null ? null : JSON.stringify(found.value), from: found.from, doc }
    const value = key in derived ? JSON.stringify(derived[key]) : byDefault === '' ? null : byDefault
    return { key, value, from: 'default', doc }
  })
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
