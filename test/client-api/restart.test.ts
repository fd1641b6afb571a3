import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openLevelStore } from '../../server/store/level-engine.ts'
import { id, inRoom, startRoomServer, v1, v3 } from './room-server.ts'

test('after a restart rooms, aliases, relations, threads and transaction ids are as they were', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-rooms-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))

  const first = await startRoomServer(await openLevelStore(folder))
  const room = await first.createRoom('alice', {
    visibility: 'public',
    room_alias_name: 'kept',
    name: 'Kept',
  })
  await first.join('bob', room)
  const root = await first.send('alice', room, 'root')
  const relating = (relType: string) => ({
    body: relType,
    'm.relates_to': { rel_type: relType, event_id: root, key: '👍' },
  })
  await first.send('bob', room, relating('m.thread'))
  await first.send('bob', room, relating('m.annotation'), 'm.reaction')
  const path = inRoom(room, '/send/m.room.message/once')
  const sent = await first.ok('bob', 'PUT', path, { body: 'once' })
  const ask = async (server: typeof first) => ({
    alias: await server.ok('bob', 'GET', `${v3}/directory/room/${encodeURIComponent('#kept:hq.test')}`),
    directory: await server.ok('bob', 'GET', `${v3}/publicRooms`),
    threads: ageless(await server.ok('bob', 'GET', `${v1}/rooms/${encodeURIComponent(room)}/threads`)),
    messages: ageless(await server.ok('bob', 'GET', inRoom(room, '/messages?dir=b&limit=100'))),
    members: await server.ok('bob', 'GET', inRoom(room, '/joined_members')),
    // The same request once more: the same event.
    sent: await server.ok('bob', 'PUT', path, { body: 'once' }),
  })
  const before = await ask(first)
  await first.close()

  const second = await startRoomServer(await openLevelStore(folder))
  t.deepEqual(await ask(second), before)
  t.deepEqual(before.sent, sent)
  const again = await second.call('bob', 'PUT', inRoom(room, '/send/m.reaction/x'), relating('m.annotation'))
  t.is(again.body.errcode, 'M_DUPLICATE_ANNOTATION')
  t.is(before.threads.chunk[0].unsigned['m.relations']['m.thread'].count, 1)
  t.deepEqual(Object.keys(before.members.joined).sort(), [id('alice'), id('bob')])
  await second.close()
})

/** Ages grow, also through a restart. */
function ageless<T>(body: T): T {
  return JSON.parse(JSON.stringify(body, (key, value) => (key === 'age' ? undefined : value)))
}
