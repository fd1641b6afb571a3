/** Presence: say it, and ask for it. Where it is off, nobody has any. Spec: client-server-api#presence */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayString, needString, userId } from '../http/fields.ts'
import { forbidden, invalidParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { type Presence, presenceContent, presenceStates } from '../sync/presence.ts'

export interface PresenceRouteDeps {
  readonly accounts: TokenReader
  readonly rooms: Pick<Rooms, 'sharesRoomWith'>
  /** null: off. */
  readonly presence: Presence | null
  readonly clock: () => number
}

const maxStatusLength = 1_000

export function presenceRoutes({ accounts, rooms, presence, clock }: PresenceRouteDeps): Route[] {
  const path = '/_matrix/client/v3/presence/:userId/status'
  const authenticate = requireAccessToken(accounts)

  const set: Step = async function setPresence(ctx) {
    const who = userId(ctx.state.params['userId'], 'userId')
    if (who !== ctx.state.requester.userId) throw forbidden('userId: nobody is present for someone else.')
    const wanted = needString(ctx.state.body, 'presence')
    const state = presenceStates.find(each => each === wanted)
    if (!state) throw invalidParam(`presence must be one of ${presenceStates.join(', ')}.`)
    presence?.set(who, state, mayString(ctx.state.body, 'status_msg', maxStatusLength))
    ctx.body = {}
  }

  const get: Step = async function getPresence(ctx) {
    const who = userId(ctx.state.params['userId'], 'userId')
    const { userId: asker } = ctx.state.requester
    const status = presence?.get(who)
    // Who shares no room is told the same as where there is nothing to tell.
    const maySee = status && (who === asker || (await rooms.sharesRoomWith(asker)).has(who))
    if (!maySee) throw notFound('userId: nothing is known of their presence.')
    ctx.body = presenceContent(status, clock())
  }

  return [
    { method: 'PUT', path, steps: [authenticate, limit('ephemeral'), parseBody, set] },
    { method: 'GET', path, steps: [authenticate, limit('read'), get] },
  ]
}
