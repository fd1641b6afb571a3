/** Spec: client-server-api#get_matrixclientv3joined_rooms (list_joined_rooms.yaml) */
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { Rooms } from '../rooms/rooms.ts'

export interface JoinedRoomsDeps {
  readonly authenticate: Step
  readonly rooms: Pick<Rooms, 'memberships'>
}

export function joinedRoomsRoutes({ authenticate, rooms }: JoinedRoomsDeps): Route[] {
  const listJoinedRooms: Step = async function listJoinedRooms(ctx) {
    const memberships = await rooms.memberships(ctx.state.requester.userId)
    const joined: string[] = []
    for (const { roomId, membership } of memberships.values()) {
      if (membership === 'join') joined.push(roomId)
    }
    ctx.body = { joined_rooms: joined }
  }
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/joined_rooms',
      steps: [authenticate, limit('read'), listJoinedRooms],
    },
  ]
}
