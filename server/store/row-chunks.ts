/**
 * The rows of a store in pieces that stay the same while their rows do: what an incremental backup does not write again.
 *
 * A piece ends after a key that its own checksum picks (one in 1,024), so that a new or changed row moves no other
 * piece's borders. It covers all keys above `after`, up to and including `upTo` (null: to the end of the order); what
 * is not in it does not exist. Rows that say where the store stands (journal, its base, the last scrub) are left out.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { cleanScrub, journal, journalBase } from './catalogue.ts'

/** The value as the catalogue's table wrote it, without the checksum that stands before it on disk. */
export type RowText = readonly [key: string, text: string]

export interface RowChunk {
  /** Keys as latin1 bytes (see key.ts). '' is before the first one. */
  readonly after: string
  readonly upTo: string | null
  readonly rows: number
  /** For each row: length of the key, length of the value (u32, big-endian), key, value (UTF-8). */
  readonly body: Buffer
  /** SHA-256 over body and borders, base64: the same for the same rows, on any machine. */
  readonly id: string
}

const pickOneIn = 1024
/** A piece is never larger than this and one row: what it costs in memory. */
export const maxChunkBytes = 2 * 2 ** 20

const leftOut = new Set([journal.prefix, journalBase.prefix, cleanScrub.prefix])

export async function* rowChunks(source: AsyncIterable<readonly RowText[]>): AsyncGenerator<RowChunk> {
  let after = ''
  let body = new BodyWriter()
  for await (const rows of source) {
    for (const [key, text] of rows) {
      if (leftOut.has(key.slice(0, 2))) continue
      body.add(key, text)
      if (body.bytes < maxChunkBytes && crc32(key) % pickOneIn !== 0) continue
      yield chunkOf(after, key, body)
      after = key
      body = new BodyWriter()
    }
    // Some at a time: all at once would take the event loop for many milliseconds.
    body.hashMore()
  }
  yield chunkOf(after, null, body)
}

/** Rows one after another in one piece of memory that grows. */
class BodyWriter {
  readonly #hash = createHash('sha256')
  #hashed = 0
  #buffer = Buffer.allocUnsafe(256 * 1024)
  bytes = 0
  rows = 0

  add(key: string, text: string): void {
    const textBytes = Buffer.byteLength(text)
    const end = this.bytes + 8 + key.length + textBytes
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#buffer.length))
      this.#buffer.copy(larger, 0, 0, this.bytes)
      this.#buffer = larger
    }
    this.#buffer.writeUInt32BE(key.length, this.bytes)
    this.#buffer.writeUInt32BE(textBytes, this.bytes + 4)
    this.#buffer.write(key, this.bytes + 8, 'latin1')
    this.#buffer.write(text, this.bytes + 8 + key.length, 'utf8')
    this.bytes = end
    this.rows++
  }

  hashMore(): void {
    this.#hash.update(this.#buffer.subarray(this.#hashed, this.bytes))
    this.#hashed = this.bytes
  }

  /** Once, at the end. */
  id(borders: string): string {
    this.hashMore()
    return this.#hash.update(`\n${borders}`).digest('base64')
  }

  get body(): Buffer {
    return this.#buffer.subarray(0, this.bytes)
  }
}

function chunkOf(after: string, upTo: string | null, writer: BodyWriter): RowChunk {
  const id = writer.id(JSON.stringify([hexOf(after), upTo === null ? null : hexOf(upTo)]))
  return { after, upTo, rows: writer.rows, body: writer.body, id }
}

/** A row whose key lies outside its piece would land in another one's place: null, as for a body that ends too early. */
export function rowsOf(body: Buffer, after: string, upTo: string | null): RowText[] | null {
  const rows: RowText[] = []
  let last = after
  for (let at = 0; at < body.length; ) {
    if (at + 8 > body.length) return null
    const keyBytes = body.readUInt32BE(at)
    const textBytes = body.readUInt32BE(at + 4)
    const textAt = at + 8 + keyBytes
    if (textAt + textBytes > body.length) return null
    const key = body.toString('latin1', at + 8, textAt)
    if (key <= last || (upTo !== null && key > upTo)) return null
    rows.push([key, body.toString('utf8', textAt, textAt + textBytes)])
    last = key
    at = textAt + textBytes
  }
  return rows
}

/** For documents: keys are bytes. */
export function hexOf(key: string): string {
  return Buffer.from(key, 'latin1').toString('hex')
}

export function keyOf(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}
