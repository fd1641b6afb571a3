/**
 * Copies of media of other servers: fetched once, however many ask, kept until there are too many of them.
 *
 * A copy can always be fetched again. So nothing is lost where one goes; the least recently used go first. The file is
 * durable before its row, and goes after it: a file without a row is what a crash leaves, and the next start
 * removes it. Thumbnails are made here, from the copy: a peer's picture passes through our own decoder, and one
 * request serves all sizes.
 *
 * Spec: client-server-api#content-repository, server-server-api#content-repository
 */
import { join } from 'node:path'
import { encodeBase64Url } from '../protocol/base64.ts'
import { parseServerName, type ServerName } from '../protocol/ids.ts'
import { RemoteError } from '../rooms/remote-rooms.ts'
import { type RemoteMediaRow, remoteMediaTable } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { MediaFile, MediaSource } from './media.ts'
import { MediaError } from './media-error.ts'
import { MediaFiles } from './media-files.ts'
import type { RemoteMedia } from './ports.ts'
import type { Thumbnailer } from './thumbnail.ts'
import { Thumbnails, type ThumbnailWish } from './thumbnails.ts'

export interface RemoteMediaOptions {
  readonly store: Store
  readonly remote: RemoteMedia
  /** Everything of ours lies below it: `remote-media/`, `remote-thumbnails/`. */
  readonly dataFolder: string
  readonly clock: () => number
  readonly randomBytes: (size: number) => Uint8Array
  readonly thumbnailer: Thumbnailer
  readonly maxFileBytes: number
  /** What all copies may take together. */
  readonly cacheBytes?: number
}

const defaultCacheBytes = 4 * 1024 * 1024 * 1024
const thumbnailCacheBytes = 512 * 1024 * 1024
/** Each holds a connection, a file and room on the disk; one slow peer must not take them all. */
const maxAtOnce = 32
const maxAtOnceOfPeer = 8

export async function openRemoteMediaCache(options: RemoteMediaOptions): Promise<RemoteMediaCache> {
  const cache = new RemoteMediaCache(options)
  await cache.open()
  return cache
}

export class RemoteMediaCache implements MediaSource {
  readonly #options: RemoteMediaOptions
  readonly #files: MediaFiles
  readonly #thumbnails: Thumbnails
  /** `server/mediaId` → its row; least recently used first. */
  readonly #kept = new Map<string, RemoteMediaRow>()
  #keptBytes = 0
  readonly #fetching = new Map<string, Promise<RemoteMediaRow>>()
  readonly #fetchingOf = new Map<ServerName, number>()

  constructor(options: RemoteMediaOptions) {
    this.#options = options
    this.#files = new MediaFiles(join(options.dataFolder, 'remote-media'))
    this.#thumbnails = new Thumbnails(
      join(options.dataFolder, 'remote-thumbnails'),
      options.thumbnailer,
      thumbnailCacheBytes,
    )
  }

  async open(): Promise<void> {
    await this.#files.open()
    await this.#thumbnails.open()
    const rows = await this.#options.store.read(view => view.range(remoteMediaTable.under()))
    // Who asked last is not written down: after a start the oldest copies go first.
    for (const { parts, value } of rows.toSorted((a, b) => a.value.fetchedTs - b.value.fetchedTs)) {
      this.#keep(`${parts[0]}/${parts[1]}`, value)
    }
    const known = new Set(rows.map(({ value }) => value.fileId))
    await this.#files.recover(async ids => ids.map(id => known.has(id)))
    for (const fileId of await this.#files.placed()) if (!known.has(fileId)) await this.#files.remove(fileId)
    await this.#shrink()
  }

  /** @throws RemoteError, MediaError */
  async download(serverName: string, mediaId: string, waitMs: number): Promise<MediaFile> {
    const row = await this.#find(serverName, mediaId, waitMs)
    return {
      contentType: row.contentType,
      ...(row.fileName === undefined ? {} : { fileName: row.fileName }),
      sizeBytes: row.sizeBytes,
      read: range => this.#files.read(row.fileId, range),
    }
  }

  async thumbnail(
    serverName: string,
    mediaId: string,
    wish: ThumbnailWish,
    waitMs: number,
  ): Promise<MediaFile> {
    const row = await this.#find(serverName, mediaId, waitMs)
    const made = await this.#thumbnails.get(row.fileId, this.#files.path(row.fileId), wish)
    return {
      contentType: made.contentType,
      fileName: `thumbnail.${made.contentType.slice('image/'.length)}`,
      sizeBytes: made.kind === 'made' ? made.sizeBytes : row.sizeBytes,
      read: made.kind === 'made' ? made.read : range => this.#files.read(row.fileId, range),
    }
  }

  async #find(serverName: string, mediaId: string, waitMs: number): Promise<RemoteMediaRow> {
    const server = parseServerName(serverName)
    if (!server || !isRemoteMediaId(mediaId)) throw notFound()
    const name = `${server}/${mediaId}`
    const known = this.#kept.get(name)
    if (known) {
      this.#kept.delete(name)
      this.#kept.set(name, known)
      return known
    }
    const fetching =
      this.#fetching.get(name) ??
      this.#fetch(server, mediaId, waitMs).finally(() => this.#fetching.delete(name))
    this.#fetching.set(name, fetching)
    return fetching
  }

  async #fetch(server: ServerName, mediaId: string, waitMs: number): Promise<RemoteMediaRow> {
    const ofPeer = this.#fetchingOf.get(server) ?? 0
    if (this.#fetching.size >= maxAtOnce || ofPeer >= maxAtOnceOfPeer) {
      throw new MediaError('M_LIMIT_EXCEEDED', `Too many files are being fetched from ${server} already.`, {
        retry_after_ms: 2_000,
      })
    }
    this.#fetchingOf.set(server, ofPeer + 1)
    try {
      return await this.#copy(server, mediaId, waitMs)
    } catch (error) {
      throw error instanceof RemoteError ? asMediaError(error) : error
    } finally {
      const left = this.#fetchingOf.get(server)! - 1
      if (left > 0) this.#fetchingOf.set(server, left)
      else this.#fetchingOf.delete(server)
    }
  }

  async #copy(server: ServerName, mediaId: string, waitMs: number): Promise<RemoteMediaRow> {
    const { remote, store, clock, randomBytes, maxFileBytes } = this.#options
    const { body, contentType, fileName } = await remote.download(server, mediaId, waitMs)
    const fileId = encodeBase64Url(randomBytes(18))
    const incoming = await this.#files.receive(fileId, body, maxFileBytes)
    const row: RemoteMediaRow = {
      fileId,
      fetchedTs: clock(),
      contentType,
      ...(fileName === undefined ? {} : { fileName }),
      ...incoming.written,
    }
    let asked = false
    try {
      await incoming.place()
      await store.transact(`media of ${server}`, tx => {
        tx.put(remoteMediaTable.key(server, mediaId), row)
        asked = true
      })
    } catch (error) {
      // Once asked of the store, the row may be there all the same: the next start decides by it.
      if (!asked) await incoming.discard()
      throw error
    }
    await incoming.done()
    this.#keep(`${server}/${mediaId}`, row)
    await this.#shrink()
    return row
  }

  #keep(name: string, row: RemoteMediaRow): void {
    this.#kept.set(name, row)
    this.#keptBytes += row.sizeBytes
  }

  async #shrink(): Promise<void> {
    const { store, cacheBytes = defaultCacheBytes } = this.#options
    for (const [name, row] of this.#kept) {
      if (this.#keptBytes <= cacheBytes || this.#kept.size === 1) return
      this.#kept.delete(name)
      this.#keptBytes -= row.sizeBytes
      const [server, mediaId] = name.split('/') as [ServerName, string]
      await store.transact(`media of ${server}`, tx => tx.delete(remoteMediaTable.key(server, mediaId)))
      await this.#files.remove(row.fileId)
    }
  }
}

/** Spec: client-server-api#content-repo-security-considerations: opaque, and only these characters. */
function isRemoteMediaId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,255}$/.test(text)
}

/** What the peer says of the file is said to the client; that it could not be asked stays what it is. */
function asMediaError(error: RemoteError): Error {
  if (error.kind === 'unpinned') return notFound()
  if (error.errcode === 'M_NOT_YET_UPLOADED') {
    return new MediaError('M_NOT_YET_UPLOADED', 'The file of this media id has not been sent yet.')
  }
  if (error.errcode === 'M_TOO_LARGE') {
    return new MediaError('M_TOO_LARGE', 'The file is too large for its own server to hand out.')
  }
  return error.status === 404 || error.status === 403 ? notFound() : error
}

function notFound(): MediaError {
  return new MediaError('M_NOT_FOUND', 'There is no such media.')
}
