/**
 * Devices and keys of our people, for peers.
 *
 * Ids in a request are judged one by one: what is no id, or nobody here, is missing from the answer, as the others
 * are owed theirs. Spec: server-server-api#device-management, #end-to-end-encryption
 */
import { needObject } from '../http/fields.ts'
import { MatrixError, notFound } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import type { KeyWanted } from '../keys/one-time-keys.ts'
import type { KeysForPeers, ShownKeys } from '../keys/shown-to-peers.ts'
import { type DeviceId, parseDeviceId, parseUserId, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { pathUser } from './peer-request.ts'

export interface UserKeysDeps {
  readonly authenticate: Step
  readonly keys: KeysForPeers
}

const maxUsers = 1_000
const maxClaims = 5_000

export function userKeysRoutes({ authenticate, keys }: UserKeysDeps): Route[] {
  const userDevices: Step = async function userDevices(ctx) {
    const wanted = pathUser(ctx)
    const shown = (await keys.of([wanted])).get(wanted)
    if (!shown) throw notFound('userId names nobody here.')
    ctx.body = {
      user_id: wanted,
      stream_id: shown.streamId,
      devices: [...shown.devices].map(([deviceId, deviceKeys]) => ({
        device_id: deviceId,
        keys: deviceKeys,
      })),
      ...present('master_key', shown.masterKey),
      ...present('self_signing_key', shown.selfSigningKey),
    }
  }

  const query: Step = async function query(ctx) {
    const wanted = new Map<UserId, ReadonlySet<string>>()
    for (const [id, devices] of bounded(needObject(ctx.state.body, 'device_keys'), maxUsers)) {
      const userId = parseUserId(id)
      if (userId) wanted.set(userId, new Set(Array.isArray(devices) ? (devices as string[]) : []))
    }
    const shown = [...(await keys.of([...wanted.keys()]))]
    ctx.body = {
      device_keys: Object.fromEntries(
        shown.map(([userId, { devices }]) => [userId, among(devices, wanted.get(userId)!)]),
      ),
      master_keys: byUser(shown, ({ masterKey }) => masterKey),
      self_signing_keys: byUser(shown, ({ selfSigningKey }) => selfSigningKey),
    }
  }

  const claim: Step = async function claim(ctx) {
    const wanted: KeyWanted[] = []
    for (const [id, devices] of bounded(needObject(ctx.state.body, 'one_time_keys'), maxUsers)) {
      const userId = parseUserId(id)
      if (!userId || !isObject(devices)) continue
      for (const [device, algorithm] of bounded(devices, maxClaims - wanted.length)) {
        const deviceId = parseDeviceId(device)
        if (deviceId && typeof algorithm === 'string') wanted.push({ userId, deviceId, algorithm })
      }
    }
    const claimed = Map.groupBy(await keys.claim(wanted), ({ userId }) => userId)
    ctx.body = {
      one_time_keys: Object.fromEntries(
        [...claimed].map(([userId, each]) => [
          userId,
          // Object.fromEntries, because a device may be called `__proto__`.
          Object.fromEntries(
            each.map(({ deviceId, algorithm, id, key }) => [deviceId, { [`${algorithm}:${id}`]: key }]),
          ),
        ]),
      ),
    }
  }

  const v1 = '/_matrix/federation/v1/user'
  return [
    { method: 'GET', path: `${v1}/devices/:userId`, steps: [authenticate, userDevices] },
    { method: 'POST', path: `${v1}/keys/query`, steps: [authenticate, query] },
    { method: 'POST', path: `${v1}/keys/claim`, steps: [authenticate, claim] },
  ]
}

function bounded(object: JsonObject, atMost: number): [string, unknown][] {
  const entries = Object.entries(object)
  if (entries.length <= atMost) return entries
  throw new MatrixError(413, 'M_TOO_LARGE', 'One request asks for too many keys.')
}

/** An empty list means all. */
function among(devices: ReadonlyMap<DeviceId, JsonObject>, wanted: ReadonlySet<string>): JsonObject {
  return Object.fromEntries([...devices].filter(([id]) => wanted.size === 0 || wanted.has(id)))
}

function byUser(
  shown: readonly (readonly [UserId, ShownKeys])[],
  keyOf: (keys: ShownKeys) => JsonObject | undefined,
): JsonObject {
  return Object.fromEntries(
    shown.flatMap(([userId, keys]) => {
      const key = keyOf(keys)
      return key ? [[userId, key]] : []
    }),
  )
}

function present(name: string, value: JsonObject | undefined): JsonObject {
  return value ? { [name]: value } : {}
}
