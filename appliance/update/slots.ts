/** The two slots of the disk that the system runs from: which one runs, and what is to be written to. Pure. */
import { partitions, type Slot } from '../paths.ts'
import type { Partition } from './gpt.ts'
import { UpdateError } from './update-error.ts'

export interface Slots {
  readonly running: Slot
  readonly other: Slot
  /** Of the other slot. */
  readonly root: Partition
  readonly verity: Partition
}

/** @param running the numbers of the partitions that the root filesystem comes from */
export function findSlots(table: readonly Partition[], running: readonly number[]): Slots {
  const isRunning = (slot: Slot) =>
    table.some(({ number, name }) => running.includes(number) && name === partitions.root[slot])
  const slot: Slot | null = isRunning('a') ? 'a' : isRunning('b') ? 'b' : null
  if (!slot) {
    throw new UpdateError(
      'UPDATE_NO_SLOT',
      'This system does not run from a slot of an appliance’s disk: it cannot be updated by a file.',
    )
  }
  const other: Slot = slot === 'a' ? 'b' : 'a'
  const root = one(table, partitions.root[other])
  const verity = one(table, partitions.verity[other])
  return { running: slot, other, root, verity }
}

function one(table: readonly Partition[], name: string): Partition {
  const found = table.filter(partition => partition.name === name)
  if (found.length === 1) return found[0]!
  throw new UpdateError(
    'UPDATE_NO_SLOT',
    `The disk has ${found.length === 0 ? 'no' : 'more than one'} partition “${name}”: there is nowhere to write an update to. Restart the machine; the missing partition is made at the start.`,
  )
}
