/**
 * The media repository: what people upload, to whom it may still come, and when it goes.
 *
 * A row says that a file is there; the file is durable before its row. The owner of every transaction is the
 * uploader, so that the quota is counted by one writer.
 *
 * Spec: client-server-api#content-repository
 */
import type { ReadStream } from 'node:fs'
import { join } from 'node:path'
import { encodeBase64Url } from '../protocol/base64.ts'
import type { ServerName, UserId } from '../protocol/ids.ts'
import { type MediaRow, mediaTable, mediaUsageTable, waitingMediaTable } from '../store/catalogue.ts'
import type { Store, Transaction } from '../store/store.ts'
import { MediaError } from './media-error.ts'
import { type Incoming, isMediaId, MediaFiles, tooLarge } from './media-files.ts'
import type { Thumbnailer } from './thumbnail.ts'
import { Thumbnails, type ThumbnailWish } from './thumbnails.ts'

export interface MediaOptions {
  readonly store: Store
  readonly serverName: ServerName
  /** Everything of ours lies below it: `media/`, `thumbnails/`. */
  readonly dataFolder: string
  readonly clock: () => number
  readonly randomBytes: (size: number) => Uint8Array
  readonly thumbnailer: Thumbnailer
  readonly maxUploadBytes: number
  /** What all files of one person may take together. */
  readonly quotaBytes: number
  readonly thumbnailCacheBytes?: number
}

export interface Upload {
  readonly userId: UserId
  readonly contentType: string
  readonly fileName?: string
  /** From Content-Length, where the client says. */
  readonly announcedBytes?: number
  readonly body: AsyncIterable<Uint8Array>
}

/** A file that may be served. */
export interface MediaFile {
  readonly contentType: string
  readonly fileName?: string
  readonly sizeBytes: number
  read(range?: { readonly first: number; readonly last: number }): ReadStream
}

/** Where files come from: this server, or others. */
export interface MediaSource {
  download(serverName: string, mediaId: string, waitMs: number): Promise<MediaFile>
  thumbnail(serverName: string, mediaId: string, wish: ThumbnailWish, waitMs: number): Promise<MediaFile>
}

/** Spec: POST /_matrix/media/v1/create: 24 hours is the recommended time. */
const unusedLifetimeMs = 24 * 60 * 60 * 1000
/** Ids that one person may hold without having sent the file. */
const maxWaitingIds = 100
/** Files that one person may be sending at the same time: each holds a connection, a file and room on the disk. */
const maxAtOnce = 20
const sweepEveryMs = 60 * 60 * 1000

export async function openMedia(options: MediaOptions): Promise<Media> {
  const media = new Media(options)
  await media.open()
  return media
}

export class Media implements MediaSource {
  readonly #options: MediaOptions
  readonly #files: MediaFiles
  readonly #thumbnails: Thumbnails
  /** Downloads that wait for an upload: media id → wake. */
  readonly #waiters = new Map<string, Set<() => void>>()
  /** Ids whose file is on its way: the second of two uploads to one id is refused. */
  readonly #receiving = new Set<string>()
  readonly #sending = new Map<UserId, number>()
  #sweep: NodeJS.Timeout | undefined

  constructor(options: MediaOptions) {
    this.#options = options
    this.#files = new MediaFiles(join(options.dataFolder, 'media'))
    this.#thumbnails = new Thumbnails(
      join(options.dataFolder, 'thumbnails'),
      options.thumbnailer,
      options.thumbnailCacheBytes ?? 512 * 1024 * 1024,
    )
  }

  async open(): Promise<void> {
    await this.#files.open()
    await this.#thumbnails.open()
    await this.#files.recover(ids => this.#areThere(ids))
    await this.reclaimUnused()
    this.#sweep = setInterval(() => void this.reclaimUnused().catch(() => {}), sweepEveryMs)
    this.#sweep.unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep)
    for (const wakes of this.#waiters.values()) for (const wake of wakes) wake()
  }

  get serverName(): ServerName {
    return this.#options.serverName
  }

  get maxUploadBytes(): number {
    return this.#options.maxUploadBytes
  }

  contentUri(mediaId: string): string {
    return `mxc://${this.#options.serverName}/${mediaId}`
  }

  /** Spec: POST /_matrix/media/v3/upload. Gives the media id. */
  async upload(upload: Upload): Promise<string> {
    const mediaId = this.#newId()
    await this.#receive(mediaId, upload, () => {})
    return mediaId
  }

  /** Spec: POST /_matrix/media/v1/create */
  async create(userId: UserId): Promise<{ readonly mediaId: string; readonly expiresTs: number }> {
    const mediaId = this.#newId()
    const now = this.#options.clock()
    const expiresTs = now + unusedLifetimeMs
    await this.#options.store.transact(userId, async tx => {
      const waiting = await tx.range(waitingMediaTable.under(userId))
      const open = waiting.filter(({ value }) => value > now)
      if (open.length >= maxWaitingIds) {
        const first = Math.min(...open.map(({ value }) => value))
        throw new MediaError(
          'M_LIMIT_EXCEEDED',
          `${maxWaitingIds} media ids wait for their file: send some first.`,
          {
            retry_after_ms: first - now,
          },
        )
      }
      tx.put(mediaTable.key(mediaId), { userId, state: 'waiting', createdTs: now, expiresTs })
      tx.put(waitingMediaTable.key(userId, mediaId), expiresTs)
    })
    return { mediaId, expiresTs }
  }

  /** Spec: PUT /_matrix/media/v3/upload/{serverName}/{mediaId} */
  async uploadTo(serverName: string, mediaId: string, upload: Upload): Promise<void> {
    const check = (row: MediaRow | undefined) => {
      if (!row || serverName !== this.#options.serverName || isExpired(row, this.#options.clock())) {
        throw new MediaError('M_NOT_FOUND', 'There is no such media id, or its time is over.')
      }
      if (row.userId !== upload.userId) {
        throw new MediaError('M_FORBIDDEN', 'Another person made this media id.')
      }
      if (row.state === 'there') {
        throw new MediaError('M_CANNOT_OVERWRITE_MEDIA', 'This media id has its file already.')
      }
    }
    check(await this.#row(mediaId))
    await this.#receive(mediaId, upload, check)
  }

  /**
   * The file, waiting for its upload where that is still to come.
   *
   * @throws M_NOT_FOUND, M_NOT_YET_UPLOADED after `waitMs`
   */
  async download(serverName: string, mediaId: string, waitMs: number): Promise<MediaFile> {
    const row = await this.#waitForRow(serverName, mediaId, waitMs)
    return {
      contentType: row.contentType,
      ...(row.fileName === undefined ? {} : { fileName: row.fileName }),
      sizeBytes: row.sizeBytes,
      read: range => this.#files.read(mediaId, range),
    }
  }

  /** A smaller picture of it, or the file itself where it is small enough. */
  async thumbnail(
    serverName: string,
    mediaId: string,
    wish: ThumbnailWish,
    waitMs: number,
  ): Promise<MediaFile> {
    const row = await this.#waitForRow(serverName, mediaId, waitMs)
    const made = await this.#thumbnails.get(mediaId, this.#files.path(mediaId), wish)
    if (made.kind === 'made') {
      return {
        contentType: made.contentType,
        fileName: `thumbnail.${made.contentType.slice('image/'.length)}`,
        sizeBytes: made.sizeBytes,
        read: made.read,
      }
    }
    // The original passes for a thumbnail only as the picture that it was found to be.
    return {
      contentType: made.contentType,
      fileName: `thumbnail.${made.contentType.slice('image/'.length)}`,
      sizeBytes: row.sizeBytes,
      read: range => this.#files.read(mediaId, range),
    }
  }

  /** Who made this media id, whether or not its file is there yet. */
  async uploader(mediaId: string): Promise<UserId | undefined> {
    return (await this.#row(mediaId))?.userId
  }

  /** Drops ids whose time to be used is over. */
  async reclaimUnused(): Promise<number> {
    const { store, clock } = this.#options
    const waiting = await store.read(view => view.range(waitingMediaTable.under()))
    const over = waiting.filter(({ value }) => value <= clock())
    for (const { key, parts } of over) {
      const [userId, mediaId] = parts
      await store.transact(userId, async tx => {
        const row = await tx.get(mediaTable.key(mediaId))
        tx.delete(key)
        if (row?.state === 'waiting' && !this.#receiving.has(mediaId)) tx.delete(mediaTable.key(mediaId))
      })
    }
    return over.length
  }

  async #receive(mediaId: string, upload: Upload, check: (row: MediaRow | undefined) => void): Promise<void> {
    const { maxUploadBytes } = this.#options
    if ((upload.announcedBytes ?? 0) > maxUploadBytes) throw tooLarge(maxUploadBytes)
    if (this.#receiving.has(mediaId)) {
      throw new MediaError('M_CANNOT_OVERWRITE_MEDIA', 'The file of this media id is being sent already.')
    }
    const sending = this.#sending.get(upload.userId) ?? 0
    if (sending >= maxAtOnce) {
      throw new MediaError('M_LIMIT_EXCEEDED', `You are sending ${maxAtOnce} files already.`, {
        retry_after_ms: 5_000,
      })
    }
    this.#sending.set(upload.userId, sending + 1)
    this.#receiving.add(mediaId)
    try {
      await this.#checkQuota(upload.userId, upload.announcedBytes ?? 0)
      const incoming = await this.#files.receive(mediaId, upload.body, maxUploadBytes)
      await this.#commit(mediaId, upload, incoming, check)
    } finally {
      this.#receiving.delete(mediaId)
      const left = this.#sending.get(upload.userId)! - 1
      if (left > 0) this.#sending.set(upload.userId, left)
      else this.#sending.delete(upload.userId)
    }
    for (const wake of this.#waiters.get(mediaId) ?? []) wake()
  }

  async #commit(
    mediaId: string,
    upload: Upload,
    incoming: Incoming,
    check: (row: MediaRow | undefined) => void,
  ): Promise<void> {
    const { store, clock } = this.#options
    let asked = false
    try {
      await incoming.place()
      await store.transact(upload.userId, async tx => {
        check(await tx.get(mediaTable.key(mediaId)))
        await this.#count(tx, upload.userId, incoming.written.sizeBytes)
        tx.put(mediaTable.key(mediaId), {
          userId: upload.userId,
          state: 'there',
          createdTs: clock(),
          contentType: upload.contentType,
          ...(upload.fileName === undefined ? {} : { fileName: upload.fileName }),
          ...incoming.written,
        })
        tx.delete(waitingMediaTable.key(upload.userId, mediaId))
        asked = true
      })
    } catch (error) {
      // Once asked of the store, the row may be there all the same: the next start decides by it.
      if (!asked) await incoming.discard()
      throw error
    }
    await incoming.done()
  }

  async #count(tx: Transaction, userId: UserId, sizeBytes: number): Promise<void> {
    const key = mediaUsageTable.key(userId)
    const usage = (await tx.get(key)) ?? { bytes: 0, files: 0 }
    this.#refuseOver(usage.bytes + sizeBytes)
    tx.put(key, { bytes: usage.bytes + sizeBytes, files: usage.files + 1 })
  }

  async #checkQuota(userId: UserId, sizeBytes: number): Promise<void> {
    const usage = await this.#options.store.read(view => view.get(mediaUsageTable.key(userId)))
    this.#refuseOver((usage?.bytes ?? 0) + sizeBytes)
  }

  #refuseOver(bytes: number): void {
    const { quotaBytes } = this.#options
    if (bytes <= quotaBytes) return
    throw new MediaError(
      'M_FORBIDDEN',
      `Your files may take ${quotaBytes} bytes together; this one is too much.`,
    )
  }

  async #waitForRow(
    serverName: string,
    mediaId: string,
    waitMs: number,
  ): Promise<Extract<MediaRow, { state: 'there' }>> {
    if (serverName !== this.#options.serverName) {
      throw new MediaError('M_NOT_FOUND', 'Media of another server cannot be fetched here.')
    }
    let row = await this.#row(mediaId)
    if (row?.state === 'waiting' && !isExpired(row, this.#options.clock()) && waitMs > 0) {
      await this.#uploaded(mediaId, waitMs)
      row = await this.#row(mediaId)
    }
    if (!row || isExpired(row, this.#options.clock())) {
      throw new MediaError('M_NOT_FOUND', 'There is no such media.')
    }
    if (row.state === 'waiting') {
      throw new MediaError('M_NOT_YET_UPLOADED', 'The file of this media id has not been sent yet.')
    }
    return row
  }

  #uploaded(mediaId: string, waitMs: number): Promise<void> {
    return new Promise(resolve => {
      const wakes = this.#waiters.get(mediaId) ?? new Set()
      const wake = () => {
        clearTimeout(timer)
        wakes.delete(wake)
        if (wakes.size === 0) this.#waiters.delete(mediaId)
        resolve()
      }
      const timer = setTimeout(wake, waitMs)
      wakes.add(wake)
      this.#waiters.set(mediaId, wakes)
    })
  }

  async #row(mediaId: string): Promise<MediaRow | undefined> {
    if (!isMediaId(mediaId)) return undefined
    return this.#options.store.read(view => view.get(mediaTable.key(mediaId)))
  }

  async #areThere(ids: readonly string[]): Promise<boolean[]> {
    const rows = await this.#options.store.read(view => view.getMany(ids.map(id => mediaTable.key(id))))
    return rows.map(row => row?.state === 'there')
  }

  /** 144 random bits: nobody guesses one, and two are never equal. */
  #newId(): string {
    return encodeBase64Url(this.#options.randomBytes(18))
  }
}

function isExpired(row: MediaRow, now: number): boolean {
  return row.state === 'waiting' && row.expiresTs <= now
}
