/** Joining rooms on other servers, and letting others in. */
import test from 'ava'
import { roomVersions } from '../../server/protocol/room-versions.ts'
import { openRooms } from '../../server/rooms/open-rooms.ts'
import { openRoom, person, say } from './federated-room.ts'
import { World } from './two-servers.ts'

for (const version of roomVersions) {
  test(`version ${version}: a room of another server comes here whole, and both write in it`, async t => {
    const world = new World()
    const a = await world.add('a.test')
    const b = await world.add('bb.test')
    const roomId = await openRoom(a, version)
    await a.rooms.send({ roomId, ...say(a, 'ann', 'before') })
    const bob = person('bob', b)
    await b.rooms.outward.join(bob, roomId, [a.name], { displayname: 'Bob' })
    const view = (await b.rooms.view(roomId))!
    t.is(view.membership(bob), 'join')
    t.is(view.state('m.room.name')!.content['name'], 'the room')
    t.is(view.state('m.room.member', bob)!.content['displayname'], 'Bob')
    t.deepEqual([...view.joinedServers.keys()].sort(), ['a.test', 'bb.test'])
    t.is((await a.rooms.view(roomId))!.membership(bob), 'join')
    t.is((await b.rooms.memberships(bob)).get(roomId)!.membership, 'join')

    const hello = await b.rooms.send({ roomId, ...say(b, 'bob', 'hello') })
    await world.deliver(b, [hello.eventId])
    const answer = await a.rooms.send({ roomId, ...say(a, 'ann', 'hi') })
    await world.deliver(a, [answer.eventId])
    for (const site of [a, b]) {
      const newest = await site.rooms.timeline(roomId, { limit: 2, reverse: true })
      t.deepEqual(
        newest.map(({ content }) => content['body']),
        ['hi', 'hello'],
      )
    }
    // History from before the join is fetched when it is read, to the beginning.
    const isMore = await b.rooms.fetchOlder(roomId)
    t.true(isMore)
    const history = await b.rooms.timeline(roomId, { limit: 50 })
    t.deepEqual(
      history.flatMap(({ type, content }) => (type === 'm.room.message' ? [content['body']] : [])),
      ['before', 'hello', 'hi'],
    )
    t.is(history[0]!.type, 'm.room.create')
    t.false(await b.rooms.fetchOlder(roomId))
    // And after a restart.
    const again = await openRooms({
      store: b.store,
      serverName: b.name,
      clock: world.clock,
      randomBytes: size => new Uint8Array(size),
      signer: { keyId: 'ed25519:1' as never, sign: () => new Uint8Array(64) },
    })
    t.is((await again.view(roomId))!.memberCount('join'), 2)
  })
}

test('a restricted room: our vouching is checked and signed, and whoever is in no allowed room stays out', async t => {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const club = await openRoom(a, '11')
  const roomId = await openRoom(a, '11', [], {
    join_rule: 'restricted',
    allow: [{ type: 'm.room_membership', room_id: club }],
  })
  const bob = person('bob', b)
  await t.throwsAsync(b.rooms.outward.join(bob, roomId, [a.name], {}), { code: 'M_FORBIDDEN' })
  await b.rooms.outward.join(bob, club, [a.name], {})
  await b.rooms.outward.join(bob, roomId, [a.name], {})
  const join = (await b.rooms.view(roomId))!.state('m.room.member', bob)!
  t.is(join.content['join_authorised_via_users_server'], person('ann', a))
  const signed = await b.rooms.signed(join.eventId)
  t.deepEqual(Object.keys(signed!.signatures!).sort(), ['a.test', 'bb.test'])
})

test('an invite from another server waits, is declined or taken back, forgotten, and accepted', async t => {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const roomId = await openRoom(a, '12', [], { join_rule: 'invite' })
  const bob = person('bob', b)
  const invite = () =>
    a.rooms.outward.invite(
      {
        roomId,
        sender: person('ann', a),
        type: 'm.room.member',
        stateKey: bob,
        content: { membership: 'invite' },
      },
      b.name,
    )
  const standing = async () => (await b.rooms.memberships(bob)).get(roomId)!

  await invite()
  t.is((await a.rooms.view(roomId))!.membership(bob), 'invite')
  const row = await standing()
  t.is(row.membership, 'invite')
  const name = row.strippedState!.find(({ type }) => type === 'm.room.name')!
  t.deepEqual(name['content'], { name: 'the room' })
  t.is(await b.rooms.view(roomId), null)

  await b.rooms.outward.leave(bob, roomId, {})
  t.is((await standing()).membership, 'leave')
  t.is((await a.rooms.view(roomId))!.membership(bob), 'leave')
  await b.rooms.forget(bob, roomId)
  t.true((await standing()).forgotten)

  // Taken back by who invited.
  await invite()
  const kick = await a.rooms.send({
    roomId,
    sender: person('ann', a),
    type: 'm.room.member',
    stateKey: bob,
    content: { membership: 'leave' },
  })
  await world.deliver(a, [kick.eventId])
  t.is((await standing()).membership, 'leave')

  // Declined while nobody can be told.
  await invite()
  world.cut.add(a.name)
  await b.rooms.outward.leave(bob, roomId, {})
  t.is((await standing()).membership, 'leave')
  world.cut.delete(a.name)

  await a.rooms.send({ roomId, ...say(a, 'ann', 'come') })
  await invite()
  await b.rooms.outward.join(bob, roomId, [], {})
  t.is((await b.rooms.view(roomId))!.membership(bob), 'join')
  t.is((await standing()).membership, 'join')
})

test('a person knocks on another server, and is let in', async t => {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const roomId = await openRoom(a, '12', [], { join_rule: 'knock' })
  const bob = person('bob', b)
  await b.rooms.outward.knock(bob, roomId, [a.name], { reason: 'hello?' })
  t.is((await a.rooms.view(roomId))!.membership(bob), 'knock')
  t.is((await b.rooms.memberships(bob)).get(roomId)!.membership, 'knock')
  const draft = { roomId, sender: person('ann', a), type: 'm.room.member', stateKey: bob }
  await a.rooms.outward.invite({ ...draft, content: { membership: 'invite' } }, b.name)
  await b.rooms.outward.join(bob, roomId, [], {})
  t.is((await a.rooms.view(roomId))!.membership(bob), 'join')
})

test('who left a room comes back into it as it is now', async t => {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const roomId = await openRoom(a)
  const bob = person('bob', b)
  const ann = person('ann', a)
  await b.rooms.outward.join(bob, roomId, [a.name], {})
  const leave = await b.rooms.send({
    roomId,
    sender: bob,
    type: 'm.room.member',
    stateKey: bob,
    content: { membership: 'leave' },
  })
  await world.deliver(b, [leave.eventId])
  await a.rooms.send({ roomId, sender: ann, type: 'm.room.name', stateKey: '', content: { name: 'renamed' } })
  t.is((await b.rooms.view(roomId))!.state('m.room.name')!.content['name'], 'the room')
  await b.rooms.outward.join(bob, roomId, [a.name], {})
  const view = (await b.rooms.view(roomId))!
  t.is(view.state('m.room.name')!.content['name'], 'renamed')
  t.is(view.forwardExtremities.length, 1)
})

test('many people of ours join one room at once: it comes here once', async t => {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const roomId = await openRoom(a)
  const people = ['p1', 'p2', 'p3', 'p4'].map(name => person(name, b))
  await Promise.all(people.map(userId => b.rooms.outward.join(userId, roomId, [a.name], {})))
  t.is((await b.rooms.view(roomId))!.memberCount('join'), 5)
})

test('servers that are not pinned are not asked, and an unknown room is said to be one', async t => {
  const world = new World()
  const a = await world.add('a.test')
  await t.throwsAsync(
    a.rooms.outward.join(person('ann', a), '!x:evil.test' as never, ['evil.test' as never], {}),
    {
      code: 'M_FORBIDDEN',
      message: /not connected to evil\.test/,
    },
  )
  t.deepEqual(world.requests, [])
})
