/** Spec: server-server-api#get_matrixfederationv1hierarchyroomid */
import { queryBoolean } from '../http/fields.ts'
import { notFound } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import type { InboundRooms } from '../rooms/inbound-rooms.ts'
import { mayServerDiscover, roomSummary } from '../rooms/room-summary.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { childRooms } from '../rooms/space-children.ts'
import { mayAsk } from './may-ask.ts'
import { pathRoom } from './peer-request.ts'

export interface HierarchyDeps {
  readonly authenticate: Step
  readonly rooms: Pick<InboundRooms, 'askedBy'> & Pick<Rooms, 'view'>
}

/** Children of one space that are looked at. */
const maxChildren = 1_000

export function hierarchyRoutes({ authenticate, rooms }: HierarchyDeps): Route[] {
  const hierarchy: Step = async function hierarchy(ctx) {
    const { origin } = ctx.state
    const suggestedOnly = queryBoolean(ctx.query, 'suggested_only') ?? false
    const room = await mayAsk(rooms, origin, pathRoom(ctx))
    if (!room || !(await mayServerDiscover(rooms, room, origin))) {
      throw notFound('roomId: there is no such room, or your server may not learn of it.')
    }
    const links = childRooms(room, suggestedOnly).slice(0, maxChildren)
    const children = []
    const inaccessible = []
    for (const { roomId } of links) {
      // A room that is not here may be known elsewhere: it is in neither list.
      if (!(await rooms.view(roomId))) continue
      const child = await mayAsk(rooms, origin, roomId)
      if (child && (await mayServerDiscover(rooms, child, origin))) children.push(roomSummary(child))
      else inaccessible.push(roomId)
    }
    ctx.body = {
      room: { ...roomSummary(room), children_state: links.map(({ stripped }) => stripped) },
      children,
      inaccessible_children: inaccessible,
    }
  }
  return [
    { method: 'GET', path: '/_matrix/federation/v1/hierarchy/:roomId', steps: [authenticate, hierarchy] },
  ]
}
