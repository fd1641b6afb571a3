/**
 * The ESP of a disk that is installed to: a new file system with the boot files of the one that runs. Only what every machine has is
 * taken: not the mark of this disk's data, not the boot loader's random seed, no other release, and that the release is good is for
 * the new machine to find out.
 */
import { createHash } from 'node:crypto'
import { copyFile, mkdir, open, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DiskError } from './disk-error.ts'
import { imageName, kernelImages } from './kernel-images.ts'
import { type Machine, must } from './machine.ts'
import { thisRelease } from './release.ts'

export async function makeEsp(machine: Machine, device: string): Promise<void> {
  const files = await bootFiles(machine)
  await must(machine, 'mkfs.fat', ['-F', '32', '-n', 'ESP', device])
  const at = join(machine.paths.run, 'install')
  await mkdir(at, { recursive: true, mode: 0o700 })
  await mounted(machine, device, at, async () => {
    for (const { from, to } of files) {
      await mkdir(join(at, dirname(to)), { recursive: true })
      await copyFile(join(machine.paths.esp, from), join(at, to))
      await sync(join(at, to))
    }
  })
  await must(machine, 'blockdev', ['--flushbufs', device])
  await mounted(machine, device, at, async () => {
    for (const { from, to } of files) {
      const [one, other] = await Promise.all([
        digestOf(join(machine.paths.esp, from)),
        digestOf(join(at, to)),
      ])
      if (!one.equals(other)) {
        throw new DiskError('DISK_COMPARE_FAILED', `${to} on the new disk is not what was written to it.`)
      }
    }
  })
}

interface BootFile {
  readonly from: string
  readonly to: string
}

/** Paths on the ESP. */
export async function bootFiles(machine: Pick<Machine, 'paths'>): Promise<BootFile[]> {
  const { version } = await thisRelease(machine)
  const image = (await kernelImages(machine)).find(each => each.version === version)
  if (!image) {
    throw new DiskError('DISK_NOT_FOUND', 'The kernel image that runs is not on the medium any more.')
  }
  const others: BootFile[] = []
  for (const folder of ['EFI/BOOT', 'EFI/systemd', 'loader']) {
    const root = join(machine.paths.esp, folder)
    const names = await readdir(root, { recursive: true }).catch((): string[] => [])
    for (const name of names.sort()) {
      if (name === 'random-seed' || !(await stat(join(root, name))).isFile()) continue
      others.push({ from: join(folder, name), to: join(folder, name) })
    }
  }
  return [
    ...others,
    // Last: a disk with a kernel image on it starts.
    { from: join('EFI/Linux', image.name), to: join('EFI/Linux', imageName(version)) },
  ]
}

async function mounted(
  machine: Machine,
  device: string,
  at: string,
  use: () => Promise<void>,
): Promise<void> {
  await must(machine, 'mount', ['-t', 'vfat', '-o', 'nodev,noexec,nosuid,umask=0077', device, at])
  try {
    await use()
  } finally {
    await must(machine, 'umount', [at])
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function digestOf(file: string): Promise<Buffer> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest()
}
