/**
 * The bytes of files that wait to be uploaded: sealed in the vault, piece by piece.
 *
 * A file is there when its message is: the last pieces go with the message's own commit. What was begun and never finished (a
 * crash, no more room) is marked, and taken away at once or when the vault is opened the next time.
 */
import { VaultError } from '../vault/errors.ts'
import type { VaultRecords, VaultWrite } from '../vault/records.ts'
import type { WaitingFile } from './waiting.ts'

export interface WaitingFilesDeps {
  readonly records: VaultRecords
  readonly newId: () => string
  /** What the browser would still take. */
  readonly freeBytes: () => Promise<number>
}

export interface StoredFile {
  readonly file: WaitingFile
  /** To be committed with the message. */
  readonly writes: readonly VaultWrite[]
}

const collection = 'outbox-file'
const begunCollection = 'outbox-file-begun'
const pieceBytes = 512 * 1024
const piecesPerCommit = 4
/** Messages and keys must always fit: a vault that is full takes nothing at all any more. */
const reserveBytes = 32 * 1024 * 1024

export class WaitingFiles {
  readonly #deps: WaitingFilesDeps

  constructor(deps: WaitingFilesDeps) {
    this.#deps = deps
  }

  /** @throws VaultError NO_ROOM_FOR_FILE: nothing was written; VAULT_FULL: nothing is left of it */
  async keep(content: Blob, part: WaitingFile['part']): Promise<StoredFile> {
    const { records, newId, freeBytes } = this.#deps
    const { size } = content
    if (size + reserveBytes > (await freeBytes())) {
      throw new VaultError('NO_ROOM_FOR_FILE', `this device has no room for another ${size} bytes`)
    }
    const pieces = Math.max(1, Math.ceil(size / pieceBytes))
    const mimetype = content.type || 'application/octet-stream'
    const file: WaitingFile = { fileId: newId(), mimetype, size, pieces, part, uploaded: null }
    const { fileId } = file
    let writes: VaultWrite[] = [{ collection: begunCollection, id: fileId, value: { pieces } }]
    try {
      for (let piece = 0; piece < pieces; piece++) {
        if (writes.length > piecesPerCommit) {
          await records.commit(writes)
          writes = []
        }
        const bytes = content.slice(piece * pieceBytes, (piece + 1) * pieceBytes)
        const value = new Uint8Array(await bytes.arrayBuffer())
        writes.push({ collection, id: pieceId(fileId, piece), value })
      }
    } catch (error) {
      await this.drop([file]).catch(() => {
        // It is marked as begun: the next opening takes it away.
      })
      throw error
    }
    return { file, writes: [...writes, { collection: begunCollection, id: fileId, value: null }] }
  }

  /** Of files that were kept and whose message was not. */
  async drop(files: readonly WaitingFile[]): Promise<void> {
    await this.#deps.records.commit(this.removal(files))
  }

  /** What a crash left of files that were never finished. */
  async sweep(): Promise<void> {
    const { records } = this.#deps
    for (const [fileId, { pieces }] of await records.entries(begunCollection)) {
      await records.commit(this.removal([{ fileId, pieces: Number(pieces) }]))
    }
  }

  removal(files: readonly Pick<WaitingFile, 'fileId' | 'pieces'>[]): VaultWrite[] {
    return files.flatMap(({ fileId, pieces }) => [
      ...Array.from({ length: pieces }, (_, piece) => ({
        collection,
        id: pieceId(fileId, piece),
        value: null,
      })),
      { collection: begunCollection, id: fileId, value: null },
    ])
  }

  async blob(file: WaitingFile): Promise<Blob> {
    return await blobOf(this.read(file))
  }

  /** Fails with VaultError WAITING_FILE_GONE where a piece is not what was sealed. */
  read({ fileId, pieces }: WaitingFile): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { records } = this.#deps
    let piece = 0
    return new ReadableStream({
      async pull(controller) {
        if (piece === pieces) return controller.close()
        const bytes = await records.getBytes(collection, pieceId(fileId, piece++))
        if (!bytes) throw new VaultError('WAITING_FILE_GONE', 'a piece of a file that waits is gone')
        controller.enqueue(bytes as Uint8Array<ArrayBuffer>)
      },
    })
  }
}

/** Handed to the browser piece by piece: it puts large blobs where it likes, the worker's memory holds one piece. */
export async function blobOf(stream: ReadableStream<Uint8Array>): Promise<Blob> {
  const parts: Blob[] = []
  for await (const piece of stream) parts.push(new Blob([piece as Uint8Array<ArrayBuffer>]))
  return new Blob(parts)
}

function pieceId(fileId: string, piece: number): string {
  return `${fileId}|${piece}`
}
