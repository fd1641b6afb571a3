/**
 * A stick that somebody plugged in: mounted for one act, and let go of again, so that it can be pulled out whenever nothing is
 * under way. Nothing on it is run, and its files belong to the server's user.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { isObject, type Json } from '#protocol/json.ts'
import type { Machine as DiskMachine } from '../../disk/machine.ts'
import { ourDisk } from '../../disk/our-disk.ts'
import { partitions, serverUser } from '../../paths.ts'
import { MachineRefused } from '../machine.ts'

export interface Sticks {
  /** Throws STICK_NONE, STICK_SEVERAL, STICK_UNREADABLE. What the work wrote is on the stick when it resolves. */
  with<T>(way: 'read' | 'write', work: (folder: string) => Promise<T>): Promise<T>
}

const filesystems: Readonly<Record<string, string>> = {
  vfat: `uid=${serverUser.id},gid=${serverUser.id},umask=0077`,
  exfat: `uid=${serverUser.id},gid=${serverUser.id},umask=0077`,
  iso9660: `uid=${serverUser.id},gid=${serverUser.id},mode=0400,dmode=0500`,
}

interface Medium {
  readonly path: string
  readonly filesystem: string
  readonly label: string
  readonly readOnly: boolean
}

export function sticks(machine: Pick<DiskMachine, 'run' | 'root' | 'paths'>): Sticks {
  const folder = machine.paths.stick
  return {
    with: async (way, work) => {
      const medium = await onlyMedium(machine)
      if (way === 'write' && (medium.readOnly || medium.filesystem === 'iso9660'))
        throw new MachineRefused('STICK_READ_ONLY', `${medium.label || medium.path} cannot be written to.`)
      mkdirSync(folder, { recursive: true, mode: 0o711 })
      // What a console that was ended in the middle has left.
      await machine.run('umount', ['--quiet', folder])
      const options = `${way === 'read' ? 'ro' : 'rw'},nosuid,nodev,noexec,${filesystems[medium.filesystem]}`
      const mounted = await machine.run('mount', [
        '-t',
        medium.filesystem,
        '-o',
        options,
        medium.path,
        folder,
      ])
      if (mounted.code !== 0)
        throw new MachineRefused(
          'STICK_UNREADABLE',
          `${medium.label || medium.path} cannot be read: it is damaged, or was pulled out.`,
          [],
          {
            cause: new Error(mounted.stderr.slice(-500)),
          },
        )
      let isLetGo = false
      const letGo = async () => {
        isLetGo ||= (await machine.run('umount', [folder])).code === 0
        return isLetGo
      }
      try {
        const done = await work(folder)
        if (!(await letGo()) && way === 'write')
          throw new MachineRefused(
            'STICK_LOST',
            'The stick did not take everything. What is on it now does not count.',
          )
        return done
      } finally {
        if (!isLetGo && !(await letGo())) await machine.run('umount', ['--lazy', folder])
      }
    },
  }
}

async function onlyMedium(machine: Pick<DiskMachine, 'run' | 'root'>): Promise<Medium> {
  // It may have been plugged in a second ago.
  await machine.run('udevadm', ['settle', '--timeout=5'])
  const { code, stdout } = await machine.run('lsblk', [
    '--json',
    '--list',
    '--output',
    'PATH,PKNAME,PARTLABEL,FSTYPE,LABEL,RO',
  ])
  const ours = await ourDisk(machine).then(
    ({ disk }) => disk.path,
    () => null,
  )
  const found = code === 0 ? mediaIn(stdout, ours) : []
  if (found.length === 1) return found[0]!
  if (found.length === 0)
    throw new MachineRefused(
      'STICK_NONE',
      'No stick is plugged in, or none with FAT, exFAT or ISO 9660 on it.',
    )
  throw new MachineRefused(
    'STICK_SEVERAL',
    `Several sticks are plugged in (${found.map(({ path, label }) => `${path} ${label}`.trim()).join(', ')}). Leave the one that is meant.`,
  )
}

/** @param ours the disk of this system, whose boot partition is FAT as well */
export function mediaIn(listed: string, ours: string | null): Medium[] {
  let json: Json
  try {
    json = JSON.parse(listed) as Json
  } catch {
    return []
  }
  const devices =
    isObject(json) && Array.isArray(json['blockdevices']) ? json['blockdevices'].filter(isObject) : []
  return devices.flatMap(({ path, pkname, partlabel, fstype, label, ro }) => {
    if (typeof path !== 'string' || typeof fstype !== 'string' || !Object.hasOwn(filesystems, fstype))
      return []
    // Of any Letro system, such as the stick that this one was installed from.
    if (partlabel === partitions.esp) return []
    if (ours !== null && (path === ours || `/dev/${String(pkname).replace(/^\/dev\//, '')}` === ours))
      return []
    return [
      { path, filesystem: fstype, label: typeof label === 'string' ? label : '', readOnly: ro === true },
    ]
  })
}

/** Names in its first folder, and of those only such as need no quoting anywhere. */
export function namesOn(folder: string, wanted: RegExp): string[] {
  return readdirSync(folder)
    .filter(name => /^[A-Za-z0-9][\w.+-]{0,200}$/.test(name) && wanted.test(name))
    .sort()
}
