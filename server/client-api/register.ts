/**
 * New accounts with a password, where the configuration turns both on. People with passkeys come by enrolment link.
 *
 * Spec: POST /register, GET /register/available
 */
import type { Accounts } from '../accounts/accounts.ts'
import { parseBody } from '../http/body.ts'
import { mayBoolean, mayString, queryText } from '../http/fields.ts'
import { forbidden, invalidParam, missingParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { InteractiveAuth, Stage } from './interactive-auth.ts'
import { newSessionOf, sessionAnswer } from './session-answer.ts'

export interface RegisterDeps {
  readonly accounts: Accounts
  readonly interactiveAuth: InteractiveAuth
}

export function registerRoutes({ accounts, interactiveAuth }: RegisterDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/register',
      steps: [limit('register'), parseBody, refuseGuests, register(accounts, interactiveAuth)],
    },
    {
      method: 'GET',
      path: '/_matrix/client/v3/register/available',
      steps: [limit('register'), isAvailable(accounts)],
    },
  ]
}

/** Without passwords an account made here could never be entered again. */
export function refuseWithoutRegistration(accounts: Accounts): void {
  if (!accounts.passwords.enabled)
    throw forbidden('Registration is closed: an administrator invites people with an enrolment link.')
}

const refuseGuests: Step = async (ctx: Context, next) => {
  const kind = queryText(ctx.query, 'kind') ?? 'user'
  if (kind === 'guest') throw forbidden('kind: this server has no guest accounts.')
  if (kind !== 'user') throw invalidParam('kind must be user.')
  await next()
}

function register(accounts: Accounts, interactiveAuth: InteractiveAuth): Step {
  return async ctx => {
    const flows: Stage[][] =
      accounts.registration === 'open' ? [['m.login.dummy']] : [['m.login.registration_token']]
    refuseWithoutRegistration(accounts)
    const { body } = ctx.state
    const localpart = mayString(body, 'username', 255)?.toLowerCase()
    const password = mayString(body, 'password')
    const session = mayBoolean(body, 'inhibit_login') ? null : newSessionOf(body)
    // Spec: "Homeservers MUST perform the relevant checks … before performing User-Interactive Authentication".
    if (localpart !== undefined) await accounts.people.available(localpart)
    if (password !== undefined) accounts.passwords.checkStrength(password)
    else if (body['auth'] !== undefined) throw missingParam('password')

    const confirmed = await interactiveAuth.complete(ctx, flows)
    if (!confirmed || password === undefined) return
    const registered = await accounts.people.register({
      localpart,
      passwordHash: await accounts.passwords.prepare(password),
      registrationToken: confirmed.registrationToken,
      session,
    })
    ctx.body = registered.session ? sessionAnswer(registered.session) : { user_id: registered.userId }
  }
}

function isAvailable(accounts: Accounts): Step {
  return async ctx => {
    refuseWithoutRegistration(accounts)
    const username = queryText(ctx.query, 'username')
    if (username === undefined) throw missingParam('username')
    await accounts.people.available(username)
    ctx.body = { available: true }
  }
}
