/**
 * Small files of ours on the ESP. vfat keeps no journal and renames in two steps, so nothing is renamed here: what fits a sector is
 * written in place, and a power cut leaves the old sector or the new one.
 */
import { constants, copyFile, open } from 'node:fs/promises'
import { dirname } from 'node:path'

const sectorBytes = 512

/** @param content at most a sector */
export async function writeInPlace(file: string, content: string): Promise<void> {
  const bytes = Buffer.from(content)
  if (bytes.length > sectorBytes) throw new RangeError(`${file} has more than one sector`)
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    await handle.write(bytes, 0, bytes.length, 0)
    await handle.truncate(bytes.length)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await syncFolder(dirname(file))
}

/** A power cut before it resolves leaves any part of it. */
export async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  const handle = await open(to, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await syncFolder(dirname(to))
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
