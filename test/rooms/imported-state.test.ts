/** State events of a room that came here by a join: they have no place in the timeline, and can be read all the same. */
import test from 'ava'
import type { EventId, RoomId, UserId } from '../../server/protocol/ids.ts'
import { visibleImportedState } from '../../server/rooms/imported-state.ts'
import { openRoom, person } from './federated-room.ts'
import { type Site, World } from './two-servers.ts'

async function imported(visibility = 'shared') {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const ann = person('ann', a)
  const setting = {
    sender: ann,
    type: 'm.room.history_visibility',
    stateKey: '',
    content: { history_visibility: visibility },
  }
  const roomId = await openRoom(a, '12', [setting])
  await b.rooms.outward.join(person('bob', b), roomId, [a.name], {})
  const nameOf = async (site: Site) => (await site.rooms.view(roomId))!.state('m.room.name')!.eventId
  const rename = async (name: string) => {
    const draft = { sender: ann, type: 'm.room.name', stateKey: '', content: { name } }
    await world.deliver(a, [(await a.rooms.send({ roomId, ...draft })).eventId])
  }
  const member = async (name: string, membership: string) => {
    const userId = person(name, b)
    const draft = { sender: userId, type: 'm.room.member', stateKey: userId, content: { membership } }
    await world.deliver(b, [(await b.rooms.send({ roomId, ...draft })).eventId])
  }
  const sees = async (name: string, eventId: EventId) =>
    (await visibleImportedState(b.rooms, person(name, b), roomId, eventId))?.eventId === eventId
  return { world, a, b, roomId, nameOf, rename, member, sees }
}

test('whoever is in the room sees its state’s events, and nobody else', async t => {
  const { b, nameOf, sees } = await imported()
  const name = await nameOf(b)
  t.is(await b.rooms.event(name), null)
  t.true(await sees('bob', name))
  t.false(await sees('dora', name))
})

test('one that has been replaced since is seen by who may see how the room came here', async t => {
  const { b, nameOf, rename, member, sees } = await imported()
  const name = await nameOf(b)
  await rename('another')
  t.not(await nameOf(b), name)
  t.true(await sees('bob', name))
  await member('dora', 'join')
  t.true(await sees('dora', name))
})

test('where history is for those who were there, who came later sees the state of now alone', async t => {
  const { b, nameOf, rename, member, sees } = await imported('joined')
  const name = await nameOf(b)
  await member('dora', 'join')
  t.true(await sees('dora', name))
  await rename('another')
  t.false(await sees('dora', name))
  t.true(await sees('bob', name))
})

test('who has left sees what was there then', async t => {
  const { b, nameOf, rename, member, sees } = await imported('joined')
  const name = await nameOf(b)
  await member('dora', 'join')
  await member('dora', 'leave')
  await rename('another')
  t.true(await sees('dora', name))
})

test('only events of this room, and only those without a place of their own', async t => {
  const { a, b, roomId, sees } = await imported()
  t.false(await sees('bob', `$${'A'.repeat(43)}` as EventId))
  const join = (await b.rooms.view(roomId))!.state('m.room.member', person('bob', b))!
  t.truthy(await b.rooms.event(join.eventId))
  t.false(await sees('bob', join.eventId))
  const other = await openRoom(a)
  await b.rooms.outward.join(person('bob', b), other, [a.name], {})
  const name = (await b.rooms.view(other))!.state('m.room.name')!.eventId
  t.is(await visibleImportedState(b.rooms, person('bob', b) as UserId, roomId as RoomId, name), undefined)
})
