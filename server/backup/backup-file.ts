/** A backup that becomes a file in a folder: under another name until it is whole and durable. */
import { open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { syncFolder } from '../store/head-file.ts'
import { BackupError, isNoSpace } from './backup-error.ts'
import { type BackupName, byName, parseBackupName, partOfName } from './names.ts'

/** Whatever fails, nothing of it remains. After a crash the part remains, until the next backup removes it. */
export async function writeBackupFile(
  folder: string,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<number> {
  const part = join(folder, `${name}${partOfName}`)
  let size = 0
  try {
    const file = await open(part, 'wx', 0o600)
    try {
      for await (const piece of bytes) {
        // Not write: what the disk takes of it may be a part.
        await file.writeFile(piece)
        size += piece.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(part, join(folder, name))
    await syncFolder(folder)
    return size
  } catch (error) {
    await rm(part, { force: true }).catch(() => {})
    throw await inWords(folder, error)
  }
}

/** What a crash left half written. */
export async function removeParts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const isOurs = name.endsWith(partOfName) && parseBackupName(name.slice(0, -partOfName.length)) !== null
    if (isOurs) await rm(join(folder, name), { force: true })
  }
}

/** Oldest first. */
export async function backupsIn(folder: string): Promise<BackupName[]> {
  try {
    return (await readdir(folder)).flatMap(name => parseBackupName(name) ?? []).sort(byName)
  } catch (error) {
    throw await inWords(folder, error)
  }
}

/** Waits as long as so many bytes may take, so that a backup leaves the disk and the processor to people. */
export async function* paced(
  bytes: AsyncIterable<Buffer>,
  bytesPerSecond: number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let waiting = 0
  for await (const piece of bytes) {
    if (signal?.aborted)
      throw new BackupError('BACKUP_ABANDONED', 'The server stops; the backup is given up.')
    yield piece
    waiting += (piece.length / bytesPerSecond) * 1_000
    if (waiting < 5) continue
    await pause(waiting, undefined, { ref: false })
    waiting = 0
  }
}

/** What the server itself needs to go on writing, where backups lie on the disk of its data. */
const reserveBytes = 256 * 2 ** 20
const lookEveryBytes = 32 * 2 ** 20

/** A backup that would fill the disk of the data is given up: without it people can still write. */
export async function* keepingRoom(
  bytes: AsyncIterable<Buffer>,
  folder: string,
  dataFolder: string,
): AsyncGenerator<Buffer> {
  const isShared = (await stat(folder)).dev === (await stat(dataFolder)).dev
  let untilLook = 0
  for await (const piece of bytes) {
    untilLook -= piece.length
    if (isShared && untilLook <= 0) {
      untilLook = lookEveryBytes
      const { bavail, bsize } = await statfs(folder)
      if (bavail * bsize < reserveBytes) throw tooFull(folder)
    }
    yield piece
  }
}

function tooFull(folder: string): BackupError {
  return new BackupError(
    'BACKUP_NO_SPACE',
    `${folder} is on the disk of the server's data, and that has less than ${reserveBytes / 2 ** 20} MiB left, which the server needs itself. Nothing is left half written. Name a folder on another disk as backup.folder.`,
  )
}

export async function inWords(folder: string, error: unknown): Promise<unknown> {
  if (error instanceof BackupError) return error
  if (isNoSpace(error)) {
    return new BackupError(
      'BACKUP_NO_SPACE',
      `The disk of ${folder} is full (${await freeMebibytes(folder)} MiB free). Nothing is left half written; older backups are untouched. Make room, or name a folder on another disk as backup.folder.`,
      { cause: error },
    )
  }
  const { code, path } = error as NodeJS.ErrnoException
  if (code !== undefined && path?.startsWith(folder)) {
    return new BackupError(
      'BACKUP_PLACE',
      `${folder} cannot be used for backups (${code}). Is its disk connected, and may the server's user write there?`,
      { cause: error },
    )
  }
  return error
}

async function freeMebibytes(folder: string): Promise<number | string> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return Math.floor((bavail * bsize) / 2 ** 20)
  } catch {
    return 'no one knows how many'
  }
}
