/**
 * What people with whom we share no encrypted room make us keep: so much of it, then the oldest goes.
 *
 * Anybody on the servers that ours talks to may write to our devices, and an Olm session, a room key or the word that
 * there is none is kept before we know what it is good for: somebody may be about to invite us. Without a bound they
 * could fill the disk. A slot is used again when its turn comes; what has become an acquaintance's by then stays.
 */
import { isStranger } from './device-lists.ts'
import type { Collection, Step } from './records.ts'

/** Far more than anybody is sent by people whom they do not know yet. */
const maxKept = {
  'olm-session': 500,
  'inbound-group-session': 1_000,
  'key-request': 1_000,
  'device-list': 200,
} as const satisfies Partial<Record<Collection, number>>

/** To be called before a record is put that came of a message from this person. */
export async function makeRoomFor(
  step: Step,
  userId: string,
  collection: keyof typeof maxKept,
  id: string,
): Promise<void> {
  if (!(await isStranger(step, userId)) || (await step.get(collection, id))) return
  const counterId = `stranger|${collection}`
  const next = Number((await step.get('engine', counterId))?.['next'] ?? 0)
  const slotId = `${counterId}|${next % maxKept[collection]}`
  const oldest = await step.get('engine', slotId)
  if (oldest && (await isStranger(step, String(oldest['userId']))))
    step.delete(collection, String(oldest['id']))
  step.put('engine', slotId, { userId, id })
  step.put('engine', counterId, { next: next + 1 })
}
