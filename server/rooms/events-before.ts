/**
 * Events of a room from some of them back along the graph, the newest first: what other servers ask for to fill a gap.
 *
 * Spec: server-server-api#backfilling-and-retrieving-missing-events. By depth, which an event's maker may write as it
 * likes: it orders the walk and bounds nothing. An event is looked at once, so a circle of them would end.
 */
import type { EventId, RoomId } from '../protocol/ids.ts'
import type { View } from '../store/store.ts'
import type { EventReader } from './event-reader.ts'
import { PriorityQueue } from './priority-queue.ts'
import type { EventsBefore } from './rooms-internal.ts'
import type { StoredEvent } from './stored-event.ts'

export async function eventsBefore(
  view: View,
  reader: EventReader,
  roomId: RoomId,
  { latest, withLatest = false, earliest = [], minDepth = 0, limit }: EventsBefore,
): Promise<EventId[]> {
  const known = new Set<EventId>(earliest)
  const next = new PriorityQueue<StoredEvent>((a, b) => b.depth - a.depth || (a.eventId < b.eventId ? 1 : -1))
  const look = async (ids: readonly EventId[]): Promise<StoredEvent[]> => {
    const fresh = [...new Set(ids)].filter(id => !known.has(id))
    for (const id of fresh) known.add(id)
    const events = await reader.byIds(view, fresh)
    return events.filter(event => event !== undefined && isPart(event, roomId)) as StoredEvent[]
  }
  const push = (events: readonly StoredEvent[]) => {
    for (const event of events) if (event.depth >= minDepth) next.push(event)
  }

  const ends = await look(latest)
  push(withLatest ? ends : await look(ends.flatMap(event => event.pdu.prev_events)))
  const found: EventId[] = []
  while (found.length < limit) {
    const event = next.pop()
    if (!event) break
    found.push(event.eventId)
    push(await look(event.pdu.prev_events))
  }
  return found
}

/** Has it a place in this room's graph? A soft-failed one has: other servers may have accepted it. */
function isPart(event: StoredEvent, roomId: RoomId): boolean {
  const { outlier, rejected } = event.facts.flags
  return event.roomId === roomId && !outlier && !rejected
}
