/** What clients keep with the account. Spec: client-server-api#client-config */
import type { Accounts } from '../accounts/accounts.ts'
import { administrationType } from '../accounts/notices.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { roomId } from '../http/fields.ts'
import { forbidden, MatrixError, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { RoomId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'

/** Answers a type that the server manages and keeps elsewhere (`m.push_rules`). */
export type ManagedAccountData = (userId: UserId, roomId: RoomId | null) => Promise<JsonObject | null>

export interface AccountDataDeps {
  readonly accounts: Accounts
  readonly managed?: Readonly<Record<string, ManagedAccountData>>
}

// Spec: "Servers MUST reject setting account data for event types that the server manages by using a 405".
const managedTypes = new Set(['m.fully_read', 'm.push_rules', administrationType])

export function accountDataRoutes(deps: AccountDataDeps): Route[] {
  const authenticate = requireAccessToken(deps.accounts)
  const global = '/_matrix/client/v3/user/:userId/account_data/:type'
  const ofRoom = '/_matrix/client/v3/user/:userId/rooms/:roomId/account_data/:type'
  const read = [authenticate, limit('read'), needOwnUser, get(deps)]
  const write = [authenticate, limit('account'), needOwnUser, refuseManaged, parseBody, set(deps)]
  return [
    { method: 'GET', path: global, steps: read },
    { method: 'PUT', path: global, steps: write },
    { method: 'GET', path: ofRoom, steps: read },
    { method: 'PUT', path: ofRoom, steps: write },
  ]
}

/** The path names a person: it must be the one who asks. */
export const needOwnUser: Step = async (ctx, next) => {
  if (ctx.state.params['userId'] !== ctx.state.requester.userId)
    throw forbidden('userId: only your own data can be read and changed.')
  await next()
}

const refuseManaged: Step = async (ctx, next) => {
  const type = ctx.state.params['type']!
  if (managedTypes.has(type))
    throw new MatrixError(405, 'M_BAD_JSON', `type: ${type} is managed by the server and cannot be set here.`)
  await next()
}

function get({ accounts, managed }: AccountDataDeps): Step {
  return async ctx => {
    const { requester, params } = ctx.state
    const type = params['type']!
    const room = roomOf(ctx)
    const reader = managed && Object.hasOwn(managed, type) ? managed[type] : undefined
    const content = reader
      ? await reader(requester.userId, room)
      : await accounts.accountData.get(requester.userId, room, type)
    if (!content) throw notFound(`type: there is no account data ${type}.`)
    ctx.body = content
  }
}

function set({ accounts }: AccountDataDeps): Step {
  return async ctx => {
    const { requester, params, body } = ctx.state
    await accounts.accountData.set(requester.userId, roomOf(ctx), params['type']!, body)
    ctx.body = {}
  }
}

function roomOf(ctx: Context): RoomId | null {
  const room = ctx.state.params['roomId']
  return room === undefined ? null : roomId(room, 'roomId')
}
