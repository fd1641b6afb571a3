/** A USB stick: an image file with one FAT file system over the whole, as letters on a label and files. */
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tools } from './tools.ts'

export interface StickContent {
  /** By its name on the stick; a folder of its own is made for `a/b`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** Files of this machine: by name on the stick, the path here. */
  readonly copies?: Readonly<Record<string, string>>
  readonly sizeMiB?: number
}

/** @returns the path of the image */
export function makeStick(
  tools: Tools,
  folder: string,
  label: string,
  { files = {}, copies = {}, sizeMiB = 64 }: StickContent,
): string {
  const image = join(folder, `stick-${label.toLowerCase()}-${Date.now()}.img`)
  writeFileSync(image, '')
  truncateSync(image, sizeMiB * 1024 * 1024)
  tools.run('mkfs.vfat', ['-F', '32', '-n', label, image])
  const folders = new Set<string>()
  const put = (name: string, source: string) => {
    const parent = name.includes('/') ? name.slice(0, name.indexOf('/')) : null
    if (parent && !folders.has(parent)) {
      tools.run('mmd', ['-i', image, `::${parent}`])
      folders.add(parent)
    }
    tools.run('mcopy', ['-i', image, source, `::${name}`])
  }
  for (const [name, content] of Object.entries(files)) {
    const source = join(folder, 'stick-file')
    writeFileSync(source, content)
    put(name, source)
  }
  for (const [name, source] of Object.entries(copies)) put(name, source)
  return image
}

/** What lies on it now. */
export function readFromStick(tools: Tools, image: string, name: string): string {
  return tools.run('mtype', ['-i', image, `::${name}`])
}
