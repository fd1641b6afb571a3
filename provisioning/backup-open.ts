/** `letro backup verify` and `restore`: with the private key, away from the server or on a new machine; no server runs. */
import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { BackupError, type BackupErrorCode } from '../server/backup/backup-error.ts'
import { backupsIn } from '../server/backup/backup-file.ts'
import { type RestoreOptions, type RestoreProgress, restoreBackup } from '../server/backup/restore.ts'
import type { UnsealKeys } from '../server/backup/unseal.ts'
import { verifyBackup } from '../server/backup/verify.ts'
import { StoreError } from '../server/store/store.ts'
import { gibibytes } from './amounts.ts'
import { restoredJson, restoredText, verifiedText } from './backup-text.ts'
import { CommandFailed } from './command-failed.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { type PassphraseOptions, passphraseFrom } from './passphrase.ts'
import { tell } from './terminal.ts'

export interface OpenOptions extends PassphraseOptions {
  readonly key?: string
  readonly site?: string
  readonly json?: boolean
}

export async function verify(
  options: OpenOptions & { readonly scratch?: string },
  named: string,
): Promise<ExitCode> {
  const file = await backupNamed(named)
  const keys = await keysFrom(options)
  const report = await inWords(() =>
    verifyBackup(file, resolve(options.scratch ?? tmpdir()), how(options, keys)),
  )
  endProgress(options)
  const json = {
    ...restoredJson(report.restored),
    sound: report.isSound,
    findings: report.check.findings.map(({ kind, message }) => ({ kind, message })),
  }
  tell(options, json, verifiedText(report))
  return report.isSound ? exitCodes.done : exitCodes.unsound
}

export async function restore(
  options: OpenOptions & { readonly data: string },
  named: string,
): Promise<ExitCode> {
  const file = await backupNamed(named)
  const data = resolve(options.data)
  const keys = await keysFrom(options)
  const report = await inWords(() => restoreBackup(file, data, how(options, keys)))
  endProgress(options)
  tell(options, restoredJson(report), restoredText(report, data))
  return report.mediaMissing === 0 ? exitCodes.done : exitCodes.unsound
}

function how(options: OpenOptions, keys: UnsealKeys): RestoreOptions {
  return {
    keys,
    onProgress: progressLine(options),
    ...(options.site === undefined ? {} : { serverName: options.site }),
  }
}

/** A folder stands for the newest backup in it. */
export async function backupNamed(named: string): Promise<string> {
  const path = resolve(named)
  const found = await stat(path).catch(() => null)
  if (!found) throw new CommandFailed(`There is no ${path}.`, exitCodes.impossible)
  if (!found.isDirectory()) return path
  const names = await inWords(() => backupsIn(path))
  const sites = new Set(names.map(({ chain }) => chain.slice(0, -'-YYYYMMDDTHHMMSSZ'.length)))
  if (names.length === 0) {
    throw new CommandFailed(`There is no backup (letro-….age) in ${path}.`, exitCodes.impossible)
  }
  if (sites.size > 1) {
    throw new CommandFailed(`Backups of several sites lie in ${path}: name the file.`, exitCodes.usage)
  }
  return join(path, names.at(-1)!.name)
}

export async function keysFrom(options: OpenOptions): Promise<UnsealKeys> {
  if (options.key !== undefined) return { identities: identitiesIn(options.key) }
  const passphrase = await passphraseFrom(options, 'Passphrase: ')
  if (passphrase !== null && passphrase !== '') return { identities: [], passphrase }
  throw new CommandFailed(
    'With what is it opened? Give --key FILE (the private key that letro backup key showed), or --passphrase-file FILE.',
    exitCodes.usage,
  )
}

/** As age's own tools read it: one key a line, `#` begins a comment; `-` is the standard input. */
function identitiesIn(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CommandFailed(`--key ${file} cannot be read (${code}).`, exitCodes.impossible)
  }
  const keys = text.split('\n').flatMap(line => (/^\s*(?:#|$)/.test(line) ? [] : line.trim()))
  if (keys.length > 0) return keys
  throw new CommandFailed(`--key ${file} holds no key.`, exitCodes.usage)
}

const impossible = new Set<BackupErrorCode>([
  'BACKUP_NO_SPACE',
  'BACKUP_PLACE',
  'BACKUP_TARGET',
  'BACKUP_NEWER',
])

async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    if (error instanceof BackupError) {
      throw new CommandFailed(
        error.message,
        impossible.has(error.code) ? exitCodes.impossible : exitCodes.unsound,
      )
    }
    if (error instanceof StoreError) throw new CommandFailed(`${error.message}.`, exitCodes.impossible)
    const { code, path } = error as NodeJS.ErrnoException
    if (code === undefined || path === undefined) throw error
    throw new CommandFailed(`${path} cannot be used (${code}).`, exitCodes.impossible)
  }
}

function progressLine({ json }: OpenOptions): (progress: RestoreProgress) => void {
  if (json || !process.stderr.isTTY) return () => {}
  let told = 0
  return ({ step, done, total }) => {
    if (Date.now() - told < 200) return
    told = Date.now()
    const text =
      step === 'reading'
        ? `Reading: ${gibibytes(done)} of ${gibibytes(total)}`
        : `Comparing media: ${done} of ${total}`
    process.stderr.write(`\r\x1b[K${text}`)
  }
}

function endProgress({ json }: OpenOptions): void {
  if (!json && process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}
