/**
 * Reads a file or a block device past the page cache (O_DIRECT).
 *
 * The kernel wants the buffer aligned to the medium's blocks, which Node's buffers are not. The memory of a WebAssembly
 * instance begins at a page, so one of these holds what is read; no code is run in it.
 */
import { constants, type FileHandle, open } from 'node:fs/promises'

/** Multiples of it suit disks with sectors of 512 bytes and of 4 KiB. */
const blockBytes = 4096
const wasmPageBytes = 64 * 1024
const memoryPages = 16

/** Node has it; the types of Node do not say so. */
declare const WebAssembly: {
  Memory: new (size: {
    readonly initial: number
    readonly maximum: number
  }) => { readonly buffer: ArrayBuffer }
}

export class DirectReader {
  readonly #file: FileHandle
  readonly #memory = Buffer.from(
    new WebAssembly.Memory({ initial: memoryPages, maximum: memoryPages }).buffer,
  )

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(path: string): Promise<DirectReader> {
    return new DirectReader(await open(path, constants.O_RDONLY | constants.O_DIRECT | constants.O_NOFOLLOW))
  }

  /** Fewer bytes than asked for: it ends there. */
  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length)
    let done = 0
    while (done < length) {
      const block = Math.floor((offset + done) / blockBytes) * blockBytes
      const skip = offset + done - block
      const wanted = Math.min(memoryPages * wasmPageBytes, ceil(skip + length - done))
      const { bytesRead } = await this.#file.read(this.#memory, 0, wanted, block)
      if (bytesRead <= skip) return bytes.subarray(0, done)
      done += this.#memory.copy(bytes, done, skip, Math.min(bytesRead, skip + length - done))
    }
    return bytes
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

function ceil(length: number): number {
  return Math.ceil(length / blockBytes) * blockBytes
}
