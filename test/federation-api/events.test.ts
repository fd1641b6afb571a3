/** Events, states and history over HTTP: nobody outside of a room learns anything of it (CVE-2022-39335). */
import test, { type ExecutionContext } from 'ava'
import { eventsRoutes } from '../../server/federation-api/events.ts'
import { takeTurns } from '../../server/federation-api/peer-turns.ts'
import type { EventId, RoomId } from '../../server/protocol/ids.ts'
import { openRoom, person, say } from '../rooms/federated-room.ts'
import { member, type RoomDraft } from '../rooms/room-fixture.ts'
import { type Site, World } from '../rooms/two-servers.ts'
import { authenticate, startAsking } from './asking-peer.ts'

/** A's room, in which B is, with something in it that is nobody else's business; C is pinned as well. */
async function open(t: ExecutionContext, state: readonly RoomDraft[] = []) {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const c = await world.add('ccc.test')
  const draft = (type: string, content: RoomDraft['content']): RoomDraft => ({
    sender: person('ann', a),
    type,
    stateKey: '',
    content,
  })
  const roomId = await openRoom(a, '12', [draft('m.room.topic', { topic: 'TOP SECRET' }), ...state])
  const early = await a.rooms.send({ roomId, ...say(a, 'ann', 'TOP SECRET before') })
  await b.rooms.outward.join(person('bob', b), roomId, [a.name], {})
  const late = await a.rooms.send({ roomId, ...say(a, 'ann', 'TOP SECRET after') })
  const asking = await startAsking(
    eventsRoutes({ authenticate, takeTurn: takeTurns(), serverName: a.name, rooms: a.rooms, clock: () => 1 }),
  )
  t.teardown(() => asking.close())
  return { world, a, b, c, roomId, early: early.eventId, late: late.eventId, asking, draft }
}

type Asking = Awaited<ReturnType<typeof startAsking>>

/** Every way to ask for an event of a room, and for what is around it. */
function asksOf({ get, post }: Asking, roomId: RoomId, eventId: EventId, from: Site) {
  const [room, event] = [encodeURIComponent(roomId), encodeURIComponent(eventId)]
  return {
    event: get(`/event/${event}`, from.name),
    state: get(`/state/${room}?event_id=${event}`, from.name),
    state_ids: get(`/state_ids/${room}?event_id=${event}`, from.name),
    event_auth: get(`/event_auth/${room}/${event}`, from.name),
    backfill: get(`/backfill/${room}?v=${event}&limit=10`, from.name),
    missing: post(
      `/get_missing_events/${room}`,
      { latest_events: [eventId], earliest_events: [] },
      from.name,
    ),
    near: get(`/timestamp_to_event/${room}?ts=0&dir=f`, from.name),
  }
}

async function refusedAll(t: ExecutionContext, asks: ReturnType<typeof asksOf>, why: string) {
  for (const [name, answer] of Object.entries(asks)) {
    const { status, body } = await answer
    t.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'], `${why}: ${name}`)
    t.false(JSON.stringify(body).includes('SECRET'))
  }
}

test('who is in the room gets events, state, auth events and history; a pinned server outside gets none', async t => {
  const { b, c, roomId, late, asking } = await open(t)
  for (const [name, answer] of Object.entries(asksOf(asking, roomId, late, b))) {
    t.is((await answer).status, 200, name)
  }
  const { body } = await asking.get(`/event/${encodeURIComponent(late)}`, b.name)
  t.is(body.pdus[0].content.body, 'TOP SECRET after')
  await refusedAll(t, asksOf(asking, roomId, late, c), 'outside')
})

test('an event of another room is not had by asking for it in one’s own', async t => {
  const { a, b, roomId, late, asking } = await open(t)
  const own = await openRoom(b)
  await a.rooms.outward.join(person('ann', a), own, [b.name], {})
  const asks = asksOf(asking, own, late, b)
  const leave = { roomId, sender: person('bob', b), type: 'm.room.member', stateKey: person('bob', b) }
  const left = await b.rooms.send({ ...leave, content: { membership: 'leave' } })
  await a.rooms.takeTransaction(b.name, [JSON.parse(JSON.stringify(await b.rooms.signed(left.eventId)))])
  for (const [name, answer] of Object.entries({ ...asks, ...asksOf(asking, own, late, b) })) {
    const { body, status } = await answer
    t.false(JSON.stringify(body).includes('SECRET'), `${name}: ${status}`)
  }
})

test('nor is anything had by who has left, who is denied by the server ACL, or of a room that stands still', async t => {
  const left = await open(t)
  const bob = person('bob', left.b)
  const leave = await left.b.rooms.send({
    roomId: left.roomId,
    sender: bob,
    type: 'm.room.member',
    stateKey: bob,
    content: { membership: 'leave' },
  })
  await left.world.deliver(left.b, [leave.eventId], [left.a])
  for (const eventId of [left.late, leave.eventId])
    await refusedAll(t, asksOf(left.asking, left.roomId, eventId, left.b), 'left')

  const denied = await open(t)
  const acl = denied.draft('m.room.server_acl', { allow: ['a.test'] })
  await denied.a.rooms.send({ roomId: denied.roomId, ...acl })
  await refusedAll(t, asksOf(denied.asking, denied.roomId, denied.late, denied.b), 'denied')

  const frozen = await open(t)
  frozen.a.pins.delete(frozen.c.name)
  const invite = await frozen.b.rooms.send({
    roomId: frozen.roomId,
    sender: person('bob', frozen.b),
    type: 'm.room.member',
    stateKey: person('cy', frozen.c),
    content: { membership: 'invite' },
  })
  await frozen.world.deliver(frozen.b, [invite.eventId], [frozen.a])
  await refusedAll(t, asksOf(frozen.asking, frozen.roomId, frozen.late, frozen.b), 'stands still')
})

test('who was put out by somebody else may ask what led to that, and nothing else', async t => {
  const { a, b, c, roomId, late, asking } = await open(t)
  const [bob, cy] = [person('bob', b), person('cy', c)]
  const ann = person('ann', a)
  await a.rooms.send({ roomId, ...member(cy, 'invite', ann) })
  const rescinded = await a.rooms.send({ roomId, ...member(cy, 'leave', ann) })
  const out = await a.rooms.send({ roomId, ...member(bob, 'leave', ann) })
  const after = await a.rooms.send({ roomId, ...say(a, 'ann', 'TOP SECRET, he is out') })
  const asks = asksOf(asking, roomId, out.eventId, b)
  for (const name of ['state', 'state_ids', 'event_auth', 'missing'] as const) {
    t.is((await asks[name]).status, 200, name)
  }
  const { events } = (await asks.missing).body
  t.deepEqual(events.at(-1).content, { membership: 'leave' })
  t.false(JSON.stringify(events).includes('he is out'))
  for (const name of ['event', 'backfill', 'near'] as const) t.is((await asks[name]).status, 403, name)
  await refusedAll(t, asksOf(asking, roomId, late, b), 'an event of before')
  await refusedAll(t, asksOf(asking, roomId, after.eventId, b), 'an event of after')
  await refusedAll(t, asksOf(asking, roomId, out.eventId, c), 'somebody else’s')
  await refusedAll(t, asksOf(asking, roomId, rescinded.eventId, c), 'an invitation taken back')
  const both = { latest_events: [out.eventId, after.eventId], earliest_events: [] }
  const mixed = await asking.post(`/get_missing_events/${encodeURIComponent(roomId)}`, both, b.name)
  t.is(mixed.status, 403)
})

test('what was said before its people came goes without its content where history is for members alone', async t => {
  const hidden = { type: 'm.room.history_visibility', content: { history_visibility: 'joined' } }
  const { b, roomId, early, late, asking } = await open(t, [
    { sender: '@ann:a.test' as never, stateKey: '', ...hidden },
  ])
  const from = encodeURIComponent(late)
  const { body } = await asking.get(`/backfill/${encodeURIComponent(roomId)}?v=${from}&limit=10`, b.name)
  const bodies = body.pdus.flatMap((pdu: { type: string; content: object }) =>
    pdu.type === 'm.room.message' ? [pdu.content] : [],
  )
  t.deepEqual(bodies, [{ body: 'TOP SECRET after' }, {}])
  const one = await asking.get(`/event/${encodeURIComponent(early)}`, b.name)
  t.deepEqual(one.body.pdus[0].content, {})
})

test('whatever is asked for at once, no more than a page comes, and nonsense is refused', async t => {
  const { a, b, roomId, asking } = await open(t)
  for (let i = 0; i < 150; i++) await a.rooms.send({ roomId, ...say(a, 'ann', `${i}`) })
  const room = encodeURIComponent(roomId)
  const [newest] = (await a.rooms.view(roomId))!.forwardExtremities
  const v = encodeURIComponent(newest!)
  const page = await asking.get(`/backfill/${room}?v=${v}&limit=1000000000`, b.name)
  t.is(page.body.pdus.length, 100)
  const gap = { latest_events: [newest], earliest_events: [], limit: 1_000_000_000 }
  t.is((await asking.post(`/get_missing_events/${room}`, gap, b.name)).body.events.length, 100)
  for (const path of [
    `/backfill/${room}?v=${v}&limit=-1`,
    `/backfill/${room}?v=${v}&limit=many`,
    `/backfill/${room}?limit=10`,
    `/backfill/${room}?limit=10&v=nonsense`,
    `/state/${room}`,
    `/timestamp_to_event/${room}?ts=0&dir=sideways`,
  ]) {
    t.is((await asking.get(path, b.name)).status, 400, path)
  }
  for (const body of [
    { ...gap, latest_events: 'x' },
    { ...gap, latest_events: [1] },
    { ...gap, limit: -1 },
    { ...gap, min_depth: 'deep' },
  ]) {
    t.is((await asking.post(`/get_missing_events/${room}`, body, b.name)).status, 400, JSON.stringify(body))
  }
})
