/**
 * The keys of our people, for servers of others: what every device of theirs needs to write to ours.
 *
 * Names of devices stay here: they tell what somebody uses and where. Signatures that others made stay as well.
 * Every pinned peer may ask: keys are needed for somebody who is only invited.
 *
 * Spec: server-server-api#end-to-end-encryption, #device-management
 */
import type { DeviceId, ServerName, UserId } from '../protocol/ids.ts'
import { serverOf } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { deviceKeysTable, deviceListPlaceTable } from '../store/catalogue.ts'
import type { Position, Store, View } from '../store/store.ts'
import { crossSigningKeysOf } from './cross-signing.ts'
import { type ClaimedKey, claimKeys, type KeyWanted } from './one-time-keys.ts'
import type { DeviceDirectory } from './ports.ts'

export interface ShownKeys {
  /** The last change of the list: `stream_id` of `m.device_list_update` counts in the same numbers. 0: none yet. */
  readonly streamId: Position
  readonly devices: ReadonlyMap<DeviceId, JsonObject>
  readonly masterKey?: JsonObject
  readonly selfSigningKey?: JsonObject
}

export interface KeysForPeers {
  /** Those who are none of ours (any more) are missing from the answer. */
  of(userIds: readonly UserId[]): Promise<ReadonlyMap<UserId, ShownKeys>>
  /** What is answered is durably gone from the store, or is a fallback key. */
  claim(wanted: readonly KeyWanted[]): Promise<readonly ClaimedKey[]>
}

export interface KeysForPeersDeps {
  readonly store: Store
  readonly serverName: ServerName
  readonly devices: DeviceDirectory
}

export function openKeysForPeers({ store, serverName, devices }: KeysForPeersDeps): KeysForPeers {
  const isOurs = (userId: UserId) => serverOf(userId) === serverName
  return {
    async of(userIds) {
      const ours = [...new Set(userIds)].filter(isOurs)
      const found = await store.read(view => Promise.all(ours.map(userId => read(view, userId))))
      return new Map(ours.flatMap((userId, i) => (found[i] ? [[userId, found[i]] as const] : [])))
    },
    async claim(wanted) {
      const here = wanted.filter(({ userId }) => isOurs(userId))
      const owners = [...new Set(here.map(({ userId }) => userId))]
      return here.length === 0 ? [] : store.transact(owners, tx => claimKeys(tx, here))
    },
  }

  async function read(view: View, userId: UserId): Promise<ShownKeys | null> {
    const [signedIn, published, crossSigning, place] = await Promise.all([
      devices.devicesOf(view, userId),
      view.range(deviceKeysTable.under(userId)),
      crossSigningKeysOf(view, userId),
      view.get(deviceListPlaceTable.key(userId)),
    ])
    if (!signedIn) return null
    const { master, self_signing: selfSigning } = crossSigning
    return {
      streamId: place ?? (0 as Position),
      devices: new Map(
        published.flatMap(({ parts: [, id], value }) =>
          signedIn.has(id as DeviceId) ? [[id as DeviceId, value] as const] : [],
        ),
      ),
      ...(master ? { masterKey: master } : {}),
      ...(selfSigning ? { selfSigningKey: selfSigning } : {}),
    }
  }
}
