/** A room of another server, as people here read it: its state, and its history on demand. */
import test, { type ExecutionContext } from 'ava'
import type { EventId, ServerName } from '../../server/protocol/ids.ts'
import { openRoom, person, say } from '../rooms/federated-room.ts'
import { World } from '../rooms/two-servers.ts'
import { inRoom, serverName, startRoomServer, v1, v3 } from './room-server.ts'

const there = 'there.test' as ServerName

/** Ann says so many things there, a day after each other; then Bob comes in from here. */
async function joined(t: ExecutionContext, count: number) {
  const world = new World()
  const far = await world.add(there, { checkSignatures: async () => true })
  far.pins.set(serverName, { mode: 'both' })
  const peers = { all: () => [], get: () => undefined, mayReceiveFrom: () => true, maySendTo: () => true }
  const here = await startRoomServer(undefined, world.remoteOf(serverName), peers)
  t.teardown(() => here.close())
  const roomId = await openRoom(far)
  const said = []
  for (let i = 0; i < count; i++) said.push(await far.rooms.send({ roomId, ...say(far, 'ann', `${i}`) }))
  await here.ok('bob', 'POST', `${v3}/join/${encodeURIComponent(roomId)}?via=${there}`)
  world.requests.length = 0
  return { world, far, here, roomId, said, ann: person('ann', far) }
}

test('an event of the state that the room came with is found by its id', async t => {
  const { here, roomId, ann } = await joined(t, 3)
  const state = await here.ok('bob', 'GET', inRoom(roomId, '/state'))
  const name = state.find(({ type }: { type: string }) => type === 'm.room.name')
  const path = inRoom(roomId, `/event/${encodeURIComponent(name.event_id)}`)
  const event = await here.ok('bob', 'GET', path)
  t.like(event, { type: 'm.room.name', sender: ann, content: { name: 'the room' }, event_id: name.event_id })
  t.like(await here.call('carl', 'GET', path), { status: 404, body: { errcode: 'M_NOT_FOUND' } })
})

const near = (roomId: string, ts: number, dir: 'f' | 'b') =>
  `${v1}/rooms/${encodeURIComponent(roomId)}/timestamp_to_event?ts=${ts}&dir=${dir}`
const bodiesOf = (events: { type: string; content: { body?: string } }[]) =>
  events.flatMap(({ type, content }) => (type === 'm.room.message' ? [content.body] : []))
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}`)

/** The peer names its event nearest to the moment, as its own endpoint does. */
async function momentOf({ world, far, roomId }: Awaited<ReturnType<typeof joined>>, eventId: EventId) {
  const { originServerTs } = (await far.rooms.event(eventId))!
  world.lies.set('timestamp_to_event', () => far.rooms.eventNear(roomId, originServerTs, 'forwards'))
  return originServerTs
}

test('a moment that a peer remembers can be opened: the event, what was said around it, and on in both directions', async t => {
  const room = await joined(t, 400)
  const { here, roomId, said } = room
  const originServerTs = await momentOf(room, said[200]!.eventId)
  const found = await here.ok('bob', 'GET', near(roomId, originServerTs, 'f'))
  t.deepEqual(found, { event_id: said[200]!.eventId, origin_server_ts: originServerTs })

  const event = encodeURIComponent(found.event_id)
  t.is((await here.ok('bob', 'GET', inRoom(roomId, `/event/${event}`))).content.body, '200')
  const context = await here.ok('bob', 'GET', inRoom(roomId, `/context/${event}?limit=20`))
  t.deepEqual(bodiesOf(context.events_before).toReversed(), numbers(190, 200))
  t.deepEqual(bodiesOf(context.events_after), numbers(201, 211))

  const on = await here.ok('bob', 'GET', inRoom(roomId, `/messages?dir=f&from=${context.end}&limit=100`))
  t.deepEqual(bodiesOf(on.chunk), numbers(211, 311))
  const back = await here.ok('bob', 'GET', inRoom(roomId, `/messages?dir=b&from=${context.start}&limit=100`))
  t.deepEqual(bodiesOf(back.chunk).toReversed(), numbers(90, 190))
})

test('who reads backwards from now passes the event that was fetched apart in its place, nothing left out or doubled', async t => {
  const room = await joined(t, 330)
  const { here, roomId, said } = room
  for (const i of [120, 20, 250]) {
    const originServerTs = await momentOf(room, said[i]!.eventId)
    const found = await here.ok('bob', 'GET', near(roomId, originServerTs, 'f'))
    t.is(found.event_id, said[i]!.eventId)
  }
  const all: unknown[] = []
  for (let from = ''; ; ) {
    const { chunk, end } = await here.ok('bob', 'GET', inRoom(roomId, `/messages?dir=b&limit=70${from}`))
    all.push(...bodiesOf(chunk))
    if (end === undefined) break
    from = `&from=${end}`
  }
  t.deepEqual(all.toReversed(), numbers(0, 330))
  const timeline = await here.rooms.timeline(roomId, { limit: 1_000 })
  t.deepEqual(timeline[0]!.type, 'm.room.create')
})

test('an event that the peer names and does not give is not told', async t => {
  const room = await joined(t, 5)
  const { here, roomId, said, world } = room
  const originServerTs = await momentOf(room, said[2]!.eventId)
  world.lies.set('event', async () => ({ type: 'm.room.message' }))
  const answer = await here.call('bob', 'GET', near(roomId, originServerTs, 'f'))
  t.like(answer, { status: 404, body: { errcode: 'M_NOT_FOUND' } })
  t.true(world.requests.includes(`${serverName} > ${there}: event`))
  world.lies.delete('event')
  t.is((await here.ok('bob', 'GET', near(roomId, originServerTs, 'f'))).event_id, said[2]!.eventId)
})
