/**
 * Files of messages: fetched, checked, opened, and those that are small kept sealed, so that they are there offline.
 *
 * Nothing is given out before its hash held. What a file is, its first bytes say, not its sender: what is no picture, sound, film or PDF
 * that we know is bytes and nothing else, so that no HTML or SVG is ever shown in our origin.
 *
 * Spec: client-server-api#content-repository, #sending-encrypted-attachments
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { type Http, inPath, v1 } from '../api/http.ts'
import { decryptAttachment } from '../e2ee/attachment.ts'
import type { VaultRecords, VaultWrite } from '../vault/records.ts'
import { Paused, type TransferNews } from './uploads.ts'
import { waitingFileId } from './waiting.ts'
import { blobOf } from './waiting-files.ts'

export interface MediaDeps {
  readonly records: VaultRecords
  readonly http: Pick<Http, 'send'>
  readonly tell: (news: TransferNews) => void
  /** A file that waits to be uploaded. */
  readonly waiting: (fileId: string) => Promise<Blob | null>
  /** What the browser would still take. */
  readonly freeBytes: () => Promise<number>
}

export interface MediaWanted {
  readonly mxc?: string
  readonly file?: JsonObject
  readonly maxBytes: number
  readonly thumbnail?: { readonly width: number; readonly height: number }
}

const collection = 'media'
const indexId = 'index'
/** Larger ones are fetched again. */
const largestKept = 4 * 1024 * 1024
const budgetBytes = 128 * 1024 * 1024
/** Left to messages and keys: what can be fetched again must never be why a vault is full. */
const reserveBytes = 64 * 1024 * 1024
/** Without another byte. */
const stallMs = 60_000
const longestMs = 24 * 60 * 60 * 1000

interface Kept {
  readonly id: string
  readonly size: number
}

interface Download {
  stop: AbortController
  /** Set while it pauses. */
  resume: (() => void) | null
}

export class Media {
  readonly #deps: MediaDeps
  readonly #fetching = new Map<string, Promise<Blob>>()
  /** By address. */
  readonly #downloads = new Map<string, Download>()
  #index: Kept[] | null = null
  #stopped = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(deps: MediaDeps) {
    this.#deps = deps
  }

  /** Waits while somebody pauses it. @throws ApiError; E2eeError ATTACHMENT_… where it is not what the message says */
  async get(wanted: MediaWanted): Promise<Blob> {
    const address = addressOf(wanted)
    const fileId = waitingFileId(address)
    if (fileId !== null) return await this.#waiting(fileId)
    const id = idOf(address, wanted)
    const fetching =
      this.#fetching.get(id) ?? this.#get(id, address, wanted).finally(() => void this.#fetching.delete(id))
    this.#fetching.set(id, fetching)
    return await fetching
  }

  pause(address: string): void {
    this.#downloads.get(address)?.stop.abort(new Paused('somebody stopped the download'))
  }

  resume(address: string): void {
    this.#downloads.get(address)?.resume?.()
  }

  /** The session ends; nobody waits for ever. */
  stop(): void {
    this.#stopped = true
    for (const { stop, resume } of this.#downloads.values()) {
      stop.abort(new ApiError('OFFLINE', 'the session is being closed'))
      resume?.()
    }
  }

  /** What we sent ourselves is here already. */
  async keepOwn(uploaded: JsonObject | string, size: number, read: () => Promise<Blob>): Promise<void> {
    if (size > largestKept) return
    const wanted = typeof uploaded === 'string' ? { mxc: uploaded } : { file: uploaded }
    await this.#keep(idOf(addressOf(wanted), wanted), await (await read()).bytes())
  }

  async #waiting(fileId: string): Promise<Blob> {
    const blob = await this.#deps.waiting(fileId)
    if (!blob) throw new ApiError('M_NOT_FOUND', 'no such file waits here', { status: 404 })
    return typed(blob, await blob.slice(0, 16).bytes())
  }

  async #get(id: string, address: string, wanted: MediaWanted): Promise<Blob> {
    const kept = await this.#deps.records.getBytes(collection, id)
    if (kept) return typed(new Blob([kept as Uint8Array<ArrayBuffer>]), kept)
    const fetched = await this.#fetch(address, wanted)
    if (fetched.size <= largestKept) await this.#keep(id, await fetched.bytes())
    return typed(fetched, await fetched.slice(0, 16).bytes())
  }

  async #fetch(address: string, wanted: MediaWanted): Promise<Blob> {
    const download: Download = { stop: new AbortController(), resume: null }
    this.#downloads.set(address, download)
    try {
      for (;;) {
        try {
          return await this.#fetchOnce(address, wanted, download.stop)
        } catch (error) {
          if (!(error instanceof Paused)) throw error
          await new Promise<void>(resolve => {
            download.resume = resolve
          })
          download.resume = null
          if (this.#stopped) throw new ApiError('OFFLINE', 'the session is being closed')
          download.stop = new AbortController()
        }
      }
    } finally {
      this.#downloads.delete(address)
    }
  }

  async #fetchOnce(
    address: string,
    { file, maxBytes, thumbnail }: MediaWanted,
    stop: AbortController,
  ): Promise<Blob> {
    const { http, tell } = this.#deps
    let doneBytes = 0
    let totalBytes = 0
    const say = (state: TransferNews['state'], code: string | null = null) =>
      tell({ id: address, kind: 'download', doneBytes, totalBytes, state, code })
    const stall = () => stop.abort(new ApiError('TIMED_OUT', `not a byte within ${stallMs} ms`))
    let timer = setTimeout(stall, stallMs)
    try {
      const isThumbnail = thumbnail !== undefined && file === undefined
      const response = await http.send('GET', mediaPath(address, isThumbnail ? 'thumbnail' : 'download'), {
        timeoutMs: longestMs,
        signal: stop.signal,
        ...(isThumbnail && { query: { width: thumbnail.width, height: thumbnail.height, method: 'scale' } }),
      })
      totalBytes = Number(response.headers.get('content-length') ?? 0)
      if (totalBytes > maxBytes) throw tooLarge(totalBytes, maxBytes)
      const counting = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          clearTimeout(timer)
          timer = setTimeout(stall, stallMs)
          doneBytes += piece.length
          if (doneBytes > maxBytes) throw tooLarge(doneBytes, maxBytes)
          say('running')
          controller.enqueue(piece)
        },
      })
      const received = response.body!.pipeThrough(counting)
      const plain = file ? received.pipeThrough(decryptAttachment(file, maxBytes)) : received
      // Held until its end: only there the hash is known.
      const whole = await blobOf(plain)
      say('done')
      return whole
    } catch (error) {
      const cause: unknown = stop.signal.aborted ? stop.signal.reason : error
      if (cause instanceof Paused) {
        say('paused')
        throw cause
      }
      const { code } = cause as { code?: unknown }
      say('failed', typeof code === 'string' ? code : 'OFFLINE')
      throw typeof code === 'string' ? cause : new ApiError('OFFLINE', String(cause))
    } finally {
      clearTimeout(timer)
    }
  }

  /** One at a time: what is oldest goes where the budget is used up. A vault without room keeps nothing, and that is no failure. */
  #keep(id: string, bytes: Uint8Array): Promise<void> {
    const kept = this.#last.then(async () => {
      const { records, freeBytes } = this.#deps
      if ((await freeBytes()) < bytes.length + reserveBytes) return
      const stored = (await records.get(collection, indexId))?.['kept']
      this.#index ??= Array.isArray(stored) ? (stored as unknown as Kept[]) : []
      const next = [...this.#index.filter(each => each.id !== id), { id, size: bytes.length }]
      let size = next.reduce((sum, each) => sum + each.size, 0)
      const gone: VaultWrite[] = []
      while (size > budgetBytes) {
        const oldest = next.shift()!
        size -= oldest.size
        gone.push({ collection, id: oldest.id, value: null })
      }
      await records.commit([
        ...gone,
        { collection, id, value: bytes },
        { collection, id: indexId, value: { kept: next } as unknown as JsonObject },
      ])
      this.#index = next
    })
    this.#last = kept.catch(() => {})
    return this.#last as Promise<void>
  }
}

function tooLarge(sizeBytes: number, maxBytes: number): ApiError {
  return new ApiError('M_TOO_LARGE', `a file of ${sizeBytes} bytes or more, where ${maxBytes} are wanted`, {
    status: 413,
  })
}

function addressOf({ mxc, file }: Pick<MediaWanted, 'mxc' | 'file'>): string {
  const url = isObject(file) ? file['url'] : mxc
  if (typeof url !== 'string')
    throw new ApiError('BAD_ADDRESS', 'this message names no file', { status: 404 })
  return url
}

/**
 * What is kept under it was checked against this key and this hash: another message that names the same address with
 * others is shown nothing of it.
 */
function idOf(address: string, { file, thumbnail }: Pick<MediaWanted, 'file' | 'thumbnail'>): string {
  if (!file) return thumbnail ? `${address} ${thumbnail.width}x${thumbnail.height}` : address
  const part = (object: unknown, name: string) => (isObject(object) ? String(object[name]) : '')
  return [address, part(file['key'], 'k'), String(file['iv']), part(file['hashes'], 'sha256')].join(' ')
}

/** @throws ApiError where it is no `mxc:` address */
export function mediaPath(mxc: string, kind: 'download' | 'thumbnail' = 'download'): string {
  const found = /^mxc:\/\/([^/?#]+)\/([\w-]{1,255})$/.exec(mxc)
  if (!found) throw new ApiError('BAD_ADDRESS', 'this is no address of a file')
  return `${v1}/media/${kind}/${inPath(found[1]!)}/${inPath(found[2]!)}`
}

/** First bytes, and what they say. */
const signatures: readonly (readonly [type: string, offset: number, bytes: string])[] = [
  ['image/png', 0, '\x89PNG\r\n'],
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/gif', 0, 'GIF8'],
  ['image/webp', 8, 'WEBP'],
  ['image/avif', 4, 'ftypavif'],
  ['application/pdf', 0, '%PDF-'],
  ['audio/ogg', 0, 'OggS'],
  ['video/webm', 0, '\x1aE\xdf\xa3'],
  ['audio/mp4', 4, 'ftypM4A'],
  ['video/mp4', 4, 'ftyp'],
  ['audio/mpeg', 0, 'ID3'],
  ['audio/mpeg', 0, '\xff\xfb'],
  ['audio/wav', 8, 'WAVE'],
  ['audio/flac', 0, 'fLaC'],
]

function typed(blob: Blob, bytes: Uint8Array): Blob {
  const start = String.fromCharCode(...bytes.subarray(0, 16))
  const type = signatures.find(([, offset, text]) => start.startsWith(text, offset))?.[0]
  return blob.slice(0, blob.size, type ?? 'application/octet-stream')
}
