/**
 * A backup as a stream of plain bytes: the records of container.ts, from one snapshot of the store and the files beside
 * it. Memory: one piece of rows (2 MiB) and one piece of a file.
 *
 * Order matters. The snapshot is older than all that follows: a key that it needs is in the key files that are read
 * later, and a media file was in its place before its row. A media file that is newer than the snapshot has no row; a
 * restore leaves it out.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { JsonObject } from '../protocol/json.ts'
import type { StoreExport } from '../store/export.ts'
import { chunksDigest } from '../store/import.ts'
import { hexOf } from '../store/row-chunks.ts'
import { BackupError } from './backup-error.ts'
import { firstLine, recordLine } from './container.ts'
import { type DataFile, mediaFiles, openFile, plainFiles } from './data-files.ts'

export interface BackupSource {
  readonly serverName: string
  readonly release: string
  readonly dataFolder: string
  readonly rows: StoreExport
  /** What the server runs with. Names of files that lie elsewhere, never what is in them. */
  readonly configuration: JsonObject
  /** The site's card: its keys vouch for the signature, and its root key for them. */
  readonly card: JsonObject
  /** With the server's event-signing key, as Matrix signs JSON. */
  sign(object: JsonObject): JsonObject
}

/** What this backup need not hold, because an earlier one of its chain does. */
export interface EarlierBackup {
  readonly id: string
  readonly name: string
  hasRows(id: string): boolean
  hasMedia(path: string): Promise<boolean>
}

/** Told of all that the chain holds with this backup. */
export interface HeldNotes {
  rows(id: string): Promise<void>
  media(path: string): Promise<void>
}

export interface WriteOptions {
  readonly id?: string
  readonly now: number
  readonly earlier?: EarlierBackup
  readonly notes?: HeldNotes
  readonly onProgress?: (progress: BackupProgress) => void
}

export interface BackupProgress {
  readonly step: 'rows' | 'files' | 'media'
  readonly bytes: number
}

const pieceBytes = 64 * 1024

export function newBackupId(): string {
  return randomUUID()
}

export async function* backupBytes(source: BackupSource, options: WriteOptions): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of records(source, options, step => options.onProgress?.({ step, bytes }))) {
    if (!Buffer.isBuffer(piece)) {
      const end = source.sign({ ...piece, sha256: hash.digest('hex') })
      yield recordLine(end)
      return
    }
    hash.update(piece)
    bytes += piece.length
    yield piece
  }
}

async function* records(
  source: BackupSource,
  { id = newBackupId(), now, earlier, notes }: WriteOptions,
  tell: (step: BackupProgress['step']) => void,
): AsyncGenerator<Buffer | JsonObject> {
  const { dataFolder, rows, serverName } = source
  const header = {
    record: 'backup',
    id,
    server: serverName,
    created_ts: now,
    card: source.card,
    release: source.release,
    schema: { writer: rows.schema.writer, oldest_reader: rows.schema.oldestReader },
    epoch: rows.epoch,
    journal: { sequence: rows.head.sequence, position: rows.head.position, chain: rows.head.chain },
    base: earlier ? { id: earlier.id, name: earlier.name } : null,
  }
  yield firstLine()
  yield recordLine(header)
  yield* jsonRecord('configuration', source.configuration)

  const counts = { rows: 0, pieces: 0, files: 0, media: 0 }
  const digest = chunksDigest()
  for await (const chunk of rows.chunks()) {
    counts.rows += chunk.rows
    counts.pieces++
    digest.add(chunk.id)
    await notes?.rows(chunk.id)
    tell('rows')
    if (earlier?.hasRows(chunk.id)) continue
    const { after, upTo, body } = chunk
    const upToHex = upTo === null ? null : hexOf(upTo)
    yield recordLine({
      record: 'rows',
      after: hexOf(after),
      up_to: upToHex,
      rows: chunk.rows,
      bytes: body.length,
    })
    for (let at = 0; at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes)
  }
  for await (const file of plainFiles(dataFolder)) {
    counts.files++
    yield* fileRecord(dataFolder, 'file', file)
    tell('files')
  }
  for await (const file of mediaFiles(dataFolder)) {
    if (earlier && (await earlier.hasMedia(file.path))) {
      await notes?.media(file.path)
      continue
    }
    let isThere = false
    for await (const piece of fileRecord(dataFolder, 'media', file)) {
      isThere = true
      yield piece
      tell('media')
    }
    if (!isThere) continue
    counts.media++
    await notes?.media(file.path)
  }
  // `rows` and `pieces` are those of the whole store, written here or in the chain before.
  yield { record: 'end', id, server: serverName, ...counts, digest: digest.digest() }
}

function* jsonRecord(record: string, value: JsonObject): Generator<Buffer> {
  const body = Buffer.from(`${JSON.stringify(value, null, 2)}\n`)
  yield recordLine({ record, bytes: body.length })
  yield body
}

/** Nothing where the file was removed meanwhile. */
async function* fileRecord(
  dataFolder: string,
  record: 'file' | 'media',
  file: DataFile,
): AsyncGenerator<Buffer> {
  const opened = await openFile(dataFolder, file)
  if (!opened) return
  try {
    yield recordLine({ record, path: file.path, bytes: opened.bytes })
    let left = opened.bytes
    while (left > 0) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, left))
      const { bytesRead } = await opened.file.read(piece, 0, piece.length)
      if (bytesRead === 0) {
        const what = record === 'media' ? 'A media file' : file.path
        throw new BackupError(
          'BACKUP_SOURCE',
          `${what} became shorter while it was read: the disk may be failing. Look at its health, then back up again.`,
        )
      }
      left -= bytesRead
      yield piece.subarray(0, bytesRead)
    }
  } finally {
    await opened.file.close()
  }
}
