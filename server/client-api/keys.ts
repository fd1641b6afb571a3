/**
 * Device keys: publish one's own, ask for others', claim one-time keys.
 *
 * Spec: client-server-api#key-management-api
 */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayInteger, needObject, queryText } from '../http/fields.ts'
import { badJson, invalidParam, missingParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { Keys } from '../keys/keys.ts'
import type { ClaimedKey, KeyWanted } from '../keys/one-time-keys.ts'
import { type DeviceId, parseDeviceId, parseUserId, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'

export interface KeysRoutesDeps {
  readonly accounts: TokenReader
  readonly keys: Keys
  /** The place in the one order of this server that a `/sync` token names; null: no token of ours. */
  readonly positionOf: (syncToken: string) => Parameters<Keys['deviceListChanges']>[1] | null
}

export function keysRoutes({ accounts, keys, positionOf }: KeysRoutesDeps): Route[] {
  const authenticate = requireAccessToken(accounts)
  const steps = (...last: Step[]) => [authenticate, limit('keys'), ...last]
  return [
    { method: 'POST', path: '/_matrix/client/v3/keys/upload', steps: steps(parseBody, upload(keys)) },
    { method: 'POST', path: '/_matrix/client/v3/keys/query', steps: steps(parseBody, query(keys)) },
    { method: 'POST', path: '/_matrix/client/v3/keys/claim', steps: steps(parseBody, claim(keys)) },
    { method: 'GET', path: '/_matrix/client/v3/keys/changes', steps: steps(changes(keys, positionOf)) },
  ]
}

function upload(keys: Keys): Step {
  return async function upload(ctx) {
    const { userId, deviceId } = ctx.state.requester
    const { counts } = await keys.upload(userId, deviceId, ctx.state.body)
    ctx.body = { one_time_key_counts: counts }
  }
}

function query(keys: Keys): Step {
  return async function query(ctx) {
    mayInteger(ctx.state.body, 'timeout')
    const wanted = new Map<UserId, readonly DeviceId[]>()
    for (const [id, devices] of Object.entries(needObject(ctx.state.body, 'device_keys'))) {
      if (!Array.isArray(devices)) throw badJson(`device_keys.${id} must be a list of device ids.`)
      wanted.set(
        needUser(id, 'device_keys'),
        devices.map(device => needDevice(device, `device_keys.${id}`)),
      )
    }
    ctx.body = await keys.query(ctx.state.requester, wanted)
  }
}

function claim(keys: Keys): Step {
  return async function claim(ctx) {
    mayInteger(ctx.state.body, 'timeout')
    const wanted: KeyWanted[] = []
    for (const [id, devices] of Object.entries(needObject(ctx.state.body, 'one_time_keys'))) {
      const userId = needUser(id, 'one_time_keys')
      if (!isObject(devices)) throw badJson(`one_time_keys.${id} must be an object.`)
      for (const [device, algorithm] of Object.entries(devices)) {
        if (typeof algorithm !== 'string') {
          throw badJson(`one_time_keys.${id}.${device} must be the name of an algorithm.`)
        }
        wanted.push({ userId, deviceId: needDevice(device, `one_time_keys.${id}`), algorithm })
      }
    }
    const { claimed, failures } = await keys.claim(ctx.state.requester, wanted)
    ctx.body = { one_time_keys: byUserAndDevice(claimed), failures }
  }
}

function byUserAndDevice(claimed: readonly ClaimedKey[]): JsonObject {
  const users = Map.groupBy(claimed, ({ userId }) => userId)
  return Object.fromEntries(
    [...users].map(([userId, keys]) => [
      userId,
      // Object.fromEntries, because a device may be called `__proto__`.
      Object.fromEntries(
        keys.map(({ deviceId, algorithm, id, key }) => [deviceId, { [`${algorithm}:${id}`]: key }]),
      ),
    ]),
  )
}

function changes(keys: Keys, positionOf: KeysRoutesDeps['positionOf']): Step {
  return async function changes(ctx) {
    const from = needPosition(ctx, 'from')
    const to = needPosition(ctx, 'to')
    const { changed, left } = await keys.deviceListChanges(ctx.state.requester.userId, from, to)
    ctx.body = { changed, left }
  }

  function needPosition(ctx: Context, name: string) {
    const token = queryText(ctx.query, name)
    if (token === undefined) throw missingParam(name)
    const position = positionOf(token)
    if (position === null) throw invalidParam(`${name} must be a next_batch token of /sync.`)
    return position
  }
}

function needUser(id: string, field: string): UserId {
  const userId = parseUserId(id)
  if (!userId) throw invalidParam(`${field}: ${id} is not a user id (@name:server).`)
  return userId
}

function needDevice(id: unknown, field: string): DeviceId {
  const deviceId = parseDeviceId(id)
  if (!deviceId) throw invalidParam(`${field} holds something that is no device id.`)
  return deviceId
}
