/** Who may administer: an administrator's session, or the token of `admin.token_file`. The actor goes into the audit. */
import type { Accounts } from '../accounts/accounts.ts'
import { readAccessToken, requireAccessToken } from '../http/authenticate.ts'
import { forbidden } from '../http/matrix-error.ts'
import type { Context, Step } from '../http/route.ts'
import type { AdminToken } from './admin-token.ts'

const actors = new WeakMap<Context, string>()

/** Checked before anything is looked up, so that nobody else learns who exists. */
export function requireAdministrator(accounts: Accounts, adminToken: AdminToken | null): Step {
  const authenticate = requireAccessToken(accounts)
  return async function requireAdministrator(ctx, next) {
    const token = readAccessToken(ctx)
    if (token !== null && adminToken?.matches(token)) {
      actors.set(ctx, 'token')
      return next()
    }
    return authenticate(ctx, () => {
      if (ctx.state.requester.kind !== 'administrator')
        throw forbidden('You are not an administrator of this server.')
      actors.set(ctx, ctx.state.requester.userId)
      return next()
    })
  }
}

/** Asked with the access token of a person who is signed in. */
export function isSession(ctx: Context): boolean {
  return actorOf(ctx) === ctx.state.requester?.userId
}

/** A user id, or `token`. */
export function actorOf(ctx: Context): string {
  return actors.get(ctx)!
}
