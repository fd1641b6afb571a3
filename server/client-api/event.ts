/** Spec: client-server-api#get_matrixclientv3roomsroomideventeventid (rooms.yaml) */
import { notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import { visibleImportedState } from '../rooms/imported-state.ts'
import type { People } from '../rooms/people.ts'
import type { Relations } from '../rooms/relations.ts'
import type { RoomEvent, Rooms, RoomView } from '../rooms/rooms.ts'
import type { RoomsInternal } from '../rooms/rooms-internal.ts'
import { showEvents } from '../rooms/shown-events.ts'
import { pathEventId, pathRoomId, readerOf } from './room-request.ts'

export interface EventDeps {
  readonly authenticate: Step
  readonly rooms: Rooms & Pick<RoomsInternal, 'stored'>
  readonly relations: Pick<Relations, 'bundle'>
  readonly people: People
  readonly clock: () => number
}

export function eventRoutes(deps: EventDeps): Route[] {
  const { authenticate, rooms, clock } = deps
  const getEvent: Step = async function getEvent(ctx) {
    const { userId } = ctx.state.requester
    const { view, event } = await readableEvent(userId, pathRoomId(ctx), pathEventId(ctx))
    ctx.body = (await showEvents(deps, view, readerOf(ctx, clock), [event]))[0]
  }

  /** Here even what came with the room's state counts, which nobody finds in the timeline. */
  async function readableEvent(
    userId: UserId,
    roomId: RoomId,
    eventId: EventId,
  ): Promise<{ view: RoomView; event: RoomEvent }> {
    const event = await visibleImportedState(rooms, userId, roomId, eventId)
    const view = event && (await rooms.view(roomId))
    return view ? { view, event } : visibleEvent(rooms, userId, roomId, eventId)
  }

  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/rooms/:roomId/event/:eventId',
      steps: [authenticate, limit('read'), getEvent],
    },
  ]
}

/** An event of this room that the user may see; all else is not found, whether it exists or not. */
export async function visibleEvent(
  rooms: Pick<Rooms, 'view' | 'event' | 'visible'>,
  userId: UserId,
  roomId: RoomId,
  eventId: EventId,
): Promise<{ view: RoomView; event: RoomEvent }> {
  const [view, event] = await Promise.all([rooms.view(roomId), rooms.event(eventId)])
  if (view && event?.roomId === roomId && (await rooms.visible(userId, [event]))[0]) return { view, event }
  throw notFound('eventId: there is no such event in this room, or you may not see it.')
}
