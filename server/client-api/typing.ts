/** Typing notifications. Spec: client-server-api#put_matrixclientv3roomsroomidtypinguserid. */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayBoolean, mayInteger, roomId, userId } from '../http/fields.ts'
import { forbidden, missingParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Typing } from '../rooms/typing.ts'

export interface TypingRouteDeps {
  readonly accounts: TokenReader
  readonly rooms: Pick<Rooms, 'view'>
  readonly typing: Typing
}

/** Where the client does not say how long. */
const defaultTimeoutMs = 30_000

export function typingRoutes({ accounts, rooms, typing }: TypingRouteDeps): Route[] {
  return [
    {
      method: 'PUT',
      path: '/_matrix/client/v3/rooms/:roomId/typing/:userId',
      steps: [requireAccessToken(accounts), limit('ephemeral'), parseBody, setTyping(rooms, typing)],
    },
  ]
}

function setTyping(rooms: Pick<Rooms, 'view'>, typing: Typing): Step {
  return async function setTyping(ctx) {
    const room = roomId(ctx.state.params['roomId'], 'roomId')
    const who = userId(ctx.state.params['userId'], 'userId')
    if (who !== ctx.state.requester.userId) throw forbidden('userId: nobody types for someone else.')
    const isTyping = mayBoolean(ctx.state.body, 'typing')
    if (isTyping === undefined) throw missingParam('typing')
    const timeoutMs = mayInteger(ctx.state.body, 'timeout') ?? defaultTimeoutMs
    const view = await rooms.view(room)
    if (view?.membership(who) !== 'join') throw forbidden('You are not in this room.')
    typing.set(room, who, isTyping ? timeoutMs : 0)
    ctx.body = {}
  }
}
