/**
 * Events of every odd shape from a pinned peer, whole servers around them: what is no event costs nobody anything
 * (CVE-2025-30355), and what is one, however strange, hides no history and breaks no client (CVE-2026-45076).
 */
import test, { type ExecutionContext } from 'ava'
import type { ServerName } from '../../../server/protocol/ids.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { signRequest } from '../../../server/protocol/request-signing.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { type FederatedServer, pinHomeserver, startFederated } from '../../support/federated.ts'
import { FederationPeer } from '../../support/federation-peer.ts'
import { type PeerDraft, PeerRoom } from '../../support/peer-room.ts'
import { type Person, person } from '../../support/person.ts'

const authority = new TestAuthority()

/** Ann's room at A, in which everybody may do everything, and Bob of B in it. */
async function open(t: ExecutionContext) {
  const a = await startFederated('a.test')
  t.teardown(() => a.process.remove())
  const b = await FederationPeer.start('b.test', authority)
  t.teardown(() => b.close())
  await pinHomeserver(a, b, authority)
  const ann = await person(a, 'ann')
  const { room_id: roomId } = await ann.ask('POST', '/createRoom', {
    preset: 'public_chat',
    power_level_content_override: { state_default: 0, events: {}, events_default: 0 },
  })
  const bob = `@bob:${b.serverName}`
  const held = await PeerRoom.join(b, a, roomId, bob)
  return { a, b, ann, roomId, bob, held }
}

/** A transaction whose events are texts: no JSON library of ours has looked at them. */
async function transactText(
  b: FederationPeer,
  to: FederatedServer,
  txnId: string,
  events: readonly string[],
) {
  const uri = `/_matrix/federation/v1/send/${txnId}`
  const content = `{"origin":"${b.serverName}","origin_server_ts":1,"pdus":[${events.join(',')}],"edus":[]}`
  const request = {
    method: 'PUT',
    uri,
    origin: b.serverName,
    destination: to.serverName as ServerName,
    content,
  }
  return b.send(to, 'PUT', uri, { authorization: signRequest(request, b.keyId, b.sign) }, content)
}

test.serial('JSON that means something else to every reader costs its own event, and no other', async t => {
  const { a, b, ann, roomId, bob, held } = await open(t)
  const honest = ['one', 'two', 'three'].map(text => held.message(bob, text))
  const monster = (content: string) =>
    JSON.stringify({ ...honest[0]!.pdu, content: 'HERE' }).replace('"HERE"', content)
  const monsters = [
    '{"body":1e400}',
    '{"body":-1e400}',
    '{"body":9007199254740993}',
    '{"body":1.5}',
    '{"body":-0}',
    '{"body":"\\ud800"}',
    '{"body":"a","body":"b"}',
    '{"__proto__":{"body":"polluted"},"constructor":{"prototype":{}}}',
    `{"body":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    `{"body":"${'x'.repeat(70_000)}"}`,
    'null',
  ].map(monster)
  const [one, two, three] = honest.map(({ pdu }) => JSON.stringify(pdu))
  const { status, body } = await transactText(b, a, 'monsters', [
    one!,
    ...monsters.slice(0, 6),
    two!,
    ...monsters.slice(6),
    'null',
    '7',
    '"text"',
    '[]',
    three!,
  ])
  t.is(status, 200, JSON.stringify(body))
  for (const { eventId } of honest) t.deepEqual(body.pdus[eventId], {})
  t.deepEqual((await ann.texts(roomId)).toReversed(), ['one', 'two', 'three'])
  t.is(({} as { body?: string }).body, undefined)

  // What is no JSON at all is refused whole, and the next transaction is taken.
  for (const broken of ['{"pdus":[', '{"a":1}x', `${'['.repeat(200_000)}`]) {
    const refused = await transactText(b, a, 'broken', [broken])
    t.is(refused.status, 400, broken.slice(0, 20))
    t.true(['M_NOT_JSON', 'M_BAD_JSON'].includes(refused.body.errcode))
  }
  const last = held.message(bob, 'four')
  t.deepEqual((await b.transact(a, [last.pdu]))[last.eventId], {})
  // A room that nobody here knows: silence.
  const elsewhere = PeerRoom.create(b, bob)
  t.deepEqual(await b.transact(a, [elsewhere.message(bob, 'hello?').pdu]), {})
})

const oddContents: readonly JsonObject[] = [
  {},
  { body: ['a', { b: 1 }] },
  { body: null, msgtype: {} },
  { body: 'x', msgtype: 'm.text', format: 1, formatted_body: { a: 1 } },
  { body: 'x', 'm.relates_to': 'nothing' },
  { body: 'x', 'm.relates_to': ['m.thread'] },
  { body: 'x', 'm.relates_to': { rel_type: 5, event_id: 6 } },
  { body: 'x', 'm.relates_to': { rel_type: 'm.thread', event_id: '$gone' } },
  { body: 'x', 'm.relates_to': { rel_type: 'm.replace', event_id: '$gone' }, 'm.new_content': 5 },
  { body: 'x', 'm.relates_to': { 'm.in_reply_to': [] } },
  { body: 'x', 'm.mentions': 'everybody' },
  { body: 'x', 'm.mentions': { user_ids: 'x', room: 'yes' } },
  { body: 'x', url: {}, info: 'none', file: [] },
  { constructor: { prototype: 1 }, toString: 'x', hasOwnProperty: 1, length: -1 },
  Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`key ${i}`, i])),
]

function oddDrafts(bob: string): PeerDraft[] {
  const message = (type: string, content: JsonObject): PeerDraft => ({ type, content, sender: bob })
  const state = (type: string, content: JsonObject, stateKey = ''): PeerDraft => ({
    type,
    content,
    sender: bob,
    stateKey,
  })
  return [
    ...oddContents.map(content => message('m.room.message', content)),
    ...oddContents.slice(0, 6).map(content => message('m.room.encrypted', content)),
    ...oddContents.slice(4, 9).map(content => message('m.reaction', content)),
    message('m.room.redaction', { redacts: { a: 1 } }),
    message('m.room.redaction', {}),
    message('\u0000', { body: 'a type of nothing' }),
    message('x'.repeat(255), { body: 'a long type' }),
    message('m.room.message', { body: 'deep', depth: 1 }),
    state('m.room.name', { name: { first: 'x' } }),
    state('m.room.topic', { topic: ['a'], 'm.topic': 1 }),
    state('m.room.avatar', { url: 5 }),
    state('m.room.canonical_alias', { alias: 5, alt_aliases: 'x' }),
    state('m.room.history_visibility', { history_visibility: ['invited'] }),
    state('m.room.guest_access', { guest_access: {} }),
    state('m.room.pinned_events', { pinned: {} }),
    state('m.room.encryption', { algorithm: 1 }),
    state('m.space.child', { via: 'x', order: 5, suggested: 'yes' }, '!a:b'),
    state('m.space.parent', { via: {}, canonical: 'x' }, 'not a room'),
    state('m.room.third_party_invite', { public_keys: 'x' }, 'token'),
    state('m.room.pinned_events', { pinned: [1, null, {}] }, 'with a key'),
    state('m.room.member', { membership: 'join', displayname: {}, avatar_url: 5, reason: [] }, bob),
    state('\ud83d\ude00', { odd: true }, '\u202e'.repeat(60)),
  ]
}

/** Whatever a client of Ann's may open. */
async function everything(ann: Person, roomId: string, around: string): Promise<[string, number][]> {
  const room = encodeURIComponent(roomId)
  const event = encodeURIComponent(around)
  const paths = [
    '/sync?timeout=0&full_state=true',
    `/rooms/${room}/messages?dir=b&limit=500`,
    `/rooms/${room}/messages?dir=f&limit=500`,
    `/rooms/${room}/state`,
    `/rooms/${room}/members`,
    `/rooms/${room}/joined_members`,
    `/rooms/${room}/context/${event}?limit=100`,
    `/rooms/${room}/event/${event}`,
    '/notifications',
    '/publicRooms',
    '/joined_rooms',
  ]
  const answers: [string, number][] = []
  for (const path of paths) answers.push([path, (await ann.call('GET', path)).status])
  const v1 = [`relations/${event}`, 'threads', 'hierarchy', 'timestamp_to_event?ts=0&dir=f']
  for (const path of v1) answers.push([path, (await ann.call('GET', `/../v1/rooms/${room}/${path}`)).status])
  return answers
}

test.serial(
  'events that are strange and valid hide no history and break no client (CVE-2026-45076)',
  async t => {
    const { a, b, ann, roomId, bob, held } = await open(t)
    const before = await ann.say(roomId, 'before')
    await b.transact(a, [held.message(bob, 'bob before').pdu])
    const { next_batch: since } = await ann.sync()
    let taken = 0
    for (const draft of oddDrafts(bob)) {
      const { pdu, eventId } = held.make(draft)
      const result = (await b.transact(a, [pdu]))[eventId]
      if (result && !result.error) {
        held.take(pdu)
        taken++
      }
    }
    t.true(taken > 40, `${taken} were taken`)
    // As deep as an event can be: nothing comes after it by that number.
    const deepest = held.add({
      type: 'm.room.message',
      sender: bob,
      content: { body: 'deepest' },
      depth: Number.MAX_SAFE_INTEGER,
    })
    t.deepEqual((await b.transact(a, [deepest.pdu]))[deepest.eventId], {})
    const after = await ann.say(roomId, 'after')

    for (const around of [before, deepest.eventId, after]) {
      for (const [path, status] of await everything(ann, roomId, around)) t.is(status, 200, path)
    }
    const texts = await ann.texts(roomId, 500)
    for (const text of ['before', 'bob before', 'deepest', 'after']) t.true(texts.includes(text), text)
    const news = (await ann.sync(since)).rooms.join[roomId]
    t.true(JSON.stringify(news).includes('after'))
    // Whoever comes now has all of it as well, and a restart changes nothing.
    const cara = await person(a, 'cara')
    await cara.ask('POST', `/join/${encodeURIComponent(roomId)}`, {})
    t.true((await cara.texts(roomId, 500)).includes('before'))
    await a.process.kill()
    await a.process.start()
    for (const [path, status] of await everything(ann, roomId, deepest.eventId)) t.is(status, 200, path)
    t.true((await cara.texts(roomId, 500)).includes('bob before'))
  },
)
