/**
 * Files that wait to be uploaded: sealed in the vault piece by piece, encrypted anew for each upload, with progress and pauses.
 *
 * An upload that breaks off begins again: Matrix has no way to go on. Each attempt has its own key, so that no two ciphertexts
 * share one.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Http } from '../api/http.ts'
import { uploadFile } from '../api/upload.ts'
import { encryptAttachment } from '../e2ee/attachment.ts'
import type { VaultRecords, VaultWrite } from '../vault/records.ts'
import type { WaitingFile } from './waiting.ts'

export interface TransferNews {
  readonly id: string
  readonly kind: 'upload' | 'download'
  readonly doneBytes: number
  readonly totalBytes: number
  readonly state: 'running' | 'paused' | 'waiting' | 'failed' | 'done'
  readonly code: string | null
}

export interface AttachmentsDeps {
  readonly records: VaultRecords
  readonly http: Http
  readonly randomBytes: (size: number) => Uint8Array
  readonly newId: () => string
  readonly tell: (news: TransferNews) => void
}

export interface StoredFile {
  readonly file: WaitingFile
  readonly writes: readonly VaultWrite[]
}

const collection = 'outbox-file'
const pieceBytes = 512 * 1024
class Paused extends Error {}

export class Attachments {
  readonly #deps: AttachmentsDeps
  readonly #paused = new Set<string>()
  readonly #running = new Map<string, AbortController>()

  constructor(deps: AttachmentsDeps) {
    this.#deps = deps
  }

  /** Puts a file's bytes into the vault, a few pieces at a time, all but the last; those go with the message's own commit. */
  async keep(content: Blob, place: readonly string[]): Promise<StoredFile> {
    const fileId = this.#deps.newId()
    const pieces = Math.max(1, Math.ceil(content.size / pieceBytes))
    let writes: VaultWrite[] = []
    for (let piece = 0; piece < pieces; piece++) {
      if (writes.length === 4) {
        await this.#deps.records.commit(writes)
        writes = []
      }
      const part = content.slice(piece * pieceBytes, (piece + 1) * pieceBytes)
      writes.push({ collection, id: `${fileId}|${piece}`, value: new Uint8Array(await part.arrayBuffer()) })
    }
    const mimetype = content.type || 'application/octet-stream'
    return { file: { fileId, mimetype, size: content.size, pieces, place, uploaded: null }, writes }
  }

  /**
   * What the content says of the file: its `EncryptedFile`, or in a room that is not encrypted its address. Null: somebody paused it.
   * @throws ApiError
   */
  async upload(txnId: string, file: WaitingFile, encrypted: boolean): Promise<JsonObject | string | null> {
    const { http, randomBytes } = this.#deps
    if (this.#paused.has(txnId)) return null
    const stop = new AbortController()
    this.#running.set(txnId, stop)
    const say = (state: TransferNews['state'], doneBytes: number, code: string | null = null) =>
      this.#deps.tell({ id: txnId, kind: 'upload', doneBytes, totalBytes: file.size, state, code })
    say('running', 0)
    try {
      const encrypting = encrypted ? encryptAttachment(randomBytes) : null
      const plain = this.#read(file)
      const body = await new Response(encrypting ? plain.pipeThrough(encrypting.stream) : plain).blob()
      // What is encrypted has no type that the server could know.
      const type = encrypting ? 'application/octet-stream' : file.mimetype
      const url = await uploadFile(http, body.slice(0, body.size, type), {
        signal: stop.signal,
        onProgress: doneBytes => say('running', Math.min(doneBytes, file.size)),
      })
      say('done', file.size)
      return encrypting ? { ...encrypting.info(), url } : url
    } catch (error) {
      if (error instanceof Paused) {
        say('paused', 0)
        return null
      }
      say('waiting', 0, (error as { code?: string }).code ?? null)
      throw error
    } finally {
      this.#running.delete(txnId)
    }
  }

  pause(txnId: string): void {
    this.#paused.add(txnId)
    this.#running.get(txnId)?.abort(new Paused())
  }

  resume(txnId: string): void {
    this.#paused.delete(txnId)
  }

  stop(): void {
    for (const stop of this.#running.values()) stop.abort(new Paused())
  }

  removal(files: readonly WaitingFile[]): VaultWrite[] {
    return files.flatMap(({ fileId, pieces }) =>
      Array.from({ length: pieces }, (_, piece) => ({ collection, id: `${fileId}|${piece}`, value: null })),
    )
  }

  /** What is still to be uploaded, for a preview. */
  async blob(file: WaitingFile): Promise<Blob> {
    return await new Response(this.#read(file)).blob()
  }

  #read({ fileId, pieces }: WaitingFile): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { records } = this.#deps
    let piece = 0
    return new ReadableStream({
      async pull(controller) {
        if (piece === pieces) return controller.close()
        const bytes = await records.getBytes(collection, `${fileId}|${piece++}`)
        if (!bytes) throw new Error('a piece of a file that waits is gone')
        controller.enqueue(bytes as Uint8Array<ArrayBuffer>)
      },
    })
  }
}
