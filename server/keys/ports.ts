/** What the key directory needs of others; `app.ts` hands it in. */
import type { Outbound } from '../peers/outbound.ts'
import type { Peers } from '../peers/peer.ts'
import type { DeviceId, ServerName, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { View } from '../store/store.ts'

export interface DeviceNames {
  readonly displayName?: string
}

export interface DeviceDirectory {
  /**
   * The user's devices as this view sees them: inside a transaction that owns the user, no device comes or goes
   * meanwhile. null: there is no such person here (any more).
   */
  devicesOf(view: View, userId: UserId): Promise<ReadonlyMap<DeviceId, DeviceNames> | null>
}

/** The port to key directories of other servers. Every method throws `RemoteError` of the rooms area. */
export interface RemoteKeys {
  /** Spec: server-server-api#get_matrixfederationv1userdevicesuserid */
  userDevices(server: ServerName, userId: UserId): Promise<RemoteDevices>
  /** Spec: server-server-api#post_matrixfederationv1userkeysquery; by user, empty: all devices. */
  query(server: ServerName, wanted: Readonly<Record<string, readonly string[]>>): Promise<JsonObject>
  /** Spec: server-server-api#post_matrixfederationv1userkeysclaim; user → device → algorithm. */
  claim(
    server: ServerName,
    wanted: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ): Promise<JsonObject>
}

export interface RemoteDevices {
  readonly streamId: number
  readonly devices: readonly {
    readonly deviceId: DeviceId
    readonly displayName?: string
    readonly keys: JsonObject
  }[]
  readonly masterKey?: JsonObject
  readonly selfSigningKey?: JsonObject
}

/** How the key directory reaches other servers; without it there are none. */
export interface KeysFederation {
  readonly outbound: Pick<Outbound, 'put'>
  readonly remote: RemoteKeys
  readonly peers: Pick<Peers, 'all' | 'maySendTo'>
}
