/**
 * Administration as the specification has it: lock, suspend, whois. More is in `admin-api`.
 *
 * Spec: client-server-api#server-administration, #account-moderation
 */
import type { Accounts } from '../accounts/accounts.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayBoolean, userId } from '../http/fields.ts'
import { forbidden, missingParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Requester, Route, Step } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'

export function serverAdminRoutes({ accounts }: { readonly accounts: Accounts }): Route[] {
  // Spec: "servers MUST ensure that authorisation is checked prior to trying to do account lookups".
  const administrator = [requireAccessToken(accounts), limit('admin'), needAdministrator]
  const lock = '/_matrix/client/v1/admin/lock/:userId'
  const suspend = '/_matrix/client/v1/admin/suspend/:userId'
  return [
    { method: 'GET', path: lock, steps: [...administrator, read(accounts, 'locked')] },
    { method: 'PUT', path: lock, steps: [...administrator, parseBody, write(accounts, 'locked')] },
    { method: 'GET', path: suspend, steps: [...administrator, read(accounts, 'suspended')] },
    { method: 'PUT', path: suspend, steps: [...administrator, parseBody, write(accounts, 'suspended')] },
    {
      method: 'GET',
      path: '/_matrix/client/v3/admin/whois/:userId',
      steps: [requireAccessToken(accounts), limit('account'), whois(accounts)],
    },
  ]
}

const needAdministrator: Step = async (ctx, next) => {
  if (ctx.state.requester.kind !== 'administrator')
    throw forbidden('You are not an administrator of this server.')
  await next()
}

type Flag = 'locked' | 'suspended'

function read(accounts: Accounts, flag: Flag): Step {
  return async ctx => {
    const person = await accounts.people.moderable(ctx.state.requester.userId, target(ctx))
    ctx.body = { [flag]: person[flag] === true }
  }
}

function write(accounts: Accounts, flag: Flag): Step {
  return async ctx => {
    const value = mayBoolean(ctx.state.body, flag)
    if (value === undefined) throw missingParam(flag)
    const actor = ctx.state.requester.userId
    if (flag === 'locked') await accounts.people.setLocked(actor, target(ctx), value)
    else await accounts.people.setSuspended(actor, target(ctx), value)
    ctx.body = { [flag]: value }
  }
}

/** For oneself and for administrators. We keep no addresses and no user agents: what remains is when. */
function whois(accounts: Accounts): Step {
  return async ctx => {
    const { requester } = ctx.state
    const wanted = target(ctx)
    if (wanted !== requester.userId && requester.kind !== 'administrator')
      throw forbidden('userId: only administrators may ask about others.')
    if (!(await accounts.people.get(wanted))) throw notFound('userId names nobody here.')
    const devices = await accounts.sessions.devices(wanted)
    ctx.body = {
      user_id: wanted,
      devices: Object.fromEntries(
        devices.map(({ deviceId, lastSeenTs }) => [
          deviceId,
          { sessions: [{ connections: lastSeenTs === undefined ? [] : [{ last_seen: lastSeenTs }] }] },
        ]),
      ),
    }
  }
}

function target(ctx: Context) {
  return userId(ctx.state.params['userId'], 'userId')
}

/** What `GET /capabilities` says about accounts. Spec: client-server-api#capabilities-negotiation */
export function accountCapabilities(accounts: Accounts, requester: Requester): JsonObject {
  return {
    'm.change_password': { enabled: accounts.passwords.enabled },
    'm.set_displayname': { enabled: true },
    'm.set_avatar_url': { enabled: true },
    'm.profile_fields': { enabled: true },
    'm.3pid_changes': { enabled: false },
    'm.get_login_token': { enabled: true },
    ...(requester.kind === 'administrator' ? { 'm.account_moderation': { lock: true, suspend: true } } : {}),
  }
}
