/** The keys `backup.*` of the configuration, and what they mean together. */
import { resolve } from 'node:path'
import type { BackupSettings } from './backup/backups.ts'
import { parseSftp } from './backup/sftp-address.ts'
import { setting } from './config-setting.ts'
import { parseBytes, parseText } from './config-values.ts'

export const backupSettings = {
  'backup.folder': setting(
    parseText,
    'the path of a folder that exists',
    '',
    'Where a backup is written every night: a disk of its own, or a network share that is mounted there. The first one is made as soon as it is known for whom to encrypt.',
  ),
  'backup.recipients': setting(
    parseRecipients,
    'a list of public keys of age such as ["age1…"]',
    '[]',
    'Who can open backups: the public halves of keys whose private halves are kept away from this server. Without it, the key that "letro backup key" made.',
  ),
  'backup.passphrase_file': setting(
    parseText,
    'the path of a file',
    '',
    'In place of recipients: a file with a passphrase. Weaker: whoever breaks into this server reads it, and every backup.',
  ),
  'backup.at': setting(
    parseTime,
    'a time of day such as "02:30", by the clock of this machine',
    '"02:30"',
    'When the nightly backup begins.',
  ),
  'backup.full_every_days': setting(
    wholeNumber(1, 90),
    'a number of days, 1 to 90',
    '7',
    'Between full backups only what changed is written; to restore, all files since the last full one are needed.',
  ),
  'backup.keep': setting(
    wholeNumber(1, 100),
    'a number, 1 to 100',
    '4',
    'How many full backups stay, each with the smaller ones that follow it.',
  ),
  'backup.rate': setting(
    parseBytes,
    'a size such as "16 MiB"',
    '"16 MiB"',
    'How much a backup reads in a second at most, so that people do not feel it.',
  ),
  'backup.sftp': setting(
    parseSftp,
    'an address such as "sftp://letro@backup.example:22/backups"',
    '',
    'Another machine to which each backup is copied. The path is absolute; without one it is where that user begins.',
  ),
  'backup.sftp_host_key': setting(
    parseHostKey,
    'a host key as ssh-keyscan prints it after the name: "ssh-ed25519 AAAA…"',
    '',
    'The key by which that machine is known. Ask its administrator for it: one that is read from the network may be anybody’s.',
  ),
  'backup.sftp_key_file': setting(
    parseText,
    'the path of a private key of OpenSSH without a passphrase',
    '',
    'With what this server signs in there. Default: a key of its own, whose public half is shown with the backups. Give that user nothing but this folder.',
  ),
  'backup.sftp_timeout_minutes': setting(
    wholeNumber(1, 1_440),
    'a number of minutes, 1 to 1440',
    '120',
    'How long the copy of one backup may take before it is ended.',
  ),
} as const

type Settings = typeof backupSettings
type Values = {
  readonly [K in keyof Settings]?: Settings[K] extends { parse: (value: unknown) => infer T } ? T : never
}

/** A key that is missing beside others, and which one asks for it. */
export interface MissingBackupKey {
  readonly key: string
  readonly because: string
}

export function composeBackup(values: Values): BackupSettings | MissingBackupKey {
  const sftp = values['backup.sftp']
  const keyFile = values['backup.sftp_key_file']
  const hostKey = values['backup.sftp_host_key']
  if (sftp && hostKey === undefined) return { key: 'backup.sftp_host_key', because: 'backup.sftp' }
  const folder = values['backup.folder']
  const timeoutMs = values['backup.sftp_timeout_minutes']! * 60_000
  return {
    folder: folder === undefined ? null : resolve(folder),
    recipients: values['backup.recipients']!,
    passphraseFile: values['backup.passphrase_file'] ?? null,
    nightlyAt: values['backup.at']!,
    fullEveryDays: values['backup.full_every_days']!,
    keepChains: values['backup.keep']!,
    bytesPerSecond: values['backup.rate']!,
    sftp: sftp
      ? { ...sftp, hostKey: hostKey!, keyFile: keyFile === undefined ? null : resolve(keyFile), timeoutMs }
      : null,
  }
}

/** From the environment: with commas between them. Private keys are refused here already. */
function parseRecipients(value: unknown): readonly string[] | undefined {
  const list = typeof value === 'string' ? value.split(',').flatMap(key => key.trim() || []) : value
  if (!Array.isArray(list)) return undefined
  const isRecipient = (key: unknown): key is string =>
    typeof key === 'string' && /^age1[a-z0-9]{20,4000}$/.test(key)
  return list.every(isRecipient) ? list : undefined
}

function parseTime(value: unknown): number | undefined {
  const match = /^([01]?[0-9]|2[0-3]):([0-5][0-9])$/.exec(String(value))
  return match ? Number(match[1]) * 60 + Number(match[2]) : undefined
}

function parseHostKey(value: unknown): string | undefined {
  return typeof value === 'string' &&
    /^(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]{40,}={0,2}$/.test(value.trim())
    ? value.trim()
    : undefined
}

function wholeNumber(from: number, to: number): (value: unknown) => number | undefined {
  return value => {
    const number = typeof value === 'string' && /^[0-9]{1,6}$/.test(value) ? Number(value) : value
    return typeof number === 'number' && Number.isInteger(number) && number >= from && number <= to
      ? number
      : undefined
  }
}
