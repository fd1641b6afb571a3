/**
 * A disk or a partition, as the writer uses it: written through the page cache, flushed by `fdatasync`, and read back from
 * the medium itself (O_DIRECT), never from memory, so that what a disk swallowed is noticed.
 */
import { constants, type FileHandle, open } from 'node:fs/promises'
import { DirectReader } from './direct-reader.ts'

export interface BlockDevice {
  /** In bytes. */
  readonly size: number
  /** From the medium. Fewer bytes than asked for: it ends there. */
  read(offset: number, length: number): Promise<Buffer>
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** What was written before is on the medium when it returns. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** A part of a file stands for a partition where there are no block devices. */
export interface Region {
  readonly start: number
  readonly size: number
}

/** A disk that was open for writing is probed anew by udev when it is closed: only to look, it is opened to be read. */
export type Access = 'read' | 'write'

export async function openBlockDevice(path: string, access: Access, region?: Region): Promise<BlockDevice> {
  const file = await open(path, access === 'read' ? constants.O_RDONLY : constants.O_RDWR)
  try {
    const start = region?.start ?? 0
    const size = region?.size ?? (await sizeOf(file))
    const reader = await DirectReader.open(path)
    return new OpenDevice(file, reader, start, size)
  } catch (error) {
    await file.close()
    throw error
  }
}

class OpenDevice implements BlockDevice {
  readonly size: number
  readonly #file: FileHandle
  readonly #reader: DirectReader
  readonly #start: number

  constructor(file: FileHandle, reader: DirectReader, start: number, size: number) {
    this.#file = file
    this.#reader = reader
    this.#start = start
    this.size = size
  }

  read(offset: number, length: number): Promise<Buffer> {
    return this.#reader.read(this.#start + offset, Math.max(0, Math.min(length, this.size - offset)))
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset < 0 || offset + bytes.length > this.size)
      throw new RangeError('a write beyond the end of a partition')
    let written = 0
    while (written < bytes.length) {
      const position = this.#start + offset + written
      written += (await this.#file.write(bytes, written, bytes.length - written, position)).bytesWritten
    }
  }

  flush(): Promise<void> {
    return this.#file.datasync()
  }

  async close(): Promise<void> {
    await this.#reader.close()
    await this.#file.close()
  }
}

/** `stat` says 0 for a block device: its end is found by reading. */
async function sizeOf(file: FileHandle): Promise<number> {
  const { size } = await file.stat()
  if (size > 0) return size
  const sectorBytes = 512
  const probe = Buffer.alloc(1)
  let [there, beyond] = [0, 2 ** 52]
  while (beyond - there > sectorBytes) {
    const middle = Math.floor((there + beyond) / 2 / sectorBytes) * sectorBytes
    const { bytesRead } = await file.read(probe, 0, 1, middle)
    if (bytesRead > 0) there = middle
    else beyond = middle
  }
  return beyond
}
