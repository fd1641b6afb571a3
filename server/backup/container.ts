/**
 * What is inside a backup once it is decrypted: records one after another, each a line of JSON and, where it says
 * `bytes`, so many bytes after it. Can be read with `age -d` and a pager. The format stands in README.md.
 *
 * Reading checks shape and lengths alone; what the records mean is the reader's business (read-backup.ts).
 */
import { createHash, type Hash } from 'node:crypto'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { BackupError } from './backup-error.ts'

export const formatVersion = 1
/** Longer than any line that is written. */
const maxLineBytes = 1 << 20

export function firstLine(): Buffer {
  return Buffer.from(`letro-backup ${formatVersion}\n`)
}

export function recordLine(record: JsonObject): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`)
}

export class ContainerReader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #hash: Hash = createHash('sha256')
  #buffer: Buffer = Buffer.alloc(0)
  #isOver = false
  /** Of the body that is being read: how much is left. */
  #left = 0
  /** As it was before the last line: that line may carry it. */
  #before: Hash = createHash('sha256')

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Rejects with BACKUP_NOT_ONE, or BACKUP_NEWER for a format that is not known here. */
  async begin(): Promise<void> {
    const line = await this.#line()
    const version = Number(/^letro-backup ([1-9][0-9]{0,8})$/.exec(line ?? '')?.[1])
    if (!Number.isInteger(version))
      throw new BackupError('BACKUP_NOT_ONE', 'This file is no backup of Letro.')
    if (version > formatVersion) {
      throw new BackupError(
        'BACKUP_NEWER',
        `This backup has format ${version}; this release reads up to ${formatVersion}. Install the release that made it, or a newer one, then try again.`,
      )
    }
  }

  /** The next record; null at the end of the file. What was not read of the body before is read and counted. */
  async next(): Promise<JsonObject | null> {
    for await (const _ of this.body()) {
      // Skipped.
    }
    const line = await this.#line()
    if (line === null) return null
    const record = parseLine(line)
    const bytes = record['bytes']
    this.#left = typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : 0
    return record
  }

  /** The bytes after the last record, as they come. */
  async *body(): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      if (this.#buffer.length === 0 && !(await this.#more())) throw cutShort()
      const piece = this.#buffer.subarray(0, this.#left)
      this.#buffer = this.#buffer.subarray(piece.length)
      this.#left -= piece.length
      this.#hash.update(piece)
      yield piece
    }
  }

  async wholeBody(maxBytes: number): Promise<Buffer> {
    if (this.#left > maxBytes) throw unreadable()
    const pieces: Buffer[] = []
    for await (const piece of this.body()) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  /** SHA-256, hex, of all that stands before the line that was read last. */
  digestBefore(): string {
    return this.#before.copy().digest('hex')
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async #line(): Promise<string | null> {
    let searched = 0
    for (;;) {
      const end = this.#buffer.indexOf(10, searched)
      if (end >= 0) {
        const line = this.#buffer.toString('utf8', 0, end)
        this.#before = this.#hash.copy()
        this.#hash.update(this.#buffer.subarray(0, end + 1))
        this.#buffer = this.#buffer.subarray(end + 1)
        return line
      }
      searched = this.#buffer.length
      if (searched > maxLineBytes) throw unreadable()
      if (await this.#more()) continue
      if (this.#buffer.length > 0) throw cutShort()
      return null
    }
  }

  async #more(): Promise<boolean> {
    if (this.#isOver) return false
    const { done, value } = await this.#source.next()
    if (done) {
      this.#isOver = true
      return false
    }
    const piece = Buffer.from(value.buffer, value.byteOffset, value.length)
    this.#buffer = this.#buffer.length === 0 ? piece : Buffer.concat([this.#buffer, piece])
    return true
  }
}

function parseLine(line: string): JsonObject {
  try {
    const record: unknown = JSON.parse(line)
    if (isObject(record) && typeof record['record'] === 'string') return record
  } catch {}
  throw unreadable()
}

export function cutShort(): BackupError {
  return new BackupError(
    'BACKUP_DAMAGED',
    'The backup is cut short, or its end was changed. Copy it again from where it came, or use an older one.',
  )
}

export function unreadable(cause?: unknown): BackupError {
  return new BackupError(
    'BACKUP_DAMAGED',
    'The backup was changed or is damaged. Copy it again from where it came, or use an older one.',
    { cause },
  )
}
