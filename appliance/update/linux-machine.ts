/**
 * The appliance. The disk is the one that the root filesystem comes from, by sysfs: labels alone would also find the
 * partitions of an installation stick that is still in.
 */
import { execFile } from 'node:child_process'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { openBlockDevice } from './block-device.ts'
import { openEsp } from './esp.ts'
import type { Machine } from './machine.ts'
import { UpdateError } from './update-error.ts'

/** The restart ends this program, too: whoever asked for it is answered before. */
const restartAfterMs = 1_000

export function openLinuxMachine(esp: string, root = '/'): Machine {
  const place = async () => {
    const found = await runningPlace(root)
    if (found) return found
    throw new UpdateError(
      'UPDATE_NO_SLOT',
      'This system does not run from a slot of an appliance’s disk: it cannot be updated by a file.',
    )
  }
  return {
    esp: openEsp(esp),
    bootId: async () => (await readFile(join(root, 'proc/sys/kernel/random/boot_id'), 'utf8')).trim(),
    runningPartitions: async () => (await place()).running,
    openDisk: async access => openBlockDevice(join(root, 'dev', basename((await place()).disk)), access),
    openPartition: async ({ number }) => {
      const { disk } = await place()
      const node = (await partitionsOf(disk)).find(partition => partition.number === number)
      if (node) return openBlockDevice(join(root, 'dev', node.name), 'write')
      throw new UpdateError(
        'UPDATE_NO_SLOT',
        `The system does not know partition ${number} of its disk. Restart the machine, then try again.`,
      )
    },
    restart: async () => {
      setTimeout(() => void reboot(), restartAfterMs)
    },
  }
}

async function reboot(): Promise<void> {
  try {
    await promisify(execFile)('/usr/bin/systemctl', ['--no-block', 'reboot'])
  } catch (error) {
    console.error(`the machine does not restart: ${error instanceof Error ? error.message : error}`)
  }
}

interface Place {
  /** Its folder in sysfs. */
  readonly disk: string
  readonly running: readonly number[]
}

/** null: the root filesystem does not come from partitions by dm-verity. */
async function runningPlace(root: string): Promise<Place | null> {
  const device = rootDevice(await readFile(join(root, 'proc/self/mountinfo'), 'utf8'))
  if (!device) return null
  const slaves = join(root, 'sys/dev/block', device, 'slaves')
  const running: number[] = []
  let disk: string | null = null
  for (const name of await readdir(slaves).catch(() => [])) {
    const partition = await realpath(join(slaves, name))
    const number = await partitionNumber(partition)
    if (number === null || (disk !== null && disk !== dirname(partition))) return null
    disk = dirname(partition)
    running.push(number)
  }
  return disk === null ? null : { disk, running }
}

/** MAJOR:MINOR of what is mounted at `/`: the last such line is the one in force. */
export function rootDevice(mountinfo: string): string | null {
  const lines = mountinfo.split('\n').map(line => line.split(' '))
  return lines.findLast(fields => fields[4] === '/')?.[2] ?? null
}

async function partitionsOf(disk: string): Promise<{ name: string; number: number }[]> {
  const found: { name: string; number: number }[] = []
  for (const name of await readdir(disk)) {
    const number = await partitionNumber(join(disk, name))
    if (number !== null) found.push({ name, number })
  }
  return found
}

async function partitionNumber(folder: string): Promise<number | null> {
  const text = await readFile(join(folder, 'partition'), 'utf8').catch(() => '')
  return /^\d+$/.test(text.trim()) ? Number(text) : null
}
