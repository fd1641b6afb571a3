/**
 * Who is asking? A step that turns the access token into `ctx.state.requester`.
 *
 * Spec: client-server-api#using-access-tokens, #soft-logout, #account-locking, #account-suspension
 */
import { MatrixError } from './matrix-error.ts'
import type { Context, Requester, Step } from './route.ts'

/** What a token is worth now. */
export type TokenState =
  | { readonly kind: 'valid'; readonly requester: Requester; readonly standing: Standing }
  /** The session lives, the token does not: refresh it, or sign in again with the same device. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'unknown' }

export type Standing = 'good' | 'locked' | 'suspended'

/** What authentication needs of accounts. A cached answer may come without a promise: this runs in every request. */
export interface TokenReader {
  readToken(token: string): TokenState | Promise<TokenState>
}

/** A token must be shown and be worth something; a locked account is refused. */
export function requireAccessToken(accounts: TokenReader): Step {
  return async function requireAccessToken(ctx, next) {
    await authenticate(ctx, accounts, readAccessToken(ctx) ?? missingToken(), false)
    await next()
  }
}

/** As `requireAccessToken`, for /logout and /logout/all, which a locked account keeps. */
export function requireAccessTokenEvenLocked(accounts: TokenReader): Step {
  return async function requireAccessToken(ctx, next) {
    await authenticate(ctx, accounts, readAccessToken(ctx) ?? missingToken(), true)
    await next()
  }
}

/** Sets `ctx.state.requester` where a token is shown; a token that is shown must be worth something. */
export function mayAccessToken(accounts: TokenReader): Step {
  return async function mayAccessToken(ctx, next) {
    const token = readAccessToken(ctx)
    if (token !== null) await authenticate(ctx, accounts, token, false)
    await next()
  }
}

/** After `requireAccessToken`, on what a suspended account may not do: join, knock, invite, send, change the profile. */
export const refuseSuspended: Step = async function refuseSuspended(ctx, next) {
  if (ctx.state.standing === 'suspended') throw suspended()
  await next()
}

async function authenticate(
  ctx: Context,
  accounts: TokenReader,
  token: string,
  evenLocked: boolean,
): Promise<void> {
  const answer = accounts.readToken(token)
  const state = answer instanceof Promise ? await answer : answer
  if (state.kind !== 'valid') {
    ctx.state.limits.take('badToken', `address ${ctx.state.address}`)
    throw state.kind === 'expired'
      ? new MatrixError(401, 'M_UNKNOWN_TOKEN', 'The access token has expired.', { soft_logout: true })
      : new MatrixError(401, 'M_UNKNOWN_TOKEN', 'The access token is not known.', { soft_logout: false })
  }
  if (state.standing === 'locked' && !evenLocked) {
    throw new MatrixError(401, 'M_USER_LOCKED', 'This account has been locked.', { soft_logout: true })
  }
  ctx.state.requester = state.requester
  ctx.state.standing = state.standing
  ctx.state.authenticateAgain ??= async () => {
    const before = ctx.state.standing
    await authenticate(ctx, accounts, token, evenLocked)
    // What was let past `refuseSuspended` before the suspension must not act after it.
    if (before === 'good' && ctx.state.standing === 'suspended') throw suspended()
  }
}

function suspended(): MatrixError {
  return new MatrixError(403, 'M_USER_SUSPENDED', 'You cannot perform this action while suspended.')
}

/**
 * From the header, else from the query, which v1.19 still allows. RFC 6750 §2.1: the scheme's case does not
 * matter. Two different tokens are refused, not chosen from.
 */
export function readAccessToken(ctx: Context): string | null {
  const header = ctx.req.headers.authorization
  const fromHeader = header === undefined ? null : (bearer.exec(header)?.[1] ?? null)
  if (header !== undefined && fromHeader === null) {
    throw new MatrixError(401, 'M_MISSING_TOKEN', 'The Authorization header must be "Bearer" and the token.')
  }
  if (!ctx.req.url?.includes('access_token')) return fromHeader
  const inQuery = ctx.query['access_token']
  if (inQuery === undefined) return fromHeader
  const fromQuery = Array.isArray(inQuery) ? null : inQuery
  if (fromQuery === null || (fromHeader !== null && fromHeader !== fromQuery)) {
    throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'The request carries more than one access token.')
  }
  return fromQuery === '' ? null : fromQuery
}

const bearer = /^bearer +([\x21-\x7e]{1,4096}) *$/i

function missingToken(): never {
  throw new MatrixError(401, 'M_MISSING_TOKEN', 'An access token is needed: Authorization: Bearer <token>.')
}
