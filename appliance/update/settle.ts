/**
 * What became of an update, seen from after a start: it runs, the machine went back from it, or the power went while it was
 * being written. Each takes the record and gives the one that is true now; the same one where there is nothing to say.
 */
import { removeOtherImages } from './apply-update.ts'
import { isOnTrial } from './esp.ts'
import type { Machine } from './machine.ts'
import { type UpdateRecord, withEvent } from './update-record.ts'
import type { Version } from './version.ts'

export interface Facts {
  readonly machine: Machine
  /** What runs. */
  readonly release: Version
  readonly now: number
}

/** Nothing is being written while this is asked: what the record calls so was cut. From now on nothing leads there. */
export async function settleWriting(
  record: UpdateRecord,
  { machine, release, now }: Facts,
): Promise<UpdateRecord> {
  const { writing } = record
  if (!writing) return record
  // The cut came after the last step, before it was noted.
  if (writing.version === release)
    return { ...record, writing: null, applied: { ...writing, bootId: '', restarted: true } }
  await removeOtherImages(machine.esp, release)
  return withEvent({ ...record, writing: null }, { ts: now, kind: 'interrupted', version: writing.version })
}

export async function settleApplied(
  record: UpdateRecord,
  { machine, release, now }: Facts,
): Promise<UpdateRecord> {
  const { applied } = record
  if (!applied) return record
  const { version } = applied
  const files = await machine.esp.list()
  if (version === release) {
    // Not before the gate has found it good: until then the machine may go back.
    if (isOnTrial(files, version)) return record
    return withEvent({ ...record, applied: null }, { ts: now, kind: 'runs', version })
  }
  if (applied.bootId === (await machine.bootId())) return record
  // Somebody chose the older version in the boot menu: the newer one has tries left, and comes next time.
  const hasTries = files.some(
    file => file.kind === 'image' && file.version === version && file.triesLeft !== 0,
  )
  if (hasTries) return record
  return withEvent(
    { ...record, applied: null, wentBack: { version, ts: now } },
    { ts: now, kind: 'went-back', version },
  )
}
