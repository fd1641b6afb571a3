/**
 * A pins B but not C; B pins both. What A says in a room with B must never reach C, by whomever.
 *
 * Honest: B is one of ours. Lying: B does as it likes, and so does C. A is ours, a process of its own, in all of them.
 */
import test from 'ava'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { type FederatedServer, pinHomeserver, pinSite, startFederated } from '../../support/federated.ts'
import { FederationPeer } from '../../support/federation-peer.ts'
import { makeEvent, PeerRoom } from '../../support/peer-room.ts'
import { eventually, type Person, person } from '../../support/person.ts'

const authority = new TestAuthority()

async function started(
  t: { teardown(act: () => Promise<void>): void },
  host: string,
): Promise<FederatedServer> {
  const server = await startFederated(host)
  t.teardown(() => server.process.remove())
  return server
}

async function peer(t: { teardown(act: () => Promise<void>): void }, host: string): Promise<FederationPeer> {
  const made = await FederationPeer.start(host, authority)
  t.teardown(() => made.close())
  return made
}

const createPublic = async (ann: Person): Promise<string> =>
  (await ann.ask('POST', '/createRoom', { preset: 'public_chat' })).room_id

test.serial('an honest peer lets nobody in whom the room’s maker has not pinned', async t => {
  const [a, b, c] = await Promise.all([started(t, 'a.test'), started(t, 'b.test'), peer(t, 'c.test')])
  await pinSite(a, b)
  await pinSite(b, a)
  await pinHomeserver(b, c, authority)
  const ann = await person(a, 'ann')
  const bob = await person(b, 'bob')
  const room = await createPublic(ann)
  await bob.ask('POST', `/join/${encodeURIComponent(room)}?via=${a.serverName}`, {})

  const cleo = `@cleo:${c.serverName}`
  await t.throwsAsync(PeerRoom.join(c, b, room, cleo), { message: /make_join: 403/ })
  await t.throwsAsync(PeerRoom.join(c, a, room, cleo), { message: /make_join: 403/ })
  const invited = await bob.call('POST', `/rooms/${encodeURIComponent(room)}/invite`, { user_id: cleo })
  t.is(invited.status, 403, JSON.stringify(invited.body))
  await ann.say(room, 'for b alone')
  await eventually(async () => (await bob.texts(room)).includes('for b alone'))
  t.deepEqual(c.pdus, [])
})

test.serial(
  'a lying peer lets a stranger in: the room stands still, and nothing of ours goes on',
  async t => {
    const [a, b, c] = await Promise.all([started(t, 'a.test'), peer(t, 'b.test'), peer(t, 'c.test')])
    await pinHomeserver(a, b, authority)
    const ann = await person(a, 'ann')
    const room = await createPublic(ann)
    const bob = `@bob:${b.serverName}`
    const cleo = `@cleo:${c.serverName}`
    const held = await PeerRoom.join(b, a, room, bob)
    await ann.say(room, 'before')
    await eventually(async () => b.pdus.some(pdu => pdu['type'] === 'm.room.message'))

    // C's own join, signed by C: valid by the room's rules, for an ACL is none of them.
    const draft = held.make({
      type: 'm.room.member',
      sender: cleo,
      stateKey: cleo,
      content: { membership: 'join' },
    })
    const { hashes: _h, signatures: _s, ...unsigned } = draft.pdu
    const joined = makeEvent(c, held.rules, unsigned)
    held.take(joined.pdu)
    await b.transact(a, [joined.pdu])

    const told = await eventually(async () =>
      (await ann.sync()).rooms.join[room]?.account_data.events.find(
        (event: { type: string }) => event.type === 'org.letro.frozen',
      ),
    )
    t.like(told.content, { server: c.serverName })
    let { length } = b.pdus
    const refused = await ann.call('PUT', `/rooms/${encodeURIComponent(room)}/send/m.room.message/after`, {
      msgtype: 'm.text',
      body: 'after',
    })
    t.is(refused.status, 403)
    t.true(refused.body.error.includes(c.serverName), refused.body.error)

    // Nothing is taken in the room and nothing of it is served any more, to C least of all.
    const said = held.message(bob, 'anybody there?')
    const results = await b.transact(a, [said.pdu])
    t.truthy(results[said.eventId]?.error)
    const path = `/_matrix/federation/v1/backfill/${encodeURIComponent(room)}?limit=10&v=${held.extremities[0]}`
    t.is((await b.ask(a, 'GET', path)).status, 403)
    t.is((await c.ask(a, 'GET', path)).status, 403)
    t.is(b.pdus.length, length)
    t.deepEqual(c.requests, [])

    // Who moves to another room says where to, and the others hear that and nothing else.
    const moved = await ann.ask('POST', `/rooms/${encodeURIComponent(room)}/upgrade`, { new_version: '12' })
    await eventually(async () => b.pdus.length > length)
    t.deepEqual(
      b.pdus.slice(length).map(({ type, content }) => [type, (content as JsonObject)['replacement_room']]),
      [['m.room.tombstone', moved.replacement_room]],
    )
    t.is((await b.ask(a, 'GET', path)).status, 403)
    length++

    // Somebody looks at C and pins it so that its events can be checked: the room goes on, and C still gets nothing.
    await pinHomeserver(a, c, authority)
    await a.admin('PUT', `/peers/${encodeURIComponent(c.serverName)}`, { direction: 'verify-only' })
    await eventually(async () => (await ann.call('PUT', ...ann.saying(room, 'again'))).status === 200)
    await eventually(async () => b.pdus.length > length)
    t.false(c.requests.some(({ path }) => path.includes('/send/')))
  },
)
