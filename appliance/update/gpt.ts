/**
 * The partition table (GPT) of the disk: what is where, and new ids for the two partitions of a slot.
 *
 * UEFI specification 2.10, chapter 5.3. A disk has two copies of the table, each a header and a list of partitions that
 * are good together or not at all (crc32). They are changed one after the other, each flushed before the next is touched,
 * so that one of them is good whenever the power goes. As `sfdisk --part-uuid` does it, but both ids in one step, a copy that
 * was damaged already first, and read back. Sectors of 512 bytes, as the image is made.
 */
import { crc32 } from 'node:zlib'
import type { BlockDevice } from './block-device.ts'
import { UpdateError } from './update-error.ts'

export interface Partition {
  /** From 1. */
  readonly number: number
  readonly name: string
  readonly id: string
  /** In bytes. */
  readonly start: number
  readonly size: number
}

/** One of the two copies. */
interface Table {
  readonly header: Buffer
  readonly entries: Buffer
}

interface Tables {
  readonly primary: Table | null
  readonly backup: Table | null
}

const sector = 512
const entryBytes = 128
/** A disk may have more; ours never do, and a header is not believed when it asks for gigabytes. */
const maxEntries = 1024
const at = {
  size: 12,
  crc: 16,
  here: 24,
  other: 32,
  entries: 72,
  count: 80,
  entrySize: 84,
  entriesCrc: 88,
} as const

export async function readPartitions(disk: BlockDevice): Promise<Partition[]> {
  const { entries } = goodOne(await readTables(disk))
  const partitions: Partition[] = []
  for (let i = 0; i < entries.length / entryBytes; i++) {
    const entry = entries.subarray(i * entryBytes, (i + 1) * entryBytes)
    if (entry.subarray(0, 16).every(byte => byte === 0)) continue
    const start = Number(entry.readBigUInt64LE(32)) * sector
    const end = (Number(entry.readBigUInt64LE(40)) + 1) * sector
    const name = entry.toString('utf16le', 56, 128).replace(/\0.*$/s, '')
    partitions.push({ number: i + 1, name, id: readId(entry.subarray(16, 32)), start, size: end - start })
  }
  return partitions
}

/**
 * Returns when both copies are on the disk and were read back. A cut before that leaves at least one good copy, with
 * the old ids or the new ones.
 */
export async function setPartitionIds(disk: BlockDevice, ids: ReadonlyMap<number, string>): Promise<void> {
  const tables = await readTables(disk)
  const good = goodOne(tables)
  const entries = Buffer.from(good.entries)
  for (const [number, id] of ids) writeId(entries.subarray((number - 1) * entryBytes + 16), id)
  const copies = bothCopies(good, tables, entries, disk)
  // First the one that is worth less, should it be the only one for a moment.
  const order = tables.primary ? [copies.backup, copies.primary] : [copies.primary, copies.backup]
  for (const copy of order) {
    await disk.write(lba(copy.header, at.entries), copy.entries)
    await disk.write(lba(copy.header, at.here), copy.header)
    await disk.flush()
    const written = await readTable(disk, lba(copy.header, at.here))
    if (!written?.header.equals(copy.header) || !written.entries.equals(copy.entries)) {
      throw new UpdateError(
        'UPDATE_DISK',
        'The disk does not keep its partition table as it is written. This version goes on running; the other slot is empty. Replace the disk.',
      )
    }
  }
}

async function readTables(disk: BlockDevice): Promise<Tables> {
  const primary = await readTable(disk, sector)
  // A disk that was grown has its second copy where the first one says.
  const backupAt = primary ? lba(primary.header, at.other) : disk.size - sector
  return { primary, backup: await readTable(disk, backupAt) }
}

/** null: it is damaged, or not there. */
async function readTable(disk: BlockDevice, offset: number): Promise<Table | null> {
  if (offset < sector || offset > disk.size - sector) return null
  const header = await disk.read(offset, sector)
  const size = header.readUInt32LE(at.size)
  const count = header.readUInt32LE(at.count)
  const entriesAt = lba(header, at.entries)
  if (header.toString('latin1', 0, 8) !== 'EFI PART' || size < 92 || size > sector) return null
  if (header.readUInt32LE(at.crc) !== headerCrc(header) || lba(header, at.here) !== offset) return null
  if (header.readUInt32LE(at.entrySize) !== entryBytes || count < 1 || count > maxEntries) return null
  if (entriesAt + count * entryBytes > disk.size) return null
  const entries = await disk.read(entriesAt, count * entryBytes)
  return crc32(entries) === header.readUInt32LE(at.entriesCrc) ? { header, entries } : null
}

/** The system goes by the first one as long as it is good. */
function goodOne({ primary, backup }: Tables): Table {
  const good = primary ?? backup
  if (good) return good
  throw new UpdateError(
    'UPDATE_DISK',
    'The partition table of the disk cannot be read. Nothing was changed. Make a backup, then replace the disk.',
  )
}

/** Both copies with these entries; one that was damaged is made anew from the other. */
function bothCopies(good: Table, tables: Tables, entries: Buffer, disk: BlockDevice) {
  const primaryAt = sector
  const backupAt = tables.primary ? lba(tables.primary.header, at.other) : disk.size - sector
  const copy = (own: Table | null, here: number, other: number, entriesAt: number): Table => {
    const header = Buffer.from(own?.header ?? good.header)
    header.writeBigUInt64LE(BigInt(here / sector), at.here)
    header.writeBigUInt64LE(BigInt(other / sector), at.other)
    header.writeBigUInt64LE(BigInt(entriesAt / sector), at.entries)
    header.writeUInt32LE(crc32(entries), at.entriesCrc)
    header.writeUInt32LE(headerCrc(header), at.crc)
    return { header, entries }
  }
  const backupEntriesAt = tables.backup
    ? lba(tables.backup.header, at.entries)
    : backupAt - Math.ceil(entries.length / sector) * sector
  return {
    primary: copy(
      tables.primary,
      primaryAt,
      backupAt,
      tables.primary ? lba(tables.primary.header, at.entries) : 2 * sector,
    ),
    backup: copy(tables.backup, backupAt, primaryAt, backupEntriesAt),
  }
}

function headerCrc(header: Buffer): number {
  const covered = Buffer.from(header.subarray(0, header.readUInt32LE(at.size)))
  covered.writeUInt32LE(0, at.crc)
  return crc32(covered)
}

function lba(header: Buffer, field: number): number {
  return Number(header.readBigUInt64LE(field)) * sector
}

/** The first three groups are little-endian on the disk. */
function readId(bytes: Buffer): string {
  const swapped = swap(bytes)
  return swapped.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function writeId(bytes: Buffer, id: string): void {
  swap(Buffer.from(id.replaceAll('-', ''), 'hex')).copy(bytes)
}

function swap(bytes: Buffer): Buffer {
  const swapped = Buffer.from(bytes.subarray(0, 16))
  swapped.subarray(0, 4).reverse()
  swapped.subarray(4, 6).reverse()
  swapped.subarray(6, 8).reverse()
  return swapped
}
