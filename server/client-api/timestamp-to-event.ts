/** Spec: client-server-api#get_matrixclientv1roomsroomidtimestamp_to_event (room_event_by_timestamp.yaml) */
import { queryInteger } from '../http/fields.ts'
import { missingParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { RoomId, UserId } from '../protocol/ids.ts'
import { noFilter } from '../rooms/event-filter.ts'
import { readHistory } from '../rooms/history.ts'
import { nearestOfAll } from '../rooms/remote-near.ts'
import type { RemoteRooms } from '../rooms/remote-rooms.ts'
import { readAccess } from '../rooms/room-access.ts'
import type { RoomEvent, Rooms } from '../rooms/rooms.ts'
import type { RoomsInternal } from '../rooms/rooms-internal.ts'
import { pathRoomId, queryForwards } from './room-request.ts'

export interface TimestampToEventDeps {
  readonly authenticate: Step
  readonly rooms: Rooms & Pick<RoomsInternal, 'backwardExtremities' | 'fetchEvent'>
  readonly remoteRooms: Pick<RemoteRooms, 'timestampToEvent'>
}

export function timestampToEventRoutes({ authenticate, rooms, remoteRooms }: TimestampToEventDeps): Route[] {
  const findEvent: Step = async function findEvent(ctx) {
    const { userId } = ctx.state.requester
    const roomId = pathRoomId(ctx)
    const forwards = queryForwards(ctx, 'dir')
    const timestamp = queryInteger(ctx.query, 'ts')
    if (timestamp === undefined) throw missingParam('ts')
    const { view, until } = await readAccess(rooms, userId, roomId)
    const here = await visibleNear(userId, roomId, timestamp, forwards)
    const nearest =
      until === undefined
        ? await nearestOfAll({ rooms, remote: remoteRooms }, view, timestamp, forwards, here)
        : here
    // What came from a peer was shown to this server; whether this person may see it, the state at it says.
    const isVisible = nearest && (nearest === here || (await rooms.visible(userId, [nearest]))[0])
    const event = isVisible ? nearest : here
    if (!event) {
      throw notFound(`ts: no event from ${timestamp} in ${forwards ? 'forward' : 'backward'} direction.`)
    }
    ctx.body = { event_id: event.eventId, origin_server_ts: event.originServerTs }
  }

  /** The nearest event; where that one is hidden from the user, the next that is not. */
  async function visibleNear(
    userId: UserId,
    roomId: RoomId,
    timestamp: number,
    forwards: boolean,
  ): Promise<RoomEvent | undefined> {
    const nearest = await rooms.eventNear(roomId, timestamp, forwards ? 'forwards' : 'backwards')
    if (!nearest) return undefined
    const from = forwards ? nearest.order - 1 : nearest.order
    const page = await readHistory(rooms, userId, roomId, { forwards, from, limit: 1, filter: noFilter })
    return page.events[0]
  }

  return [
    {
      method: 'GET',
      path: '/_matrix/client/v1/rooms/:roomId/timestamp_to_event',
      steps: [authenticate, limit('read'), findEvent],
    },
  ]
}
