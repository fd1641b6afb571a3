/**
 * Factory reset: the keyslots go first, and with them everything that was ever written. After a power cut at any later step the
 * machine is new as well (a header without keyslots counts as none).
 */
import { lookAtData, removeMark } from './data-partition.ts'
import { writeDiskState } from './disk-state.ts'
import { type Machine, must } from './machine.ts'
import { unmountData } from './mapped-data.ts'
import { ourDisk } from './our-disk.ts'
import type { Progress } from './progress.ts'
import { hasTpm } from './tpm.ts'

export async function factoryReset(machine: Machine, progress: Progress): Promise<void> {
  const ours = await ourDisk(machine)
  progress('stop', 0)
  await unmountData(machine)
  progress('erase', 0)
  const data = await lookAtData(machine, ours)
  if (data.kind === 'complete') {
    await must(machine, 'cryptsetup', ['erase', '--batch-mode', data.device])
    await must(machine, 'blockdev', ['--flushbufs', data.device])
  }
  progress('erase', 0.5)
  await removeMark(machine)
  if (ours.data) {
    await must(machine, 'wipefs', ['--all', '--quiet', ours.data.path])
    // Many disks cannot, and nothing depends on it: without its keys the rest is noise.
    await machine.run('blkdiscard', ['--force', ours.data.path], { timeoutMs: 1_800_000 })
  }
  progress('erase', 1)
  await writeDiskState(machine, { state: 'new', tpm: await hasTpm(machine) })
}
