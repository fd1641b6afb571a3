/** A peer that an administrator suspends in the middle of a room: nothing goes to it, nothing of it is taken, and then it catches up. */
import test, { type ExecutionContext } from 'ava'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { type FederatedServer, pinHomeserver, pinSite, startFederated } from '../../support/federated.ts'
import { FederationPeer } from '../../support/federation-peer.ts'
import { PeerRoom } from '../../support/peer-room.ts'
import { eventually, type Person, person } from '../../support/person.ts'
import { uploadKeys } from '../../support/uploaded-keys.ts'

const authority = new TestAuthority()

async function started(t: ExecutionContext, host: string): Promise<FederatedServer> {
  const server = await startFederated(host)
  t.teardown(() => server.process.remove())
  return server
}

async function peer(t: ExecutionContext, host: string, pinnedBy: FederatedServer): Promise<FederationPeer> {
  const made = await FederationPeer.start(host, authority)
  t.teardown(() => made.close())
  await pinHomeserver(pinnedBy, made, authority)
  return made
}

const createPublic = async (ann: Person): Promise<string> =>
  (await ann.ask('POST', '/createRoom', { preset: 'public_chat' })).room_id
const suspend = (at: FederatedServer, whom: { readonly serverName: string }, suspended: boolean) =>
  at.admin('PUT', `/peers/${encodeURIComponent(whom.serverName)}/suspended`, { suspended })
const texts = (pdus: readonly JsonObject[]) =>
  pdus.flatMap(({ content }) => (content as JsonObject)['body'] ?? [])

test.serial(
  'a suspended peer gets nothing more and is refused everything, and others notice nothing',
  async t => {
    const a = await started(t, 'a.test')
    const b = await peer(t, 'b.test', a)
    const c = await peer(t, 'c.test', a)
    const ann = await person(a, 'ann')
    const roomId = await createPublic(ann)
    const room = encodeURIComponent(roomId)
    const held = await PeerRoom.join(b, a, roomId, `@bob:${b.serverName}`)
    await uploadKeys(ann)
    await PeerRoom.join(c, a, roomId, `@cleo:${c.serverName}`)
    await ann.say(roomId, 'before')
    for (const each of [b, c]) await eventually(async () => texts(each.pdus).includes('before'))

    await suspend(a, b, true)
    const { length } = b.requests
    const meanwhile = await ann.say(roomId, 'meanwhile')
    await ann.ask('PUT', `/rooms/${room}/typing/${encodeURIComponent(ann.userId)}`, {
      typing: true,
      timeout: 9_000,
    })
    await ann.ask('POST', `/rooms/${room}/receipt/m.read/${encodeURIComponent(meanwhile)}`, {})
    await ann.ask('PUT', '/sendToDevice/m.test/1', {
      messages: { [`@bob:${b.serverName}`]: { '*': { secret: 1 } } },
    })
    const last = await ann.say(roomId, 'the last word')
    await eventually(async () => texts(c.pdus).includes('the last word'))
    await eventually(async () => c.edus.some(({ edu_type: type }) => type === 'm.receipt'))
    t.is(b.requests.length, length)

    const said = held.message(`@bob:${b.serverName}`, 'let me in')
    await t.throwsAsync(b.transact(a, [said.pdu]), { message: /403/ })
    for (const path of [
      `/backfill/${room}?limit=10&v=${encodeURIComponent(meanwhile)}`,
      `/event/${encodeURIComponent(meanwhile)}`,
      `/state/${room}?event_id=${encodeURIComponent(meanwhile)}`,
      `/make_join/${room}/${encodeURIComponent(`@eva:${b.serverName}`)}?ver=12`,
      `/query/profile?user_id=${encodeURIComponent(ann.userId)}`,
      `/user/devices/${encodeURIComponent(ann.userId)}`,
    ]) {
      const answer = await b.ask(a, 'GET', `/_matrix/federation/v1${path}`)
      t.is(answer.status, 403, path)
      t.is(answer.body.errcode, 'M_FORBIDDEN')
    }

    // Resumed: it is told without anybody speaking, and may ask for what lies between.
    await suspend(a, b, false)
    await eventually(async () => b.pdus.length > 0 && texts(b.pdus).includes('the last word'))
    const gap = await b.ask(a, 'POST', `/_matrix/federation/v1/get_missing_events/${room}`, {
      earliest_events: held.extremities,
      latest_events: [last],
      limit: 10,
      min_depth: 0,
    })
    t.true(texts(gap.body.events).includes('meanwhile'))
    t.deepEqual((await b.transact(a, [said.pdu]))[said.eventId], {})
    t.true((await ann.texts(roomId)).includes('let me in'))
    t.false(b.edus.some(({ edu_type: type }) => type === 'm.direct_to_device'))
    // Nor does it take the devices of then for those of now: nothing is said to come before, so it has to ask.
    const update = await eventually(async () =>
      b.edus.findLast(({ edu_type: type }) => type === 'm.device_list_update'),
    )
    t.like(update['content'], { user_id: ann.userId, device_id: ann.session.deviceId, prev_id: [] })
  },
)

test.serial(
  'two appliances: what each said while one had suspended the other is there afterwards',
  async t => {
    const [a, b] = await Promise.all([started(t, 'a.test'), started(t, 'b.test')])
    await pinSite(a, b)
    await pinSite(b, a)
    const ann = await person(a, 'ann')
    const bob = await person(b, 'bob')
    const roomId = await createPublic(ann)
    await bob.join(roomId, a.serverName)
    await ann.say(roomId, 'before')
    await eventually(async () => (await bob.texts(roomId)).includes('before'))

    await suspend(a, b, true)
    for (let i = 0; i < 5; i++) await ann.say(roomId, `ann ${i}`)
    for (let i = 0; i < 5; i++) await bob.say(roomId, `bob ${i}`)
    // B has tried and was refused.
    await eventually(async () =>
      (
        await b.admin('GET', `/peers/${encodeURIComponent(a.serverName)}`)
      ).body.outbound?.last_error?.includes('403'),
    )
    t.false((await bob.texts(roomId)).some(text => text.startsWith('ann')))
    t.false((await ann.texts(roomId)).some(text => text.startsWith('bob')))

    await suspend(a, b, false)
    const all = ['before', ...[0, 1, 2, 3, 4].flatMap(i => [`ann ${i}`, `bob ${i}`])].sort()
    for (const who of [ann, bob]) {
      await eventually(async () => (await who.texts(roomId)).sort().join() === all.join())
    }
    t.deepEqual(await ann.state(roomId), await bob.state(roomId))
  },
)
