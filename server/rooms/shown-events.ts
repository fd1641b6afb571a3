/**
 * Events of one room, ready for one reader: membership at each, previous content where it may be seen,
 * bundled aggregations. The events themselves were found visible before.
 */
import type { EventId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { clientEvent, clientEventWithoutRoomId, type Reader, type Shown } from './client-event.ts'
import { hideErased } from './erased-events.ts'
import { membershipSince } from './past-membership.ts'
import type { People } from './people.ts'
import type { Relations } from './relations.ts'
import type { RoomEvent, Rooms, RoomView } from './rooms.ts'

export interface ShownEventsDeps {
  readonly rooms: Pick<Rooms, 'event' | 'events' | 'visible'>
  readonly relations: Pick<Relations, 'bundle'>
  readonly people: Pick<People, 'erasedAmong'>
}

export interface ShowOptions {
  /** Default true; `/sync` has it false. */
  readonly withRoomId?: boolean
  /** Default true. Spec: client-server-api#aggregations-of-child-events says where. */
  readonly bundle?: boolean
}

export async function showEvents(
  { rooms, relations, people }: ShownEventsDeps,
  view: RoomView,
  reader: Reader,
  events: readonly RoomEvent[],
  { withRoomId = true, bundle = true }: ShowOptions = {},
): Promise<JsonObject[]> {
  if (events.length === 0) return []
  const write = withRoomId ? clientEvent : clientEventWithoutRoomId
  const oldest = events.reduce((least, event) => Math.min(least, event.order), events[0]!.order)
  const [membershipAt, hidden] = await Promise.all([
    membershipSince(rooms, view, reader.userId, oldest),
    hiddenPrevious(rooms, reader, events),
  ])
  const show = (event: RoomEvent, bundled?: JsonObject): JsonObject => {
    const membership = membershipAt(event.order)
    const shown: Shown = {
      ...(membership === undefined ? {} : { membership }),
      ...(event.replacesState && hidden.has(event.replacesState.eventId) ? { hidesPrevContent: true } : {}),
      ...(bundled === undefined ? {} : { relations: bundled }),
    }
    return write(event, reader, shown)
  }
  const bundles = bundle ? await relations.bundle(reader.userId, events, show) : undefined
  const all = events.map(event => show(event, bundles?.get(event.eventId)))
  return hideErased(people, view, all)
}

/** State as lists show it: no previous content, which a room of thousands would have to look up one by one. */
export function showState(reader: Reader, events: Iterable<RoomEvent>): JsonObject[] {
  const shown: JsonObject[] = []
  for (const event of events) shown.push(clientEvent(event, reader, { hidesPrevContent: true }))
  return shown
}

/** Replaced state events among these that the reader may not see. Spec: client-server-api#room-event-format (prev_content) */
async function hiddenPrevious(
  rooms: ShownEventsDeps['rooms'],
  reader: Reader,
  events: readonly RoomEvent[],
): Promise<ReadonlySet<EventId>> {
  const ids = events.flatMap(event => (event.replacesState ? [event.replacesState.eventId] : []))
  if (ids.length === 0) return new Set()
  const hidden = new Set(ids)
  const known = (await rooms.events(ids)).filter(event => event !== null)
  const visible = await rooms.visible(reader.userId, known)
  known.forEach((event, i) => {
    if (visible[i]) hidden.delete(event.eventId)
  })
  return hidden
}
