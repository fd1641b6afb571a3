/**
 * Settings that administrators change while the server runs: kept in settings.json, over letro.toml and under the environment.
 *
 * A value is checked by the same table as the file's, together with all others, before it is kept; what cannot work (a folder that
 * is not there) is refused. What a restart is needed for waits, and says so. A server always starts: kept values
 * that will not do any more are left out, by section, and named in the warnings.
 */
import { hash } from 'node:crypto'
import type { SettingShown, SettingsActs } from './admin-api/configuration.ts'
import { type Changes, changesOf, kindOf, settingOf, storedForm } from './changeable.ts'
import { type Config, ConfigError, type SetValues, type ShownSetting, withSettings } from './config.ts'
import { show } from './config-problems.ts'
import type { AuditAct } from './protocol/audit-chain.ts'
import { readSettings, writeSettings } from './settings-file.ts'

/** What is to follow a change at once: made ready, so that it can still be refused; then done, or taken back. */
export interface Prepared {
  done(): Promise<void>
  undo(): Promise<void>
}
export type Follower = (next: Config, before: Config) => Promise<Prepared | null>

export interface RunningSettings extends SettingsActs {
  /** In force. */
  readonly current: Config
  readonly warnings: readonly string[]
  follow(follower: Follower): void
  /** Where changes are written down; none can be made before. */
  auditBy(audit: ((act: AuditAct) => Promise<void>) | null): void
}

export class SettingRefused extends Error {
  /** A Matrix error code: http/errors.ts knows its status. */
  readonly code: 'M_BAD_STATE' | 'M_INVALID_PARAM' | 'M_NOT_FOUND' | 'M_FORBIDDEN'
  readonly fields: Readonly<Record<string, unknown>>
  constructor(code: SettingRefused['code'], message: string, reason?: string) {
    super(message)
    this.name = 'SettingRefused'
    this.code = code
    this.fields = reason === undefined ? {} : { 'org.letro.reason': reason }
  }
}

/** Each throws a sentence. */
export interface SettingsChecks {
  /** What would keep a server from starting. */
  readonly toStart: (config: Config) => void
  /** What cannot work on this machine as it is now: a disk that is not mounted yet at a start is no reason then. */
  readonly toSet: (config: Config) => void
}

export async function openRunningSettings(
  base: Config,
  dataFolder: string,
  checks: SettingsChecks,
): Promise<RunningSettings> {
  const read = await readSettings(dataFolder)
  const warnings: string[] = []
  if (!read)
    warnings.push('settings.json cannot be read: what was set in the administration is not in force.')
  /** All that is kept, with what this release cannot use. */
  let kept: SetValues = read ?? new Map()
  /** What of it counts now. */
  let counts = usable(base, kept, checks.toStart, warnings)
  let current = withSettings(base, counts).config
  const followers = new Set<Follower>()
  let audit: ((act: AuditAct) => Promise<void>) | null = null
  let last: Promise<unknown> = Promise.resolve()

  const shownNow = (): readonly SettingShown[] => {
    // As it will be after a restart.
    const next = withSettings(base, usable(base, kept, checks.toStart, [])).config
    const inForce = new Map(current.shown.map(setting => [setting.key, setting.value]))
    return next.shown.map(setting => shownOf(setting, inForce.get(setting.key) ?? null))
  }

  const change = async (actor: string, key: string, value: unknown, seen: string | undefined) => {
    const when = mayChange(base, key)
    const before = shownNow().find(setting => setting.key === key)!
    if (seen !== undefined && seen !== before.version)
      throw new SettingRefused(
        'M_BAD_STATE',
        `Somebody else changed ${key} meanwhile. Look again.`,
        'CHANGED',
      )
    const nextKept = new Map(kept)
    const nextCounts = new Map(counts)
    const stored = value === undefined ? undefined : storedForm(key, value)
    if (value !== undefined && stored === undefined)
      throw new SettingRefused(
        'M_INVALID_PARAM',
        `${key} = ${show(value)}: allowed is ${settingOf(key).allowed}.`,
      )
    for (const values of when === 'now' ? [nextKept, nextCounts] : [nextKept]) {
      if (stored === undefined) values.delete(key)
      else values.set(key, stored)
    }
    const next = refusedInWords(() => {
      checks.toSet(withSettings(base, onlyKnown(nextKept)).config)
      return withSettings(base, nextCounts).config
    })
    if (!audit) throw new SettingRefused('M_FORBIDDEN', 'The server is in maintenance: nothing can be set.')
    const prepared = when === 'now' ? await prepareAll(followers, next, current) : []
    try {
      // Said first: a file is no row, and nothing may change that the audit does not know. A crash before the next line
      // leaves an entry whose change did not come.
      await audit({
        actor,
        action: 'site.setting',
        detail: stored === undefined ? { key, reset: true } : { key, value: show(stored) },
      })
      await writeSettings(dataFolder, nextKept)
    } catch (error) {
      for (const each of prepared) await each.undo()
      throw error
    }
    kept = nextKept
    counts = nextCounts
    current = next
    for (const each of prepared) await each.done()
    return shownNow().find(setting => setting.key === key)!
  }

  /** One after another: each is decided on what the one before has left. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }

  return {
    get current() {
      return current
    },
    warnings,
    follow: follower => void followers.add(follower),
    auditBy: writer => {
      audit = writer
    },
    list: shownNow,
    set: (actor, key, value, version) => inTurn(() => change(actor, key, value, version)),
    reset: (actor, key, version) => inTurn(() => change(actor, key, undefined, version)),
  }
}

function shownOf(setting: ShownSetting, inForce: string | null): SettingShown {
  const { key, value, from } = setting
  const { allowed, choices } = settingOf(key)
  return {
    ...setting,
    kind: kindOf(key),
    allowed,
    ...(choices ? { choices } : {}),
    changes: from === 'environment' ? null : changesOf(key),
    ...(inForce === value ? {} : { inForce: { value: inForce } }),
    version: hash('sha256', `${from} ${value}`, 'base64url').slice(0, 16),
  }
}

function mayChange(base: Config, key: string): Changes {
  const when = changesOf(key)
  if (base.given.get(key)?.from === 'environment')
    throw new SettingRefused('M_FORBIDDEN', `${key} is fixed by the environment of the server.`, 'FIXED')
  if (when) return when
  if (base.shown.some(setting => setting.key === key))
    throw new SettingRefused(
      'M_FORBIDDEN',
      `${key} does not change while the server runs: set it in letro.toml on its machine, and start the server again.`,
      'FIXED',
    )
  throw new SettingRefused('M_NOT_FOUND', `There is no setting ${key}.`)
}

function refusedInWords<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ConfigError) throw new SettingRefused('M_INVALID_PARAM', `${error.message}.`)
    throw new SettingRefused('M_INVALID_PARAM', error instanceof Error ? error.message : String(error))
  }
}

async function prepareAll(followers: Iterable<Follower>, next: Config, before: Config): Promise<Prepared[]> {
  const prepared: Prepared[] = []
  try {
    for (const follower of followers) {
      const ready = await follower(next, before)
      if (ready) prepared.push(ready)
    }
  } catch (error) {
    for (const each of prepared) await each.undo()
    throw new SettingRefused('M_INVALID_PARAM', error instanceof Error ? error.message : String(error))
  }
  return prepared
}

/** Those that may be set, and that this release knows. */
function onlyKnown(kept: SetValues): Map<string, unknown> {
  return new Map([...kept].filter(([key]) => changesOf(key) !== null))
}

/** By section, because keys of one section need each other. */
function usable(
  base: Config,
  kept: SetValues,
  check: (config: Config) => void,
  warnings: string[],
): Map<string, unknown> {
  const counts = new Map<string, unknown>()
  const sections = Map.groupBy(onlyKnown(kept), ([key]) => key.split('.')[0]!)
  for (const entries of sections.values()) {
    const tried = new Map([...counts, ...entries])
    try {
      check(withSettings(base, tried).config)
      for (const [key, value] of entries) counts.set(key, value)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const names = entries.map(([key]) => key).join(', ')
      warnings.push(`What was set in the administration for ${names} is not in force: ${why}`)
    }
  }
  return counts
}
