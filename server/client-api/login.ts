/**
 * Sign in. Spec: client-server-api#legacy-login
 *
 * `org.letro.login.passkey` is ours. A client asks `POST /_letro/client/v1/passkey/challenge` for
 * `{"options": PublicKeyCredentialRequestOptionsJSON}`, hands the options to `navigator.credentials.get`, and sends
 * `{"type": "org.letro.login.passkey", "assertion": AuthenticationResponseJSON, …}` to `POST /login`. The
 * passkey says who signs in; each challenge works once and for five minutes.
 *
 * `m.login.token`: see login-token.ts.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { parseBody, parseOptionalBody } from '../http/body.ts'
import { mayObject, mayString, needObject, needString } from '../http/fields.ts'
import { badJson, forbidden, MatrixError, missingParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { newSessionOf, sessionAnswer } from './session-answer.ts'

export const passkeyLoginType = 'org.letro.login.passkey'
const loginTokenType = 'm.login.token'

export function loginRoutes({ accounts }: { readonly accounts: Accounts }): Route[] {
  return [
    { method: 'GET', path: '/_matrix/client/v3/login', steps: [listFlows(accounts)] },
    { method: 'POST', path: '/_matrix/client/v3/login', steps: [limit('login'), parseBody, login(accounts)] },
    {
      method: 'POST',
      path: '/_letro/client/v1/passkey/challenge',
      steps: [limit('login'), parseOptionalBody, issueChallenge(accounts)],
    },
  ]
}

function listFlows(accounts: Accounts): Step {
  return ctx => {
    ctx.body = {
      flows: [
        { type: passkeyLoginType },
        { type: loginTokenType, get_login_token: true },
        ...(accounts.passwords.enabled ? [{ type: 'm.login.password' }] : []),
      ],
    }
  }
}

function login(accounts: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const session = newSessionOf(body)
    if (needString(body, 'type') === loginTokenType) {
      const token = needString(body, 'token', 200)
      ctx.body = sessionAnswer(await accounts.loginTokens.redeem(token, session))
      return
    }
    const userId = await whoSignsIn(accounts, body)
    ctx.body = sessionAnswer(await accounts.sessions.open(userId, session))
  }
}

function issueChallenge(accounts: Accounts): Step {
  return async (ctx: Context) => {
    ctx.body = { options: await accounts.passkeys.loginOptions() }
  }
}

function whoSignsIn(accounts: Accounts, body: JsonObject): Promise<UserId> {
  const type = needString(body, 'type')
  if (type === passkeyLoginType) return accounts.passkeys.login(needObject(body, 'assertion'))
  if (type === 'm.login.password' && accounts.passwords.enabled)
    return accounts.passwords.check(identifiedUser(body), needString(body, 'password'))
  throw new MatrixError(400, 'M_UNKNOWN', 'type is not a login type of this server; GET /login lists them.')
}

/** Spec: client-server-api#identifier-types; `user` beside `type` is the deprecated form. */
export function identifiedUser(body: JsonObject): string {
  const identifier = mayObject(body, 'identifier')
  if (!identifier) {
    const user = mayString(body, 'user', 255)
    if (user === undefined) throw missingParam('identifier')
    return user
  }
  const type = needString(identifier, 'type')
  if (type === 'm.id.thirdparty' || type === 'm.id.phone')
    throw forbidden('identifier: no account here is known by an address or a phone number.')
  if (type !== 'm.id.user') throw badJson('identifier.type must be m.id.user.')
  return needString(identifier, 'user', 255)
}
