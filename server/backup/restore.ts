/**
 * Restoring: a chain of backups becomes a data folder, with which a server starts as one that came back.
 *
 * Everything is built in `<target>/restoring`, which no server opens; only when the rows were read again and are those
 * that were backed up, and every signature held, it is moved into its place, `identity.json` last. A crash at any
 * moment leaves `restoring`, and perhaps some of what was moved: the next restore into that folder begins anew.
 *
 * The store begins a new epoch: the server then signs everybody out, withdraws links, asks devices for new one-time
 * keys and suspends peers until an administrator has looked at each.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { JsonObject } from '../protocol/json.ts'
import { mediaTable, remoteMediaTable } from '../store/catalogue.ts'
import { syncFolder } from '../store/head-file.ts'
import { StoreImport } from '../store/import.ts'
import { storeFolder } from '../store/level-folder.ts'
import { StoreError } from '../store/store.ts'
import { BackupError, isNoSpace } from './backup-error.ts'
import { type ChainLink, readChain } from './chain.ts'
import { unreadable } from './container.ts'
import { mediaFiles, restoringFolder } from './data-files.ts'
import { type BackupEnd, type BackupHeader, type BackupSink, readBackup } from './read-backup.ts'
import type { UnsealKeys } from './unseal.ts'

export interface RestoreOptions {
  readonly keys: UnsealKeys
  /** Another site's backup is refused. */
  readonly serverName?: string
  readonly clock?: () => number
  readonly onProgress?: (progress: RestoreProgress) => void
  /** Read every media file again and compare it with its row. */
  readonly checkMedia?: boolean
}

export interface RestoreProgress {
  readonly step: 'reading' | 'checking'
  readonly done: number
  readonly total: number
}

export interface RestoreReport {
  readonly header: BackupHeader
  readonly end: BackupEnd
  /** The files that it was restored from, the full one first. */
  readonly from: readonly string[]
  readonly epoch: number
  readonly media: number
  /** Media that the store knows and whose file was not in the backup, or is not what it was. */
  readonly mediaMissing: number
  readonly configuration: JsonObject
}

/** Names of what is moved out of the building folder: written before the first move. */
const movingFile = '.moving'

/** What the server wrote down about itself, beside the data. */
export const restoredConfiguration = 'configuration-of-backup.json'

export async function restoreBackup(
  path: string,
  target: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const chain = await readChain(path, options.keys)
  const { header } = chain.at(-1)!
  if (options.serverName !== undefined && options.serverName !== header.serverName) {
    throw new BackupError(
      'BACKUP_OTHER_SITE',
      `This is a backup of ${header.serverName}, not of ${options.serverName}. Nothing was restored.`,
    )
  }
  await requireEmpty(target)
  await requireSpace(target, chain)
  const building = join(target, restoringFolder)
  await rm(building, { recursive: true, force: true })
  await mkdir(building, { recursive: true, mode: 0o700 })
  try {
    const report = await build(chain, building, options)
    await moveIntoPlace(building, target)
    return report
  } catch (error) {
    await rm(building, { recursive: true, force: true }).catch(() => {})
    throw isNoSpace(error) ? noSpace(target, error) : error
  }
}

/** Builds a data folder out of a chain in a folder that is there and empty. */
export async function build(
  chain: readonly ChainLink[],
  building: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const { keys, clock = Date.now, onProgress } = options
  const importing = await StoreImport.begin(storeFolder(building))
  try {
    const total = chain.reduce((sum, { bytes }) => sum + bytes, 0)
    let before = 0
    let configuration: JsonObject = {}
    let end: BackupEnd | undefined
    for (const [i, { path, header, bytes }] of chain.entries()) {
      const isLast = i === chain.length - 1
      const sink = sinkInto(building, importing, {
        isFull: i === 0,
        isLast,
        configuration: json => {
          configuration = json
        },
      })
      const onBytes = (done: number) => onProgress?.({ step: 'reading', done: before + done, total })
      const read = await readBackup(path, { keys, onBytes }, sink)
      // The file may have been replaced since its beginning was read.
      if (read.header.id !== header.id) throw unreadable()
      before += bytes
      end = read.end
    }
    const { header } = chain.at(-1)!
    const compared = await compareMedia(building, importing, options)
    const { epoch } = await finish(importing, header, end!, clock())
    await writeSynced(
      join(building, restoredConfiguration),
      Buffer.from(JSON.stringify(configuration, null, 2)),
    )
    return {
      header,
      end: end!,
      from: chain.map(({ path }) => path),
      epoch,
      ...compared,
      configuration,
    }
  } finally {
    await importing.close()
  }
}

async function finish(importing: StoreImport, header: BackupHeader, end: BackupEnd, now: number) {
  const { id, createdTs, release, head, epoch } = header
  try {
    return await importing.finish(
      { head, epoch, rows: end.rows, digest: end.digest, report: { backup: id, createdTs, release } },
      now,
    )
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_DAMAGED') throw unreadable(error)
    throw error
  }
}

interface SinkPart {
  readonly isFull: boolean
  readonly isLast: boolean
  readonly configuration: (json: JsonObject) => void
}

function sinkInto(building: string, importing: StoreImport, part: SinkPart): BackupSink {
  return {
    configuration: async json => part.configuration(json),
    rows: (after, upTo, rows) => importing.replace(after, upTo, rows, part.isFull),
    // Each backup holds all of these: the newest count.
    file: async (path, body) => {
      if (part.isLast) await writeFileAt(building, path, body)
    },
    media: (path, body) => writeFileAt(building, path, body),
  }
}

interface MediaFileFacts {
  readonly sizeBytes: number
  readonly sha256: string
}

/** Media files without a row go: they came after the snapshot, or were deleted later in the chain. */
async function compareMedia(
  building: string,
  importing: StoreImport,
  { checkMedia = false, onProgress }: RestoreOptions,
): Promise<{ media: number; mediaMissing: number }> {
  let total = 0
  for await (const rows of importing.rowsOf(mediaTable.under())) {
    for (const { value } of rows) if (value.state === 'there') total++
  }
  // Copies of other servers' media are filed under ids that no key names. There are some thousands at most.
  const copies = new Map<string, MediaFileFacts>()
  for await (const rows of importing.rowsOf(remoteMediaTable.under())) {
    for (const { value } of rows) copies.set(value.fileId, value)
  }
  total += copies.size
  const factsOf = async (path: string): Promise<MediaFileFacts | undefined> => {
    const id = basename(path)
    if (path.startsWith('remote-media/')) return copies.get(id)
    const row = await importing.get(mediaTable.key(id))
    return row?.state === 'there' ? row : undefined
  }
  let media = 0
  for await (const { path } of mediaFiles(building)) {
    const facts = await factsOf(path)
    const file = join(building, path)
    if (!facts) await rm(file)
    else if (await isSame(file, facts, checkMedia)) media++
    onProgress?.({ step: 'checking', done: media, total })
  }
  return { media, mediaMissing: total - media }
}

async function isSame(path: string, row: MediaFileFacts, readAll: boolean): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    if ((await file.stat()).size !== row.sizeBytes) return false
    if (!readAll) return true
    const hash = createHash('sha256')
    for await (const piece of file.createReadStream({ autoClose: false })) hash.update(piece as Buffer)
    return hash.digest('hex') === row.sha256
  } finally {
    await file.close()
  }
}

async function writeFileAt(root: string, path: string, body: AsyncIterable<Buffer>): Promise<void> {
  const place = join(root, path)
  await mkdir(dirname(place), { recursive: true, mode: 0o700 })
  const file = await open(place, 'w', 0o600)
  try {
    for await (const piece of body) await file.writeFile(piece)
    await file.datasync()
  } finally {
    await file.close()
  }
}

async function writeSynced(path: string, bytes: Buffer): Promise<void> {
  await writeFile(path, bytes, { mode: 0o600, flush: true })
}

// ── the target ─────────────────────────────────────────────────────────────────────────────────────────

/** What an earlier restore left half done may be there; nothing else. */
async function requireEmpty(target: string): Promise<void> {
  const names = await namesIn(target)
  if (names.length === 0) return
  if (names.includes(restoringFolder) && !names.includes('identity.json')) {
    // An earlier one was cut off. What it moved counts for nothing; what somebody else put there stays.
    for (const name of await movedNames(target))
      await rm(join(target, name), { recursive: true, force: true })
    await rm(join(target, restoringFolder), { recursive: true })
    return requireEmpty(target)
  }
  throw new BackupError(
    'BACKUP_TARGET',
    `${target} is not empty (${names.slice(0, 3).join(', ')}). A restore needs an empty folder: move what is there aside, or name another folder.`,
  )
}

/** Compressed nothing, so what comes out is about as large as what goes in; the database wants some room to move. */
async function requireSpace(target: string, chain: readonly ChainLink[]): Promise<void> {
  const needed = Math.ceil(chain.reduce((sum, { bytes }) => sum + bytes, 0) * 1.1) + 16 * 2 ** 20
  let folder = target
  while ((await stat(folder).catch(() => null)) === null) folder = dirname(folder)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= needed) return
  throw new BackupError(
    'BACKUP_NO_SPACE',
    `Restoring needs about ${mebibytes(needed)} MiB in ${target}; there are ${mebibytes(bavail * bsize)}. Make room, or name a folder on another disk.`,
  )
}

/** `identity.json` says whose data it is: once it is there, the folder is a server's. */
async function moveIntoPlace(building: string, target: string): Promise<void> {
  const names = await readdir(building)
  if (!names.includes('identity.json')) throw unreadable()
  await writeFile(join(building, movingFile), JSON.stringify(names), { mode: 0o600, flush: true })
  await syncFolders(building)
  for (const name of names) {
    if (name !== 'identity.json') await rename(join(building, name), join(target, name))
  }
  await syncFolder(target)
  await rename(join(building, 'identity.json'), join(target, 'identity.json'))
  await syncFolder(target)
  await rm(building, { recursive: true, force: true })
}

async function movedNames(target: string): Promise<readonly string[]> {
  const text = await readFile(join(target, restoringFolder, movingFile), 'utf8').catch(() => '[]')
  try {
    return (JSON.parse(text) as string[]).filter(name => basename(name) === name && name !== '..')
  } catch {
    return []
  }
}

async function syncFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncFolders(join(folder, entry.name))
  }
  await syncFolder(folder)
}

function noSpace(target: string, cause: unknown): BackupError {
  return new BackupError(
    'BACKUP_NO_SPACE',
    `The disk of ${target} is full. Nothing was restored, and what had been written is removed. Make room, then restore again.`,
    { cause },
  )
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    throw new BackupError('BACKUP_TARGET', `${folder} cannot be used (${code}).`, { cause: error })
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
