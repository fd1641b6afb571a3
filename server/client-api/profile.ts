/**
 * Profiles. Spec: client-server-api#profiles
 *
 * Who works in an organisation is not public: without an access token nobody is shown (403, "the server is unwilling
 * to disclose whether the user exists"), and external people see only those with whom they share a room.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { checkFieldName } from '../accounts/profiles.ts'
import { mayAccessToken, refuseSuspended, requireAccessToken } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { userId } from '../http/fields.ts'
import { forbidden, missingParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Requester, Route, Step } from '../http/route.ts'
import { serverOf, type UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'

export interface ProfileDeps {
  readonly accounts: Accounts
  /** Asks another server. Until there is one, people elsewhere are called what our rooms call them. */
  readonly remoteProfile?: (userId: UserId) => Promise<JsonObject | null>
}

export function profileRoutes(deps: ProfileDeps): Route[] {
  const { accounts } = deps
  const authenticate = requireAccessToken(accounts)
  const whole = '/_matrix/client/v3/profile/:userId'
  const field = '/_matrix/client/v3/profile/:userId/:keyName'
  const look = [mayAccessToken(accounts), limit('read')]
  const change = [authenticate, limit('account'), refuseSuspended]
  return [
    { method: 'GET', path: whole, steps: [...look, getProfile(deps)] },
    { method: 'GET', path: field, steps: [...look, getField(deps)] },
    { method: 'PUT', path: field, steps: [...change, parseBody, needOwnProfile, setField(accounts)] },
    { method: 'DELETE', path: field, steps: [...change, needOwnProfile, removeField(accounts)] },
  ]
}

function getProfile(deps: ProfileDeps): Step {
  return async ctx => {
    ctx.body = await lookUp(deps, ctx)
  }
}

function getField(deps: ProfileDeps): Step {
  return async ctx => {
    const name = ctx.state.params['keyName']!
    checkFieldName(name)
    const value = (await lookUp(deps, ctx))[name]
    if (value === undefined) throw notFound(`The profile has no field ${name}.`)
    ctx.body = { [name]: value }
  }
}

const needOwnProfile: Step = async (ctx, next) => {
  if (userId(ctx.state.params['userId'], 'userId') !== ctx.state.requester.userId)
    throw forbidden('userId: only your own profile can be changed.')
  await next()
}

function setField(accounts: Accounts): Step {
  return async ctx => {
    const { body, params, requester } = ctx.state
    const name = params['keyName']!
    checkFieldName(name)
    const value = body[name]
    if (value === undefined) throw missingParam(name)
    await accounts.profiles.setField(requester.userId, name, value)
    ctx.body = {}
  }
}

function removeField(accounts: Accounts): Step {
  return async ctx => {
    await accounts.profiles.removeField(ctx.state.requester.userId, ctx.state.params['keyName']!)
    ctx.body = {}
  }
}

async function lookUp({ accounts, remoteProfile }: ProfileDeps, ctx: Context): Promise<JsonObject> {
  const wanted = userId(ctx.state.params['userId'], 'userId')
  // Spec: 403 "the server is unwilling to disclose whether the user exists", the same for those who do not.
  const asker: Requester | undefined = ctx.state.requester
  if (!asker) throw forbidden('userId: this server shows its people to those who are signed in.')
  if (!(await accounts.people.maySee(asker, wanted)))
    throw forbidden('userId: you share no room with this person.')
  if (serverOf(wanted) !== accounts.serverName) {
    const profile =
      (await remoteProfile?.(wanted)) ?? (await accounts.profiles.asSeenInRooms(asker.userId, wanted))
    if (!profile) throw notFound('userId: nothing is known here about this person.')
    return profile
  }
  const person = await accounts.people.get(wanted)
  if (!person || person.deactivatedTs !== undefined) throw notFound('userId names nobody here.')
  return accounts.profiles.get(wanted)
}
