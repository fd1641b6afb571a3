/**
 * User-interactive authentication: "is it really you?", for acts that a stolen access token must not be enough for.
 *
 * A session belongs to one operation (method, path, the body without `auth`, and who asks): a confirmation for
 * deleting one device is none for deleting another. Sessions live in memory for a quarter of an hour; after a
 * restart clients begin again. A completed one is consumed.
 *
 * Stages: `org.letro.login.passkey` — `params` carries `{"options": PublicKeyCredentialRequestOptionsJSON}`, fresh
 * in every answer; the client sends `{"type", "session", "assertion": AuthenticationResponseJSON}` —
 * `m.login.password`, and for registration `m.login.dummy` and `m.login.registration_token`.
 *
 * Spec: client-server-api#user-interactive-authentication-api
 */
import { hash } from 'node:crypto'
import { AccountError, type Accounts } from '../accounts/accounts.ts'
import { mayObject, mayString, needObject, needString } from '../http/fields.ts'
import { forbidden } from '../http/matrix-error.ts'
import type { Context, Step } from '../http/route.ts'
import { encodeBase64Url } from '../protocol/base64.ts'
import type { UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { identifiedUser, passkeyLoginType } from './login.ts'

export type Stage =
  | typeof passkeyLoginType
  | 'm.login.password'
  | 'm.login.dummy'
  | 'm.login.registration_token'

/** What the stages brought to light. */
export interface Confirmed {
  readonly registrationToken?: string
}

export interface InteractiveAuth {
  /**
   * For a signed-in person: true once they have confirmed. Otherwise the answer (401) is written, and the
   * caller does nothing. Call it after `requireAccessToken` and `parseBody`.
   */
  confirmed(ctx: Context): Promise<boolean>
  /** As `confirmed`, and by nothing but a passkey where the person has one: for what administrators do to others. */
  confirmedByPasskey(ctx: Context): Promise<boolean>
  /** For registration: with these flows; null while the answer (401) is written. */
  complete(ctx: Context, flows: readonly (readonly Stage[])[]): Promise<Confirmed | null>
}

export interface InteractiveAuthDeps {
  readonly accounts: Accounts
  readonly clock: () => number
  readonly randomBytes: (size: number) => Uint8Array
  /** A demonstration: who has nothing to confirm with is taken at their word. */
  readonly isDemo?: boolean
}

interface Session {
  readonly id: string
  readonly operation: string
  readonly expiresTs: number
  readonly completed: Stage[]
  registrationToken?: string
}

const lifetimeMs = 15 * 60 * 1000
const maxSessions = 20_000

export function openInteractiveAuth(deps: InteractiveAuthDeps): InteractiveAuth {
  const { accounts, clock, randomBytes, isDemo = false } = deps
  // Insertion order is order of expiry.
  const sessions = new Map<string, Session>()

  const begin = (operation: string): Session => {
    const now = clock()
    for (const [id, { expiresTs }] of sessions) {
      if (expiresTs > now && sessions.size < maxSessions) break
      sessions.delete(id)
    }
    const id = encodeBase64Url(randomBytes(18))
    const session: Session = { id, operation, expiresTs: now + lifetimeMs, completed: [] }
    sessions.set(id, session)
    return session
  }

  const run = async (
    ctx: Context,
    flows: readonly (readonly Stage[])[],
    userId: UserId | null,
  ): Promise<Confirmed | null> => {
    const { body } = ctx.state
    const auth = mayObject(body, 'auth')
    const operation = operationOf(ctx, userId)
    const answer = (session: Session, refusal?: { errcode: string; error: string }) =>
      ask(ctx, session, flows, userId, refusal)

    if (!auth) return answer(begin(operation))
    const sessionId = mayString(auth, 'session', 100)
    // A client that knows what will be asked may answer at once, without a session.
    const session = sessionId === undefined ? begin(operation) : sessions.get(sessionId)
    if (!session || session.expiresTs <= clock())
      return answer(begin(operation), {
        errcode: 'M_UNKNOWN',
        error: 'auth.session is unknown or too old: begin again.',
      })
    if (session.operation !== operation)
      throw forbidden('auth.session was begun for another request: its path or body was a different one.')

    const type = mayString(auth, 'type', 100)
    if (type !== undefined && !session.completed.includes(type as Stage)) {
      const refusal = await attempt(session, flows, type, auth, userId)
      if (refusal) return answer(session, refusal)
    }
    if (!flows.some(stages => stages.every(stage => session.completed.includes(stage))))
      return answer(session)
    sessions.delete(session.id)
    return session.registrationToken === undefined ? {} : { registrationToken: session.registrationToken }
  }

  /** Spec: "the flow's stages must be completed in order". Null: the stage is complete. */
  const attempt = async (
    session: Session,
    flows: readonly (readonly Stage[])[],
    type: string,
    auth: JsonObject,
    userId: UserId | null,
  ): Promise<{ errcode: string; error: string } | null> => {
    const isNext = flows.some(
      stages =>
        stages[session.completed.length] === type &&
        session.completed.every((stage, i) => stages[i] === stage),
    )
    if (!isNext) return { errcode: 'M_UNKNOWN', error: 'auth.type is not the next stage of any flow.' }
    const stage = type as Stage
    try {
      await checkStage(session, stage, auth, userId)
    } catch (error) {
      if (error instanceof AccountError && error.code === 'M_FORBIDDEN')
        return { errcode: 'M_FORBIDDEN', error: error.message }
      throw error
    }
    session.completed.push(stage)
    return null
  }

  const checkStage = async (
    session: Session,
    stage: Stage,
    auth: JsonObject,
    userId: UserId | null,
  ): Promise<void> => {
    switch (stage) {
      case 'm.login.dummy':
        return
      case 'm.login.registration_token': {
        const token = needString(auth, 'token', 64)
        if (!(await accounts.registrationTokens.valid(token)))
          throw new AccountError('M_FORBIDDEN', 'auth.token is no valid registration token.')
        session.registrationToken = token
        return
      }
      case 'm.login.password': {
        // A client may leave out who it is: the access token has said so.
        const user = auth['identifier'] || auth['user'] ? identifiedUser(auth) : (userId ?? '')
        const password = needString(auth, 'password')
        // No attempt that failed, which could be made again (401), but one that nobody may make: the stage confirms who
        // is signed in. Spec: client-server-api#user-interactive-authentication-api (any other failure: 4xx)
        if (userId === null || !accounts.passwords.isAbout(user, userId))
          throw forbidden('auth.identifier is another person than the one who is signed in.')
        await accounts.passwords.check(user, password)
        return
      }
      case passkeyLoginType:
        if (!userId) throw new AccountError('M_FORBIDDEN', 'Nobody is signed in.')
        return accounts.passkeys.confirm(userId, session.id, needObject(auth, 'assertion'))
      default:
        return stage satisfies never
    }
  }

  const ask = async (
    ctx: Context,
    session: Session,
    flows: readonly (readonly Stage[])[],
    userId: UserId | null,
    refusal?: { errcode: string; error: string },
  ): Promise<null> => {
    const withPasskey = userId !== null && flows.some(stages => stages.includes(passkeyLoginType))
    ctx.status = 401
    ctx.body = {
      ...refusal,
      session: session.id,
      completed: session.completed,
      flows: flows.map(stages => ({ stages })),
      params: withPasskey
        ? { [passkeyLoginType]: { options: await accounts.passkeys.confirmOptions(userId, session.id) } }
        : {},
    }
    return null
  }

  const confirmedBy = async (ctx: Context, flows: readonly (readonly Stage[])[]): Promise<boolean> => {
    if (flows.length === 0 && isDemo) return true
    if (flows.length === 0)
      throw forbidden('This account has neither a passkey nor a password to confirm the request with.')
    return (await run(ctx, flows, ctx.state.requester.userId)) !== null
  }

  return {
    confirmed: async ctx => confirmedBy(ctx, await flowsOf(accounts, ctx.state.requester.userId)),
    confirmedByPasskey: async ctx => {
      const flows = await flowsOf(accounts, ctx.state.requester.userId)
      const byPasskey = flows.filter(stages => stages.includes(passkeyLoginType))
      return confirmedBy(ctx, byPasskey.length > 0 ? byPasskey : flows)
    },
    complete: (ctx, flows) => run(ctx, flows, null),
  }
}

/** After `requireAccessToken` and `parseBody`. */
export function requireInteractiveAuth(auth: InteractiveAuth): Step {
  return async function requireInteractiveAuth(ctx, next) {
    if (await auth.confirmed(ctx)) await next()
  }
}

async function flowsOf(accounts: Accounts, userId: UserId): Promise<Stage[][]> {
  const [passkeys, password] = await Promise.all([
    accounts.passkeys.count(userId),
    accounts.passwords.has(userId),
  ])
  return [
    ...(passkeys > 0 ? [[passkeyLoginType] as Stage[]] : []),
    ...(password ? [['m.login.password'] as Stage[]] : []),
  ]
}

/** What is being confirmed; only a hash is kept, for bodies hold new passwords. */
function operationOf(ctx: Context, userId: UserId | null): string {
  const { auth: _, ...rest } = ctx.state.body
  const text = JSON.stringify([ctx.method, ctx.path, userId, rest], (_key, value: unknown) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  )
  return hash('sha256', text, 'base64url')
}
