/**
 * Which keys of the configuration an administrator may set while the server runs, and when that counts.
 *
 * All others say who this server is, where it answers or whom it believes: whoever can change them must be on the machine.
 * `now`: read anew by whoever uses it. `restart`: other parts were built on it when the server started.
 */
import { type Key, settings } from './config-keys.ts'
import type { Setting } from './config-setting.ts'
import { snakeCase } from './config-values.ts'
import { limitDefaults } from './http/rate-limit.ts'

export type Changes = 'now' | 'restart'

const keys: Partial<Record<Key, Changes>> = {
  'listen.trust_page': 'now',
  'accounts.registration': 'now',
  'accounts.passwords': 'now',
  'limits.enabled': 'now',
  ...Object.fromEntries(Object.keys(limitDefaults).map(name => [`limits.${snakeCase(name)}`, 'now'])),
  'limits.upload_size': 'now',
  'limits.media_quota': 'now',
  'metrics.token_file': 'restart',
  'metrics.token_sha256': 'restart',
  'syslog.address': 'restart',
  'syslog.authority': 'restart',
  'devices.lock_after_days': 'now',
  'presence.enabled': 'restart',
  'push.hosts': 'restart',
  'backup.folder': 'now',
  'backup.at': 'now',
  'backup.full_every_days': 'now',
  'backup.keep': 'now',
  'backup.rate': 'now',
  'backup.sftp': 'now',
  'backup.sftp_host_key': 'now',
  'backup.sftp_key_file': 'now',
  'backup.sftp_timeout_minutes': 'now',
}

/** null: not while the server runs, and not from afar. */
export function changesOf(key: string): Changes | null {
  return (keys as Record<string, Changes>)[key] ?? null
}

/** How a value of it is entered. */
export type ValueKind = 'switch' | 'number' | 'list' | 'choice' | 'text'

export function kindOf(key: string): ValueKind {
  const { byDefault, choices } = settingOf(key)
  if (choices) return 'choice'
  if (byDefault === 'true' || byDefault === 'false') return 'switch'
  if (byDefault.startsWith('[')) return 'list'
  return /^[0-9]/.test(byDefault) ? 'number' : 'text'
}

export function settingOf(key: string): Setting<unknown> {
  return (settings as Record<string, Setting<unknown>>)[key]!
}

/** As the file would have it, whether it came as a word from a command line or as JSON. undefined: it is not allowed. */
export function storedForm(key: string, value: unknown): unknown {
  const { byDefault, parse } = settingOf(key)
  // Nothing, where the file may say nothing.
  if (value === null) return byDefault === '' ? null : undefined
  const parsed = parse(value)
  if (parsed === undefined) return undefined
  return kindOf(key) === 'text' || kindOf(key) === 'choice' ? String(value) : parsed
}
