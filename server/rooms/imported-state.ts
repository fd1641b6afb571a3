/**
 * A state event that came here as part of a state and has no place in the timeline: who may see it.
 *
 * The state before it is not known, so the rule of history-visibility.ts has nothing to stand on. It is shown to whoever is
 * shown a state that it is part of: the room's of today, or as it was when they left; or the one in which the room
 * came here, where they may see the event that brought it.
 *
 * Spec: client-server-api#get_matrixclientv3roomsroomideventeventid, #room-history-visibility
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import { readAccess, visibleState } from './room-access.ts'
import { RoomError, type RoomEvent, type Rooms } from './rooms.ts'
import type { RoomsInternal } from './rooms-internal.ts'

type RoomsRead = Pick<
  Rooms,
  'view' | 'memberships' | 'currentStateAsOf' | 'timeline' | 'stateAt' | 'visible'
> &
  Pick<RoomsInternal, 'stored'>

export async function visibleImportedState(
  rooms: RoomsRead,
  userId: UserId,
  roomId: RoomId,
  eventId: EventId,
): Promise<RoomEvent | undefined> {
  const [stored] = await rooms.stored([eventId])
  const stateKey = stored?.pdu.state_key
  if (!stored?.outlier || stored.rejected || stored.roomId !== roomId || stateKey === undefined) {
    return undefined
  }
  const { type } = stored.pdu
  const shown =
    (await inReadableState(rooms, userId, roomId, type, stateKey, eventId)) ??
    (await inFirstState(rooms, userId, roomId, type, stateKey))
  return shown?.eventId === eventId ? shown : undefined
}

/** What GET /state shows them of this place, if it is this event. */
async function inReadableState(
  rooms: RoomsRead,
  userId: UserId,
  roomId: RoomId,
  type: string,
  stateKey: string,
  eventId: EventId,
): Promise<RoomEvent | undefined> {
  try {
    const access = await readAccess(rooms, userId, roomId)
    const event = await visibleState(rooms, access, type, stateKey)
    return event?.eventId === eventId ? event : undefined
  } catch (error) {
    if (error instanceof RoomError && error.code === 'M_FORBIDDEN') return undefined
    throw error
  }
}

/** Of the state before the first event that was not there when the room came here. */
async function inFirstState(
  rooms: RoomsRead,
  userId: UserId,
  roomId: RoomId,
  type: string,
  stateKey: string,
): Promise<RoomEvent | undefined> {
  const [first] = await rooms.timeline(roomId, { after: 0, limit: 1 })
  if (!first || !(await rooms.visible(userId, [first]))[0]) return undefined
  return (await rooms.stateAt(roomId, first.position, 'before')).get(type, stateKey)
}
