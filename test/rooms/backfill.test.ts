/** History from before a server came into a room, page by page. */
import test from 'ava'
import type { RoomId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { openRooms } from '../../server/rooms/open-rooms.ts'
import { openRoom, person, say } from './federated-room.ts'
import { type Site, World } from './two-servers.ts'

/** Ann says so many things, then Bob's server comes in. */
async function lateComer(count: number) {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const roomId = await openRoom(a)
  for (let i = 0; i < count; i++) await a.rooms.send({ roomId, ...say(a, 'ann', `${i}`) })
  await b.rooms.outward.join(person('bob', b), roomId, [a.name], {})
  world.requests.length = 0
  return { world, a, b, roomId }
}

async function bodies(site: Site, roomId: RoomId): Promise<unknown[]> {
  const events = await site.rooms.timeline(roomId, { limit: 500 })
  return events.flatMap(({ type, content }) => (type === 'm.room.message' ? [content['body']] : []))
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)

test('a page costs one question for itself and one for the state before it, however many events it has', async t => {
  const { world, b, roomId } = await lateComer(290)
  while (await b.rooms.fetchOlder(roomId)) {}
  t.deepEqual(await bodies(b, roomId), numbers(290))
  t.deepEqual(Object.fromEntries(Map.groupBy(world.requests, request => request)), {
    'bb.test > a.test: backfill': Array.from({ length: 3 }, () => 'bb.test > a.test: backfill'),
    'bb.test > a.test: state_ids': Array.from({ length: 2 }, () => 'bb.test > a.test: state_ids'),
  })
})

test('an event of a page that does not hold keeps no other out, and none before it is lost', async t => {
  const { world, a, b, roomId } = await lateComer(20)
  const said = await a.rooms.timeline(roomId, { limit: 50 })
  const signed = await Promise.all(said.map(({ eventId }) => a.rooms.signed(eventId)))
  const page = JSON.parse(JSON.stringify(signed)) as JsonObject[]
  const at = page.findIndex(({ content }) => (content as JsonObject)['body'] === '10')
  page[at] = { ...page[at], signatures: {} }
  world.lies.set('backfill', async () => [null, 'event', ...page.toReversed(), {}])
  t.true(await b.rooms.fetchOlder(roomId))
  const wanted = numbers(20).filter(body => body !== '10')
  t.deepEqual(await bodies(b, roomId), wanted)
  // The missing one is still asked for; the true copy closes the gap.
  world.lies.clear()
  t.true(await b.rooms.fetchOlder(roomId))
  t.deepEqual((await bodies(b, roomId)).toSorted(), numbers(20).toSorted())
  t.is((await b.rooms.backwardExtremities(roomId)).size, 0)
})

test('an event that was fetched apart keeps its hole above it, after a restart as well', async t => {
  const { a, b, roomId } = await lateComer(50)
  const said = (await a.rooms.timeline(roomId, { limit: 100 })).find(
    ({ content }) => content['body'] === '20',
  )!
  const [event, twice] = await Promise.all([
    b.rooms.fetchEvent(roomId, a.name, said.eventId),
    b.rooms.fetchEvent(roomId, a.name, said.eventId),
  ])
  t.is(event!.content['body'], '20')
  t.is(twice!.eventId, said.eventId)
  const again = await openRooms({
    store: b.store,
    serverName: b.name,
    clock: () => 0,
    randomBytes: size => new Uint8Array(size),
    signer: { keyId: 'ed25519:1' as never, sign: () => new Uint8Array(64) },
  })
  for (const rooms of [b.rooms, again]) {
    t.is((await rooms.timeline(roomId, { limit: 1 }))[0]!.eventId, said.eventId)
    const backwards = await rooms.timeline(roomId, { limit: 50, reverse: true })
    t.deepEqual(
      backwards.map(({ type }) => type),
      ['m.room.member'],
    )
  }
  t.deepEqual((await b.rooms.view(roomId))!.state('m.room.name')!.content, { name: 'the room' })
})

test('an event that cannot be had, or is not of this room, leaves no hole', async t => {
  const { world, a, b, roomId } = await lateComer(30)
  const said = (await a.rooms.timeline(roomId, { limit: 50 })).at(-5)!
  const other = await openRoom(a)
  const foreign = (await a.rooms.view(other))!.createEvent.eventId
  t.is(await b.rooms.fetchEvent(roomId, a.name, foreign), null)
  world.lies.set('event', async () => ({ ...(await a.rooms.signed(said.eventId)), signatures: {} }))
  t.is(await b.rooms.fetchEvent(roomId, a.name, said.eventId), null)
  world.lies.clear()
  while (await b.rooms.fetchOlder(roomId)) {}
  t.deepEqual(await bodies(b, roomId), numbers(30))
  t.is((await b.rooms.timeline(roomId, { limit: 100, reverse: true })).at(-1)!.type, 'm.room.create')
})
