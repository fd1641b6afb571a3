/**
 * The kernel images on the EFI system partition: `EFI/Linux/letro_VERSION+TRIES[-TRIED].efi`, and the markers of those that
 * started well, `letro_VERSION.good` (the boot gate writes them).
 *
 * It is vfat, which keeps no journal and whose `rename` is not one step: a cut in the middle leaves two names for the same
 * clusters, and removing one of them later frees the other's. So no file is renamed here. What survives a cut, in the order
 * in which it is asked for:
 *
 * - `remove`: the name goes first, and only then its clusters (the file is held open until the folder is synced). A cut in
 *   between leaves clusters that nobody has; `fsck.vfat` returns them.
 * - `allocate`: the clusters are marked as taken first, and only then the name learns of them.
 * - `write`: in place. Nothing of the file system changes.
 */
import { constants, open, readdir, stat, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { DirectReader } from './direct-reader.ts'
import { parseVersion, type Version } from './version.ts'

export interface Esp {
  /** Of ours alone. */
  list(): Promise<EspFile[]>
  freeBytes(): Promise<number>
  remove(name: string): Promise<void>
  /** A file of zeros. */
  allocate(name: string, size: number): Promise<void>
  /** On the medium when it returns. */
  write(name: string, offset: number, bytes: Uint8Array): Promise<void>
  /** From the medium. */
  read(name: string): Promise<Buffer>
}

export interface EspFile {
  readonly name: string
  readonly version: Version
  readonly kind: 'image' | 'marker'
  readonly size: number
  /** How often the boot loader will still try an image; null: it does not count. */
  readonly triesLeft: number | null
}

/** How often the boot loader tries a new version before it goes back. */
const tries = 3

export function newKernelImageName(version: Version): string {
  return `letro_${version}+${tries}.efi`
}

/** null: not one of ours. */
export function parseEspName(name: string): Omit<EspFile, 'size'> | null {
  const match = /^letro_([\d.]+?)(?:\.good|(?:\+(\d{1,3})(?:-\d{1,3})?)?\.efi)$/i.exec(name)
  const version = parseVersion(match?.[1])
  if (!match || !version) return null
  const kind = /\.good$/i.test(name) ? 'marker' : 'image'
  return { name, version, kind, triesLeft: match[2] === undefined ? null : Number(match[2]) }
}

/** The version has to show first that it works: nothing says yet that it started well. */
export function isOnTrial(files: readonly EspFile[], version: Version): boolean {
  const ours = files.filter(file => file.version === version)
  return ours.length > 0 && !ours.some(file => file.kind === 'marker')
}

/** @param esp where the partition is mounted */
export function openEsp(esp: string): Esp {
  const folder = join(esp, 'EFI', 'Linux')
  return {
    list: async () => {
      const files: EspFile[] = []
      for (const name of await readdir(folder)) {
        const file = parseEspName(name)
        if (file) files.push({ ...file, size: (await stat(join(folder, name))).size })
      }
      return files
    },
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(folder)
      return bavail * bsize
    },
    remove: async name => {
      const held = await open(join(folder, name), 'r')
      try {
        await unlink(join(folder, name))
        await sync(folder)
      } finally {
        await held.close()
      }
      await sync(folder)
    },
    allocate: async (name, size) => {
      const file = await open(join(folder, name), 'wx', 0o600)
      try {
        await sync(folder)
        await file.truncate(size)
        await sync(folder)
        await file.sync()
      } finally {
        await file.close()
      }
    },
    write: async (name, offset, bytes) => {
      const file = await open(join(folder, name), constants.O_WRONLY)
      try {
        for (let done = 0; done < bytes.length; )
          done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten
        await file.sync()
      } finally {
        await file.close()
      }
    },
    read: async name => {
      const reader = await DirectReader.open(join(folder, name))
      try {
        return await reader.read(0, (await stat(join(folder, name))).size)
      } finally {
        await reader.close()
      }
    },
  }
}

/** Of a folder of vfat: its names, the allocation table, and the disk's own memory. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
