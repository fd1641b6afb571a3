/**
 * Installing: the system that runs from a stick or a virtual medium is copied to a disk of this machine.
 *
 * The partition table comes last: until then the target starts nothing, and after a power cut the installation is simply done
 * again. What was copied is read back from the disk and compared, and the kernel will hold the slot against the root hash at every start anyway.
 */
import { randomUUID } from 'node:crypto'
import { partitions } from '../paths.ts'
import { copyAndCompare, overwriteEdges, readVerityExtent } from './block-copy.ts'
import { blockDevices, type Disk } from './block-devices.ts'
import { DiskError } from './disk-error.ts'
import { makeEsp } from './install-esp.ts'
import { type Machine, must } from './machine.ts'
import { type OurDisk, ourDisk } from './our-disk.ts'
import type { Progress } from './progress.ts'

export interface Target {
  readonly path: string
  readonly sizeBytes: number
  readonly model: string | null
  readonly serial: string | null
  readonly transport: string | null
  /** What is on it, in words; null: it is empty. */
  readonly holds: string | null
  /** Why it cannot be taken, as a sentence; null: it can. */
  readonly refused: string | null
}

const MiB = 1024 * 1024
const alignBytes = MiB
const sectorBytes = 512
const leastBytes = 8 * 1024 * MiB
const types = {
  esp: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  root: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
  verity: '2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5',
} as const

export async function installTargets(machine: Pick<Machine, 'run' | 'root'>): Promise<Target[]> {
  const ours = await ourDisk(machine)
  return (await blockDevices(machine)).filter(({ path }) => path !== ours.disk.path).flatMap(asTarget)
}

/** Not even shown: what is too small to be meant, like the memory cards of a BMC. */
function asTarget(disk: Disk): Target[] {
  const { path, sizeBytes, model, serial, transport } = disk
  if (sizeBytes < 256 * MiB || /^\/dev\/(?:loop|ram|zram|sr|fd|md|dm-)/.test(path)) return []
  return [{ path, sizeBytes, model, serial, transport, holds: holdsOf(disk), refused: refusalOf(disk) }]
}

function refusalOf({ sizeBytes, readOnly, inUse, sectorBytes: sector }: Disk): string | null {
  if (readOnly) return 'It cannot be written.'
  if (inUse) return 'It is in use.'
  if (sector !== sectorBytes)
    return `Its sectors have ${sector} bytes; this system starts from disks with 512.`
  if (sizeBytes < leastBytes)
    return `It has ${gibibytes(sizeBytes)} GiB; at least ${gibibytes(leastBytes)} are needed.`
  return null
}

function holdsOf({ partitions: found }: Disk): string | null {
  if (found.length === 0) return null
  const isLetro = found.some(({ label }) => label === partitions.root.a)
  if (isLetro) {
    return found.some(({ label }) => label === partitions.data)
      ? 'a Letro system, with data'
      : 'a Letro system'
  }
  return found.length === 1 ? 'one partition' : `${found.length} partitions`
}

/** Everything on the target is lost: whoever calls has asked. */
export async function installTo(machine: Machine, path: string, progress: Progress): Promise<void> {
  const ours = await ourDisk(machine)
  const target = (await installTargets(machine)).find(each => each.path === path)
  if (!target) throw new DiskError('DISK_TARGET_REFUSED', `${path} is not a disk that can be installed to.`)
  if (target.refused !== null) throw new DiskError('DISK_TARGET_REFUSED', `${path}: ${target.refused}`)

  progress('partitions', 0)
  // Nothing on it looks like a system, a set or a file system any more.
  await must(machine, 'wipefs', ['--all', '--force', '--quiet', path])
  await overwriteEdges(machine.root + path, target.sizeBytes)

  const parts = layout(ours)
  const [esp, root, verity] = parts
  const rootBytes = await readVerityExtent(machine.root + ours.verity.path, root.sizeBytes)
  for (const [from, to, bytes] of [
    [ours.root.path, root, rootBytes],
    [ours.verity.path, verity, verity.sizeBytes],
  ] as const) {
    const source = machine.root + from
    await copyAndCompare(machine, source, machine.root + path, { at: to.at, bytes }, (step, share) =>
      progress(step, to === root ? share * 0.95 : 0.95 + share * 0.05),
    )
  }

  await must(
    machine,
    'sfdisk',
    ['--quiet', '--wipe', 'always', '--wipe-partitions', 'never', '--label', 'gpt', path],
    {
      input: tableScript(parts),
    },
  )
  await must(machine, 'udevadm', ['settle', '--timeout=30'])
  progress('boot-files', 0)
  await makeEsp(machine, await partitionOf(machine, path, esp.id))
  await must(machine, 'blockdev', ['--flushbufs', path])
  progress('boot-files', 1)
}

interface Part {
  readonly label: string
  readonly type: string
  readonly id: string
  readonly at: number
  readonly sizeBytes: number
}

/** As the image has it. Slots keep their ids, for they are the root hash; the ESP gets one of its own, so that two disks can be told apart. */
export function layout(ours: Pick<OurDisk, 'esp' | 'root' | 'verity'>): readonly [Part, Part, Part] {
  let next = alignBytes
  const part = (label: string, type: string, id: string, sizeBytes: number): Part => {
    const at = next
    next += Math.ceil(sizeBytes / alignBytes) * alignBytes
    return { label, type, id, at, sizeBytes }
  }
  const { esp, root, verity } = ours
  return [
    part(partitions.esp, types.esp, randomUUID(), esp.sizeBytes),
    part(partitions.root.a, types.root, root.id ?? '', root.sizeBytes),
    part(partitions.verity.a, types.verity, verity.id ?? '', verity.sizeBytes),
  ]
}

export function tableScript(parts: readonly Part[]): string {
  const lines = parts.map(
    ({ label, type, id, at, sizeBytes }) =>
      `start=${at / sectorBytes}, size=${sizeBytes / sectorBytes}, type=${type}, uuid=${id.toUpperCase()}, name=${label}`,
  )
  return ['label: gpt', `label-id: ${randomUUID().toUpperCase()}`, ...lines, ''].join('\n')
}

async function partitionOf(machine: Machine, path: string, id: string): Promise<string> {
  const disk = (await blockDevices(machine)).find(each => each.path === path)
  const part = disk?.partitions.find(each => each.id === id)
  if (!part)
    throw new DiskError('DISK_WRITE_FAILED', `${path} does not show the partitions that were written to it.`)
  return part.path
}

function gibibytes(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1)
}
