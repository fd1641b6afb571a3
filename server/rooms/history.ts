/**
 * Reading a room's timeline in either direction as one person may see it.
 *
 * Spec: client-server-api#get_matrixclientv3roomsroomidmessages, #room-history-visibility
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import type { RoomEventFilter } from './event-filter.ts'
import type { RoomEvent, Rooms } from './rooms.ts'

export interface HistoryQuery {
  readonly forwards: boolean
  /** Places between events, see timeline-token.ts. */
  readonly from?: number
  readonly to?: number
  readonly limit: number
  readonly filter: RoomEventFilter
}

export interface HistoryPage {
  readonly events: readonly RoomEvent[]
  /** Where to go on; absent once there is nothing more that this person may see. */
  readonly end?: number
}

/** Events looked at for one request: who may see little of a long history gets pages that are short, not slow. */
const maxScanned = 2_000
/** Pages that are fetched from other servers for one request. */
const maxFetched = 5

export async function readHistory(
  rooms: Pick<Rooms, 'timeline' | 'visible' | 'fetchOlder' | 'fetchBetween'>,
  userId: UserId,
  roomId: RoomId,
  query: HistoryQuery,
): Promise<HistoryPage> {
  const { forwards, to, limit, filter } = query
  const events: RoomEvent[] = []
  let from = query.from
  if (limit === 0) return from === undefined ? { events } : { events, end: from }
  let end = from
  let scanned = 0
  let fetched = 0
  for (;;) {
    // One more than asked for tells whether there is another page.
    const size = Math.min(200, Math.max(20, limit + 1 - events.length))
    const batch = await rooms.timeline(roomId, {
      ...range(forwards, from, to),
      reverse: !forwards,
      limit: size,
    })
    const newest = forwards ? batch.at(-1) : undefined
    if (newest && fetched < maxFetched) {
      const low = from ?? Number.NEGATIVE_INFINITY
      if (await rooms.fetchBetween(roomId, low, newest.order)) {
        fetched++
        continue
      }
    }
    const matching = filter.matchesAll ? batch : batch.filter(event => filter.matches(event))
    const visible = await rooms.visible(userId, matching)
    for (let i = 0; i < matching.length; i++) {
      if (!visible[i]) continue
      if (events.length === limit) return end === undefined ? { events } : { events, end }
      events.push(matching[i]!)
      end = beyond(forwards, matching[i]!)
    }
    const last = batch.at(-1)
    if (last) from = beyond(forwards, last)
    if (batch.length < size) {
      // What is here ends; what other servers have may go on.
      const goesOn =
        !forwards && to === undefined && fetched++ < maxFetched && (await rooms.fetchOlder(roomId, from))
      if (!goesOn) return { events }
    }
    scanned += batch.length
    if (scanned >= maxScanned && from !== undefined) return { events, end: from }
  }
}

/** The place behind this event in the direction of reading. */
function beyond(forwards: boolean, event: RoomEvent): number {
  return forwards ? event.order : event.order - 1
}

function range(forwards: boolean, from: number | undefined, to: number | undefined) {
  const [low, high] = forwards ? [from, to] : [to, from]
  return {
    ...(low === undefined ? {} : { after: low }),
    ...(high === undefined ? {} : { before: high + 1 }),
  }
}
