/**
 * Files on disk: one for each media id, whole or not there.
 *
 * A path is made from a random id of ours alone, never from a name that a client gave. A new file is written
 * to `incoming/<id>`, synced, then *linked* to its place and its folder synced; only then does its row follow, and
 * only after that the name in `incoming` goes. So whatever a crash leaves has a name in `incoming`, and the
 * next start decides by the row: there → the file stays, not there → it goes.
 */
import { createHash } from 'node:crypto'
import { createReadStream, type ReadStream } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../store/store.ts'
import { MediaError } from './media-error.ts'

export interface Written {
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
}

export interface Incoming {
  readonly written: Written
  /** The file is at its place and durable; the row may follow. */
  place(): Promise<void>
  /** The row is durable. */
  done(): Promise<void>
  /** Nothing remains. */
  discard(): Promise<void>
}

export class MediaFiles {
  readonly #folder: string
  readonly #incoming: string

  constructor(folder: string) {
    this.#folder = folder
    this.#incoming = join(folder, 'incoming')
  }

  async open(): Promise<void> {
    await mkdir(this.#incoming, { recursive: true, mode: 0o700 })
  }

  path(id: string): string {
    checkId(id)
    return join(this.#folder, id.slice(0, 2), id.slice(2, 4), id)
  }

  read(id: string, range?: { readonly first: number; readonly last: number }): ReadStream {
    return createReadStream(this.path(id), range ? { start: range.first, end: range.last } : {})
  }

  async remove(id: string): Promise<void> {
    await rm(this.path(id), { force: true })
  }

  /** Writes a body as it comes. On any failure nothing remains. */
  async receive(id: string, body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Incoming> {
    checkId(id)
    const incoming = join(this.#incoming, id)
    const file = await this.#guard(open(incoming, 'wx', 0o600))
    try {
      const written = await this.#guard(writeAll(file, body, maxBytes))
      await file.close()
      return {
        written,
        place: () => this.#guard(this.#place(id, incoming)),
        done: () => rm(incoming, { force: true }),
        discard: async () => {
          await rm(this.path(id), { force: true })
          await rm(incoming, { force: true })
        },
      }
    } catch (error) {
      await file.close().catch(() => {})
      await rm(incoming, { force: true })
      throw error
    }
  }

  /** After a crash: `isKept` says of each id that was under way whether its row is there. */
  async recover(isKept: (ids: readonly string[]) => Promise<readonly boolean[]>): Promise<number> {
    const ids = (await readdir(this.#incoming)).filter(name => idPattern.test(name))
    const kept = await isKept(ids)
    let removed = 0
    for (const [index, id] of ids.entries()) {
      if (!kept[index]) {
        await rm(this.path(id), { force: true })
        removed++
      }
      await rm(join(this.#incoming, id), { force: true })
    }
    return removed
  }

  /** All whose file is at its place: few enough to be listed only where the files are a copy of something else. */
  async placed(): Promise<string[]> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true })
    return entries.flatMap(entry =>
      entry.isFile() && entry.parentPath !== this.#incoming && idPattern.test(entry.name) ? [entry.name] : [],
    )
  }

  async #place(id: string, incoming: string): Promise<void> {
    const first = join(this.#folder, id.slice(0, 2))
    const second = join(first, id.slice(2, 4))
    const made = await mkdir(second, { recursive: true, mode: 0o700 })
    await link(incoming, this.path(id))
    await syncFolder(second)
    if (made !== undefined) {
      await syncFolder(first)
      await syncFolder(this.#folder)
    }
  }

  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (isFull(error)) throw new StoreError('STORE_FULL', 'no space for a file', { cause: error })
      throw error
    }
  }
}

async function writeAll(
  file: FileHandle,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Written> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes)
    hash.update(chunk)
    await file.writeFile(chunk)
  }
  await file.datasync()
  return { sizeBytes, sha256: hash.digest('hex') }
}

export function tooLarge(maxBytes: number): MediaError {
  return new MediaError('M_TOO_LARGE', `The file is larger than ${maxBytes} bytes.`)
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Spec: client-server-api#content-repo-security-considerations: only these may be part of a path. */
const idPattern = /^[A-Za-z0-9_-]{16,64}$/

export function isMediaId(text: string): boolean {
  return idPattern.test(text)
}

function checkId(id: string): void {
  if (!idPattern.test(id)) throw new MediaError('M_NOT_FOUND', 'There is no such media.')
}

function isFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT'
}
