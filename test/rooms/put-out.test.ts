/** A server whose last people are put out by an event that stands on what it does not have yet. */
import test from 'ava'
import { RemoteError } from '../../server/rooms/remote-rooms.ts'
import { pduOf, person, say, sharedRoom } from './federated-room.ts'
import { member } from './room-fixture.ts'
import { World } from './two-servers.ts'

/** Ann says so much that Bob's server does not hear, and puts him out. */
async function putOut(unheard: number, membership: 'leave' | 'ban' = 'leave') {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const roomId = await sharedRoom(a, b)
  await a.rooms.send({ roomId, ...member(person('pat', a), 'join') })
  for (let i = 0; i < unheard; i++) await a.rooms.send({ roomId, ...say(a, 'ann', `${i}`) })
  const out = await a.rooms.send({ roomId, ...member(person('bob', b), membership, person('ann', a)) })
  const tell = async () =>
    (await b.rooms.takeTransaction(a.name, [await pduOf(a, out.eventId)])).get(out.eventId)
  const membershipThere = async () => (await b.rooms.view(roomId))!.membership(person('bob', b))
  return { world, a, b, roomId, out: out.eventId, tell, membershipThere }
}

for (const membership of ['leave', 'ban'] as const) {
  test(`what led to a ${membership} can be had by who it puts out, and with it the ${membership} itself`, async t => {
    const { b, roomId, tell, membershipThere } = await putOut(3, membership)
    t.deepEqual(await tell(), {})
    t.is(await membershipThere(), membership)
    const said = (await b.rooms.timeline(roomId, { limit: 100 })).flatMap(
      ({ content }) => content['body'] ?? [],
    )
    t.deepEqual(said, ['0', '1', '2'])
  })
}

test('of a gap that is longer than one answer it is the state', async t => {
  const { world, a, b, roomId, tell, membershipThere } = await putOut(60)
  world.mostMissing = 20
  t.deepEqual(await tell(), {})
  t.is(await membershipThere(), 'leave')
  t.is((await b.rooms.view(roomId))!.membership(person('pat', a)), 'join')
})

test('a line that goes dead just then loses nothing: what comes again is taken', async t => {
  const { world, a, tell, membershipThere } = await putOut(3)
  world.cut.add(a.name)
  const first = await tell()
  t.like(first, { error: 'events that it stands on could not be had', mayComeAgain: true })
  t.is(await membershipThere(), 'join')
  world.cut.delete(a.name)
  t.deepEqual(await tell(), {})
  t.is(await membershipThere(), 'leave')
})

test('where it may never be asked, or does not know either, nothing is to come again', async t => {
  const answers = [
    new RemoteError('unpinned', 'nothing may be sent there'),
    Object.assign(new Error('not here'), { code: 'M_NOT_FOUND' }),
  ]
  for (const error of answers) {
    const { world, tell } = await putOut(3)
    for (const method of ['get_missing_events', 'state_ids'])
      world.lies.set(method, () => Promise.reject(error))
    t.deepEqual(await tell(), { error: 'events that it stands on could not be had' })
  }
})
