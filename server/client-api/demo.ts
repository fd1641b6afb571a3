/**
 * Sign-in by one click: for a demonstration on one's own machine, and nowhere else.
 *
 * `POST /_letro/demo/v1/sign-in` `{user_id}` → `{login_token, recovery_key}`: a token for one login of type
 * `m.login.token`, and what opens the person's identity (null while it is being set up). These routes exist only where the
 * server was started by `npm run demo`, on a loopback address, over data that is thrown away.
 *
 * Anybody's page can reach a loopback address: so the page that asks must be this server's own.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { parseBody } from '../http/body.ts'
import { needUserId } from '../http/fields.ts'
import { forbidden, notFound } from '../http/matrix-error.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'

export interface DemoPerson {
  readonly userId: UserId
  readonly name: string
  readonly kind: 'administrator' | 'member' | 'external'
  /** What they are in the organisation. */
  readonly role: string
  /** The language that they would choose. */
  readonly language: 'en' | 'ar' | 'de' | 'fr'
  /** Null while their identity is being set up. */
  readonly recoveryKey: string | null
}

export interface Demo {
  people(): readonly DemoPerson[]
}

export interface DemoDeps {
  readonly accounts: Accounts
  readonly demo: Demo
}

export function demoRoutes({ accounts, demo }: DemoDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/_letro/demo/v1/sign-in',
      steps: [refuseOtherPages, parseBody, signIn(accounts, demo)],
    },
  ]
}

/** For `GET /_letro/client/v1/app`. */
export function demoAnswer(demo: Demo): JsonObject {
  return {
    people: demo.people().map(({ userId, name, role, language }) => ({
      user_id: userId,
      name,
      role,
      language,
    })),
  }
}

function signIn(accounts: Accounts, demo: Demo): Step {
  return ctx => {
    const userId = needUserId(ctx.state.body, 'user_id')
    const person = demo.people().find(person => person.userId === userId)
    if (!person) throw notFound('user_id is nobody of this demonstration.')
    ctx.body = {
      login_token: accounts.loginTokens.issueUnproven(userId).token,
      recovery_key: person.recoveryKey,
    }
  }
}

const refuseOtherPages: Step = async (ctx, next) => {
  const host = ctx.req.headers.host ?? ''
  const { origin } = ctx.req.headers
  if (!isLoopback(host) || (origin !== undefined && origin !== `http://${host}`))
    throw forbidden('Only the pages of this demonstration sign people in.')
  withoutCors(ctx)
  await next()
}

/** A name that a rebound DNS record gave to this address is not one of these. */
function isLoopback(host: string): boolean {
  return /^(?:(?:[a-z0-9-]+\.)?localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?$/.test(host)
}

function withoutCors(ctx: Context): void {
  ctx.remove('Access-Control-Allow-Origin')
}
