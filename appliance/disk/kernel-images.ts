/** The kernel images on the ESP: which versions are there, and which of them proved themselves. */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine } from './machine.ts'

export interface FoundImage {
  readonly name: string
  readonly version: string
  /** Null: it proved itself. */
  readonly triesLeft: number | null
}

const folderOf = (machine: Pick<Machine, 'paths'>) => join(machine.paths.esp, 'EFI', 'Linux')

export async function kernelImages(machine: Pick<Machine, 'paths'>): Promise<FoundImage[]> {
  const names = await readdir(folderOf(machine)).catch((): string[] => [])
  return names.sort().flatMap(name => {
    const image = parseKernelImage(name)
    return image ? [image] : []
  })
}

/** `letro_VERSION[+LEFT[-DONE]].efi`; null: not one of ours. Spec: uapi-group.org/specifications/specs/boot_loader_specification#boot-counting */
export function parseKernelImage(name: string): FoundImage | null {
  const [, version, left] = /^letro_(\d+\.\d+\.\d+)(?:\+(\d{1,3})(?:-\d{1,3})?)?\.efi$/i.exec(name) ?? []
  if (version === undefined) return null
  return { name, version, triesLeft: left === undefined ? null : Number(left) }
}

/** There is something else to start than what runs, and it may still be tried. */
export function hasOtherImage(images: readonly FoundImage[], running: string): boolean {
  return images.some(({ version, triesLeft }) => version !== running && triesLeft !== 0)
}

/**
 * What a check of the ESP leaves of a second name for the same file (a power cut while an image was being renamed): an
 * empty file, that would keep the image from ever being kept as good.
 */
export async function removeEmptyImages(machine: Pick<Machine, 'paths'>): Promise<void> {
  for (const { name } of await kernelImages(machine)) {
    const file = join(folderOf(machine), name)
    if ((await stat(file)).size === 0) await rm(file)
  }
}
