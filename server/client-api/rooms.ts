/** All room endpoints of the client-server API, in the order of the specification's modules. */
import { notFound } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import { parseRoomAlias, parseRoomId, type UserId } from '../protocol/ids.ts'
import { isWorldReadable, notInRoom } from '../rooms/room-access.ts'
import { type AliasesDeps, aliasRoutes } from './aliases.ts'
import { type ContextDeps, contextRoutes } from './context.ts'
import { type CreateRoomRoutesDeps, createRoomRoutes } from './create-room.ts'
import { type EventDeps, eventRoutes } from './event.ts'
import { type JoinedRoomsDeps, joinedRoomsRoutes } from './joined-rooms.ts'
import { type JoiningDeps, joiningRoutes } from './joining.ts'
import { type MembersDeps, membersRoutes } from './members.ts'
import { type MembershipDeps, membershipRoutes } from './membership.ts'
import { type MessagesDeps, messagesRoutes } from './messages.ts'
import { type PublicRoomsDeps, publicRoomsRoutes } from './public-rooms.ts'
import { type RelationsDeps, relationsRoutes } from './relations.ts'
import { fromPeer } from './remote-answer.ts'
import { type ReportDeps, reportRoutes } from './report.ts'
import { type RoomSummaryDeps, roomSummaryRoutes } from './room-summary.ts'
import { type SendDeps, sendRoutes } from './send.ts'
import { type SpacesDeps, spacesRoutes } from './spaces.ts'
import { type StateDeps, stateRoutes } from './state.ts'
import { type ThreadsDeps, threadsRoutes } from './threads.ts'
import { type TimestampToEventDeps, timestampToEventRoutes } from './timestamp-to-event.ts'
import { type UpgradeRoutesDeps, upgradeRoutes } from './upgrade.ts'

export type RoomRoutesDeps = AliasesDeps &
  ContextDeps &
  CreateRoomRoutesDeps &
  EventDeps &
  JoinedRoomsDeps &
  JoiningDeps &
  MembersDeps &
  MembershipDeps &
  MessagesDeps &
  PublicRoomsDeps &
  RelationsDeps &
  ReportDeps &
  RoomSummaryDeps &
  SendDeps &
  SpacesDeps &
  StateDeps &
  ThreadsDeps &
  TimestampToEventDeps &
  UpgradeRoutesDeps

export function roomRoutes(all: RoomRoutesDeps): Route[] {
  const deps = { ...all, authenticate: keepingGuestsOut(all) }
  return [
    ...createRoomRoutes(deps),
    ...aliasRoutes(deps),
    ...joinedRoomsRoutes(deps),
    ...membershipRoutes(deps),
    ...joiningRoutes(deps),
    ...publicRoomsRoutes(deps),
    ...roomSummaryRoutes(deps),
    ...sendRoutes(deps),
    ...stateRoutes(deps),
    ...messagesRoutes(deps),
    ...eventRoutes(deps),
    ...contextRoutes(deps),
    ...membersRoutes(deps),
    ...relationsRoutes(deps),
    ...threadsRoutes(deps),
    ...timestampToEventRoutes(deps),
    ...spacesRoutes(deps),
    ...upgradeRoutes(deps),
    ...reportRoutes(deps),
  ]
}

/**
 * External people read the rooms that they are, or were, members of, and those that they are invited to: what is open to
 * anybody is open to the organisation's own people. Coming in is refused elsewhere (accounts/membership-gate.ts).
 */
function keepingGuestsOut({ authenticate, rooms, aliases }: RoomRoutesDeps): Step {
  return async function authenticateAndKeepGuestsOut(ctx, next) {
    await authenticate(ctx, async () => {
      const { requester, params } = ctx.state
      if (requester.kind === 'external' && (ctx.method === 'GET' || ctx.method === 'HEAD')) {
        if (!(await isTheirs(requester.userId, params['roomId']))) throw notInRoom()
        const alias = parseRoomAlias(params['roomAlias'])
        const named = alias && (await fromPeer(aliases.resolve(alias)))
        if (named && !(await isTheirs(requester.userId, named.roomId))) {
          throw notFound(`roomAlias: there is no room alias ${alias}.`)
        }
      }
      await next()
    })
  }

  async function isTheirs(userId: UserId, text: string | undefined): Promise<boolean> {
    const roomId = parseRoomId(text)
    if (!roomId) return true
    const own = (await rooms.memberships(userId)).get(roomId)
    if (own?.membership === 'join' || own?.membership === 'invite') return true
    // Who has left sees what was before, and not what goes on in a room that all may read.
    const view = own?.everJoined ? await rooms.view(roomId) : null
    return view !== null && !isWorldReadable(view)
  }
}
