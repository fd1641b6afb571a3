/**
 * Redactions, and those that came before what they redact: withheld until that is here, and from then on events of the
 * timeline like any other, where they stood all the time.
 *
 * Spec: rooms/v12#handling-redactions
 */
import type { Pdu } from '../protocol/event.ts'
import { signedText } from '../protocol/event-hash.ts'
import { redactedEventId } from '../protocol/redaction.ts'
import { eventSkeletons, timelines, waitingRedactions } from '../store/catalogue.ts'
import type { RowWriter } from '../store/store.ts'
import type { StateLookup } from './graph-event.ts'
import type { Incoming } from './incoming-event.ts'
import { powerLevelsIn } from './power-levels.ts'
import { mayRedact } from './redaction-permission.ts'
import type { RoomActor } from './room-actor.ts'
import type { RoomTransaction } from './room-transaction.ts'
import type { RoomsContext } from './rooms-context.ts'
import { StateFinder } from './state-finder.ts'
import type { Step } from './step.ts'
import { type StoredEvent, skeletonText } from './stored-event.ts'

type Redaction = Pick<Step, 'redacted' | 'waitsFor'> & { readonly withheld: boolean }

export const noRedaction: Redaction = { withheld: false }

/** What the event redacts: carried out once both are here, if the redaction is permitted. */
export async function redactionOf(
  { reader }: RoomsContext,
  { actor, tx }: RoomTransaction,
  pdu: Pdu,
  stateBefore: StateLookup,
): Promise<Redaction> {
  const targetId = pdu.type === 'm.room.redaction' ? redactedEventId(pdu, actor.rules) : null
  if (targetId === null) return noRedaction
  const [target] = await reader.byIds(tx, [targetId], false)
  if (!target || target.facts.flags.outlier) return { waitsFor: targetId, withheld: true }
  const isPermitted =
    target.roomId === actor.roomId && mayRedact(pdu, target.pdu, powerLevelsIn(stateBefore, actor.rules))
  if (!isPermitted) return { withheld: true }
  // The first redaction is the one that is told.
  return target.redactedBecause ? noRedaction : { redacted: target, withheld: false }
}

/** Those of this event that wait for it and are permitted: the first one redacts it. */
export async function earlierRedactions(
  context: RoomsContext,
  work: RoomTransaction,
  { pdu, eventId }: Incoming,
): Promise<StoredEvent[]> {
  const { actor, tx } = work
  const waiting = await tx.get(waitingRedactions.key(actor.number, eventId))
  if (!waiting) return []
  const permitted: StoredEvent[] = []
  for (const redaction of await context.reader.byPositions(tx, waiting, false)) {
    if (!redaction) continue
    const state = await new StateFinder(context, work).at(redaction.before, redaction.pdu)
    if (mayRedact(redaction.pdu, pdu, powerLevelsIn(state.lookup, actor.rules))) permitted.push(redaction)
  }
  return permitted
}

/** In the batch of their target. */
export function writeCarriedOut(rows: RowWriter, actor: RoomActor, redactions: readonly StoredEvent[]): void {
  for (const redaction of redactions) {
    const { position, order, pdu } = redaction
    rows.put(eventSkeletons.key(position), skeletonText(redaction.carriedOut(), signedText(pdu, actor.rules)))
    rows.put(timelines.key(actor.number, order), position)
    if (order > actor.last) actor.last = position
  }
}
