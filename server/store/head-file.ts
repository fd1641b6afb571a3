/**
 * The head file: beside LevelDB, the last commit group that was made durable. Without it a log whose end is
 * gone looks like a log that ended earlier.
 *
 * Two slots in different disk blocks, each with its checksum, written in turns: a power cut tears one at
 * most. It is written after the group's fsync and itself synced within 100 ms, so LevelDB may be ahead of
 * it, never behind.
 */

import { writeSync } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'

export interface HeadRecord {
  /** Number of the group, 0 before the first one. */
  readonly sequence: number
  readonly position: number
  readonly chain: number
}

const slotOffsets = [0, 4096] as const
const slotBytes = 128
const syncEveryMs = 100

export const emptyHead: HeadRecord = { sequence: 0, position: 0, chain: 0 }

/** The newer good slot; null if there is none; undefined if there is no file. */
export async function readHead(path: string): Promise<HeadRecord | null | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (bytes === undefined) return undefined
  const slots = slotOffsets
    .map(offset => readSlot(bytes.toString('latin1', offset, offset + slotBytes)))
    .filter(slot => slot !== null)
  return slots.sort((a, b) => b.sequence - a.sequence)[0] ?? null
}

export class HeadFile {
  readonly #file: FileHandle
  #slot: number
  #isDirty = false
  #timer: NodeJS.Timeout | undefined
  #syncing: Promise<void> = Promise.resolve()
  #failure: unknown

  constructor(file: FileHandle, slot: number) {
    this.#file = file
    this.#slot = slot
  }

  /** Opens, or creates with `head` in both slots, durable on return. */
  static async open(path: string, head: HeadRecord): Promise<HeadFile> {
    const file = await open(path, 'r+').catch(() => open(path, 'wx+', 0o600))
    try {
      const { size } = await file.stat()
      if (size !== slotOffsets[1] + slotBytes) await file.truncate(slotOffsets[1] + slotBytes)
      for (const offset of slotOffsets) await file.write(slotText(head), offset, 'latin1')
      await file.sync()
      await syncFolder(dirname(path))
      return new HeadFile(file, 0)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  write(head: HeadRecord): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#slot = 1 - this.#slot
    writeSync(this.#file.fd, slotText(head), slotOffsets[this.#slot]!, 'latin1')
    this.#isDirty = true
    this.#timer ??= setTimeout(() => this.#sync(), syncEveryMs)
  }

  #sync(): void {
    this.#timer = undefined
    this.#isDirty = false
    this.#syncing = this.#file.datasync().catch((error: unknown) => {
      this.#failure = error
    })
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#syncing
    try {
      if (this.#isDirty) await this.#file.datasync()
    } finally {
      await this.#file.close()
    }
  }
}

/** A new or renamed file is there after a power cut only once its folder is synced. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows has no such thing; NTFS journals names by itself.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function slotText({ sequence, position, chain }: HeadRecord): string {
  const text = `letro-head 1 ${sequence} ${position} ${chain}`
  return `${`${text} ${crc32(text)}`.padEnd(slotBytes - 1)}\n`
}

function readSlot(slot: string): HeadRecord | null {
  const match = /^(letro-head 1 (\d+) (\d+) (\d+)) (\d+) *\n$/.exec(slot)
  if (match === null || Number(match[5]) !== crc32(match[1]!)) return null
  return { sequence: Number(match[2]), position: Number(match[3]), chain: Number(match[4]) }
}
