/**
 * An update file that somebody brought: opened once, its head checked against the trusted keys, its parts against the head.
 *
 * Whoever brought it can write to it while we read. So what is written to a partition is hashed again on the way
 * (`part`), through the same open file; what was verified before is only the promise that it is worth beginning.
 */
import { createHash } from 'node:crypto'
import { constants, type FileHandle, open } from 'node:fs/promises'
import { type Head, maxHeadBytes, parseHead, truncated } from './head.ts'
import type { Manifest, Part, PartName } from './manifest.ts'
import { UpdateError } from './update-error.ts'
import type { TrustedKeys } from './update-keys.ts'

/** How far a step is. */
export type Progress = (bytes: number, of: number) => void

const pieceBytes = 1024 * 1024

export class UpdateFile {
  readonly manifest: Manifest
  readonly size: number
  readonly #file: FileHandle
  readonly #headBytes: number

  private constructor(file: FileHandle, head: Head, size: number) {
    this.#file = file
    this.#headBytes = head.bytes
    this.manifest = head.manifest
    this.size = size
  }

  /** The head holds, and the file is as long as it says. Throws UpdateError. */
  static async open(path: string, trusted: TrustedKeys): Promise<UpdateFile> {
    // No link leads elsewhere, and a pipe makes nobody wait.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    const file = await open(path, flags).catch((error: unknown) => {
      throw unreadable(error)
    })
    try {
      const { size, isFile } = await file.stat().then(stat => ({ size: stat.size, isFile: stat.isFile() }))
      if (!isFile) throw new UpdateError('UPDATE_NOT_ONE', 'This is no file. Nothing was changed.')
      const head = parseHead(await readAt(file, 0, Math.min(size, maxHeadBytes)), trusted)
      const whole = head.manifest.parts.reduce((sum, part) => sum + part.size, head.bytes)
      if (size < whole) throw truncated()
      if (size > whole) throw trailing()
      return new UpdateFile(file, head, size)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Reads all of it. Throws UPDATE_DAMAGED where a part is not what was signed. */
  async verify(progress: Progress): Promise<void> {
    let done = 0
    for (const part of this.manifest.parts) {
      let isFirst = true
      for await (const piece of this.#read(part, damagedPart(part.name))) {
        if (isFirst && part.name === 'uki' && piece.toString('latin1', 0, 2) !== 'MZ') throw noKernelImage()
        isFirst = false
        done += piece.length
        progress(done, this.size - this.#headBytes)
      }
    }
  }

  /** The bytes of a part; throws UPDATE_CHANGED in the end where they are no longer those that were signed. */
  part(name: PartName): AsyncGenerator<Buffer> {
    return this.#read(
      this.manifest.parts.find(part => part.name === name)!,
      new UpdateError(
        'UPDATE_CHANGED',
        'The update file was changed while it was being applied. This version goes on running; the other slot is empty. Bring the file again.',
      ),
    )
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async *#read(part: Part, whenOther: UpdateError): AsyncGenerator<Buffer> {
    const hash = createHash('sha256')
    const begin = this.#offsetOf(part)
    for (let done = 0; done < part.size; ) {
      const piece = await readAt(this.#file, begin + done, Math.min(pieceBytes, part.size - done))
      if (piece.length === 0) throw whenOther
      hash.update(piece)
      done += piece.length
      yield piece
    }
    if (hash.digest('hex') !== part.sha256) throw whenOther
  }

  #offsetOf(part: Part): number {
    let offset = this.#headBytes
    for (const each of this.manifest.parts) {
      if (each.name === part.name) break
      offset += each.size
    }
    return offset
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let done = 0
  try {
    while (done < length) {
      const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
  } catch (error) {
    throw unreadable(error)
  }
  return bytes.subarray(0, done)
}

function unreadable(cause: unknown): UpdateError {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException
  return new UpdateError(
    'UPDATE_UNREADABLE',
    code === 'ENOENT'
      ? 'There is no such file. If it is on a stick: is the stick still in?'
      : `The update file cannot be read (${code}). If it is on a stick: leave the stick in until this is done; if it was, use another stick.`,
    { cause },
  )
}

function trailing(): UpdateError {
  return new UpdateError(
    'UPDATE_TRAILING',
    'The update file is longer than it says. Nothing was changed. Copy it again from where it came, and compare its checksum.',
  )
}

function damagedPart(name: PartName): UpdateError {
  return new UpdateError(
    'UPDATE_DAMAGED',
    `The update file is damaged (${name}). Nothing was changed. Copy it again from where it came, and compare its checksum.`,
  )
}

function noKernelImage(): UpdateError {
  return new UpdateError(
    'UPDATE_MALFORMED',
    'The update file is signed, but its kernel image is none. Nothing was changed. Tell us which file it is.',
  )
}
