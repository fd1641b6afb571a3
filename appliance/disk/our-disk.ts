/**
 * Which disk is ours, and what is where on it.
 *
 * Two disks may hold the same slots (an installation medium that was left in): then the one counts whose ESP the firmware
 * started us from. Nothing here is ever guessed: a disk that may not be ours is not written to.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { partitions as labels, type Slot } from '../paths.ts'
import { blockDevices, type Disk, type Partition } from './block-devices.ts'
import { DiskError } from './disk-error.ts'
import { efiText } from './efi-variables.ts'
import type { Machine } from './machine.ts'

export interface OurDisk {
  readonly disk: Disk
  /** The slot that runs. */
  readonly slot: Slot
  readonly rootHash: string
  readonly esp: Partition
  readonly root: Partition
  readonly verity: Partition
  /** Null until the first start made it. */
  readonly data: Partition | null
}

export async function ourDisk(machine: Pick<Machine, 'run' | 'root'>): Promise<OurDisk> {
  return findOurDisk(await blockDevices(machine), await started(machine))
}

const patienceMs = 60_000
const betweenLooksMs = 250

/**
 * Early in a start udev has not said yet what is on a disk: looks until the slot and the ESP that we were started from are known,
 * and all that lies beside them: a machine whose data is not known yet would look like a new one. Returns all the same when they never are. (The links in /dev tell nothing: they are the initrd's. `udevadm wait` hears
 * nothing: events do not reach a unit without network.)
 */
export async function awaitOurDisk(machine: Pick<Machine, 'run' | 'root'>): Promise<void> {
  const { rootHash, startedFrom } = await started(machine)
  const wanted = [rootHash && partitionId(rootHash.slice(0, 32)), startedFrom].filter(id => id !== null)
  const late = performance.now() + patienceMs
  for (;;) {
    const holding = (await blockDevices(machine)).filter(({ partitions }) =>
      partitions.some(({ id }) => id !== null && wanted.includes(id)),
    )
    const known = holding.flatMap(({ partitions }) => partitions.map(({ id }) => id))
    const isKnown = wanted.every(id => known.includes(id)) && !known.includes(null)
    if (isKnown || performance.now() > late) return
    await sleep(betweenLooksMs)
  }
}

async function started(machine: Pick<Machine, 'root'>): Promise<Started> {
  const commandLine = await readFile(join(machine.root, '/proc/cmdline'), 'utf8').catch(() => '')
  return {
    rootHash: rootHashOf(commandLine),
    startedFrom: (await efiText(machine, 'LoaderDevicePartUUID'))?.toLowerCase() ?? null,
  }
}

export function rootHashOf(commandLine: string): string | null {
  return /(?:^|\s)roothash=([0-9a-f]{64})(?:\s|$)/.exec(commandLine)?.[1] ?? null
}

export interface Started {
  readonly rootHash: string | null
  /** The id of the ESP, where the boot loader said it. */
  readonly startedFrom: string | null
}

export function findOurDisk(disks: readonly Disk[], { rootHash, startedFrom }: Started): OurDisk {
  if (rootHash === null) {
    throw new DiskError('DISK_NOT_FOUND', 'This system was not started from a sealed slot.')
  }
  const rootId = partitionId(rootHash.slice(0, 32))
  const verityId = partitionId(rootHash.slice(32))
  const holding = disks.filter(({ partitions }) => partitions.some(({ id }) => id === rootId))
  const started = holding.filter(({ partitions }) => partitions.some(({ id }) => id === startedFrom))
  const ours = started.length > 0 ? started : holding
  if (ours.length > 1) {
    const list = ours.map(({ path }) => path).join(' and ')
    throw new DiskError(
      'DISK_AMBIGUOUS',
      `${list} hold the same system. Remove the one that is an installation medium, and start again.`,
    )
  }
  const [disk] = ours
  const root = disk?.partitions.find(({ id }) => id === rootId)
  const verity = disk?.partitions.find(({ id }) => id === verityId)
  const esp =
    disk?.partitions.find(({ id }) => id === startedFrom) ??
    disk?.partitions.find(({ label }) => label === labels.esp)
  const slot = root?.label === labels.root.b ? 'b' : 'a'
  if (!disk || !root || !verity || !esp) {
    throw new DiskError('DISK_NOT_FOUND', 'The disk that this system was started from cannot be found.')
  }
  return {
    disk,
    slot,
    rootHash,
    esp,
    root,
    verity,
    data: disk.partitions.find(({ label }) => label === labels.data) ?? null,
  }
}

/** 32 hexadecimal digits as a partition id. */
export function partitionId(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
