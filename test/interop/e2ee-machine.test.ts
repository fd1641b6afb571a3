/** Our engine and the Rust SDK's, at one server, both directions. */
import { RoomId, TrustRequirement } from '@matrix-org/matrix-sdk-crypto-wasm'
import test from 'ava'
import { ready } from '../../pwa/e2ee/primitives.ts'
import { Hub, OurDevice, RustDevice } from '../e2ee/hub.ts'

const [alice, bob] = ['@alice:letro.test', '@bob:letro.test']
const room = '!room:letro.test'
test.before(() => ready)

async function meet() {
  const hub = new Hub()
  const ours = await OurDevice.open(hub, alice, 'OURS')
  const theirs = await RustDevice.open(hub, bob, 'RUST')
  await hub.settle()
  await ours.bootstrap()
  await theirs.bootstrap()
  await ours.joinRoom(room, [alice, bob])
  await theirs.track([alice, bob])
  return { hub, ours, theirs }
}

test('messages go both ways, and each side takes the other’s device for cross-signed', async t => {
  const { ours, theirs } = await meet()
  const first = await ours.write(room, 'from us')
  t.is(await theirs.text(first, TrustRequirement.CrossSigned), 'from us')
  const answer = await theirs.write(room, [alice, bob], 'from Rust')
  t.like(await ours.read(answer), {
    kind: 'decrypted',
    shield: 'none',
    source: 'owner',
    senderDeviceId: 'RUST',
  })
  t.is(await ours.text(answer), 'from Rust')
  for (let i = 0; i < 30; i++) {
    t.is(await theirs.text(await ours.write(room, `there ${i}`)), `there ${i}`)
    t.is(await ours.text(await theirs.write(room, [alice, bob], `back ${i}`)), `back ${i}`)
  }
  t.deepEqual(ours.refusals, [])
})

test('a key that rotates is shared again, and who left cannot read what follows', async t => {
  const { ours, theirs } = await meet()
  const first = await ours.write(room, 'one')
  await ours.machine.receiveRoom(room, { members: { [bob]: null } })
  const after = await ours.write(room, 'two')
  t.not(after.content['session_id'], first.content['session_id'])
  t.is(await theirs.text(first), 'one')
  await t.throwsAsync(theirs.text(after), { any: true })
  await ours.joinRoom(room, [alice, bob])
  await ours.admit(room, bob)
  t.is(await theirs.text(await ours.write(room, 'three')), 'three')
  await t.throwsAsync(theirs.text(after), { any: true })
})

test('a broken Olm session is replaced', async t => {
  const { hub, ours, theirs } = await meet()
  t.is(await theirs.text(await ours.write(room, 'before')), 'before')
  // Ours loses the session that Rust writes with.
  for (const [id] of await ours.records.entries('olm-session')) {
    await ours.records.commit([{ collection: 'olm-session', id, value: null }])
  }
  await theirs.machine.invalidateGroupSession(new RoomId(room))
  const lost = await theirs.write(room, [alice, bob], 'lost')
  t.is(await ours.text(lost), 'NO_SESSION')
  t.true(ours.refusals.includes('OLM_UNDECRYPTABLE'))
  await hub.settle()
  // The dummy message through the new session has arrived: Rust writes with that one now.
  await theirs.machine.invalidateGroupSession(new RoomId(room))
  t.is(await ours.text(await theirs.write(room, [alice, bob], 'found')), 'found')
})

test('everything is as it was after a restart, and an unanswered request leaves again', async t => {
  const { hub, ours, theirs } = await meet()
  await ours.write(room, 'before')
  await ours.machine.receiveRoom(room, { members: { [bob]: null } })
  const encrypted = await ours.machine.encryptRoomEvent(room, 'm.room.message', { body: 'to myself' })
  t.is(encrypted.kind, 'encrypted')
  await ours.joinRoom(room, [alice, bob])
  await ours.admit(room, bob)
  await ours.machine.run(async step =>
    step.send({ id: 'last', kind: 'to-device', eventType: 'x', body: { messages: {} } }),
  )
  const before = ours.machine.outgoingRequests()
  await ours.reopen()
  t.deepEqual(ours.machine.outgoingRequests(), before)
  t.is(before.length, 1)
  await hub.settle()
  t.is(await theirs.text(await ours.write(room, 'after')), 'after')
})
