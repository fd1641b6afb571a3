import test from 'ava'
import type { FederationClient } from '../../server/federation/client.ts'
import { remoteKeysClient } from '../../server/federation/remote-keys-client.ts'
import type { ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'

const server = 'peer.test' as ServerName
const dora = '@dora:peer.test' as UserId
const devicesIn = (answer: JsonObject) =>
  remoteKeysClient({ json: async () => answer } as unknown as FederationClient).userDevices(server, dora)

test('keys that are null, as Synapse says it, and devices without keys are no reason not to have the others', async t => {
  const answer = await devicesIn({
    user_id: dora,
    stream_id: 7,
    master_key: null,
    self_signing_key: null,
    devices: [
      { device_id: 'A', keys: { a: 1 }, device_display_name: null },
      { device_id: 'B' },
      null,
      { device_id: 7, keys: {} },
    ],
  })
  t.deepEqual(answer, { streamId: 7, devices: [{ deviceId: 'A' as never, keys: { a: 1 } }] })
})

for (const answer of [{}, { stream_id: 'x', devices: [] }, { stream_id: 1, devices: {} }]) {
  test(`${JSON.stringify(answer)} is no list of devices`, async t => {
    await t.throwsAsync(devicesIn(answer), { name: 'RemoteError' })
  })
}
