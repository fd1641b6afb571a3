/**
 * Uploads of files that wait: encrypted anew for each attempt, with progress, and stopped when somebody says so.
 *
 * An upload that breaks off begins again: Matrix has no way to go on. Each attempt has its own key, so that no two ciphertexts
 * share one. Spec: client-server-api#content-repository, #sending-encrypted-attachments
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError, isPassing } from '../api/api-error.ts'
import type { UploadOptions } from '../api/upload.ts'
import { encryptAttachment } from '../e2ee/attachment.ts'
import type { Waiting, WaitingFile } from './waiting.ts'
import { blobOf, type WaitingFiles } from './waiting-files.ts'

export interface TransferNews {
  readonly id: string
  readonly kind: 'upload' | 'download'
  readonly doneBytes: number
  readonly totalBytes: number
  readonly state: 'running' | 'paused' | 'waiting' | 'failed' | 'done'
  readonly code: string | null
}

export interface UploadsDeps {
  readonly files: WaitingFiles
  /** @returns the `mxc:` address */
  readonly upload: (content: Blob, options: UploadOptions) => Promise<string>
  /** The largest that the server takes; null: it does not say. @throws ApiError */
  readonly maxUploadBytes: () => Promise<number | null>
  readonly randomBytes: (size: number) => Uint8Array
  readonly tell: (news: TransferNews) => void
  /** Somebody who sent a picture should not have to fetch it. */
  readonly uploaded: (uploaded: JsonObject | string, file: WaitingFile) => Promise<void>
}

/** Somebody stopped the upload. */
export class Paused extends Error {}

export class Uploads {
  readonly #deps: UploadsDeps
  readonly #running = new Map<string, AbortController>()
  readonly #paused = new Set<string>()

  constructor(deps: UploadsDeps) {
    this.#deps = deps
  }

  /**
   * One file of a message: its `EncryptedFile`, or its address where the room is not encrypted.
   * @throws ApiError; VaultError; Paused
   */
  async upload(
    message: Pick<Waiting, 'txnId' | 'files'>,
    file: WaitingFile,
    encrypted: boolean,
  ): Promise<JsonObject | string> {
    const { txnId } = message
    if (this.#paused.has(txnId)) throw new Paused('somebody stopped the upload')
    const stop = new AbortController()
    this.#running.set(txnId, stop)
    this.#tell(message, 'running', 0)
    try {
      const uploaded = await this.#upload(message, file, encrypted, stop.signal)
      const isLast = message.files.every(each => each === file || each.uploaded !== null)
      if (isLast) this.#tell(message, 'done', file.size)
      return uploaded
    } catch (error) {
      const { code = null } = error as { code?: string }
      if (error instanceof Paused) this.#tell(message, 'paused', 0)
      else this.#tell(message, isPassing(error) ? 'waiting' : 'failed', 0, code)
      throw error
    } finally {
      this.#running.delete(txnId)
    }
  }

  pause(txnId: string): void {
    this.#paused.add(txnId)
    this.#running.get(txnId)?.abort(new Paused('somebody stopped the upload'))
  }

  resume(txnId: string): void {
    this.#paused.delete(txnId)
  }

  /** To tabs that were not there when it was stopped. */
  tellPaused(message: Pick<Waiting, 'txnId' | 'files'>): void {
    this.#tell(message, 'paused', 0)
  }

  /** The session ends; what was not uploaded is, the next time. */
  stop(): void {
    for (const stop of this.#running.values())
      stop.abort(new ApiError('OFFLINE', 'the session is being closed'))
  }

  async #upload(
    message: Pick<Waiting, 'txnId' | 'files'>,
    file: WaitingFile,
    encrypted: boolean,
    signal: AbortSignal,
  ): Promise<JsonObject | string> {
    const { files, upload, maxUploadBytes, randomBytes, uploaded } = this.#deps
    // A server that refuses in the middle of the body looks like one that is away.
    const most = await maxUploadBytes()
    if (most !== null && file.size > most) {
      const message = `a file of ${file.size} bytes, where the server takes ${most}`
      throw new ApiError('M_TOO_LARGE', message, { status: 413 })
    }
    signal.throwIfAborted()
    const encrypting = encrypted ? encryptAttachment(randomBytes) : null
    const plain = files.read(file)
    const body = await blobOf(encrypting ? plain.pipeThrough(encrypting.stream) : plain)
    // What is encrypted has no type that the server could know.
    const type = encrypting ? 'application/octet-stream' : file.mimetype
    const url = await upload(body.slice(0, body.size, type), {
      signal,
      onProgress: doneBytes => this.#tell(message, 'running', Math.min(doneBytes, file.size)),
    })
    const where = encrypting ? { ...encrypting.info(), url } : url
    await uploaded(where, file)
    return where
  }

  /** Of all files of the message together. */
  #tell(
    { txnId, files }: Pick<Waiting, 'txnId' | 'files'>,
    state: TransferNews['state'],
    doneBytes: number,
    code: string | null = null,
  ): void {
    const before = files.reduce((sum, { size, uploaded }) => sum + (uploaded === null ? 0 : size), 0)
    const totalBytes = files.reduce((sum, { size }) => sum + size, 0)
    this.#deps.tell({ id: txnId, kind: 'upload', doneBytes: before + doneBytes, totalBytes, state, code })
  }
}
