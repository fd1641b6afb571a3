/** Transactions of other servers: gaps, bad events, hostile graphs. */
import test from 'ava'
import type { EventId, RoomId } from '../../server/protocol/ids.ts'
import type { Json, JsonObject } from '../../server/protocol/json.ts'
import { pduOf, person, say, sharedRoom } from './federated-room.ts'
import { forged } from './forged-event.ts'
import { member } from './room-fixture.ts'
import { type Site, World } from './two-servers.ts'

async function two() {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const roomId = await sharedRoom(a, b)
  return { world, a, b, roomId }
}

async function bodies(site: Site, roomId: RoomId): Promise<unknown[]> {
  const events = await site.rooms.timeline(roomId, { limit: 500 })
  return events.flatMap(({ type, content }) => (type === 'm.room.message' ? [content['body']] : []))
}

test('a short gap is filled, in order', async t => {
  const { world, a, b, roomId } = await two()
  for (let i = 0; i < 30; i++) await b.rooms.send({ roomId, ...say(b, 'bob', `${i}`) })
  const last = await b.rooms.send({ roomId, ...say(b, 'bob', 'last') })
  await world.deliver(b, [last.eventId])
  t.deepEqual(await bodies(a, roomId), [...Array.from({ length: 30 }, (_, i) => `${i}`), 'last'])
  t.deepEqual((await a.rooms.view(roomId))!.forwardExtremities, [last.eventId])
})

test('a gap is asked for piece by piece until it meets what is here, and filled in order', async t => {
  const { world, a, b, roomId } = await two()
  for (let i = 0; i < 150; i++) await b.rooms.send({ roomId, ...say(b, 'bob', `${i}`) })
  const last = await b.rooms.send({ roomId, ...say(b, 'bob', 'last') })
  const before = world.requests.length
  world.mostMissing = 20
  await world.deliver(b, [last.eventId])
  t.deepEqual(await bodies(a, roomId), [...Array.from({ length: 150 }, (_, i) => `${i}`), 'last'])
  t.is((await a.rooms.backwardExtremities(roomId)).size, 0)
  t.deepEqual(
    world.requests.slice(before),
    Array.from({ length: 8 }, () => 'a.test > bb.test: get_missing_events'),
  )
})

test('a long gap is bridged by the state, and both agree on what is now', async t => {
  const { world, a, b, roomId } = await two()
  const ann = person('ann', a)
  for (let i = 0; i < 150; i++) await b.rooms.send({ roomId, ...say(b, 'bob', `${i}`) })
  for (const name of ['p1', 'p2', 'p3']) {
    await b.rooms.send({ roomId, ...member(person(name, b), 'join') })
  }
  for (let i = 0; i < 150; i++) await b.rooms.send({ roomId, ...say(b, 'bob', `later ${i}`) })
  // All that the other tells of what lies between.
  const newest = (await b.rooms.timeline(roomId, { limit: 90 })).slice(-90)
  const told = await Promise.all(newest.map(({ eventId }) => pduOf(b, eventId)))
  world.lies.set('get_missing_events', async () => told)
  const last = await b.rooms.send({ roomId, ...say(b, 'bob', 'last') })
  await world.deliver(b, [last.eventId])
  t.is((await bodies(a, roomId)).at(-1), 'last')
  t.is((await a.rooms.view(roomId))!.memberCount('join'), 5)
  const reply = await a.rooms.send({
    roomId,
    sender: ann,
    type: 'm.room.message',
    content: { body: 'reply' },
  })
  await world.deliver(a, [reply.eventId])
  for (const { eventId, type, stateKey } of (await b.rooms.view(roomId))!.allState()) {
    t.is((await a.rooms.view(roomId))!.state(type, stateKey)?.eventId, eventId)
  }
  // The rest of the history is there for who reads it.
  while (await a.rooms.fetchOlder(roomId)) {}
  t.is((await bodies(a, roomId)).length, 302)
})

test('a redaction of what lies behind a gap takes effect, and is shown, once that is fetched', async t => {
  const { world, a, b, roomId } = await two()
  const first = await b.rooms.send({ roomId, ...say(b, 'bob', 'secret') })
  for (let i = 0; i < 120; i++) await b.rooms.send({ roomId, ...say(b, 'bob', `${i}`) })
  const redaction = await b.rooms.send({
    roomId,
    sender: person('bob', b),
    type: 'm.room.redaction',
    content: { redacts: first.eventId },
    redacts: first.eventId,
  })
  world.lies.set('get_missing_events', async () => [])
  await world.deliver(b, [redaction.eventId])
  const newest = async () => (await a.rooms.timeline(roomId, { limit: 1, reverse: true }))[0]!
  t.not((await newest()).eventId, redaction.eventId)
  while (await a.rooms.fetchOlder(roomId)) {}
  t.is((await a.rooms.event(first.eventId))!.redactedBecause?.eventId, redaction.eventId)
  t.is((await newest()).eventId, redaction.eventId)
  t.is((await a.rooms.view(roomId))!.lastPosition, (await newest()).position)
})

test('one bad event hurts no other, whatever is wrong with it (CVE-2025-30355)', async t => {
  const { a, b, roomId } = await two()
  const good = await b.rooms.send({ roomId, ...say(b, 'bob', 'good') })
  const better = await b.rooms.send({ roomId, ...say(b, 'bob', 'better') })
  const pdu = await pduOf(b, good.eventId)
  const bad: Json[] = [
    null,
    [],
    'text',
    {},
    { ...pdu, depth: 1e300 },
    { ...pdu, depth: 2 ** 60 },
    { ...pdu, type: 'x'.repeat(300) },
    { ...pdu, prev_events: Array.from({ length: 21 }, () => good.eventId) },
    { ...pdu, room_id: '!other:evil.test' },
    { ...pdu, signatures: { 'bb.test': { 'ed25519:1': 'AAAA' } } },
    { ...pdu, content: { body: 'x'.repeat(70_000) } },
    { ...pdu, sender: '@x:nowhere.test', content: { body: 1.5 } },
  ]
  const all = [...bad.slice(0, 6), pdu, ...bad.slice(6), await pduOf(b, better.eventId)]
  const results = await a.rooms.takeTransaction(b.name, all)
  t.deepEqual(results.get(good.eventId), {})
  t.deepEqual(results.get(better.eventId), {})
  t.deepEqual(await bodies(a, roomId), ['good', 'better'])
  t.is((await a.rooms.view(roomId))!.frozen, null)
})

test('an event over which this server stumbles keeps no other out, and is reported (CVE-2025-30355)', async t => {
  const reported: string[] = []
  // Mistakes of ours that nobody knows yet, found by these events: while its signature is checked, and while it is stored.
  const stumble = (pdu: { readonly content: JsonObject }, where: string) => {
    if (pdu.content['stumble'] === where) throw new TypeError('secret')
  }
  const world = new World()
  const b = await world.add('bb.test')
  const a = await world.add('a.test', {
    checkSignatures: async pdu => {
      stumble(pdu, 'signature')
      return true
    },
    projections: [
      {
        name: 'stumbles',
        reads: event => {
          stumble(event, 'store')
          return []
        },
        rows() {},
      },
    ],
    report: (message, fields) => void reported.push(`${message} ${JSON.stringify(fields)}`),
  })
  const roomId = await sharedRoom(a, b)
  const pdus: JsonObject[] = []
  for (const content of [{ body: '1' }, { stumble: 'store' }, { body: '2' }, { stumble: 'signature' }]) {
    const draft = { roomId, sender: person('bob', b), type: 'm.room.message', content }
    pdus.push(await pduOf(b, (await b.rooms.send(draft)).eventId))
  }
  const last = await b.rooms.send({ roomId, ...say(b, 'bob', '3') })
  pdus.push(await pduOf(b, last.eventId))
  const results = await a.rooms.takeTransaction(b.name, pdus)
  t.is([...results.values()].filter(({ error }) => error === undefined).length, 3)
  t.deepEqual(await bodies(a, roomId), ['1', '2', '3'])
  t.deepEqual(
    [...results.values()].flatMap(({ error }) => error ?? []),
    Array.from({ length: 2 }, () => 'this server failed to judge the event'),
  )
  t.true(reported.length >= 2)
  t.false(reported.join().includes('secret'))
})

test('the same transaction twice is answered alike and doubles nothing', async t => {
  const { a, b, roomId } = await two()
  const said = await b.rooms.send({ roomId, ...say(b, 'bob', 'once') })
  const pdu = await pduOf(b, said.eventId)
  for (let i = 0; i < 2; i++) {
    t.deepEqual((await a.rooms.takeTransaction(b.name, [pdu, pdu])).get(said.eventId), {})
  }
  t.deepEqual(await bodies(a, roomId), ['once'])
})

test('events that name ancestors which nobody has cost a bounded number of requests, and honest ones go through', async t => {
  const { world, a, b, roomId } = await two()
  const nobody = (i: number) => `$${String(i).padStart(43, 'A')}` as EventId
  const lies = Array.from({ length: 49 }, (_, i) =>
    forged(world, b, roomId, { prev_events: [nobody(i)], auth_events: [nobody(1_000 + i)] }),
  )
  const honest = await b.rooms.send({ roomId, ...say(b, 'bob', 'honest') })
  world.requests.length = 0
  const results = await a.rooms.takeTransaction(b.name, [
    ...lies.map(({ pdu }) => pdu),
    await pduOf(b, honest.eventId),
  ])
  t.true(world.requests.length <= 110, `${world.requests.length} requests`)
  t.deepEqual(results.get(honest.eventId), {})
  for (const { eventId } of lies) t.regex(results.get(eventId)!.error!, /could not be had/)
})

test('a deep auth chain and one that bites its own tail end in bounded time (CVE-2024-31208)', async t => {
  const { world, a, b, roomId } = await two()
  const bobs = (await b.rooms.view(roomId))!.state('m.room.member', person('bob', b))!.eventId
  // Each member event allowed by the one before; hashes make a circle impossible, names of it are not.
  const chain: JsonObject[] = []
  let last = bobs
  for (let i = 0; i < 3_000; i++) {
    const { pdu, eventId } = forged(world, b, roomId, {
      type: 'm.room.member',
      state_key: person('bob', b),
      content: { membership: 'join', n: i },
      prev_events: [last],
      auth_events: [last],
    })
    chain.push(pdu)
    last = eventId
  }
  const circle = forged(world, b, roomId, {
    type: 'm.room.member',
    state_key: person('bob', b),
    content: { membership: 'join' },
    prev_events: [last],
    auth_events: [`$${'C'.repeat(43)}`],
  })
  const remote = world.remoteOf(a.name)
  t.truthy(remote)
  world.lies.set('event_auth', async () => [...chain.toReversed(), circle.pdu])
  const top = forged(world, b, roomId, { prev_events: [bobs], auth_events: [last] })
  const results = await a.rooms.takeTransaction(b.name, [top.pdu, circle.pdu])
  t.is(results.size, 2)
  world.lies.clear()
  const honest = await b.rooms.send({ roomId, ...say(b, 'bob', 'honest') })
  await world.deliver(b, [honest.eventId])
  t.deepEqual(await bodies(a, roomId), results.get(top.eventId)!.error ? ['honest'] : ['forged', 'honest'])
})
