/** One file from a medium that anybody may have made: a plain file, no larger than it may be, read once and whole. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { MachineError } from '../program.ts'

/**
 * null: there is no such file.
 * @throws MachineError NOT_A_FILE, FILE_TOO_LARGE, MEDIUM_GONE
 */
export async function readMediumFile(
  folder: string,
  name: string,
  maxBytes: number,
): Promise<Uint8Array | null> {
  // No symbolic link, and nothing that waits for somebody, such as a pipe.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  try {
    const file = await open(join(folder, name), flags)
    try {
      const { size, isFile } = await file.stat().then(stat => ({ size: stat.size, isFile: stat.isFile() }))
      if (!isFile) throw notAFile(name)
      if (size > maxBytes) throw tooLarge(name, maxBytes)
      const bytes = Buffer.alloc(maxBytes + 1)
      let length = 0
      for (;;) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length, length)
        length += bytesRead
        if (bytesRead === 0 || length > maxBytes) break
      }
      // It says one size and holds another: a file system that was meddled with.
      if (length > maxBytes) throw tooLarge(name, maxBytes)
      return new Uint8Array(bytes.subarray(0, length))
    } finally {
      await file.close().catch(() => {})
    }
  } catch (error) {
    if (error instanceof MachineError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOENT') return null
    if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') throw notAFile(name)
    throw new MachineError(
      'MEDIUM_GONE',
      `${name} cannot be read to its end (${code || 'unknown'}): the stick was pulled out, or is damaged. Nothing was changed.`,
      { cause: error },
    )
  }
}

function notAFile(name: string): MachineError {
  return new MachineError('NOT_A_FILE', `${name} on the stick is no plain file. Nothing was changed.`)
}

function tooLarge(name: string, maxBytes: number): MachineError {
  const most = maxBytes >= 1024 * 1024 ? `${maxBytes / 1024 / 1024} MiB` : `${maxBytes / 1024} KiB`
  return new MachineError(
    'FILE_TOO_LARGE',
    `${name} on the stick is larger than ${most}. Nothing was changed.`,
  )
}
