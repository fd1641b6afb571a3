/** A small file of ours on the ESP: after a power cut it is the old one or the new one, whole. */
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

export async function writeDurably(file: string, content: string): Promise<void> {
  const next = await open(`${file}.next`, 'w', 0o600)
  try {
    await next.writeFile(content)
    await next.sync()
  } finally {
    await next.close()
  }
  await rename(`${file}.next`, file)
  await syncFolder(dirname(file))
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
