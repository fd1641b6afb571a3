/**
 * Spec: client-server-api#leaving-rooms, #banning-users-in-a-room, #inviting-users-to-a-room
 * (leaving.yaml, inviting.yaml, kicking.yaml, banning.yaml)
 */
import { refuseSuspended } from '../http/authenticate.ts'
import { parseBody, parseOptionalBody } from '../http/body.ts'
import { mayString, needUserId } from '../http/fields.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { RoomMembers } from '../rooms/membership.ts'
import { pathRoomId } from './room-request.ts'

export interface MembershipDeps {
  readonly authenticate: Step
  readonly members: RoomMembers
}

export function membershipRoutes({ authenticate, members }: MembershipDeps): Route[] {
  const leave: Step = async function leave(ctx) {
    const { requester, body } = ctx.state
    await members.leave(requester, pathRoomId(ctx), { reason: mayString(body, 'reason') })
    ctx.body = {}
  }
  const forget: Step = async function forget(ctx) {
    await members.forget(ctx.state.requester, pathRoomId(ctx))
    ctx.body = {}
  }
  /** invite, kick, ban and unban: someone does it to someone else. */
  const act = (name: 'invite' | 'kick' | 'ban' | 'unban'): Step =>
    async function actOnMember(ctx) {
      const { requester, body } = ctx.state
      const target = needUserId(body, 'user_id')
      await members[name](requester, pathRoomId(ctx), target, { reason: mayString(body, 'reason') })
      ctx.body = {}
    }
  const post = (name: string, ...steps: Step[]): Route => ({
    method: 'POST',
    path: `/_matrix/client/v3/rooms/:roomId/${name}`,
    steps: [authenticate, limit('membership'), ...steps],
  })

  return [
    // Spec: client-server-api#account-suspension: who is suspended may still leave.
    post('leave', parseOptionalBody, leave),
    post('forget', parseOptionalBody, forget),
    post('invite', refuseSuspended, parseBody, act('invite')),
    post('kick', refuseSuspended, parseBody, act('kick')),
    post('ban', refuseSuspended, parseBody, act('ban')),
    post('unban', refuseSuspended, parseBody, act('unban')),
  ]
}
