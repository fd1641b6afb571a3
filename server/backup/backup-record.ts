/** What the server remembers of its backups: `<data>/backup/state.json`. A damaged one is as good as none. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BackupErrorCode } from './backup-error.ts'
import { notesFolder } from './data-files.ts'
import { writeWhole } from './write-whole.ts'

export interface BackupRecord {
  /** Since when this server keeps this record. */
  readonly sinceTs: number
  /** The last backup that was written here, whether or not it reached the other machine. */
  readonly written?: WrittenBackup
  /** The last one that is where it belongs. `ts`: the moment that it shows. */
  readonly success?: WrittenBackup & { readonly places: readonly ('folder' | 'sftp' | 'pulled')[] }
  /** The last attempt, where it failed. */
  readonly failure?: {
    readonly ts: number
    readonly code: BackupErrorCode | 'UNEXPECTED'
    readonly message: string
  }
}

export interface WrittenBackup {
  readonly ts: number
  readonly name: string
  readonly bytes: number
  readonly full: boolean
}

const fileOf = (dataFolder: string) => join(dataFolder, notesFolder, 'state.json')

export async function readRecord(dataFolder: string, now: number): Promise<BackupRecord> {
  try {
    const record = JSON.parse(await readFile(fileOf(dataFolder), 'utf8')) as BackupRecord
    if (Number.isSafeInteger(record.sinceTs)) return record
  } catch {}
  return { sinceTs: now }
}

export async function writeRecord(dataFolder: string, record: BackupRecord): Promise<void> {
  await mkdir(join(dataFolder, notesFolder), { recursive: true, mode: 0o700 })
  await writeWhole(fileOf(dataFolder), `${JSON.stringify(record)}\n`)
}
