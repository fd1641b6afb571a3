/** Spec: client-server-api#get_matrixclientv1room_summaryroomidoralias (room_summary.yaml) */
import { notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { Aliases } from '../rooms/aliases.ts'
import { mayDiscover, roomSummary } from '../rooms/room-summary.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { resolveRoom } from './joining.ts'

export interface RoomSummaryDeps {
  readonly authenticate: Step
  readonly rooms: Pick<Rooms, 'view' | 'memberships'>
  readonly aliases: Pick<Aliases, 'resolve'>
}

export function roomSummaryRoutes({ authenticate, rooms, aliases }: RoomSummaryDeps): Route[] {
  const getSummary: Step = async function getSummary(ctx) {
    const { requester } = ctx.state
    const { roomId } = await resolveRoom(aliases, ctx.state.params['roomIdOrAlias'])
    const view = await rooms.view(roomId)
    if (!view || !(await mayDiscover(rooms, view, requester))) {
      throw notFound('roomIdOrAlias: there is no such room, or you may not learn of it.')
    }
    const membership = view.membership(requester.userId)
    ctx.body = { ...roomSummary(view), ...(membership === undefined ? {} : { membership }) }
  }
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v1/room_summary/:roomIdOrAlias',
      steps: [authenticate, limit('directory'), getSummary],
    },
  ]
}
