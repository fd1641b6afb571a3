/**
 * A route is a method, a path and a short list of named steps (Koa middleware). Edge modules return lists of
 * them; `http/router.ts` serves all, answers 404 M_UNRECOGNIZED for unknown paths and 405 for known paths
 * with another method.
 */
import type { Middleware, ParameterizedContext } from 'koa'
import type { DeviceId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'

/** Who is asking: set by `requireAccessToken`, from accounts. */
export interface Requester {
  readonly userId: UserId
  readonly deviceId: DeviceId
  readonly kind: 'member' | 'administrator' | 'service' | 'external'
  /** The hash of the token that was shown: what a logout ends. */
  readonly tokenHash: string
}

export interface RequestState {
  /** Path parameters, percent-decoded (`%2F` included). */
  params: Readonly<Record<string, string>>
  /** Set by `requireAccessToken`. */
  requester: Requester
  /** Set by `parseBody`: the strictly parsed JSON object. */
  body: JsonObject
}

export type Context = ParameterizedContext<RequestState>
export type Step = Middleware<RequestState>
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

export interface Route {
  readonly method: Method
  /** Koa router syntax: `/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId`. */
  readonly path: string
  readonly steps: readonly Step[]
}
