/**
 * What our own messages that still wait do to others: an edit, a reaction or a redaction shows at once where it belongs, and a
 * line of its own only once it was refused. Pure.
 */
import type { QueuedItem } from './ports.ts'
import type { Relations } from './relations.ts'
import { relationOf, type StoredEvent } from './stored-event.ts'

/** What does something to another event is seen there, until it fails: then a person has to find it. */
export function hasOwnLine({ event, redacts, state }: QueuedItem): boolean {
  if (state === 'failed') return true
  const kind = relationOf(event)?.kind
  return redacts === null && kind !== 'reaction' && kind !== 'edit'
}

export function withQueued(
  of: Relations,
  event: StoredEvent,
  queued: readonly QueuedItem[],
  ourUserId: string,
): Relations {
  return queued
    .filter(({ state }) => state !== 'failed')
    .reduce((relations, each) => withOne(relations, event, each, ourUserId), of)
}

function withOne(of: Relations, event: StoredEvent, queued: QueuedItem, ourUserId: string): Relations {
  const { redacts, txnId } = queued
  if (redacts !== null) {
    const isHere = redacts === event.eventId || redacts === event.txnId
    const reason = queued.event.content['reason']
    const redaction = { by: ourUserId, reason: typeof reason === 'string' ? reason : null, eventId: txnId }
    return isHere
      ? { ...of, redaction: of.redaction ?? redaction }
      : { ...of, reactions: of.reactions.filter(({ eventId }) => eventId !== redacts) }
  }
  const relation = relationOf(queued.event)
  if (!relation || relation.to !== event.eventId) return of
  const { ts, type, encrypted } = queued.event
  const eventId = queued.eventId ?? txnId
  if (relation.kind === 'edit') {
    const edit = { eventId, sender: ourUserId, ts, type, encrypted, content: relation.content }
    return { ...of, edits: [...of.edits.filter(known => known.eventId !== eventId), edit] }
  }
  if (relation.kind !== 'reaction') return of
  const { key } = relation
  const isKnown = of.reactions.some(known => known.sender === ourUserId && known.key === key)
  return isKnown ? of : { ...of, reactions: [...of.reactions, { eventId, sender: ourUserId, key }] }
}
