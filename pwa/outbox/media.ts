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
import type { TransferNews } from './attachments.ts'

export interface MediaDeps {
  readonly records: VaultRecords
  readonly http: Http
  readonly tell: (news: TransferNews) => void
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
const timeoutMs = 600_000

interface Kept {
  readonly id: string
  readonly size: number
}

export class Media {
  readonly #deps: MediaDeps
  readonly #fetching = new Map<string, Promise<Blob>>()
  readonly #stops = new Map<string, AbortController>()
  #index: Kept[] | null = null
  #last: Promise<unknown> = Promise.resolve()

  constructor(deps: MediaDeps) {
    this.#deps = deps
  }

  /** @throws ApiError; E2eeError ATTACHMENT_… where it is not what the message says */
  get(wanted: MediaWanted): Promise<Blob> {
    const address = addressOf(wanted)
    const { thumbnail } = wanted
    const id = thumbnail && !wanted.file ? `${address} ${thumbnail.width}x${thumbnail.height}` : address
    const fetching =
      this.#fetching.get(id) ?? this.#get(id, address, wanted).finally(() => void this.#fetching.delete(id))
    this.#fetching.set(id, fetching)
    return fetching
  }

  pause(address: string): void {
    this.#stops.get(address)?.abort(new ApiError('TRANSFER_PAUSED', 'somebody stopped it'))
  }

  async #get(id: string, address: string, wanted: MediaWanted): Promise<Blob> {
    const kept = await this.#deps.records.getBytes(collection, id)
    if (kept) return typed(kept as Uint8Array<ArrayBuffer>)
    const bytes = await this.#fetch(address, wanted)
    if (bytes.length <= largestKept) await this.#keep(id, bytes)
    return typed(bytes)
  }

  async #fetch(
    address: string,
    { file, maxBytes, thumbnail }: MediaWanted,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { http, tell } = this.#deps
    const stop = new AbortController()
    this.#stops.set(address, stop)
    let doneBytes = 0
    let totalBytes = 0
    const say = (state: TransferNews['state'], code: string | null = null) =>
      tell({ id: address, kind: 'download', doneBytes, totalBytes, state, code })
    try {
      const isThumbnail = thumbnail !== undefined && file === undefined
      const response = await http.send('GET', mediaPath(address, isThumbnail ? 'thumbnail' : 'download'), {
        timeoutMs,
        signal: stop.signal,
        ...(isThumbnail && { query: { width: thumbnail.width, height: thumbnail.height, method: 'scale' } }),
      })
      totalBytes = Number(response.headers.get('content-length') ?? 0)
      if (totalBytes > maxBytes) throw new ApiError('M_TOO_LARGE', `a file of ${totalBytes} bytes`)
      const counting = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          doneBytes += piece.length
          if (doneBytes > maxBytes) throw new ApiError('M_TOO_LARGE', `a file of more than ${maxBytes} bytes`)
          say('running')
          controller.enqueue(piece)
        },
      })
      const received = response.body!.pipeThrough(counting)
      const plain = file ? received.pipeThrough(decryptAttachment(file, maxBytes)) : received
      // Held until its end: only there the hash is known.
      const bytes = new Uint8Array(
        await new Response(plain as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
      )
      say('done')
      return bytes
    } catch (error) {
      const { code } = error as { code?: unknown }
      say(code === 'TRANSFER_PAUSED' ? 'paused' : 'failed', typeof code === 'string' ? code : 'OFFLINE')
      throw typeof code === 'string' ? error : new ApiError('OFFLINE', String(error))
    } finally {
      this.#stops.delete(address)
    }
  }

  /** One at a time: what is oldest goes where the budget is used up. A vault without room keeps nothing, and that is no failure. */
  #keep(id: string, bytes: Uint8Array): Promise<void> {
    const kept = this.#last.then(async () => {
      const { records } = this.#deps
      const stored = (await records.get(collection, indexId))?.['kept']
      this.#index ??= Array.isArray(stored) ? (stored as unknown as Kept[]) : []
      const next = [...this.#index, { id, size: bytes.length }]
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

function addressOf({ mxc, file }: MediaWanted): string {
  const url = isObject(file) ? file['url'] : mxc
  if (typeof url !== 'string') throw new ApiError('BAD_ADDRESS', 'this message names no file')
  return url
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

function typed(bytes: Uint8Array<ArrayBuffer>): Blob {
  const start = String.fromCharCode(...bytes.subarray(0, 16))
  const type = signatures.find(([, offset, text]) => start.startsWith(text, offset))?.[0]
  return new Blob([bytes], { type: type ?? 'application/octet-stream' })
}
