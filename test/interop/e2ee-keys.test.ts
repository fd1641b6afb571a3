/** Keys that are withheld, asked for and handed on with a room's history: our engine and the Rust SDK's, both directions. */
import {
  CollectStrategy,
  type MegolmDecryptionError,
  type OwnUserIdentity,
  DeviceId as RustDeviceId,
  RoomId as RustRoomId,
  UserId as RustUserId,
} from '@matrix-org/matrix-sdk-crypto-wasm'
import test from 'ava'
import type { JsonObject } from '#protocol/json.ts'
import { decryptAttachment, encryptAttachment } from '../../pwa/e2ee/attachment.ts'
import { signOwnDevice } from '../../pwa/e2ee/cross-signing.ts'
import {
  buildHistoryBundle,
  historyOffer,
  importHistory,
  shareHistory,
} from '../../pwa/e2ee/history-sharing.ts'
import { requestRoomKey } from '../../pwa/e2ee/key-requests.ts'
import { randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import { readSecret } from '../../pwa/e2ee/secrets.ts'
import { Hub, OurDevice, RustDevice } from '../e2ee/hub.ts'

const [alice, bob] = ['@alice:letro.test', '@bob:letro.test']
const room = '!room:letro.test'
test.before(() => ready)

async function ours(hub: Hub, userId: string, deviceId: string): Promise<OurDevice> {
  const device = await OurDevice.open(hub, userId, deviceId)
  // The other engine goes by the clock on the wall.
  device.now = Date.now()
  await hub.settle()
  return device
}

async function theirs(hub: Hub, userId: string, deviceId: string): Promise<RustDevice> {
  const device = await RustDevice.open(hub, userId, deviceId)
  await hub.settle()
  return device
}

test('a Rust device that its owner did not sign hears from us that it gets no key', async t => {
  const hub = new Hub()
  const a = await ours(hub, alice, 'OURS')
  const signed = await theirs(hub, bob, 'SIGNED')
  await a.bootstrap()
  await signed.bootstrap()
  const unsigned = await theirs(hub, bob, 'UNSIGNED')
  for (const each of [signed, unsigned]) await each.track([alice, bob])
  await a.joinRoom(room, [alice, bob])
  const event = await a.write(room, 'for signed devices')
  t.is(await signed.text(event), 'for signed devices')
  const refused = (await t.throwsAsync(unsigned.text(event), {
    any: true,
  })) as unknown as MegolmDecryptionError
  t.is(refused.withheldCode, 'm.unverified')
})

test('our device that its owner did not sign hears from Rust that it gets no key', async t => {
  const hub = new Hub()
  const [a, b] = [await ours(hub, alice, 'OURS'), await theirs(hub, bob, 'RUST')]
  await a.bootstrap()
  await b.bootstrap()
  const unsigned = await ours(hub, alice, 'UNSIGNED')
  for (const each of [a, unsigned]) await each.joinRoom(room, [alice, bob])
  const event = await b.write(
    room,
    [alice, bob],
    'for signed devices',
    CollectStrategy.identityBasedStrategy(),
  )
  t.is(await a.text(event), 'for signed devices')
  t.like(await unsigned.read(event), { code: 'WITHHELD', withheld: 'm.unverified' })
})

/** Our device of Alice and a Rust one, each taking the other for hers; and Bob, who writes. */
async function twoOfAlice(hub: Hub) {
  const [a, b] = [await ours(hub, alice, 'OURS'), await ours(hub, bob, 'B')]
  for (const each of [a, b]) await each.bootstrap()
  const rust = await theirs(hub, alice, 'RUST')
  const join = async () => {
    for (const each of [a, b]) await each.joinRoom(room, [alice, bob])
  }
  const verify = async () => {
    await rust.track([alice, bob])
    const secret = (name: Parameters<typeof readSecret>[1]) => a.machine.run(step => readSecret(step, name))
    await rust.machine.importCrossSigningKeys(
      await secret('m.cross_signing.master'),
      await secret('m.cross_signing.self_signing'),
      await secret('m.cross_signing.user_signing'),
    )
    const identity = (await rust.machine.getIdentity(new RustUserId(alice))) as OwnUserIdentity
    await rust.answer(await identity.verify())
    await a.machine.run((step, context) => signOwnDevice(step, context, 'RUST'))
    await hub.settle()
    await rust.track([alice])
    const device = await rust.machine.getDevice(new RustUserId(alice), new RustDeviceId('OURS'))
    return device!.isCrossSigningTrusted()
  }
  return { a, b, rust, join, verify }
}

test('our device gives a verified Rust device of the same person the key that it asks for', async t => {
  const hub = new Hub()
  const { a, b, rust, join, verify } = await twoOfAlice(hub)
  await join()
  // Not signed yet: it does not get the key.
  const event = await b.write(room, 'before')
  t.is(await a.text(event), 'before')
  await t.throwsAsync(rust.text(event), { any: true })
  t.true(await verify())
  rust.machine.roomKeyRequestsEnabled = true
  await t.throwsAsync(rust.text(event), { any: true })
  await hub.settle()
  t.is(await rust.text(event), 'before')
})

test('a verified Rust device of the same person gives ours the key that it asks for', async t => {
  const hub = new Hub()
  const { a, b, rust, join, verify } = await twoOfAlice(hub)
  t.true(await verify())
  await join()
  const event = await b.write(room, 'lost')
  t.is(await rust.text(event), 'lost')
  const sessionId = event.content['session_id'] as string
  const id = `${room}|${sessionId}`
  await a.records.commit([{ collection: 'inbound-group-session', id, value: null }])
  t.is(await a.text(event), 'NO_SESSION')
  await a.machine.run((step, context) => requestRoomKey(step, context, room, sessionId))
  await hub.settle()
  t.like(await a.read(event), { content: { body: 'lost' }, shield: 'not-authentic', givenBy: 'RUST' })
})

async function through(stream: TransformStream<Uint8Array, Uint8Array>, bytes: Uint8Array) {
  const out = new Response(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream as never))
  return new Uint8Array(await out.arrayBuffer())
}

test('history that we hand on, Rust reads', async t => {
  const hub = new Hub()
  const a = await ours(hub, alice, 'OURS')
  await a.bootstrap()
  await a.joinRoom(room, [alice], { historyVisibility: 'shared' })
  const event = await a.write(room, 'before Bob')
  const b = await theirs(hub, bob, 'RUST')
  await b.bootstrap()
  await b.track([alice, bob])
  await a.machine.receiveRoom(room, { members: { [bob]: 'invite' } })
  await hub.settle()
  const bundle = (await a.machine.run(step => buildHistoryBundle(step, room)))!
  const file = encryptAttachment(randomBytes)
  const ciphertext = await through(file.stream, bundle)
  const info = { ...file.info(), url: 'mxc://letro.test/bundle' }
  const share = () => a.machine.run((step, context) => shareHistory(step, context, room, bob, info))
  if ((await share()) !== null) {
    await hub.settle()
    t.is(await share(), null)
  }
  await hub.settle()
  const data = await b.machine.getReceivedRoomKeyBundleData(new RustRoomId(room), new RustUserId(alice))
  t.is(data?.url, 'mxc://letro.test/bundle')
  await b.machine.receiveRoomKeyBundle(data!, ciphertext)
  t.is(await b.text(event), 'before Bob')
})

test('history that Rust hands on, we read, and show as given', async t => {
  const hub = new Hub()
  const [a, b] = [await ours(hub, alice, 'OURS'), await theirs(hub, bob, 'RUST')]
  await a.bootstrap()
  await b.bootstrap()
  // A session that may be handed on: Rust makes its own not so here, so it is given one that is.
  const c = await ours(hub, '@carol:letro.test', 'C')
  await c.bootstrap()
  await b.track(['@carol:letro.test', bob])
  await c.joinRoom(room, ['@carol:letro.test', bob], { historyVisibility: 'shared' })
  const event = await c.write(room, 'before Alice')
  t.is(await b.text(event), 'before Alice')
  const bundle = await b.machine.buildRoomKeyBundle(new RustRoomId(room))
  const ciphertext = bundle!.encryptedData
  await b.track([alice])
  const claim = await b.machine.getMissingSessions([new RustUserId(alice)])
  if (claim) await b.answer(claim)
  const requests = await b.machine.shareRoomKeyBundleData(
    new RustUserId(alice),
    new RustRoomId(room),
    'mxc://letro.test/bundle',
    bundle!.mediaEncryptionInfo,
    CollectStrategy.identityBasedStrategy(),
  )
  for (const request of requests) await b.answer(request)
  await hub.settle()
  const file = await a.machine.run((step, context) => historyOffer(step, context, room, bob))
  t.is(file?.['url'], 'mxc://letro.test/bundle')
  const plaintext = await through(decryptAttachment(file as JsonObject, 1_000_000), ciphertext)
  t.is(await a.machine.run((step, context) => importHistory(step, context, room, bob, plaintext)), 1)
  t.like(await a.read(event), {
    content: { body: 'before Alice' },
    shield: 'not-authentic',
    source: 'history',
    givenBy: bob,
  })
})
