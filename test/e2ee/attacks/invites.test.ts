/** Attack 1 of the list: a server that puts somebody into a room. */
import test from 'ava'
import type { JsonObject } from '#protocol/json.ts'
import { ready } from '../../../pwa/e2ee/primitives.ts'
import {
  admitNewcomer,
  beginRoom,
  inviteSignatureMember,
  receiveInvite,
  signInvite,
  undecidedNewcomers,
} from '../../../pwa/e2ee/signed-invite.ts'
import { Hub, OurDevice } from '../hub.ts'
import { alice, bob, Host, Person } from '../identity-world.ts'

test.before(() => ready)

const room = '!room:letro.test'
const mallory = '@mallory:letro.test'

/** Alice, who knows Bob's room and his inviting device; Mallory is an account of the server's making. */
async function world() {
  const host = await new Host(alice, 'A').withIdentity()
  const bobs = await new Host(bob, 'B').withIdentity()
  const [carol, theirs] = [new Person('@carol:letro.test'), new Person(mallory)]
  const identity = bobs.records.get(`identity\n${bob}`)!
  await host.run(step => step.put('identity', bob, { ...identity, verifiedKey: null }))
  const device = (bobs.records.get(`device-list\n${bob}`)!['devices'] as JsonObject)['B'] as JsonObject
  await host.knows(bob, device, new Host(bob, 'UNSIGNED').deviceKeys)
  for (const one of [host, bobs]) await one.learns(carol, theirs)
  await host.run(step => beginRoom(step, { roomId: room, userIds: [alice, bob] }))
  const content = await bobs.run(step => signInvite(step, bobs, { roomId: room, userId: carol.userId }))
  const invite = (event: Partial<Parameters<typeof receiveInvite>[1]>) =>
    host.run(step =>
      receiveInvite(step, { roomId: room, sender: bob, userId: carol.userId, content, ...event }),
    )
  const undecided = (userId: string) =>
    host.run(step => undecidedNewcomers(step, host, room, [alice, bob, userId]))
  return { host, bobs, carol, theirs, content, invite, undecided }
}

test('attack 1: somebody whom no member vouched for gets no keys before a person said yes', async t => {
  const { host, carol, theirs, content, invite, undecided } = await world()
  await invite({})
  t.deepEqual(await undecided(carol.userId), [])

  // The server's own guest: without a word, with somebody else's, with one for another room.
  const statement = content[inviteSignatureMember] as JsonObject
  const forged = (more: JsonObject) => ({ [inviteSignatureMember]: { ...statement, ...more } })
  const own = { invitee: mallory, invitee_master_key: theirs.master.publicKey }
  for (const attempt of [
    { content: {} },
    { content },
    { content: forged(own) },
    { content: forged({ ...own, signatures: {} }) },
    { content: forged({ ...own, device_id: 'UNSIGNED' }) },
    { content: forged({ ...own, inviter: mallory }), sender: mallory },
  ]) {
    await invite({ userId: mallory, ...attempt })
    t.deepEqual(await undecided(mallory), [mallory])
  }
  await invite({ roomId: '!other:letro.test' })
  t.deepEqual(await host.run(step => undecidedNewcomers(step, host, '!other:letro.test', [carol.userId])), [
    carol.userId,
  ])

  const admit = (masterKey: string | null) =>
    host.run(step => admitNewcomer(step, { roomId: room, userId: mallory, masterKey }))
  await t.throwsAsync(admit(null), { code: 'IDENTITY_CHANGED' })
  await admit(theirs.master.publicKey)
  t.deepEqual(await undecided(mallory), [])
})

test('attack 1: two guests of the server do not vouch for each other', async t => {
  const { host, invite, undecided, carol, theirs } = await world()
  const guest = await new Host(mallory, 'M').withIdentity()
  await guest.learns(carol)
  const content = await guest.run(step => signInvite(step, guest, { roomId: room, userId: carol.userId }))
  await host.run(step => step.put('identity', mallory, guest.records.get(`identity\n${mallory}`)!))
  const list = guest.records.get(`device-list\n${mallory}`)!['devices'] as JsonObject
  await host.knows(mallory, list['M'] as JsonObject)
  await invite({ sender: mallory, content })
  t.deepEqual(await undecided(carol.userId), [carol.userId])
  // Nor does each vouch for the other.
  const carols = await new Host(carol.userId, 'C').withIdentity()
  await carols.learns(theirs)
  const back = await carols.run(step => signInvite(step, carols, { roomId: room, userId: mallory }))
  await invite({ sender: carol.userId, userId: mallory, content: back })
  t.deepEqual(await undecided(mallory), [mallory])
  // Once a person let the guest in, the guest's word is a member's.
  const masterKey = (guest.records.get(`identity\n${mallory}`) as { masterKey: string }).masterKey
  await host.run(step => admitNewcomer(step, { roomId: room, userId: mallory, masterKey }))
  t.deepEqual(await undecided(carol.userId), [])
})

test('attack 1: the word is for one master key; another one under the same name is a newcomer', async t => {
  const { host, carol, invite, undecided } = await world()
  await invite({})
  t.deepEqual(await undecided(carol.userId), [])
  await host.learns(new Person(carol.userId))
  t.deepEqual(await undecided(carol.userId), [carol.userId])
})

test('attack 1: a room with a newcomer whom nobody let in is not written to; the word of a member opens it', async t => {
  const hub = new Hub()
  const ours = await OurDevice.open(hub, alice, 'A')
  const theirs = await OurDevice.open(hub, bob, 'B')
  const guest = await OurDevice.open(hub, mallory, 'M')
  await hub.settle()
  for (const device of [ours, theirs, guest]) await device.bootstrap()
  for (const device of [ours, theirs]) await device.joinRoom(room, [alice, bob])
  t.is(await theirs.text(await ours.write(room, 'before')), 'before')

  await ours.machine.receiveRoom(room, { members: { [mallory]: 'join' } })
  await t.throwsAsync(ours.write(room, 'secret'), { message: `blocked by ${mallory}` })
  t.like(ours.notices.at(-1), { kind: 'room-blocked', roomId: room, userIds: [mallory] })
  t.deepEqual(await guest.records.entries('inbound-group-session'), [])

  // Bob knows the person, and invited them: his word comes with the invite.
  await theirs.joinRoom(room, [mallory])
  await theirs.admit(room, mallory)
  const content = await theirs.machine.run((step, context) =>
    signInvite(step, context, { roomId: room, userId: mallory }),
  )
  await ours.machine.receiveRoom(room, { invites: [{ userId: mallory, sender: bob, content }] })
  t.is(await guest.text(await ours.write(room, 'after')), 'after')
})
