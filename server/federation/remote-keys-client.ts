/** `RemoteKeys` over https. Spec: server-server-api#end-to-end-encryption */

import type { RemoteDevices, RemoteKeys } from '../keys/ports.ts'
import { parseDeviceId } from '../protocol/ids.ts'
import { isObject, type Json } from '../protocol/json.ts'
import { type FederationClient, pathOf } from './client.ts'
import { integerIn, listIn, mayObjectIn, mayTextIn, wrong } from './shapes.ts'

const maxDevices = 10_000

export function remoteKeysClient(client: FederationClient): RemoteKeys {
  return {
    async userDevices(server, userId) {
      const answer = await client.json(server, { method: 'GET', path: pathOf`/v1/user/devices/${userId}` })
      const masterKey = mayObjectIn(answer, 'master_key')
      const selfSigningKey = mayObjectIn(answer, 'self_signing_key')
      return {
        streamId: integerIn(answer, 'stream_id'),
        devices: listIn(answer, 'devices', maxDevices).map(device),
        ...(masterKey ? { masterKey } : {}),
        ...(selfSigningKey ? { selfSigningKey } : {}),
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

function device(value: Json): RemoteDevices['devices'][number] {
  if (!isObject(value)) throw wrong('devices', 'has an entry that is not an object')
  const deviceId = parseDeviceId(value['device_id'])
  const keys = value['keys']
  if (!deviceId || !isObject(keys)) throw wrong('devices', 'has an entry without id or keys')
  const displayName = mayTextIn(value, 'device_display_name')
  return { deviceId, keys, ...(displayName === undefined ? {} : { displayName }) }
}
