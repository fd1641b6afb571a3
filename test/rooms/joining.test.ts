/** Joining rooms on other servers, and letting others in. */
import test from 'ava'
import type { UserId } from '../../server/protocol/ids.ts'
import { type RoomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import { openRooms } from '../../server/rooms/open-rooms.ts'
import type { RoomDraft } from './room-fixture.ts'
import { type Site, World } from './two-servers.ts'

const user = (name: string, site: Site) => `@${name}:${site.name}` as UserId

async function room(site: Site, version: RoomVersion, joinRule = 'public', more: RoomDraft[] = []) {
  const creator = user('ann', site)
  const state = (type: string, content: RoomDraft['content']): RoomDraft => ({
    sender: creator,
    type,
    stateKey: '',
    content,
  })
  const { roomId } = await site.rooms.create({
    version,
    creator,
    createContent: {},
    events: () => [
      { sender: creator, type: 'm.room.member', stateKey: creator, content: { membership: 'join' } },
      state('m.room.power_levels', { users: version === '12' ? {} : { [creator]: 100 }, invite: 0 }),
      state('m.room.join_rules', { join_rule: joinRule }),
      state('m.room.name', { name: 'the room' }),
      ...more,
    ],
  })
  return roomId
}

const text = (sender: UserId, body: string) => ({ sender, type: 'm.room.message', content: { body } })

for (const version of roomVersions) {
  test(`version ${version}: a room of another server comes here whole, and both write in it`, async t => {
    const world = new World()
    const a = await world.add('a.test')
    const b = await world.add('bb.test')
    const roomId = await room(a, version)
    await a.rooms.send({ roomId, ...text(user('ann', a), 'before') })
    const bob = user('bob', b)
    await b.rooms.outward.join(bob, roomId, [a.name], { displayname: 'Bob' })
    const view = (await b.rooms.view(roomId))!
    t.is(view.membership(bob), 'join')
    t.is(view.state('m.room.name')!.content['name'], 'the room')
    t.is(view.state('m.room.member', bob)!.content['displayname'], 'Bob')
    t.deepEqual([...view.joinedServers.keys()].sort(), ['a.test', 'bb.test'])
    t.is((await a.rooms.view(roomId))!.membership(bob), 'join')
    t.is((await b.rooms.memberships(bob)).get(roomId)!.membership, 'join')

    const hello = await b.rooms.send({ roomId, ...text(bob, 'hello') })
    await world.deliver(b, [hello.eventId])
    const answer = await a.rooms.send({ roomId, ...text(user('ann', a), 'hi') })
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
