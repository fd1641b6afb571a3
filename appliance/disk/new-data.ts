/**
 * The first start: the second slot and the data partition are made, and the data is encrypted to a recovery key that somebody
 * holds on paper.
 *
 * Until the label is written the machine stays new, whatever is there: a power cut at any step is started again from the
 * beginning, with a new recovery key. Nothing is formatted before the key was typed back.
 */
import { join } from 'node:path'
import { partitions } from '../paths.ts'
import { lookAtData, mappedDevice, mappedName, removeMark, writeMark } from './data-partition.ts'
import { DiskError } from './disk-error.ts'
import { writeDiskState } from './disk-state.ts'
import { formatWithKey, replaceKey, requireHeader } from './keyslots.ts'
import { dataLabel, waysToOpen } from './luks-header.ts'
import { type Machine, must } from './machine.ts'
import { isMapped, mountData } from './mapped-data.ts'
import { unlock } from './open-data.ts'
import { type OurDisk, ourDisk } from './our-disk.ts'
import { requirePassphrase } from './passphrase.ts'
import type { Progress } from './progress.ts'
import { type RecoveryKey, sameRecoveryKey } from './recovery-key.ts'
import { hasTpm, seal } from './tpm.ts'

export interface NewData {
  readonly recoveryKey: RecoveryKey
  readonly typedBack: RecoveryKey
  readonly unlock:
    | { readonly by: 'tpm'; readonly bindSecureBoot: boolean }
    | { readonly by: 'passphrase'; readonly passphrase: string }
}

const MiB = 1024 * 1024
/** Second slot, data, and what a partition table needs. */
const leastBytes = { slot: (1024 + 32) * MiB, data: 2048 * MiB, table: 4 * MiB }

export async function createData(machine: Machine, wish: NewData, progress: Progress): Promise<void> {
  const { recoveryKey, typedBack } = wish
  if (!sameRecoveryKey(recoveryKey, typedBack)) {
    throw new DiskError('KEY_NOT_TYPED_BACK', 'What was typed is not the recovery key that was shown.')
  }
  const passphrase = wish.unlock.by === 'passphrase' ? requirePassphrase(wish.unlock.passphrase) : null
  if (wish.unlock.by === 'tpm' && !(await hasTpm(machine))) {
    throw new DiskError('TPM_ABSENT', 'This machine has no TPM 2.0: choose a passphrase instead.')
  }
  const ours = await requireNewDisk(machine)

  progress('partitions', 0)
  const device = await makePartitions(machine, ours)
  // A factory reset that was cut off may have left it; from here on there is nothing that it could mean.
  await removeMark(machine)

  progress('encrypt', 0)
  if (await isMapped(machine)) await must(machine, 'cryptsetup', ['close', mappedName])
  await formatWithKey(machine, device, recoveryKey)
  if (passphrase !== null) {
    progress('encrypt', 0.5)
    await replaceKey(machine, device, 'passphrase', { secret: recoveryKey, next: passphrase })
  }
  if (wish.unlock.by === 'tpm') {
    progress('seal', 0)
    await seal(machine, device, recoveryKey, wish.unlock)
  }

  progress('filesystem', 0)
  await unlock(machine, device, recoveryKey, mappedName)
  await must(machine, 'mkfs.ext4', ['-q', '-F', '-L', dataLabel, '-m', '1', mappedDevice], {
    timeoutMs: 1_800_000,
  })
  await must(machine, 'blockdev', ['--flushbufs', mappedDevice])
  await must(machine, 'cryptsetup', ['config', '--label', dataLabel, device])

  progress('open', 0)
  const header = await requireHeader(machine, device)
  await mountData(machine)
  await writeMark(machine, header)
  await writeDiskState(machine, { state: 'open', by: 'creation', ways: waysToOpen(header) })
}

/**
 * The disk can become one with data; nothing is changed. Asked before a recovery key is shown, and again before it is written.
 *
 * @throws DiskError DATA_NOT_NEW, DISK_TOO_SMALL
 */
export async function requireNewDisk(machine: Machine): Promise<OurDisk> {
  const ours = await ourDisk(machine)
  if ((await lookAtData(machine, ours)).kind !== 'new') {
    throw new DiskError(
      'DATA_NOT_NEW',
      'There is data on this disk already. Only a factory reset removes it.',
    )
  }
  requireRoom(ours)
  return ours
}

/** Adds what is missing behind what the image brought; what is there stays as it is. */
async function makePartitions(machine: Machine, { disk, data }: OurDisk): Promise<string> {
  if (!data) {
    await must(machine, 'systemd-repart', [
      '--dry-run=no',
      '--empty=refuse',
      '--seed=random',
      '--discard=no',
      `--definitions=${join(machine.paths.program, 'repart')}`,
      disk.path,
    ])
    await must(machine, 'udevadm', ['settle', '--timeout=30'])
  }
  const made = (await ourDisk(machine)).data
  if (!made)
    throw new DiskError('DISK_WRITE_FAILED', `The data partition did not come into being on ${disk.path}.`)
  return made.path
}

function requireRoom({ disk, data }: OurDisk): void {
  if (data) return
  const taken = disk.partitions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const hasSlotB = disk.partitions.some(({ label }) => label === partitions.root.b)
  const needed = leastBytes.data + leastBytes.table + (hasSlotB ? 0 : leastBytes.slot)
  if (disk.sizeBytes - taken >= needed) return
  throw new DiskError(
    'DISK_TOO_SMALL',
    `The disk ${disk.path} has ${gigabytes(disk.sizeBytes)}; at least ${gigabytes(taken + needed)} are needed, and what people write comes on top.`,
  )
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`
}
