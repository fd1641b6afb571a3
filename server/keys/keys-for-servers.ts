/**
 * What other servers may ask of our people's devices and keys. Whoever calls has authenticated the server.
 *
 * Names of devices are not among it: they are optional, and tell more than their owners mean to.
 *
 * Spec: server-server-api#device-management, #end-to-end-encryption
 */
import { type DeviceId, type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { deviceListPlaceTable } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import { QueryResult, readKeysOf } from './key-query.ts'
import { type ClaimedKey, claimKeys, type KeyWanted } from './one-time-keys.ts'
import type { DeviceDirectory } from './ports.ts'

export interface KeysForServersDeps {
  readonly store: Store
  readonly serverName: ServerName
  readonly devices: DeviceDirectory
}

export class KeysForServers {
  readonly #deps: KeysForServersDeps

  constructor(deps: KeysForServersDeps) {
    this.#deps = deps
  }

  /**
   * The answer to `GET /user/devices`; null: no person of ours. List and `stream_id` are of one moment.
   * Spec: server-server-api#get_matrixfederationv1userdevicesuserid
   */
  async userDevices(userId: UserId): Promise<JsonObject | null> {
    if (serverOf(userId) !== this.#deps.serverName) return null
    return await this.#deps.store.read(async view => {
      const names = await this.#deps.devices.devicesOf(view, userId)
      if (!names) return null
      const [place, { devices, crossSigning }] = await Promise.all([
        view.get(deviceListPlaceTable.key(userId)),
        readKeysOf(view, null, userId, names),
      ])
      const { master, self_signing } = crossSigning
      return {
        user_id: userId,
        stream_id: place ?? 0,
        devices: [...devices].map(([deviceId, keys]) => ({ device_id: deviceId, keys })),
        ...(master ? { master_key: master } : {}),
        ...(self_signing ? { self_signing_key: self_signing } : {}),
      }
    })
  }

  /** Spec: server-server-api#post_matrixfederationv1userkeysquery; an empty list of devices means all. */
  async query(wanted: ReadonlyMap<UserId, readonly DeviceId[]>): Promise<JsonObject> {
    const { store, devices } = this.#deps
    const answer = new QueryResult()
    await store.read(async view => {
      for (const [userId, only] of wanted) {
        if (serverOf(userId) !== this.#deps.serverName) continue
        const names = await devices.devicesOf(view, userId)
        if (names) answer.add(null, userId, await readKeysOf(view, null, userId, names), only)
      }
    })
    const { device_keys, master_keys, self_signing_keys } = answer
    return { device_keys, master_keys, self_signing_keys }
  }

  /** What is answered is durably gone from the store, or is a fallback key. */
  async claim(wanted: readonly KeyWanted[]): Promise<readonly ClaimedKey[]> {
    const ours = wanted.filter(({ userId }) => serverOf(userId) === this.#deps.serverName)
    if (ours.length === 0) return []
    const owners = [...new Set(ours.map(({ userId }) => userId))]
    return await this.#deps.store.transact(owners, tx => claimKeys(tx, ours))
  }
}
