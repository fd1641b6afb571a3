/**
 * What the last backup held, so that the next one writes only what is new: `<data>/backup/chain`.
 *
 *     {"id":…,"name":…,…}     the backup that the next one builds on
 *     r <id of a piece of rows>
 *     m <path of a media file>       in order
 *     end <how many lines stood before>
 *
 * Never needed to restore. Written beside, and renamed after its backup has its name: a crash in between leaves older
 * notes, and the next backup builds on the backup that these name, which is right as well. What is missing or damaged
 * makes the next backup a full one.
 */
import { once } from 'node:events'
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { notesFolder } from './data-files.ts'

export interface ChainHead {
  readonly id: string
  readonly name: string
  readonly chain: string
  readonly number: number
  /** When the chain's full backup was begun. */
  readonly fullTs: number
  /** Of the store: another history is another chain. */
  readonly epoch: number
  /** Digest of for whom it is encrypted: one key must open a whole chain. */
  readonly recipients: string
}

export interface ChainNotes {
  readonly head: ChainHead
  hasRows(id: string): boolean
  /** Asked in the order of the paths. */
  hasMedia(path: string): Promise<boolean>
  close(): void
}

const fileOf = (dataFolder: string) => join(dataFolder, notesFolder, 'chain')

/** null: there are none, or they are not whole. */
export async function readChainNotes(dataFolder: string): Promise<ChainNotes | null> {
  try {
    const counted = await countLines(fileOf(dataFolder))
    if (!counted) return null
    return await openNotes(fileOf(dataFolder))
  } catch {
    return null
  }
}

export async function forgetChainNotes(dataFolder: string): Promise<void> {
  await rm(fileOf(dataFolder), { force: true })
}

async function countLines(path: string): Promise<boolean> {
  let lines = 0
  let last = ''
  for await (const line of createInterface({ input: createReadStream(path) })) {
    lines++
    last = line
  }
  return last === `end ${lines - 1}`
}

async function openNotes(path: string): Promise<ChainNotes> {
  const reader = createInterface({ input: createReadStream(path) })
  const lines = reader[Symbol.asyncIterator]()
  const head = JSON.parse((await lines.next()).value as string) as ChainHead
  const rows = new Set<string>()
  let line = await lines.next()
  for (; !line.done && line.value.startsWith('r '); line = await lines.next()) rows.add(line.value.slice(2))
  return {
    head,
    hasRows: id => rows.has(id),
    hasMedia: async path => {
      while (!line.done && line.value.startsWith('m ') && line.value.slice(2) < path)
        line = await lines.next()
      return !line.done && line.value === `m ${path}`
    },
    close: () => reader.close(),
  }
}

export class ChainNotesWriter {
  readonly #path: string
  readonly #stream: WriteStream
  #lines = 0

  constructor(path: string, stream: WriteStream) {
    this.#path = path
    this.#stream = stream
  }

  static async begin(dataFolder: string, head: ChainHead): Promise<ChainNotesWriter> {
    await mkdir(join(dataFolder, notesFolder), { recursive: true, mode: 0o700 })
    const path = fileOf(dataFolder)
    const stream = createWriteStream(`${path}.new`, { mode: 0o600 })
    await once(stream, 'open')
    const writer = new ChainNotesWriter(path, stream)
    await writer.#line(JSON.stringify(head))
    return writer
  }

  rows(id: string): Promise<void> {
    return this.#line(`r ${id}`)
  }

  media(path: string): Promise<void> {
    return this.#line(`m ${path}`)
  }

  /** The backup has its name: the next one builds on it. */
  async keep(): Promise<void> {
    await this.#line(`end ${this.#lines}`)
    await new Promise<void>((resolve, reject) => {
      this.#stream.once('error', reject)
      this.#stream.end(resolve)
    })
    const file = await open(`${this.#path}.new`, 'r+')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${this.#path}.new`, this.#path)
  }

  async discard(): Promise<void> {
    this.#stream.on('error', () => {})
    this.#stream.destroy()
    await rm(`${this.#path}.new`, { force: true })
  }

  async #line(line: string): Promise<void> {
    if (this.#stream.errored) throw this.#stream.errored
    this.#lines++
    if (this.#stream.write(`${line}\n`)) return
    await Promise.race([
      once(this.#stream, 'drain'),
      once(this.#stream, 'error').then(([error]) => Promise.reject(error)),
    ])
  }
}
