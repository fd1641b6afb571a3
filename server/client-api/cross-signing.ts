/**
 * Cross-signing keys, and signatures by and about them.
 *
 * Spec: client-server-api#cross-signing
 */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { badJson, invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import { parseCrossSigningKeys, type SignedKey } from '../keys/cross-signing.ts'
import type { Keys } from '../keys/keys.ts'
import { parseUserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'

export interface CrossSigningRoutesDeps {
  readonly accounts: TokenReader
  readonly keys: Keys
  /** Goes on to the next step once the person has authenticated again; otherwise answers itself. */
  readonly requireInteractiveAuth: Step
}

/** More than a person verifies at a time. */
const maxSignedKeys = 1_000

export function crossSigningRoutes({
  accounts,
  keys,
  requireInteractiveAuth,
}: CrossSigningRoutesDeps): Route[] {
  const authenticate = requireAccessToken(accounts)
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/keys/device_signing/upload',
      steps: [authenticate, limit('keys'), parseBody, uploadKeys(keys, requireInteractiveAuth)],
    },
    {
      method: 'POST',
      path: '/_matrix/client/v3/keys/signatures/upload',
      steps: [authenticate, limit('keys'), parseBody, uploadSignatures(keys)],
    },
  ]
}

/** Spec: the first keys, and keys that are there already, need no further authentication (since v1.11). */
function uploadKeys(keys: Keys, requireInteractiveAuth: Step): Step {
  return async function uploadKeys(ctx) {
    const { userId } = ctx.state.requester
    const uploaded = parseCrossSigningKeys(ctx.state.body, userId)
    const store = async (authenticated: boolean) => {
      await keys.uploadCrossSigningKeys(userId, uploaded, authenticated)
      ctx.body = {}
    }
    if (await keys.needsAuthentication(userId, uploaded)) {
      // Passwords may be tried here: as often as where people sign in.
      ctx.state.limits.take('login', userId)
      await requireInteractiveAuth(ctx, () => store(true))
    } else await store(false)
  }
}

function uploadSignatures(keys: Keys): Step {
  return async function uploadSignatures(ctx) {
    const failures = await keys.uploadSignatures(ctx.state.requester.userId, parseSignedKeys(ctx.state.body))
    const byUser = Map.groupBy(failures, ({ userId }) => userId)
    ctx.body = {
      failures: Object.fromEntries(
        [...byUser].map(([userId, list]) => [
          userId,
          Object.fromEntries(list.map(({ keyId, errcode, error }) => [keyId, { errcode, error }])),
        ]),
      ),
    }
  }
}

function parseSignedKeys(body: JsonObject): readonly SignedKey[] {
  const signed = Object.entries(body).flatMap(([id, keys]) => {
    const userId = parseUserId(id)
    if (!userId) throw invalidParam(`${id} is not a user id (@name:server).`)
    if (!isObject(keys)) throw badJson(`${id} must be an object of key ids.`)
    return Object.entries(keys).map(([keyId, object]) => {
      if (!isObject(object)) throw badJson(`${id}.${keyId} must be a signed object.`)
      return { userId, keyId, object }
    })
  })
  if (signed.length > maxSignedKeys) throw invalidParam(`One request may sign ${maxSignedKeys} keys.`)
  return signed
}
