/**
 * The first step of a night: a backup becomes a file in the folder. A full one begins a chain; the next ones build on what
 * the notes say that it holds.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreExport } from '../store/export.ts'
import { BackupError } from './backup-error.ts'
import { backupsIn, inWords, keepingRoom, paced, writeBackupFile } from './backup-file.ts'
import type { WrittenBackup } from './backup-record.ts'
import type { BackupSettings } from './backups.ts'
import { type ChainHead, type ChainNotes, ChainNotesWriter, readChainNotes } from './chain-notes.ts'
import { type BackupName, backupName, newChain, surplus } from './names.ts'
import type { ForWhom } from './recipients.ts'
import { seal } from './seal.ts'
import { listBySftp } from './sftp.ts'
import { type BackupProgress, type BackupSource, backupBytes, newBackupId } from './write-backup.ts'

export interface FolderDeps extends Omit<BackupSource, 'rows'> {
  readonly exportRows: () => Promise<StoreExport>
  readonly settings: BackupSettings
  readonly clock: () => number
}

export interface FolderHow {
  readonly signal: AbortSignal
  readonly onProgress: (progress: BackupProgress) => void
}

const dayMs = 24 * 60 * 60 * 1000
const lastNumber = 998

/** After a crash: no file of that name, or the file with older notes; the next one builds on what these name. */
export async function writeIntoFolder(
  deps: FolderDeps,
  folder: string,
  whom: ForWhom,
  how: FolderHow,
): Promise<WrittenBackup> {
  const { dataFolder, settings } = deps
  const there = await known(deps, folder, how.signal)
  const rows = await deps.exportRows().catch(error => {
    throw sourceFailed(error)
  })
  const notes = await readChainNotes(dataFolder)
  try {
    const now = deps.clock()
    const wanted = { there, whom, epoch: rows.epoch, now, serverName: deps.serverName }
    const earlier = notes && continues(notes.head, wanted, settings.fullEveryDays) ? notes : null
    const head = headOf(earlier?.head ?? null, wanted)
    const bytes = await write({ ...deps, rows }, folder, { head, earlier, now }, whom, how)
    for (const { name } of surplus(await backupsIn(folder), settings.keepChains)) {
      await rm(join(folder, name), { force: true })
    }
    return { ts: now, name: head.name, bytes, full: earlier === null }
  } catch (error) {
    throw sourceFailed(error)
  } finally {
    notes?.close()
    await rows.close()
  }
}

interface NewBackup {
  readonly head: ChainHead
  readonly earlier: ChainNotes | null
  readonly now: number
}

async function write(
  deps: FolderDeps & BackupSource,
  folder: string,
  { head, earlier: notes, now }: NewBackup,
  whom: ForWhom,
  { signal, onProgress }: FolderHow,
): Promise<number> {
  const kept = await ChainNotesWriter.begin(deps.dataFolder, head).catch(async error => {
    throw await inWords(deps.dataFolder, error)
  })
  try {
    const earlier = notes && {
      id: notes.head.id,
      name: notes.head.name,
      hasRows: notes.hasRows,
      hasMedia: notes.hasMedia,
    }
    const options = { id: head.id, now, notes: kept, onProgress, ...(earlier ? { earlier } : {}) }
    const pace = paced(backupBytes(deps, options), deps.settings.bytesPerSecond, signal)
    const sealed = keepingRoom(seal(pace, whom), folder, deps.dataFolder)
    const bytes = await writeBackupFile(folder, head.name, sealed)
    await kept.keep()
    return bytes
  } catch (error) {
    await kept.discard()
    throw error
  }
}

/** What can be built on: in the folder, or, where that is only for the way, on the other machine. */
async function known(
  { dataFolder, settings }: FolderDeps,
  folder: string,
  signal: AbortSignal,
): Promise<BackupName[]> {
  const here = await backupsIn(folder)
  if (settings.folder !== null || !settings.sftp) return here
  // It may be away: then the next one is a full one, and is copied when it is back.
  const away = await listBySftp(settings.sftp, dataFolder, signal).catch(() => [])
  return [...here, ...away]
}

interface Wanted {
  readonly there: readonly BackupName[]
  readonly whom: ForWhom
  readonly epoch: number
  readonly now: number
  readonly serverName: string
}

function continues(head: ChainHead, { there, whom, epoch, now }: Wanted, fullEveryDays: number): boolean {
  return (
    there.some(({ name }) => name === head.name) &&
    head.recipients === whom.digest &&
    head.epoch === epoch &&
    now >= head.fullTs &&
    now - head.fullTs < fullEveryDays * dayMs &&
    head.number < lastNumber
  )
}

function headOf(before: ChainHead | null, { there, whom, epoch, now, serverName }: Wanted): ChainHead {
  const chain = before?.chain ?? newChain(serverName, now)
  // A number that is taken stays taken, even where that backup is not built on.
  const taken = there.filter(backup => backup.chain === chain).map(({ number }) => number)
  const number = before === null ? 0 : Math.max(before.number, ...taken) + 1
  const id = newBackupId()
  const fullTs = before?.fullTs ?? now
  return { id, name: backupName(chain, number), chain, number, fullTs, epoch, recipients: whom.digest }
}

/** The store says in its own codes why it cannot be read. */
export function sourceFailed(error: unknown): unknown {
  if (error instanceof BackupError || !(error instanceof Error) || error.name !== 'StoreError') return error
  return new BackupError(
    'BACKUP_SOURCE',
    `The server's own data cannot be backed up now: ${error.message}. Look with: letro status`,
    { cause: error },
  )
}
