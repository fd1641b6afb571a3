/** Backups in words, for whoever looks after the server. */
import { createHash } from 'node:crypto'
import { fingerprintWords } from '#protocol/fingerprint-words.ts'
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import type { RestoreReport } from '../server/backup/restore.ts'
import type { VerifyReport } from '../server/backup/verify.ts'
import { gibibytes, span } from './amounts.ts'
import { wordsText } from './peer-text.ts'

export function statusText(status: JsonObject): string {
  const { last_success: success, last_failure: failure, running } = status
  return [
    isObject(running) ? `Running: ${progressText(running)}.` : null,
    isObject(success)
      ? `Last backup: ${moment(success['ts'])}, ${whatText(success)}, ${placesText(success['places'])}.`
      : 'There has been no backup yet.',
    isObject(failure) ? `The last attempt, ${moment(failure['ts'])}, FAILED:\n  ${failure['error']}` : null,
    encryptedText(status['encrypted_for']),
    placeText(status),
    typeof status['sftp_public_key'] === 'string'
      ? `The other machine lets this server in by its authorized_keys:\n  ${status['sftp_public_key']}`
      : null,
    typeof status['next_ts'] === 'number' ? `Next one: ${moment(status['next_ts'])}.` : noNextText(status),
  ]
    .filter(line => line !== null)
    .join('\n')
}

export function progressText(running: JsonObject): string {
  const steps: Record<string, string> = {
    rows: 'the database',
    files: 'keys and settings',
    media: 'media files',
  }
  return `${steps[String(running['step'])] ?? 'it began'}, ${gibibytes(Number(running['bytes'] ?? 0))} so far`
}

export function listText(files: readonly { readonly name: string; readonly bytes: number }[]): string {
  if (files.length === 0) return 'There is no backup in the folder.'
  return files
    .map(
      ({ name, bytes }) =>
        `${name}  ${gibibytes(bytes)}${name.endsWith('-000.age') ? '' : '  (with those before it)'}`,
    )
    .join('\n')
}

export function restoredText(report: RestoreReport, data: string): string {
  const { header, end, media, mediaMissing, epoch, configuration } = report
  const elsewhere = filesElsewhere(configuration)
  return [
    `${header.serverName} is back in ${data}, as it was ${moment(header.createdTs)}: ${end.rows} rows, ${media} media files, epoch ${epoch}.`,
    'What was written after that moment is not in it.',
    ...(mediaMissing > 0
      ? [
          `MISSING: ${mediaMissing} media files were not in the backup. Whoever opens them is told that they are gone.`,
        ]
      : []),
    '',
    'It was signed by the site with this root key. Compare the words with those that you have on paper, or',
    'that an administrator of a peer reads to you: if they differ, somebody else made this backup.',
    '',
    rootWords(report),
    '',
    'Before you start the server:',
    '  - The old one must never run again: two servers of one name contradict each other.',
    `  - Its configuration is not part of its data. What it ran with: ${data}/configuration-of-backup.json`,
    ...(elsewhere.length > 0
      ? [`  - Put back yourself what lay outside the data folder: ${elsewhere.join(', ')}`]
      : []),
    '',
    'When it starts, everybody signs in again, open links are withdrawn, and devices make new one-time keys.',
    'Peers are suspended until you have looked at each (letro peer list, letro peer resume NAME): then what they',
    'remember and the backup does not comes back from them.',
  ].join('\n')
}

export function restoredAfarText(server: string, aside: string | null): string {
  return [
    `${server} serves what the backup holds. What was written after it was made is not in it.`,
    ...(aside === null
      ? []
      : [`What was there before is kept in its data folder, until the next restore: ${aside}`]),
    '',
    'Compare the words of its card (letro peer card) with those that you have on paper, or that an administrator',
    'of a peer reads to you: if they differ, somebody else made this backup.',
    'Everybody signs in again, open links are withdrawn, and devices make new one-time keys. Peers are suspended',
    'until you have looked at each (letro peer list, letro peer resume NAME).',
  ].join('\n')
}

export function verifiedText({ restored, check, isSound }: VerifyReport): string {
  const { header, end, media, mediaMissing, from } = restored
  const files = from.length === 1 ? 'one file' : `${from.length} files`
  return [
    isSound ? 'The backup is SOUND.' : 'The backup is NOT sound.',
    `It is of ${header.serverName}, ${moment(header.createdTs)}, in ${files}. It was restored into scratch and read whole:`,
    `${end.rows} rows, ${media} media files.`,
    ...check.findings.map(finding => `  - ${finding.message}`),
    ...(mediaMissing > 0
      ? [
          `  - ${mediaMissing} media files are missing, or are not what they were when they came. All else can be restored.`,
        ]
      : []),
    '',
    'Signed by the site with this root key (compare the words with those that you have on paper):',
    '',
    rootWords(restored),
  ].join('\n')
}

export function restoredJson({ header, end, from, epoch, media, mediaMissing }: RestoreReport): JsonObject {
  return {
    server: header.serverName,
    created_ts: header.createdTs,
    backup: header.id,
    release: header.release,
    from: [...from],
    rows: end.rows,
    media,
    media_missing: mediaMissing,
    epoch,
    fingerprint: words(header.card.rootKey),
  }
}

function rootWords({ header }: Pick<RestoreReport, 'header'>): string {
  return wordsText(words(header.card.rootKey))
}

function words(rootKey: Uint8Array): readonly string[] {
  return fingerprintWords(rootKey, message => createHash('sha256').update(message).digest())
}

/** Certificates, tokens, keys: named in the configuration, and outside the data folder. */
function filesElsewhere(configuration: JsonObject): string[] {
  const folder = isObject(configuration['server']) ? String(configuration['server']['data']) : ''
  const found: string[] = []
  const named = /(?:certificate|key|File|token)$/
  const search = (value: Json | undefined, name: string) => {
    if (isObject(value)) for (const [key, inner] of Object.entries(value)) search(inner, key)
    else if (typeof value === 'string' && named.test(name) && /[/\\]/.test(value)) {
      if (!value.startsWith(`${folder}/`)) found.push(value)
    }
  }
  search(configuration, '')
  return found
}

function encryptedText(encryptedFor: Json | undefined): string {
  if (encryptedFor === 'passphrase') return 'Encrypted with the passphrase in backup.passphrase_file.'
  if (!Array.isArray(encryptedFor)) {
    return 'Nobody said for whom to encrypt: nothing is backed up. Make a key: letro backup key'
  }
  return `Encrypted for: ${encryptedFor.join(', ')}`
}

function placeText({ folder, sftp }: JsonObject): string | null {
  if (typeof sftp === 'string') return `Written to ${folder}, and copied to ${sftp}.`
  return typeof folder === 'string' ? `Written to ${folder}.` : null
}

function noNextText({ folder, encrypted_for: whom }: JsonObject): string | null {
  if (whom === null) return null
  return folder === null
    ? 'None is made by itself: set backup.folder or backup.sftp in letro.toml, or fetch them with letro backup create --out FILE.'
    : null
}

function whatText(backup: JsonObject): string {
  return `${gibibytes(Number(backup['bytes']))}${backup['full'] ? '' : ' (what had changed)'}`
}

function placesText(places: Json | undefined): string {
  const names: Record<string, string> = {
    folder: 'in the folder',
    sftp: 'on the other machine',
    pulled: 'fetched',
  }
  return Array.isArray(places) ? places.map(place => names[String(place)] ?? String(place)).join(' and ') : ''
}

function moment(ts: Json | undefined): string {
  const time = Number(ts)
  const ago = Date.now() - time
  const when = new Date(time).toISOString().slice(0, 16).replace('T', ' ')
  return `${when} UTC (${ago >= 0 ? `${span(ago)} ago` : `in ${span(-ago)}`})`
}
