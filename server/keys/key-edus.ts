/**
 * What other servers are told when devices and keys of our people change, and whom it concerns.
 *
 * A server that missed one sees it by `prev_id`, and asks for the whole list. That is also why one may take another's
 * place in the queue: what comes last for a device counts, and the gap shows.
 *
 * The names of devices stay here: `device_display_name` is optional, and they tell more than their owners mean to.
 *
 * Spec: server-server-api#device-management, #end-to-end-encryption (m.signing_key_update)
 */
import type { OutboundItem } from '../peers/outbound.ts'
import type { Peers } from '../peers/peer.ts'
import type { DeviceId, ServerName, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Position } from '../store/store.ts'
import type { CrossSigningKeys } from './cross-signing.ts'

export type KeyChange =
  | {
      readonly kind: 'device'
      readonly deviceId: DeviceId
      /** As published; null: the device is gone. */
      readonly keys: JsonObject | null
    }
  | { readonly kind: 'identity'; readonly keys: CrossSigningKeys }

/** @param previous where the list stood before: the same as `stream_id` of `/user/devices` said then. */
export function deviceListUpdate(
  userId: UserId,
  { deviceId, keys }: KeyChange & { readonly kind: 'device' },
  position: Position,
  previous: Position | undefined,
): OutboundItem {
  const content: JsonObject = {
    user_id: userId,
    device_id: deviceId,
    stream_id: position,
    prev_id: previous === undefined ? [] : [previous],
    ...(keys ? { keys } : { deleted: true }),
  }
  return {
    kind: 'latest',
    key: `device ${userId} ${deviceId}`,
    edu: { edu_type: 'm.device_list_update', content },
  }
}

export function signingKeyUpdate(
  userId: UserId,
  { keys }: KeyChange & { readonly kind: 'identity' },
): OutboundItem {
  const content: JsonObject = {
    user_id: userId,
    ...(keys.master ? { master_key: keys.master } : {}),
    ...(keys.self_signing ? { self_signing_key: keys.self_signing } : {}),
  }
  return { kind: 'latest', key: `identity ${userId}`, edu: { edu_type: 'm.signing_key_update', content } }
}

/** The peers with somebody in a room that this person is in. */
export async function serversSharing(
  rooms: Pick<Rooms, 'view' | 'memberships'>,
  peers: Pick<Peers, 'all' | 'maySendTo'>,
  userId: UserId,
): Promise<readonly ServerName[]> {
  const wanted = [...peers.all()].map(({ serverName }) => serverName).filter(name => peers.maySendTo(name))
  // Most servers are an island most of the time: no room is opened for it.
  if (wanted.length === 0) return []
  const joined = [...(await rooms.memberships(userId)).values()].filter(
    ({ membership }) => membership === 'join',
  )
  const views = await Promise.all(joined.map(({ roomId }) => rooms.view(roomId)))
  return wanted.filter(server => views.some(view => view && !view.frozen && view.joinedServers.has(server)))
}
