/**
 * Thumbnails on disk: made once, kept until the cache is full, made again when asked for again.
 *
 * Sizes are the specification's and one larger of each kind; a wish gets the smallest that is not below it, so nobody
 * can fill the disk or the worker with sizes of their own. A crash loses nothing: a file that is not whole was
 * never renamed to its name.
 *
 * Deviation: client-server-api#thumbnails. A crop in an aspect that is not among the sizes gets the next larger
 * size, not its own aspect; the client crops.
 */
import { createReadStream, type ReadStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MediaError } from './media-error.ts'
import type { Thumbnailer } from './thumbnail.ts'

export interface ThumbnailWish {
  readonly width: number
  readonly height: number
  readonly method: 'crop' | 'scale'
  readonly animated: boolean
}

export type Found =
  | {
      readonly kind: 'made'
      readonly contentType: string
      readonly sizeBytes: number
      read(range?: { readonly first: number; readonly last: number }): ReadStream
    }
  | { readonly kind: 'original'; readonly contentType: string }

type Size = readonly [width: number, height: number]

const sizes: Readonly<Record<'crop' | 'scale', readonly Size[]>> = {
  crop: [
    [32, 32],
    [96, 96],
    [320, 320],
    [640, 640],
  ],
  scale: [
    [320, 240],
    [640, 480],
    [800, 600],
    [1600, 1200],
  ],
}

const extensions: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
}
const typeOfExtension = new Map(Object.entries(extensions).map(([type, extension]) => [extension, type]))

export class Thumbnails {
  readonly #folder: string
  readonly #thumbnailer: Thumbnailer
  readonly #maxBytes: number
  /** File name → bytes; least recently used first. */
  readonly #kept = new Map<string, number>()
  #keptBytes = 0
  readonly #making = new Map<string, Promise<Found>>()

  constructor(folder: string, thumbnailer: Thumbnailer, maxBytes: number) {
    this.#folder = folder
    this.#thumbnailer = thumbnailer
    this.#maxBytes = maxBytes
  }

  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.#folder)) {
      if (name.endsWith('.tmp')) await rm(join(this.#folder, name), { force: true })
      else this.#keep(name, (await stat(join(this.#folder, name))).size)
    }
    await this.#shrink()
  }

  async get(mediaId: string, path: string, wish: ThumbnailWish): Promise<Found> {
    const [width, height] = sizeFor(wish)
    const base = `${mediaId}.${width}x${height}.${wish.method}${wish.animated ? '.animated' : ''}`
    for (const [extension, contentType] of typeOfExtension) {
      const name = `${base}.${extension}`
      const sizeBytes = this.#kept.get(name)
      if (sizeBytes === undefined) continue
      this.#kept.delete(name)
      this.#kept.set(name, sizeBytes)
      return this.#found(name, contentType, sizeBytes)
    }
    const making =
      this.#making.get(base) ??
      this.#make(base, { path, width, height, method: wish.method, animated: wish.animated }).finally(() =>
        this.#making.delete(base),
      )
    this.#making.set(base, making)
    return making
  }

  async #make(base: string, request: Parameters<Thumbnailer['thumbnail']>[0]): Promise<Found> {
    const answer = await this.#thumbnailer.thumbnail(request)
    switch (answer.kind) {
      case 'original':
        return answer
      case 'refused':
        if (answer.reason === 'too-large') {
          throw new MediaError('M_TOO_LARGE', 'The picture is too large to make a thumbnail of it.')
        }
        throw new MediaError('M_UNKNOWN', 'No thumbnail can be made of this file.')
      case 'made': {
        const name = `${base}.${extensions[answer.contentType]}`
        await writeFile(join(this.#folder, `${name}.tmp`), answer.bytes, { mode: 0o600 })
        await rename(join(this.#folder, `${name}.tmp`), join(this.#folder, name))
        this.#keep(name, answer.bytes.length)
        await this.#shrink()
        return this.#found(name, answer.contentType, answer.bytes.length)
      }
      default:
        return answer satisfies never
    }
  }

  #found(name: string, contentType: string, sizeBytes: number): Found {
    return {
      kind: 'made',
      contentType,
      sizeBytes,
      read: range =>
        createReadStream(join(this.#folder, name), range ? { start: range.first, end: range.last } : {}),
    }
  }

  #keep(name: string, sizeBytes: number): void {
    this.#keptBytes += sizeBytes - (this.#kept.get(name) ?? 0)
    this.#kept.set(name, sizeBytes)
  }

  async #shrink(): Promise<void> {
    for (const [name, sizeBytes] of this.#kept) {
      if (this.#keptBytes <= this.#maxBytes || this.#kept.size === 1) return
      this.#kept.delete(name)
      this.#keptBytes -= sizeBytes
      await rm(join(this.#folder, name), { force: true })
    }
  }
}

function sizeFor({ width, height, method }: ThumbnailWish): Size {
  const fitting = sizes[method].find(([w, h]) => w >= width && h >= height)
  // Beyond the largest: the largest, "unless the original makes that impossible" (it may be smaller than both).
  return fitting ?? sizes[method].at(-1)!
}
