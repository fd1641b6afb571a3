/**
 * The kernel images on the ESP: `EFI/Linux/letro_VERSION+LEFT[-DONE].efi`. The boot loader counts every start of every image, for ever;
 * whoever comes so far puts the counter back (`keepImage`). So a slot that was good for years and is damaged now gives
 * way to the other one after three starts that come to nothing.
 *
 * `letro_VERSION.good` beside it says that this release proved itself once.
 */
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder } from './durable-file.ts'
import type { Machine } from './machine.ts'

export interface FoundImage {
  readonly name: string
  readonly version: string
  /** 0: the boot loader takes it only when there is nothing else. Null: it is not counted. */
  readonly triesLeft: number | null
  /** It proved itself once. */
  readonly good: boolean
}

const tries = 3
const folderOf = (machine: Pick<Machine, 'paths'>) => join(machine.paths.esp, 'EFI', 'Linux')

export const imageName = (version: string) => `letro_${version}+${tries}.efi`
export const markerName = (version: string) => `letro_${version}.good`

export async function kernelImages(machine: Pick<Machine, 'paths'>): Promise<FoundImage[]> {
  const names = await readdir(folderOf(machine)).catch((): string[] => [])
  const markers = new Set(names.map(name => name.toLowerCase()))
  return names.sort().flatMap(name => {
    const image = parseKernelImage(name)
    return image ? [{ ...image, name, good: markers.has(markerName(image.version)) }] : []
  })
}

/** Null: not one of ours. Spec: uapi-group.org/specifications/specs/boot_loader_specification#boot-counting */
export function parseKernelImage(name: string): Pick<FoundImage, 'version' | 'triesLeft'> | null {
  const [, version, left] = /^letro_(\d+\.\d+\.\d+)(?:\+(\d{1,3})(?:-\d{1,3})?)?\.efi$/i.exec(name) ?? []
  if (version === undefined) return null
  return { version, triesLeft: left === undefined ? null : Number(left) }
}

/**
 * This start came far enough: all tries again, and the release is good from now on. A cut leaves one of both names or two of one file
 * (the ESP is mounted so that a new name is on the disk before the old one goes), and the next start does the rest.
 */
export async function keepImage(machine: Pick<Machine, 'paths'>, version: string): Promise<void> {
  const folder = folderOf(machine)
  const ours = (await kernelImages(machine)).filter(image => image.version === version)
  const [first] = ours
  if (!first) throw new Error(`the kernel image of ${version} is not on the ESP`)
  if (!ours.some(({ name }) => name === imageName(version))) {
    await rename(join(folder, first.name), join(folder, imageName(version)))
    await syncFolder(folder)
  }
  if (first.good) return
  const marker = await open(join(folder, markerName(version)), 'w', 0o600)
  try {
    await marker.sync()
  } finally {
    await marker.close()
  }
  await syncFolder(folder)
}

/** It ran, and did not come far enough: the boot loader takes it only where there is nothing else. */
export async function giveUpImage(machine: Pick<Machine, 'paths'>, version: string): Promise<void> {
  const folder = folderOf(machine)
  const ours = (await kernelImages(machine)).filter(image => image.version === version)
  for (const { name, triesLeft } of ours)
    if (triesLeft !== 0) await rename(join(folder, name), join(folder, `letro_${version}+0-${tries}.efi`))
  await syncFolder(folder)
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
