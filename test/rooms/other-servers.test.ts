/** What an event stands on, where the server that sent it is away or does not know. */
import test from 'ava'
import type { EventId, RoomId } from '../../server/protocol/ids.ts'
import { person, say, sharedRoom } from './federated-room.ts'
import { forged } from './forged-event.ts'
import { type Site, World } from './two-servers.ts'

/** Bob's server says so many things that only Cleo's hears, then one that everybody does. */
async function gapAt(count: number, more: (world: World) => void = () => {}) {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const c = await world.add('ccc.test')
  const roomId = await sharedRoom(a, b)
  await c.rooms.outward.join(person('cleo', c), roomId, [a.name], {})
  const join = (await c.rooms.view(roomId))!.state('m.room.member', person('cleo', c))!
  await world.deliver(a, [join.eventId])
  const unheard: EventId[] = []
  for (let i = 0; i < count; i++) {
    unheard.push((await b.rooms.send({ roomId, ...say(b, 'bob', `${i}`) })).eventId)
  }
  await world.deliver(b, unheard, [c])
  const last = await b.rooms.send({ roomId, ...say(b, 'bob', 'last') })
  await world.deliver(b, [last.eventId], [c])
  world.requests.length = 0
  more(world)
  await world.deliver(b, [last.eventId], [a])
  return { world, a, roomId, last: last.eventId }
}

async function bodies(site: Site, roomId: RoomId): Promise<unknown[]> {
  const events = await site.rooms.timeline(roomId, { limit: 500 })
  return events.flatMap(({ type, content }) => (type === 'm.room.message' ? [content['body']] : []))
}

const wanted = ['0', '1', '2', '3', '4', 'last']

test('who sent the event is asked first, and nobody else where that is enough', async t => {
  const { world, a, roomId } = await gapAt(5)
  t.deepEqual(await bodies(a, roomId), wanted)
  t.deepEqual(world.requests, ['a.test > bb.test: get_missing_events'])
})

test('where it is away another server of the room is asked, and the one that is away not again', async t => {
  const { world, a, roomId, last } = await gapAt(5, made => made.cut.add('bb.test' as never))
  t.deepEqual(await bodies(a, roomId), wanted)
  t.deepEqual((await a.rooms.view(roomId))!.forwardExtremities, [last])
  t.deepEqual(world.requests, [
    'a.test > bb.test: get_missing_events',
    'a.test > ccc.test: get_missing_events',
  ])
})

test('a gap that is longer than its requests reach is bridged by the state that another server tells', async t => {
  const { world, a, roomId, last } = await gapAt(130, made => {
    made.cut.add('bb.test' as never)
    made.mostMissing = 5
  })
  t.true((await a.rooms.view(roomId))!.forwardExtremities.includes(last))
  t.is((await bodies(a, roomId)).at(-1), 'last')
  t.is(world.requests.filter(request => request.includes('> bb.test')).length, 1)
  t.true(world.requests.includes('a.test > ccc.test: state_ids'))
})

test('a gap of which nobody tells the events is bridged by the state that another server tells', async t => {
  const { world, a, roomId, last } = await gapAt(30, made => {
    made.cut.add('bb.test' as never)
    made.lies.set('get_missing_events', async () => [])
  })
  t.true((await a.rooms.view(roomId))!.forwardExtremities.includes(last))
  t.is((await bodies(a, roomId)).at(-1), 'last')
  t.is(world.requests.filter(request => request.includes('> bb.test')).length, 1)
  t.true(world.requests.includes('a.test > ccc.test: state_ids'))
})

test('a server that nothing may be sent to is not asked', async t => {
  const { world, a, roomId } = await gapAt(5, made => {
    made.cut.add('bb.test' as never)
    made.sites.get('a.test' as never)!.pins.set('ccc.test' as never, { mode: 'verify-only' })
  })
  t.deepEqual(await bodies(a, roomId), [])
  t.deepEqual(world.requests, ['a.test > bb.test: get_missing_events'])
})

test('one that names ancestors which nobody has makes us ask others a bounded number of times', async t => {
  const { world, a, roomId } = await gapAt(0)
  const b = world.sites.get('bb.test' as never)!
  const nobody = (i: number) => `$${String(i).padStart(43, 'A')}` as EventId
  const lies = Array.from(
    { length: 40 },
    (_, i) => forged(world, b, roomId, { prev_events: [nobody(i)], auth_events: [nobody(1_000 + i)] }).pdu,
  )
  world.requests.length = 0
  const results = await a.rooms.takeTransaction(b.name, lies)
  for (const { error } of results.values()) t.regex(error!, /could not be had/)
  t.is(results.size, 40)
  const ofOthers = world.requests.filter(request => request.startsWith('a.test > ccc.test'))
  t.true(ofOthers.length > 0 && ofOthers.length <= 20, `${ofOthers.length} requests`)
})
