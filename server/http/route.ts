/**
 * A route is a method, a path and a short list of named steps (Koa middleware). Edge modules return lists of
 * them; `http/router.ts` serves all, answers 404 M_UNRECOGNIZED for unknown paths and 405 for known paths
 * with another method.
 */
import type { Middleware, ParameterizedContext } from 'koa'
import type { DeviceId, ServerName, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Standing } from './authenticate.ts'
import type { RateLimits } from './rate-limit.ts'

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
  /** The path as the route writes it: what may stand in a log. */
  route?: string
  /** The part of the client's network address that rate limits count by. Kept nowhere. */
  address: string
  limits: RateLimits
  /** It came by the socket in the data folder: whoever reaches it owns the data. */
  isLocal: boolean
  /** Set by `requireAccessToken`. */
  requester: Requester
  /** Set by `authenticatePeer`: the peer whose signature the request bears. */
  origin: ServerName
  /** Set by `requireAccessToken`; `refuseSuspended` asks for it. */
  standing?: Standing
  /** Set by `requireAccessToken`: for whoever waited for the client, who may have been signed out meanwhile. */
  authenticateAgain?: () => Promise<void>
  /** Set by `parseBody`: the strictly parsed JSON object. From a peer: see `authenticatePeer`. */
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
