/** `RemoteKeys` over https. Spec: server-server-api#end-to-end-encryption */

import type { RemoteDevices, RemoteKeys } from '../keys/ports.ts'
import { parseDeviceId } from '../protocol/ids.ts'
import { isObject, type Json } from '../protocol/json.ts'
import { type FederationClient, pathOf } from './client.ts'
import { integerIn, listIn } from './shapes.ts'

const maxDevices = 10_000

export function remoteKeysClient(client: FederationClient): RemoteKeys {
  return {
    async userDevices(server, userId) {
      const answer = await client.json(server, { method: 'GET', path: pathOf`/v1/user/devices/${userId}` })
      // Synapse says null where there is none.
      const [masterKey, selfSigningKey] = [answer['master_key'], answer['self_signing_key']]
      return {
        streamId: integerIn(answer, 'stream_id'),
        devices: listIn(answer, 'devices', maxDevices).flatMap(device => deviceIn(device) ?? []),
        ...(isObject(masterKey) ? { masterKey } : {}),
        ...(isObject(selfSigningKey) ? { selfSigningKey } : {}),
      }
    },

    query(server, wanted) {
      return client.json(server, {
        method: 'POST',
        path: pathOf`/v1/user/keys/query`,
        body: { device_keys: wanted },
      })
    },

    claim(server, wanted) {
      return client.json(server, {
        method: 'POST',
        path: pathOf`/v1/user/keys/claim`,
        body: { one_time_keys: wanted },
      })
    },
  }
}

/** null: a device that cannot encrypt, or none: no reason not to have the others. */
function deviceIn(value: Json): RemoteDevices['devices'][number] | null {
  if (!isObject(value)) return null
  const deviceId = parseDeviceId(value['device_id'])
  const { keys, device_display_name: displayName } = value
  if (!deviceId || !isObject(keys)) return null
  return { deviceId, keys, ...(typeof displayName === 'string' ? { displayName } : {}) }
}
