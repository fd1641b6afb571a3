/** What becomes of events that were read: which of them stand in a timeline, what they take away, what is found by their words. */
import type { VaultWrite } from '../vault/records.ts'
import type { Indexed } from './ports.ts'
import { searchedText } from './reading.ts'
import { type Redaction, type RelationBatch, validEdit } from './relations.ts'
import { relationOf, type StoredEvent } from './stored-event.ts'
import type { ClientEvent } from './sync-answer.ts'
import type { Timeline } from './timeline.ts'

/** What relates to another event stands with that one. */
export function isKept(event: StoredEvent): boolean {
  const relation = relationOf(event)
  return event.type !== 'm.room.redaction' && relation?.kind !== 'reaction' && relation?.kind !== 'edit'
}

export function redactionsOf(events: readonly ClientEvent[]): Redaction[] {
  return events.flatMap(({ eventId, sender, redacts, content }) =>
    redacts === null
      ? []
      : {
          eventId,
          sender,
          redacts,
          reason: typeof content['reason'] === 'string' ? content['reason'] : null,
        },
  )
}

/** Where a key that comes later has something to open: see reopen.ts. */
export const unreadSession = 'unread-session'

export function sessionMarks(roomId: string, events: readonly StoredEvent[]): VaultWrite[] {
  const sessions = new Set(events.flatMap(({ unreadable }) => unreadable?.sessionId ?? []))
  return [...sessions].map(sessionId => ({
    collection: unreadSession,
    id: `${roomId}|${sessionId}`,
    value: {},
  }))
}

/** As it reads now. Its relations were loaded. */
export function indexed(roomId: string, event: StoredEvent, relations: RelationBatch): Indexed[] {
  const of = relations.of(event.eventId)
  if (relationOf(event)?.kind === 'edit' || of.redaction || event.redactedBecause) return []
  const text = searchedText({
    type: event.type,
    content: validEdit(roomId, event, of)?.content ?? event.content,
  })
  if (text === '') return []
  // What says that it comes from the future would be found first for ever.
  return [{ roomId, eventId: event.eventId, timestamp: Math.min(event.ts, Date.now()), text }]
}

const editedPacks = 20

/** Originals of these edits, under the original's id: whoever searches finds what stands there now (attack 11). */
export async function indexedEdits(
  roomId: string,
  events: readonly StoredEvent[],
  timeline: Timeline,
  relations: RelationBatch,
): Promise<Indexed[]> {
  const found: Indexed[] = []
  for (const event of events) {
    const relation = relationOf(event)
    if (relation?.kind !== 'edit') continue
    const at = await timeline.find(relation.to, editedPacks)
    const original = at?.pack.events[at.index]
    if (original && validEdit(roomId, original, relations.of(relation.to)))
      found.push(...indexed(roomId, original, relations))
  }
  return found
}
