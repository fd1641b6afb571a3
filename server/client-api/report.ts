/** Spec: client-server-api#reporting-content (report_content.yaml) */
import { parseBody } from '../http/body.ts'
import { mayString, needString, userId } from '../http/fields.ts'
import { notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { People } from '../rooms/people.ts'
import type { Reports } from '../rooms/reports.ts'
import { joinedView } from '../rooms/room-access.ts'
import { RoomError, type Rooms } from '../rooms/rooms.ts'
import { visibleEvent } from './event.ts'
import { pathEventId, pathRoomId } from './room-request.ts'

export interface ReportDeps {
  readonly authenticate: Step
  readonly rooms: Pick<Rooms, 'view' | 'event' | 'visible' | 'sharesRoomWith'>
  readonly people: People
  readonly reports: Pick<Reports, 'add'>
}

const maxReasonLength = 4096

export function reportRoutes({ authenticate, rooms, people, reports }: ReportDeps): Route[] {
  const reportRoom: Step = async function reportRoom(ctx) {
    const { requester, body } = ctx.state
    const roomId = pathRoomId(ctx)
    const reason = needString(body, 'reason', maxReasonLength)
    if (!(await rooms.view(roomId))) throw notFound('roomId: the room was not found.')
    await reports.add({ kind: 'room', reporter: requester.userId, roomId, reason })
    ctx.body = {}
  }

  const reportEvent: Step = async function reportEvent(ctx) {
    const { requester, body } = ctx.state
    const { userId: reporter } = requester
    const roomId = pathRoomId(ctx)
    const eventId = pathEventId(ctx)
    const reason = mayString(body, 'reason', maxReasonLength) ?? ''
    await joinedView(rooms, reporter, roomId).catch(hideRoom)
    await visibleEvent(rooms, reporter, roomId, eventId)
    await reports.add({ kind: 'event', reporter, roomId, eventId, reason })
    ctx.body = {}
  }

  const reportUser: Step = async function reportUser(ctx) {
    const { requester, body } = ctx.state
    const reported = userId(ctx.state.params['userId'], 'userId')
    const reason = needString(body, 'reason', maxReasonLength)
    const shares = (await rooms.sharesRoomWith(requester.userId)).has(reported)
    // An external person learns of nobody with whom they share no room.
    const known = requester.kind !== 'external' && (await people.memberProfile(reported)) !== null
    if (!shares && !known) throw notFound('userId: the user was not found.')
    await reports.add({ kind: 'user', reporter: requester.userId, userId: reported, reason })
    ctx.body = {}
  }

  const post = (path: string, step: Step): Route => ({
    method: 'POST',
    path: `/_matrix/client/v3/${path}`,
    steps: [authenticate, limit('account'), parseBody, step],
  })
  return [
    post('rooms/:roomId/report', reportRoom),
    post('rooms/:roomId/report/:eventId', reportEvent),
    post('users/:userId/report', reportUser),
  ]
}

/** Spec: an event in a room that one is not in is not found. */
function hideRoom(error: unknown): never {
  if (error instanceof RoomError) throw notFound('eventId: the event was not found, or you are not joined.')
  throw error
}
