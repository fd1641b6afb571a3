/**
 * LevelDB's files as bytes: logs, tables, MANIFEST, read and verified without LevelDB.
 *
 * LevelDB 1.20 writes a CRC-32C with each block and each log record, but reads blocks without looking at it,
 * and skips damaged log records without a word. Here every checksum is looked at, and repair reads rows out
 * of files that LevelDB would not, or would wrongly, open. Nothing here writes.
 *
 * Spec: leveldb/doc/log_format.md, table_format.md, and db/version_edit.cc, db/write_batch.cc of release 1.20.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export class FormatError extends Error {}

/** One row as LevelDB has it: later sequences replace earlier ones; null is a deletion. */
export interface RawRow {
  readonly key: Buffer
  readonly sequence: bigint
  readonly value: Buffer | null
}

// ── logs ───────────────────────────────────────────────────────────────────────────────────────────────

export interface LogRecord {
  readonly offset: number
  /** Whether each of its fragments has the checksum that was written. */
  readonly isGood: boolean
  readonly payload: Buffer
}

export interface LogReading {
  readonly records: readonly LogRecord[]
  /** Damage that a crash does not explain: a complete, good record stands behind it. */
  readonly damagedAt: readonly number[]
  /** Where the unfinished end begins: what a crash leaves of a write that nobody was told about. */
  readonly tornAt: number | undefined
}

const blockSize = 32 * 1024
const headerSize = 7
/** Types of fragments; 3 is one in the middle. */
const full = 1
const first = 2
const last = 4

export function readLog(bytes: Buffer): LogReading {
  const records: LogRecord[] = []
  const damage: number[] = []
  let open: { offset: number; isGood: boolean; parts: Buffer[] } | undefined
  let at = 0
  const lose = (offset: number): void => {
    damage.push(open?.offset ?? offset)
    if (open !== undefined) records.push({ ...open, isGood: false, payload: Buffer.concat(open.parts) })
    open = undefined
  }
  while (at < bytes.length) {
    const blockEnd = Math.min(bytes.length, (Math.floor(at / blockSize) + 1) * blockSize)
    if (blockEnd - at < headerSize) {
      // The trailer of a block is zeroes. At the end of the file it is a header that was cut off.
      if (blockEnd === bytes.length && blockEnd % blockSize !== 0) lose(at)
      at = blockEnd
      continue
    }
    const length = bytes.readUInt16LE(at + 4)
    const type = bytes[at + 6]!
    const end = at + headerSize + length
    if (type < full || type > last || end > blockEnd) {
      // Nothing says where the next record begins, so the rest of the block is unreadable.
      lose(at)
      at = blockEnd
      continue
    }
    const payload = bytes.subarray(at + headerSize, end)
    const isGood = unmask(bytes.readUInt32LE(at)) === crc32c(bytes.subarray(at + 6, end))
    if (type === full || type === first) {
      if (open !== undefined) lose(at)
      open = { offset: at, isGood, parts: [payload] }
    } else if (open === undefined) {
      lose(at)
    } else {
      open.parts.push(payload)
      open.isGood &&= isGood
    }
    if (open !== undefined && (type === full || type === last)) {
      if (!open.isGood) damage.push(open.offset)
      records.push({
        offset: open.offset,
        isGood: open.isGood,
        payload: open.parts.length === 1 ? open.parts[0]! : Buffer.concat(open.parts),
      })
      open = undefined
    }
    at = end
  }
  if (open !== undefined) lose(at)
  const lastGood = records.findLast(record => record.isGood)?.offset ?? -1
  return {
    records,
    damagedAt: damage.filter(offset => offset < lastGood),
    tornAt: damage.find(offset => offset > lastGood),
  }
}

/** The rows of one write batch; a damaged one gives what still reads as rows, up to where it no longer does. */
export function batchRows(payload: Buffer): RawRow[] {
  const rows: RawRow[] = []
  if (payload.length < 12) return rows
  let sequence = payload.readBigUInt64LE(0)
  const reader = new Reader(payload, 12)
  try {
    while (!reader.isAtEnd) {
      const type = reader.byte()
      if (type > 1) break
      const key = reader.bytes(reader.varint())
      rows.push({ key, sequence, value: type === 1 ? reader.bytes(reader.varint()) : null })
      sequence++
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
  }
  return rows
}

export function batchSequence(payload: Buffer): { first: bigint; count: number } {
  return payload.length < 12
    ? { first: -1n, count: 0 }
    : { first: payload.readBigUInt64LE(0), count: payload.readUInt32LE(8) }
}

// ── tables ─────────────────────────────────────────────────────────────────────────────────────────────

const footerSize = 48
const magic = 0xdb4775248b80fb57n

interface Handle {
  readonly offset: number
  readonly size: number
}

export interface TableReading {
  /** Each: where, and what is wrong. Empty: every byte that LevelDB reads is what was written. */
  readonly damage: readonly string[]
  readonly blocks: readonly Handle[]
}

/**
 * Verifies every block of a table. `visit` gets the rows of each good data block. Where the index is gone,
 * `isCertain` is false: blocks of other kinds may be among them, whose rows no checksum of ours will fit.
 */
export function readTable(
  bytes: Buffer,
  visit?: (rows: readonly RawRow[], isCertain: boolean) => void,
): TableReading {
  const damage: string[] = []
  const blocks: Handle[] = []
  try {
    const footer = new Reader(bytes.subarray(Math.max(0, bytes.length - footerSize)), 0)
    if (bytes.length < footerSize || bytes.readBigUInt64LE(bytes.length - 8) !== magic) {
      throw new FormatError('the footer is damaged or cut off')
    }
    const metaHandle = footer.handle()
    const indexHandle = footer.handle()
    try {
      // The filter: a flipped bit there hides rows that exist.
      for (const { value } of blockEntries(block(bytes, metaHandle))) {
        verified(bytes, new Reader(value, 0).handle())
      }
    } catch (error) {
      damage.push(`filter: ${messageOf(error)}`)
    }
    for (const { value } of blockEntries(block(bytes, indexHandle))) {
      const handle = new Reader(value, 0).handle()
      blocks.push(handle)
      try {
        if (visit === undefined) verified(bytes, handle)
        else visit(tableRows(block(bytes, handle)), true)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
        damage.push(`block at ${handle.offset}: ${error.message}`)
      }
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    damage.push(error.message)
    // Without its index a table still gives its blocks: they follow each other from the start of the file.
    if (blocks.length === 0 && visit !== undefined) for (const rows of blocksByScan(bytes)) visit(rows, false)
  }
  return { damage, blocks }
}

/** A block's end is where its checksum fits: tried position by position, only for a table whose index is gone. */
function* blocksByScan(bytes: Buffer): Iterable<RawRow[]> {
  let start = 0
  while (start + 5 < bytes.length) {
    let found: number | undefined
    let crc = crc32cStart
    // LevelDB closes a block at about 4 KiB; one large value makes it larger.
    for (let at = start; at + 5 <= bytes.length && at - start < 1 << 20; at++) {
      const type = bytes[at]!
      if (type <= 1 && unmask(bytes.readUInt32LE(at + 1)) === crc32cEnd(crc32cByte(crc, type))) {
        found = at
        break
      }
      crc = crc32cByte(crc, bytes[at]!)
    }
    if (found === undefined) return
    try {
      yield tableRows(block(bytes, { offset: start, size: found - start }))
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
    start = found + 5
  }
}

function block(bytes: Buffer, handle: Handle): Buffer {
  const content = verified(bytes, handle)
  return bytes[handle.offset + handle.size] === 1 ? uncompress(content) : content
}

function verified(bytes: Buffer, { offset, size }: Handle): Buffer {
  const end = offset + size
  if (end + 5 > bytes.length) throw new FormatError('it lies outside the file')
  if (unmask(bytes.readUInt32LE(end + 1)) !== crc32c(bytes.subarray(offset, end + 1))) {
    throw new FormatError('its checksum does not fit')
  }
  return bytes.subarray(offset, end)
}

function tableRows(content: Buffer): RawRow[] {
  const rows: RawRow[] = []
  for (const { key, value } of blockEntries(content)) {
    if (key.length < 8) throw new FormatError('a key is too short')
    const tag = key.readBigUInt64LE(key.length - 8)
    const type = tag & 0xffn
    if (type > 1n) throw new FormatError('a key has no type that LevelDB writes')
    rows.push({
      key: key.subarray(0, key.length - 8),
      sequence: tag >> 8n,
      value: type === 1n ? value : null,
    })
  }
  return rows
}

function* blockEntries(content: Buffer): Iterable<{ key: Buffer; value: Buffer }> {
  if (content.length < 4) throw new FormatError('the block is too short')
  const restarts = content.readUInt32LE(content.length - 4)
  const end = content.length - 4 * (restarts + 1)
  if (end < 0) throw new FormatError('the block has too many restarts')
  const reader = new Reader(content.subarray(0, end), 0)
  let key: Buffer = Buffer.alloc(0)
  while (!reader.isAtEnd) {
    const shared = reader.varint()
    const own = reader.varint()
    const valueLength = reader.varint()
    if (shared > key.length) throw new FormatError('a key shares more than there is')
    key = Buffer.concat([key.subarray(0, shared), reader.bytes(own)])
    yield { key, value: reader.bytes(valueLength) }
  }
}

// ── MANIFEST ───────────────────────────────────────────────────────────────────────────────────────────

export interface Manifest {
  readonly name: string
  /** Number → size of the tables that make up the database. */
  readonly tables: ReadonlyMap<number, number>
  /** Logs from this number on hold rows that are in no table yet. */
  readonly logNumber: number
}

/** What the MANIFEST that CURRENT names (or a given one) says; throws `FormatError` with what is wrong. */
export async function readManifest(folder: string, given?: string): Promise<Manifest> {
  const name = given ?? (await currentManifest(folder))
  const bytes = await readFile(join(folder, name)).catch((cause: unknown) => {
    throw new FormatError(`${name}, which CURRENT names, is missing`, { cause })
  })
  const log = readLog(bytes)
  // An unfinished end is a version that was never taken into use.
  if (log.damagedAt.length > 0) throw new FormatError(`${name} is damaged at byte ${log.damagedAt[0]}`)
  const tables = new Map<number, number>()
  let logNumber = 0
  let hasSnapshot = false
  for (const record of log.records) {
    if (!record.isGood) break
    const reader = new Reader(record.payload, 0)
    while (!reader.isAtEnd) {
      switch (reader.varint()) {
        case 1:
          reader.bytes(reader.varint())
          hasSnapshot = true
          break
        case 2:
          logNumber = reader.varint()
          break
        case 3:
        case 4:
        case 9:
          reader.varint()
          break
        case 5:
          reader.varint()
          reader.bytes(reader.varint())
          break
        case 6:
          reader.varint()
          tables.delete(reader.varint())
          break
        case 7: {
          reader.varint()
          const number = reader.varint()
          tables.set(number, reader.varint())
          reader.bytes(reader.varint())
          reader.bytes(reader.varint())
          break
        }
        default:
          throw new FormatError(`${name} holds an edit that LevelDB does not write`)
      }
    }
  }
  if (!hasSnapshot) throw new FormatError(`${name} is damaged from its start`)
  return { name, tables, logNumber }
}

async function currentManifest(folder: string): Promise<string> {
  const current = await readFile(join(folder, 'CURRENT'), 'latin1').catch((cause: unknown) => {
    throw new FormatError('CURRENT is missing', { cause })
  })
  const name = /^(MANIFEST-\d+)\n$/.exec(current)?.[1]
  if (name === undefined) throw new FormatError(current === '' ? 'CURRENT is empty' : 'CURRENT is damaged')
  return name
}

export interface FilesOnDisk {
  /** Number → file name. */
  readonly tables: ReadonlyMap<number, string>
  readonly logs: ReadonlyMap<number, string>
}

export async function filesOnDisk(folder: string): Promise<FilesOnDisk> {
  const tables = new Map<number, string>()
  const logs = new Map<number, string>()
  for (const name of (await readdir(folder)).sort()) {
    const match = /^(\d+)\.(ldb|sst|log)$/.exec(name)
    if (match !== null) (match[2] === 'log' ? logs : tables).set(Number(match[1]), name)
  }
  return { tables, logs }
}

// ── bytes ──────────────────────────────────────────────────────────────────────────────────────────────

class Reader {
  readonly #buffer: Buffer
  #at: number

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer
    this.#at = at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#buffer.length
  }

  byte(): number {
    const byte = this.#buffer[this.#at++]
    if (byte === undefined) throw new FormatError('it ends too early')
    return byte
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new FormatError('a number is too long')
  }

  bytes(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#buffer.length) throw new FormatError('it ends too early')
    const bytes = this.#buffer.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  handle(): Handle {
    return { offset: this.varint(), size: this.varint() }
  }
}

/** Spec: google/snappy format_description.txt */
function uncompress(input: Buffer): Buffer {
  const reader = new Reader(input, 0)
  const size = reader.varint()
  if (size > 2 ** 30) throw new FormatError('a block claims to be larger than a gigabyte')
  const output = Buffer.allocUnsafe(size)
  let at = 0
  while (!reader.isAtEnd) {
    const tag = reader.byte()
    let length: number
    let offset: number
    switch (tag & 3) {
      case 0: {
        length = (tag >> 2) + 1
        if (length > 60) {
          let extra = 0
          const count = length - 60
          for (let i = 0; i < count; i++) extra += reader.byte() * 2 ** (8 * i)
          length = extra + 1
        }
        if (at + length > size) throw new FormatError('a block is longer than it says')
        reader.bytes(length).copy(output, at)
        at += length
        continue
      }
      case 1:
        length = ((tag >> 2) & 7) + 4
        offset = ((tag >> 5) << 8) | reader.byte()
        break
      case 2:
        length = (tag >> 2) + 1
        offset = reader.byte() | (reader.byte() << 8)
        break
      default:
        length = (tag >> 2) + 1
        offset = reader.byte() + reader.byte() * 2 ** 8 + reader.byte() * 2 ** 16 + reader.byte() * 2 ** 24
    }
    if (offset === 0 || offset > at || at + length > size)
      throw new FormatError('a block refers outside itself')
    for (let i = 0; i < length; i++) output[at + i] = output[at - offset + i]!
    at += length
  }
  if (at !== size) throw new FormatError('a block is shorter than it says')
  return output
}

/** CRC-32C, eight bytes a step. */
const crcTables = (() => {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256))
  for (let n = 0; n < 256; n++) {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    tables[0]![n] = crc
  }
  for (let k = 1; k < 8; k++) {
    for (let n = 0; n < 256; n++) {
      const crc = tables[k - 1]![n]!
      tables[k]![n] = (crc >>> 8) ^ tables[0]![crc & 255]!
    }
  }
  return tables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ]
})()

export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = crcTables
  let crc = crc32cStart
  let i = 0
  for (; i + 8 <= bytes.length; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    crc =
      t7[crc & 255]! ^
      t6[(crc >>> 8) & 255]! ^
      t5[(crc >>> 16) & 255]! ^
      t4[crc >>> 24]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!
  }
  for (; i < bytes.length; i++) crc = crc32cByte(crc, bytes[i]!)
  return crc32cEnd(crc)
}

const crc32cStart = -1
const crc32cByte = (crc: number, byte: number): number => (crc >>> 8) ^ crcTables[0][(crc ^ byte) & 255]!
const crc32cEnd = (crc: number): number => ~crc >>> 0

/** LevelDB stores checksums rotated and shifted, so that a checksum of data that holds checksums stays good. */
function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

function messageOf(error: unknown): string {
  if (error instanceof FormatError) return error.message
  throw error
}
