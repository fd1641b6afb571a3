/** Spec: client-server-api#get_matrixclientv3roomsroomidmembers and …joined_members (rooms.yaml) */
import { queryText } from '../http/fields.ts'
import { invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'
import { type Access, joinedView, readAccess, wholeVisibleState } from '../rooms/room-access.ts'
import type { RoomEvent, Rooms } from '../rooms/rooms.ts'
import { showState } from '../rooms/shown-events.ts'
import { pathRoomId, queryPlace, readerOf } from './room-request.ts'

export interface MembersDeps {
  readonly authenticate: Step
  readonly rooms: Rooms
  readonly clock: () => number
}

const memberships = ['join', 'invite', 'knock', 'leave', 'ban']

export function membersRoutes({ authenticate, rooms, clock }: MembersDeps): Route[] {
  const getMembers: Step = async function getMembers(ctx) {
    const access = await readAccess(rooms, ctx.state.requester.userId, pathRoomId(ctx))
    const wanted = readMembershipFilter(ctx)
    const at = queryPlace(ctx, 'at')
    const chunk: RoomEvent[] = []
    for (const event of await membersAt(access, at)) {
      if (wanted(event.content['membership'] as string)) chunk.push(event)
    }
    ctx.body = { chunk: showState(readerOf(ctx, clock), chunk) }
  }

  const getJoinedMembers: Step = async function getJoinedMembers(ctx) {
    const view = await joinedView(rooms, ctx.state.requester.userId, pathRoomId(ctx))
    const joined: { [userId: string]: JsonObject } = {}
    for (const { stateKey, content } of view.members('join')) {
      const { displayname, avatar_url: avatarUrl } = content
      joined[stateKey] = {
        ...(typeof displayname === 'string' ? { display_name: displayname } : {}),
        ...(typeof avatarUrl === 'string' ? { avatar_url: avatarUrl } : {}),
      }
    }
    ctx.body = { joined }
  }

  async function membersAt(access: Access, at: number | undefined): Promise<Iterable<RoomEvent>> {
    const { view, until } = access
    const place = at === undefined ? undefined : Math.min(at, until ?? view.lastPosition)
    if (place === undefined || place === view.lastPosition) {
      return until === undefined ? view.members() : onlyMembers(await wholeVisibleState(rooms, access))
    }
    // The token may stand anywhere: what counts is the last event of this room at or below it.
    const [last] = await rooms.timeline(view.roomId, { before: place + 1, reverse: true, limit: 1 })
    if (!last) return []
    return onlyMembers(await (await rooms.stateAt(view.roomId, last.position, 'after')).getAll())
  }

  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/rooms/:roomId/members',
      steps: [authenticate, limit('read'), getMembers],
    },
    {
      method: 'GET',
      path: '/_matrix/client/v3/rooms/:roomId/joined_members',
      steps: [authenticate, limit('read'), getJoinedMembers],
    },
  ]
}

function onlyMembers(state: Iterable<RoomEvent>): RoomEvent[] {
  return [...state].filter(event => event.type === 'm.room.member')
}

/** Spec: given both, either condition suffices. */
function readMembershipFilter(ctx: Context): (membership: string) => boolean {
  const [only, not] = ['membership', 'not_membership'].map(name => {
    const value = queryText(ctx.query, name)
    if (value !== undefined && !memberships.includes(value)) {
      throw invalidParam(`${name} must be one of ${memberships.join(', ')}.`)
    }
    return value
  })
  if (only === undefined && not === undefined) return () => true
  return membership => membership === only || (not !== undefined && membership !== not)
}
