/**
 * Media that people plug in: sticks, ISO images, second disks. Found by what blkid sees on them, mounted read-only, without devices,
 * programs, set-user-id bits and symbolic links, at one place, one at a time.
 */
import { mkdirSync } from 'node:fs'
import { type Machine, MachineError, mustRun } from '../program.ts'

export interface Medium {
  /** `/dev/sdb1` */
  readonly device: string
  readonly type: 'vfat' | 'exfat' | 'iso9660'
  readonly label: string
}

export interface OpenMedium {
  readonly folder: string
  /** Any number of times; a medium that is gone is let go of. */
  close(): Promise<void>
}

const types: readonly string[] = ['vfat', 'exfat', 'iso9660']
/** Partitions of this system, by their GPT names, on whatever disk. */
const ours: readonly string[] = ['esp', 'root-a', 'root-b', 'verity-a', 'verity-b', 'data']

/** Whatever has a file system that can be looked at and is none of ours; by device. */
export async function findMedia({ run }: Pick<Machine, 'run'>): Promise<Medium[]> {
  // udev may still be at a stick that was plugged in a second ago.
  await run('udevadm', ['settle', '--timeout=5'])
  const { stdout } = await run('blkid', ['-c', '/dev/null', '-o', 'export'])
  return readBlkid(stdout)
    .filter(each => types.includes(each['TYPE'] ?? '') && !ours.includes(each['PARTLABEL'] ?? ''))
    .flatMap(({ DEVNAME, TYPE, LABEL }): Medium[] =>
      DEVNAME !== undefined && /^\/dev\/[a-z0-9]+$/.test(DEVNAME)
        ? [{ device: DEVNAME, type: TYPE as Medium['type'], label: LABEL ?? '' }]
        : [],
    )
    .sort((a, b) => (a.device < b.device ? -1 : 1))
}

/** @throws MachineError MEDIUM_UNREADABLE */
export async function openMedium(
  machine: Pick<Machine, 'run' | 'paths'>,
  medium: Medium,
): Promise<OpenMedium> {
  const folder = machine.paths.stick
  const close = async () => {
    const { code } = await machine.run('umount', [folder])
    // Pulled out: what is still open there ends with an error, and nothing new gets in.
    if (code !== 0) await machine.run('umount', ['--lazy', folder])
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // What an earlier run left when it was killed.
  await machine.run('umount', ['--lazy', '--quiet', folder])
  const options = `ro,nodev,nosuid,noexec,nosymfollow${medium.type === 'vfat' ? ',utf8=1' : ''}`
  try {
    await mustRun(machine, 'mount', ['-t', medium.type, '-o', options, medium.device, folder])
  } catch (cause) {
    throw new MachineError(
      'MEDIUM_UNREADABLE',
      `${medium.device} cannot be read: it was pulled out, or its file system is damaged. Try another stick.`,
      { cause },
    )
  }
  return { folder, close }
}

/** Opens, uses, closes whatever happens. */
export async function withMedium<T>(
  machine: Pick<Machine, 'run' | 'paths'>,
  medium: Medium,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const { folder, close } = await openMedium(machine, medium)
  try {
    return await use(folder)
  } finally {
    await close()
  }
}

/** blocks of KEY=VALUE lines with an empty line between them; a backslash stands before what a shell would take for its own. */
function readBlkid(text: string): Record<string, string>[] {
  return text.split(/\n\n+/).map(block =>
    Object.fromEntries(
      block.split('\n').flatMap(line => {
        const at = line.indexOf('=')
        return at > 0 ? [[line.slice(0, at), line.slice(at + 1).replace(/\\(.)/g, '$1')]] : []
      }),
    ),
  )
}
