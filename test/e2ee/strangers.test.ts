/** People with whom we share no encrypted room cannot fill the disk, and take nothing from those with whom we do. */
import test from 'ava'
import type { JsonObject } from '#protocol/json.ts'
import { Account, megolmAlgorithm, olmAlgorithm } from '../../pwa/e2ee/account.ts'
import { receiveHistoryOffer } from '../../pwa/e2ee/history-sharing.ts'
import { OlmSession } from '../../pwa/e2ee/olm-session.ts'
import { OutboundGroupSession } from '../../pwa/e2ee/outbound-group-session.ts'
import { randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import { receiveRoomKey } from '../../pwa/e2ee/received-room-keys.ts'
import type { Collection } from '../../pwa/e2ee/records.ts'
import { decodeBase64, encodeBase64 } from '../../server/protocol/base64.ts'
import { utf8Bytes } from '../../server/protocol/utf8.ts'
import { Hub, OurDevice } from './hub.ts'

const [alice, bob, eve] = ['@alice:letro.test', '@bob:letro.test', '@eve:evil.test']
const room = '!room:letro.test'

test.before(() => ready)

async function world() {
  const hub = new Hub()
  const a = await OurDevice.open(hub, alice, 'A')
  await OurDevice.open(hub, bob, 'B')
  await hub.settle()
  await a.joinRoom(room, [alice, bob])
  return { hub, a }
}

const idsOf = async (device: OurDevice, collection: Collection, prefix = '') =>
  (await device.records.entries(collection, prefix)).map(([id]) => id)

const roomKey = (sender: string) => {
  const session = OutboundGroupSession.create(randomBytes)
  const key = encodeBase64(randomBytes(32))
  return {
    id: session.id,
    payload: {
      type: 'm.room_key',
      sender,
      content: {
        algorithm: megolmAlgorithm,
        room_id: room,
        session_id: session.id,
        session_key: session.sessionKey(),
      },
      senderCurve25519Key: key,
      senderEd25519Key: key,
      senderDeviceKeys: null,
    },
  }
}

test('of the room keys that strangers send a thousand are kept, the newest; those of acquaintances all are', async t => {
  const { a } = await world()
  const receive = (keys: ReturnType<typeof roomKey>[]) =>
    a.machine.run(async step => {
      for (const { payload } of keys) await receiveRoomKey(step, payload)
    })
  const known = [roomKey(bob), roomKey(bob)]
  const strange = Array.from({ length: 1_003 }, () => roomKey(eve))
  await receive([...known, ...strange.slice(0, 500)])
  await receive(strange.slice(500))
  // One that comes again takes no second place.
  await receive(strange.slice(-1))
  const kept = await idsOf(a, 'inbound-group-session')
  const expected = [...known, ...strange.slice(3)].map(({ id }) => `${room}|${id}`)
  t.deepEqual(kept.toSorted(), expected.toSorted())
})

test('what a stranger sent stays once they are no stranger any more', async t => {
  const { a } = await world()
  const [early, ...later] = Array.from({ length: 1_001 }, (_, i) =>
    roomKey(i === 0 ? eve : '@mallory:evil.test'),
  )
  await a.machine.run(step => receiveRoomKey(step, early!.payload))
  await a.joinRoom('!other:letro.test', [alice, eve])
  await a.machine.run(async step => {
    for (const { payload } of later) await receiveRoomKey(step, payload)
  })
  t.true((await idsOf(a, 'inbound-group-session')).includes(`${room}|${early!.id}`))
})

test('words that there will be no key are kept by the thousand, not by the million', async t => {
  const { hub, a } = await world()
  const withheld = (sender: string, n: number) => ({
    sender,
    type: 'm.room_key.withheld',
    content: { algorithm: megolmAlgorithm, room_id: room, session_id: `session${n}`, code: 'm.unverified' },
  })
  hub.deliver(`${alice} A`, withheld(bob, -1))
  for (let n = 0; n < 1_010; n++) hub.deliver(`${alice} A`, withheld(eve, n))
  await a.turn()
  const kept = await idsOf(a, 'key-request', 'withheld|')
  t.is(kept.length, 1_001)
  t.true(kept.includes(`withheld|${room}|session-1`))
  t.false(kept.includes(`withheld|${room}|session9`))
  t.true(kept.includes(`withheld|${room}|session1009`))
})

test('Olm sessions that strangers begin with our fallback key are bounded', async t => {
  const { hub, a } = await world()
  const { identityKey, ed25519Key, curve25519Key } = accountOf(a)
  const fallbackKey = decodeBase64(String(hub.devices.get(alice)!.get('A')!.fallback![1]['key']))!
  for (let n = 0; n < 503; n++) {
    const account = Account.create(randomBytes)
    const session = OlmSession.outbound(account.identityKey, identityKey, fallbackKey, randomBytes)
    const payload: JsonObject = {
      type: 'm.dummy',
      content: {},
      sender: eve,
      recipient: alice,
      recipient_keys: { ed25519: ed25519Key },
      keys: { ed25519: account.ed25519Key },
    }
    const { message } = await session.encrypt(utf8Bytes(JSON.stringify(payload)), randomBytes)
    hub.deliver(`${alice} A`, {
      sender: eve,
      type: 'm.room.encrypted',
      content: {
        algorithm: olmAlgorithm,
        sender_key: account.curve25519Key,
        ciphertext: { [curve25519Key]: { type: message.type, body: encodeBase64(message.body) } },
      },
    })
  }
  await a.turn()
  t.deepEqual(a.refusals, [])
  t.is((await idsOf(a, 'olm-session')).length, 500)
})

function accountOf({ deviceId, hub }: OurDevice) {
  const keys = hub.devices.get(alice)!.get(deviceId)!.keys['keys'] as Record<string, string>
  const curve25519Key = keys[`curve25519:${deviceId}`]!
  return {
    curve25519Key,
    ed25519Key: keys[`ed25519:${deviceId}`]!,
    identityKey: decodeBase64(curve25519Key)!,
  }
}

test('offers of history are small, and their senders are followed in bounds', async t => {
  const { a } = await world()
  const offer = (sender: string, file: JsonObject) =>
    a.machine.run((step, context) =>
      receiveHistoryOffer(step, context, { ...roomKey(sender).payload, content: { room_id: room, file } }),
    )
  for (let n = 0; n < 205; n++) await offer(`@eve${n}:evil.test`, { url: 'mxc://evil.test/x' })
  t.is((await idsOf(a, 'device-list', '@eve')).length, 200)
  await t.throwsAsync(offer(eve, { url: 'x'.repeat(5_000) }), { code: 'BUNDLE_MALFORMED' })
})

test('a first upload of keys that the server refuses is made again with the next sync', async t => {
  const hub = new Hub()
  const a = await OurDevice.open(hub, alice, 'A')
  const [first] = a.machine.outgoingRequests()
  t.is(first!.kind, 'keys-upload')
  await a.machine.receiveAnswer(first!.id, null)
  t.false(a.machine.outgoingRequests().some(({ kind }) => kind === 'keys-upload'))
  // No counts in this sync: an old server, or nothing new.
  await a.machine.receiveSync({})
  const again = a.machine.outgoingRequests().filter(({ kind }) => kind === 'keys-upload')
  t.is(again.length, 1)
  t.deepEqual(again[0]!.body['device_keys'], first!.body['device_keys'])
  await a.machine.receiveAnswer(again[0]!.id, {})
  await a.machine.receiveSync({})
  t.false(a.machine.outgoingRequests().some(({ kind }) => kind === 'keys-upload'))
  await hub.settle()
  await a.bootstrap()
})
