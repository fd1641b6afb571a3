/**
 * Writes a verified update to the other slot. Whenever the power goes, the machine starts the running version or the new
 * one:
 *
 * 1. the other slot's kernel images go from the EFI partition: nothing leads to the slot that is about to change. The two
 *    letters “MZ” that they begin with go first: their clusters may be the new image's, and must not look like one;
 * 2. root and verity are written, flushed, read back from the medium and hashed;
 * 3. the two partitions get the ids by which the new kernel image finds them, one copy of the partition table after the
 *    other (gpt.ts);
 * 4. the new kernel image is written under its name, all but those two letters: to firmware and boot loader it is no program. It is read back;
 * 5. the two letters, flushed. A sector is written whole or not at all, and these two bytes are within one: this is the
 *    moment from which the next start is the new version.
 *
 * A failure is thrown as it came; it may have come after step 5, so the caller removes the kernel image again. The caller
 * has also made sure that the running version proved itself.
 */
import { createHash } from 'node:crypto'
import type { UpdateStep } from '#protocol/update-status.ts'
import type { BlockDevice } from './block-device.ts'
import { type Esp, type EspFile, newKernelImageName } from './esp.ts'
import { type Partition, setPartitionIds } from './gpt.ts'
import type { Machine } from './machine.ts'
import { partitionIds } from './manifest.ts'
import type { Slots } from './slots.ts'
import { UpdateError } from './update-error.ts'
import type { UpdateFile } from './update-file.ts'
import type { Version } from './version.ts'

export type StepProgress = (step: UpdateStep, bytes: number, of: number) => void

const readBackBytes = 4 * 1024 * 1024
/** A program for the firmware begins with them. */
const lettersMz = 2

export async function applyUpdate(
  file: UpdateFile,
  slots: Slots,
  running: Version,
  machine: Machine,
  progress: StepProgress,
): Promise<void> {
  progress('clear', 0, 1)
  await removeOtherImages(machine.esp, running)
  progress('clear', 1, 1)
  await writePartition(file, 'root', slots.root, machine, progress)
  await writePartition(file, 'verity', slots.verity, machine, progress)
  progress('table', 0, 1)
  const ids = partitionIds(file.manifest.rootHash)
  await using(await machine.openDisk('write'), disk =>
    setPartitionIds(
      disk,
      new Map([
        [slots.root.number, ids.root],
        [slots.verity.number, ids.verity],
      ]),
    ),
  )
  progress('table', 1, 1)
  await writeKernelImage(file, machine.esp, progress)
}

/** Those of every version but the running one, which has to have one: else the machine would start from nothing. */
export async function removeOtherImages(esp: Esp, running: Version): Promise<void> {
  const files = await esp.list()
  requireRunningImage(files, running)
  const others = files.filter(file => file.version !== running)
  // An image without its marker is one that is tried; a marker without its image would vouch for the next one.
  for (const { name, kind } of others) if (kind === 'marker') await esp.remove(name)
  for (const { name, kind, size } of others) {
    if (kind !== 'image') continue
    if (size >= lettersMz) await esp.write(name, 0, Buffer.alloc(lettersMz))
    await esp.remove(name)
  }
}

export function requireRunningImage(files: readonly EspFile[], running: Version): void {
  if (files.some(({ version, kind, size }) => version === running && kind === 'image' && size > 0)) return
  throw new UpdateError(
    'UPDATE_ESP',
    `The EFI partition has no kernel image of ${running}, which runs here: nothing is removed from it. Make a backup, then install this machine anew.`,
  )
}

async function writePartition(
  file: UpdateFile,
  name: 'root' | 'verity',
  partition: Partition,
  machine: Machine,
  progress: StepProgress,
): Promise<void> {
  const part = file.manifest.parts.find(each => each.name === name)!
  await using(await machine.openPartition(partition), async device => {
    let written = 0
    for await (const piece of file.part(name)) {
      await device.write(written, piece)
      written += piece.length
      // Reading back is the other half.
      progress(name, written, part.size * 2)
    }
    await device.flush()
    const hash = createHash('sha256')
    for (let read = 0; read < part.size; ) {
      const piece = await device.read(read, Math.min(readBackBytes, part.size - read))
      if (piece.length === 0) break
      hash.update(piece)
      read += piece.length
      progress(name, part.size + read, part.size * 2)
    }
    if (hash.digest('hex') !== part.sha256) throw notAsWritten(partition.name)
  })
}

async function writeKernelImage(file: UpdateFile, esp: Esp, progress: StepProgress): Promise<void> {
  const pieces: Buffer[] = []
  // All of it is in memory, and is what was signed, before a byte of it is written.
  for await (const piece of file.part('uki')) pieces.push(piece)
  const image = Buffer.concat(pieces)
  const name = newKernelImageName(file.manifest.version)
  const steps = 5
  progress('uki', 0, steps)
  await esp.allocate(name, image.length)
  progress('uki', 1, steps)
  await esp.write(name, lettersMz, image.subarray(lettersMz))
  progress('uki', 2, steps)
  const unfinished = Buffer.from(image)
  unfinished.fill(0, 0, lettersMz)
  if (!(await esp.read(name)).equals(unfinished)) throw notAsWritten('esp')
  progress('uki', 3, steps)
  await esp.write(name, 0, image.subarray(0, lettersMz))
  progress('uki', 4, steps)
  if (!(await esp.read(name)).equals(image)) throw notAsWritten('esp')
  progress('uki', steps, steps)
}

function notAsWritten(partition: string): UpdateError {
  return new UpdateError(
    'UPDATE_DISK',
    `The disk does not hold what was written to “${partition}”. This version goes on running; the other slot is empty. Try once more; if it fails again, make a backup and replace the disk.`,
  )
}

async function using(device: BlockDevice, act: (device: BlockDevice) => Promise<void>): Promise<void> {
  try {
    await act(device)
  } finally {
    await device.close()
  }
}
