/** All room endpoints of the client-server API, in the order of the specification's modules. */
import type { Route } from '../http/route.ts'
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

export function roomRoutes(deps: RoomRoutesDeps): Route[] {
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
