/** Spec: client-server-api#get_matrixclientv1room_summaryroomidoralias (room_summary.yaml) */
import { notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { RoomId, ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Aliases } from '../rooms/aliases.ts'
import type { Actor } from '../rooms/people.ts'
import type { RemoteSpaces } from '../rooms/remote-spaces.ts'
import { mayDiscover, roomSummary } from '../rooms/room-summary.ts'
import type { Rooms, RoomView } from '../rooms/rooms.ts'
import { resolveRoom, viaOf } from './joining.ts'

export interface RoomSummaryDeps {
  readonly authenticate: Step
  readonly rooms: Pick<Rooms, 'view' | 'memberships'>
  readonly remoteSpaces: RemoteSpaces
  readonly aliases: Pick<Aliases, 'resolve'>
}

export function roomSummaryRoutes({ authenticate, rooms, remoteSpaces, aliases }: RoomSummaryDeps): Route[] {
  const getSummary: Step = async function getSummary(ctx) {
    const { requester } = ctx.state
    const { roomId, servers } = await resolveRoom(aliases, ctx.state.params['roomIdOrAlias'])
    const via = [...viaOf(ctx), ...servers]
    const view = await rooms.view(roomId)
    const summary = view ? await summaryHere(view, requester) : await summaryElsewhere(roomId, via, requester)
    if (!summary) throw notFound('roomIdOrAlias: there is no such room, or you may not learn of it.')
    const membership = (await rooms.memberships(requester.userId)).get(roomId)?.membership
    ctx.body = { ...summary, ...(membership === undefined ? {} : { membership }) }
  }
  async function summaryHere(view: RoomView, actor: Actor): Promise<JsonObject | null> {
    return (await mayDiscover(rooms, view, actor)) ? roomSummary(view) : null
  }

  async function summaryElsewhere(
    roomId: RoomId,
    via: readonly ServerName[],
    actor: Actor,
  ): Promise<JsonObject | null> {
    const node = await remoteSpaces.walk(actor, false).node({ roomId, via }, undefined, false)
    return node?.summary ?? null
  }

  return [
    {
      method: 'GET',
      path: '/_matrix/client/v1/room_summary/:roomIdOrAlias',
      steps: [authenticate, limit('directory'), getSummary],
    },
  ]
}
