/** A USB stick: an image file with one FAT file system over the whole, as letters on a label and files. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Tools } from './tools.ts'

export interface StickContent {
  /** By its name on the stick; folders are made. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** Files of this machine: by name on the stick, the path here. */
  readonly copies?: Readonly<Record<string, string>>
  readonly sizeMiB?: number
}

let made = 0

/** @returns the path of the image */
export function makeStick(
  tools: Tools,
  folder: string,
  label: string,
  { files = {}, copies = {}, sizeMiB = 64 }: StickContent,
): string {
  const image = join(folder, `stick-${label.toLowerCase()}-${++made}-${process.pid}.img`)
  writeFileSync(image, '')
  truncateSync(image, sizeMiB * 1024 * 1024)
  tools.run('mkfs.vfat', ['-F', '32', '-n', label, image])
  const stage = mkdtempSync(join(folder, 'stick-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(stage, name)), { recursive: true })
    writeFileSync(join(stage, name), content)
  }
  const staged = readdirSync(stage).map(name => join(stage, name))
  if (staged.length > 0) tools.run('mcopy', ['-s', '-i', image, ...staged, '::'])
  rmSync(stage, { recursive: true })
  for (const [name, source] of Object.entries(copies)) tools.run('mcopy', ['-i', image, source, `::${name}`])
  return image
}
