/**
 * What is on the data partition, before anything is opened.
 *
 * The header's label says that it was finished; /efi/letro/data.json says that there was data once. So a header that was destroyed
 * is never taken for a machine that is new, and data is never formatted over by mistake; while /efi cannot be read no machine is new.
 * A header without any keyslot is
 * what a factory reset leaves when the power goes: nobody can ever open that, it is new.
 */
import { access, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder, writeInPlace } from './durable-file.ts'
import { dataLabel, type LuksHeader, readLuksHeader } from './luks-header.ts'
import type { Machine } from './machine.ts'
import type { OurDisk } from './our-disk.ts'

export type DataPartition =
  | { readonly kind: 'new' }
  | { readonly kind: 'complete'; readonly device: string; readonly header: LuksHeader }
  | { readonly kind: 'damaged'; readonly sentence: string }

export const mappedName = dataLabel
export const mappedDevice = `/dev/mapper/${mappedName}`

export async function lookAtData(machine: Machine, { data }: OurDisk): Promise<DataPartition> {
  const header = data ? await readLuksHeader(machine, data.path) : null
  const found = judgeData({ device: data?.path ?? null, header, wasThere: await hasMark(machine) })
  if (found.kind === 'new' && !(await isEspThere(machine))) {
    return {
      kind: 'damaged',
      sentence:
        'The partition with the kernel images cannot be read, and without it nobody can say whether this machine has had data. Restart it; nothing is written before that is known.',
    }
  }
  return found
}

/** An ESP that is not mounted is an empty folder. */
async function isEspThere({ paths }: Pick<Machine, 'paths'>): Promise<boolean> {
  return access(join(paths.esp, 'EFI')).then(
    () => true,
    () => false,
  )
}

export function judgeData(found: {
  readonly device: string | null
  readonly header: LuksHeader | null
  readonly wasThere: boolean
}): DataPartition {
  const { device, header, wasThere } = found
  if (device !== null && header?.label === dataLabel) {
    return header.keyslots.length === 0 ? { kind: 'new' } : { kind: 'complete', device, header }
  }
  if (!wasThere) return { kind: 'new' }
  if (device === null) {
    return { kind: 'damaged', sentence: 'The data partition is missing from the partition table.' }
  }
  return {
    kind: 'damaged',
    sentence:
      'The data partition has no readable header any more. Without it nothing opens the data, not even the recovery key.',
  }
}

const markFile = (machine: Pick<Machine, 'paths'>) => join(machine.paths.esp, 'letro', 'data.json')

async function hasMark(machine: Pick<Machine, 'paths'>): Promise<boolean> {
  return readFile(markFile(machine)).then(
    () => true,
    () => false,
  )
}

/** Written after the data was finished, and again at each start that finds it missing. */
export async function writeMark(
  machine: Pick<Machine, 'paths'>,
  header: Pick<LuksHeader, 'id'>,
): Promise<void> {
  if (await hasMark(machine)) return
  await mkdir(join(machine.paths.esp, 'letro'), { recursive: true })
  await writeInPlace(markFile(machine), `${JSON.stringify({ luks: header.id })}\n`)
}

export async function removeMark(machine: Pick<Machine, 'paths'>): Promise<void> {
  await rm(markFile(machine), { force: true })
  await syncFolder(join(machine.paths.esp, 'letro')).catch(() => {})
}
