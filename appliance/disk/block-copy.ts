/** Copying between disks, byte for byte, read back from the medium and compared. */
import { createHash } from 'node:crypto'
import { constants, type FileHandle, open } from 'node:fs/promises'
import { DiskError } from './disk-error.ts'
import { type Machine, must } from './machine.ts'
import type { Progress } from './progress.ts'

const pieceBytes = 4 * 1024 * 1024
const edgeBytes = 1024 * 1024

export interface Extent {
  /** Where on the target. */
  readonly at: number
  readonly bytes: number
}

export async function copyAndCompare(
  machine: Pick<Machine, 'run'>,
  from: string,
  to: string,
  { at, bytes }: Extent,
  progress: Progress,
): Promise<void> {
  const piece = Buffer.alloc(pieceBytes)
  const copied = createHash('sha256')
  await using(from, constants.O_RDONLY, source =>
    using(to, constants.O_RDWR, async target => {
      for (let done = 0; done < bytes; ) {
        const part = piece.subarray(0, Math.min(pieceBytes, bytes - done))
        await readWhole(source, part, done)
        copied.update(part)
        await writeWhole(target, part, at + done)
        done += part.length
        progress('copy', done / bytes)
      }
      await target.sync()
    }),
  )
  const found = createHash('sha256')
  // The kernel forgets what it remembers of the disk: what counts is what the medium gives back.
  await must(machine, 'blockdev', ['--flushbufs', to])
  await using(to, constants.O_RDONLY, async target => {
    for (let done = 0; done < bytes; ) {
      const part = piece.subarray(0, Math.min(pieceBytes, bytes - done))
      await readWhole(target, part, at + done)
      found.update(part)
      done += part.length
      progress('compare', done / bytes)
    }
  })
  if (!copied.digest().equals(found.digest())) {
    throw new DiskError(
      'DISK_COMPARE_FAILED',
      `${to} gives back something else than was written to it. It is failing, or its cable is: take another one.`,
    )
  }
}

/** Partition tables at both ends, so that a disk that is cut off in the middle is empty rather than half of two systems. */
export async function overwriteEdges(path: string, sizeBytes: number): Promise<void> {
  const zeros = Buffer.alloc(edgeBytes)
  await using(path, constants.O_RDWR, async target => {
    await writeWhole(target, zeros, 0)
    await writeWhole(target, zeros, Math.max(0, sizeBytes - edgeBytes))
    await target.sync()
  })
}

/**
 * How much of a slot is used: the hash tree says over how many blocks it stands.
 * Format: gitlab.com/cryptsetup/cryptsetup/-/wikis/DMVerity (on-disk superblock)
 */
export async function readVerityExtent(path: string, slotBytes: number): Promise<number> {
  const head = Buffer.alloc(512)
  await using(path, constants.O_RDONLY, source => readWhole(source, head, 0))
  const blockBytes = head.readUInt32LE(64)
  const bytes = Number(head.readBigUInt64LE(72)) * blockBytes
  if (head.toString('latin1', 0, 8) !== 'verity\0\0' || bytes <= 0 || bytes > slotBytes) {
    throw new DiskError(
      'DISK_COMPARE_FAILED',
      'The system that runs has no readable hash tree to be copied with.',
    )
  }
  return bytes
}

async function using<T>(path: string, flags: number, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags)
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}

async function readWhole(handle: FileHandle, into: Buffer, at: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, at + done)
    if (bytesRead === 0)
      throw new DiskError('DISK_COMPARE_FAILED', 'A disk ended before all was read from it.')
    done += bytesRead
  }
}

async function writeWhole(handle: FileHandle, from: Buffer, at: number): Promise<void> {
  for (let done = 0; done < from.length; )
    done += (await handle.write(from, done, from.length - done, at + done)).bytesWritten
}
