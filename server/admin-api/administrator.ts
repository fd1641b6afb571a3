/**
 * Who may administer: an administrator's session, a command line that one of them let in, the token of
 * `admin.token_file`, or whoever reaches the socket in the data folder. The actor goes into the audit.
 */
import { type Accounts, isCommandToken } from '../accounts/accounts.ts'
import { readAccessToken, requireAccessToken } from '../http/authenticate.ts'
import { forbidden, MatrixError } from '../http/matrix-error.ts'
import type { Context, Step } from '../http/route.ts'
import type { AdminToken } from './admin-token.ts'

interface Administrator {
  /** A user id, `token` or `local`. */
  readonly actor: string
  /** They are signed in as a person, and can be asked to confirm with a passkey. */
  readonly isSession: boolean
}

const administrators = new WeakMap<Context, Administrator>()

/** Checked before anything is looked up, so that nobody else learns who exists. */
export function requireAdministrator(accounts: Accounts, adminToken: AdminToken | null): Step {
  const authenticate = requireAccessToken(accounts)
  return async function requireAdministrator(ctx, next) {
    if (ctx.state.isLocal) {
      administrators.set(ctx, { actor: 'local', isSession: false })
      return next()
    }
    const token = readAccessToken(ctx)
    if (token !== null && adminToken?.matches(token)) {
      administrators.set(ctx, { actor: 'token', isSession: false })
      return next()
    }
    if (token !== null && isCommandToken(token)) {
      administrators.set(ctx, { actor: await commandActor(ctx, accounts, token), isSession: false })
      return next()
    }
    return authenticate(ctx, () => {
      if (ctx.state.requester.kind !== 'administrator')
        throw forbidden('You are not an administrator of this server.')
      administrators.set(ctx, { actor: ctx.state.requester.userId, isSession: true })
      return next()
    })
  }
}

async function commandActor(ctx: Context, accounts: Accounts, token: string): Promise<string> {
  const command = await accounts.commandLines.read(token)
  if (!command) {
    ctx.state.limits.take('badToken', `address ${ctx.state.address}`)
    throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'This command line was ended, or eight hours are over.')
  }
  if (command.scope === 'read' && ctx.method !== 'GET')
    throw forbidden('This command line was let in to look, not to change anything.')
  return command.userId
}

/**
 * After `requireAdministrator` and `parseBody`, on what cannot be undone or gives power: a person at a screen confirms
 * with their passkey, so that a stolen session is not enough. A command line was let in with one; a token and the socket have nobody to ask.
 */
export function requireConfirmation(confirmed: (ctx: Context) => Promise<boolean>): Step {
  return async function requireConfirmation(ctx, next) {
    if (!administrators.get(ctx)?.isSession || (await confirmed(ctx))) await next()
  }
}

/** The same where the body says `name: true`: what it adds to the act is what must be confirmed. */
export function confirmedWhere(name: string, confirmation: Step): Step {
  return function confirmedWhere(ctx, next) {
    return ctx.state.body[name] === true ? confirmation(ctx, next) : next()
  }
}

/** After `requireAdministrator`: for a person at a screen alone. */
export const requireSession: Step = async function requireSession(ctx, next) {
  if (!administrators.get(ctx)?.isSession)
    throw forbidden('This needs an administrator who is signed in to the app.')
  await next()
}

/** Signed in as a person, who can be asked to confirm with a passkey. */
export function isSession(ctx: Context): boolean {
  return administrators.get(ctx)?.isSession === true
}

/** A user id, `token` or `local`. */
export function actorOf(ctx: Context): string {
  return administrators.get(ctx)!.actor
}
