/**
 * Which peer is asking? A step that turns the request's signature into `ctx.state.origin`, and the body that it covers
 * into `ctx.state.body`.
 *
 * Whoever is not pinned is refused by the name in the header alone: no body is read, no key looked for, and the answer
 * is the same whatever was asked. Who is pinned has proved to hold the key before anything else looks at the request.
 *
 * Spec: server-server-api#request-authentication
 */
import { isUtf8 } from 'node:buffer'
import { readBody } from '../http/body.ts'
import { MatrixError } from '../http/matrix-error.ts'
import type { Context, Step } from '../http/route.ts'
import type { Peers } from '../peers/peer.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import { parseRequestSignature, type RequestSignature, requestBytes } from '../protocol/request-signing.ts'
import type { KeyId } from '../protocol/signing.ts'
import { BodyBudget } from './body-budget.ts'

export interface PeerAuthentication {
  readonly serverName: ServerName
  readonly peers: Pick<Peers, 'mayReceiveFrom'>
  /** The peer's key if it is one of now; asks the peer itself for keys that are new. */
  readonly requestKey: (server: ServerName, keyId: KeyId) => Promise<Uint8Array | undefined>
  readonly verify: Verify
  /** A request with a good signature has come: the peer is there. */
  readonly heard?: (server: ServerName) => void
}

/** A transaction's 50 events and 100 EDUs, each as large as it may be, with room for what signatures add. */
export const maxPeerBodyBytes = 12 * 1024 * 1024

const mib = 1024 * 1024
const unauthenticated = { perAddressBytes: 40 * mib, unprovedBytes: 160 * mib }

/**
 * The body is parsed as JSON and no more: one member that is no canonical JSON must not cost a peer all that comes with
 * it (CVE-2025-30355). Whoever takes an event or an EDU out of it judges that one.
 */
export function authenticatePeer(deps: PeerAuthentication): Step {
  const budget = new BodyBudget(unauthenticated)
  return async function authenticatePeer(ctx, next) {
    const shown = signatureOf(ctx, deps.serverName)
    const { origin } = shown
    if (!deps.peers.mayReceiveFrom(origin)) throw stranger()
    // Who bore a peer's name without its key too often has no more bodies read.
    ctx.state.limits.mustBeLeft('badToken', `address ${ctx.state.address}`)
    const giveBack = budget.take(ctx.state.address, expectedBytes(ctx))
    let body: JsonObject | undefined
    try {
      body = await signedBody(deps, ctx, shown)
    } finally {
      giveBack()
    }
    budget.prove(ctx.state.address)
    // The pin may have gone while the body came.
    if (!deps.peers.mayReceiveFrom(origin)) throw stranger()
    ctx.state.limits.take('federation', `peer ${origin}`)
    ctx.state.origin = origin
    ctx.state.body = body ?? {}
    deps.heard?.(origin)
    await next()
  }
}

function signatureOf(ctx: Context, serverName: ServerName): RequestSignature {
  const header = ctx.req.headers.authorization
  const shown = header === undefined ? null : parseRequestSignature(header)
  if (!shown) throw unauthorized('An Authorization header of the scheme X-Matrix is needed.')
  if (shown.destination !== undefined && shown.destination !== serverName) {
    throw unauthorized('The request was signed for another server.')
  }
  return shown
}

/** What a request may make us hold: what it announces, or the limit where it announces nothing. */
function expectedBytes(ctx: Context): number {
  const { headers } = ctx.req
  if (headers['transfer-encoding'] !== undefined) return maxPeerBodyBytes
  return Math.min(Number(headers['content-length'] ?? 0), maxPeerBodyBytes)
}

/** Throws where the signature is not good. */
async function signedBody(
  deps: PeerAuthentication,
  ctx: Context,
  shown: RequestSignature,
): Promise<JsonObject | undefined> {
  const { text, body } = await bodyOf(ctx)
  const { origin, keyId } = shown
  const key = await deps.requestKey(origin, keyId)
  if (key && isSigned(deps, ctx, shown, key, text, body)) return body
  ctx.state.limits.take('badToken', `address ${ctx.state.address}`)
  throw unauthorized(`The request bears no good signature of ${origin} under ${keyId}.`)
}

async function bodyOf(ctx: Context): Promise<{ text?: string; body?: JsonObject }> {
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return {}
  const bytes = await readBody(ctx, maxPeerBodyBytes)
  if (bytes === null) return {}
  if (!isUtf8(bytes)) throw new MatrixError(400, 'M_NOT_JSON', 'The body is not valid UTF-8.')
  const text = bytes.toString('utf8')
  let body: Json
  try {
    body = JSON.parse(text) as Json
  } catch {
    throw new MatrixError(400, 'M_NOT_JSON', 'The body is not JSON.')
  }
  if (!isObject(body)) throw new MatrixError(400, 'M_BAD_JSON', 'The body must be a JSON object.')
  return { text, body }
}

function isSigned(
  { serverName, verify }: PeerAuthentication,
  ctx: Context,
  { origin, signature }: RequestSignature,
  key: Uint8Array,
  text: string | undefined,
  body: JsonObject | undefined,
): boolean {
  const request = { method: ctx.method, uri: ctx.req.url ?? '', origin, destination: serverName }
  if (text === undefined || body === undefined) return verify(requestBytes(request), signature, key)
  if (verify(requestBytes({ ...request, content: text }), signature, key)) return true
  try {
    return verify(requestBytes({ ...request, content: body }), signature, key)
  } catch {
    // No canonical form, and not signed as it stands.
    return false
  }
}

function stranger(): MatrixError {
  return new MatrixError(403, 'M_FORBIDDEN', 'This server speaks only with servers that it has pinned.')
}

function unauthorized(message: string): MatrixError {
  return new MatrixError(401, 'M_UNAUTHORIZED', message)
}
