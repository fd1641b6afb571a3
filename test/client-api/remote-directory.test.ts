/** Aliases, directories and spaces of peers, as our people see them. */
import test from 'ava'
import type { RoomId, ServerName } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { noRemoteRooms, RemoteError, type RemoteRooms } from '../../server/rooms/remote-rooms.ts'
import { inRoom, startRoomServer, v1, v3 } from './room-server.ts'

const there = 'there.test' as ServerName
const far = '!far:there.test' as RoomId
const summary = (room_id: string, more: object = {}) => ({
  room_id,
  num_joined_members: 3,
  world_readable: false,
  guest_can_join: false,
  join_rule: 'public',
  ...more,
})

/** What the peer answers for each room, and what it was asked. */
const answers = new Map<string, JsonObject>()
const asked: string[] = []
let lastQuery: JsonObject = {}
const remote: RemoteRooms = {
  ...noRemoteRooms,
  async resolveAlias(server, alias) {
    if (server !== there) throw new RemoteError('unpinned', `This server is not connected to ${server}.`)
    if (alias.startsWith('#broken')) throw new RemoteError('unreachable', `${server} cannot be reached.`)
    return alias.startsWith('#far') ? { roomId: far, servers: ['third.test' as ServerName, there] } : null
  },
  async publicRooms(server, query) {
    if (server !== there) throw new RemoteError('unpinned', `This server is not connected to ${server}.`)
    lastQuery = query
    return {
      chunk: [summary(far, { name: 'Far', secret: 'x', topic: 5 }), { room_id: 'none' }, 'nonsense'],
      total_room_count_estimate: 2,
      next_batch: 'more',
      prev_batch: 7,
    }
  },
  async hierarchy(_server, roomId) {
    asked.push(roomId)
    const answer = answers.get(roomId)
    if (answer) return answer
    throw new RemoteError('refused', 'no', { status: 404, errcode: 'M_NOT_FOUND' })
  },
}
const server = await startRoomServer(undefined, remote)
test.after.always(() => server.close())

const resolve = (alias: string) =>
  server.call('alice', 'GET', `${v3}/directory/room/${encodeURIComponent(alias)}`)

test('an alias of a peer is asked of that peer', async t => {
  t.deepEqual((await resolve('#far:there.test')).body, { room_id: far, servers: [there, 'third.test'] })
  t.like(await resolve('#none:there.test'), { status: 404, body: { errcode: 'M_NOT_FOUND' } })
  t.like(await resolve('#far:stranger.test'), { status: 403, body: { errcode: 'M_FORBIDDEN' } })
  t.like(await resolve('#broken:there.test'), { status: 502, body: { errcode: 'M_UNKNOWN' } })
})

test('a main alias on another server must point to the room, and one that cannot be asked for does not', async t => {
  const roomId = await server.createRoom('alice')
  for (const alias of ['#far:there.test', '#broken:there.test', '#far:stranger.test']) {
    const answer = await server.call('alice', 'PUT', inRoom(roomId, '/state/m.room.canonical_alias'), {
      alias,
    })
    t.like(answer, { status: 400, body: { errcode: 'M_BAD_ALIAS' } })
  }
})

test('the directory of a peer: the question goes there, and only what is a summary comes back', async t => {
  const { body } = await server.call('alice', 'POST', `${v3}/publicRooms?server=there.test`, {
    limit: 5,
    since: 'x',
    filter: { generic_search_term: 'far', room_types: [null] },
  })
  t.deepEqual(lastQuery, {
    limit: 5,
    since: 'x',
    filter: { generic_search_term: 'far', room_types: [null] },
  })
  t.deepEqual(body, {
    chunk: [summary(far, { name: 'Far' })],
    total_room_count_estimate: 2,
    next_batch: 'more',
  })
  t.is((await server.call('alice', 'GET', `${v3}/publicRooms?server=stranger.test`)).status, 403)
  t.is((await server.call('alice', 'GET', `${v3}/publicRooms?server=no+name`)).status, 400)
  t.is((await server.call('ext-eve', 'GET', `${v3}/publicRooms?server=there.test`)).status, 403)
})

test('a space leads to rooms of a peer, one page after the other, and each server is asked once', async t => {
  const [sub, leaf, hidden, locked] = ['!sub', '!leaf', '!hidden', '!locked'].map(
    name => `${name}:there.test`,
  )
  const own = await server.createRoom('alice', { name: 'own' })
  let clock = 1
  const link = (state_key: string, more: object = {}) => ({
    type: 'm.space.child',
    state_key,
    sender: '@zoe:there.test',
    content: { via: [there], ...more },
    origin_server_ts: clock++,
  })
  answers.set(sub!, {
    room: {
      ...summary(sub!, { room_type: 'm.space', name: 'sub' }),
      children_state: [
        link(leaf!),
        link(hidden!),
        link(locked!),
        link(own),
        link('!nothing:there.test', { via: [] }),
      ],
    },
    children: [
      summary(leaf!, { name: 'leaf' }),
      summary(hidden!, { join_rule: 'invite' }),
      summary(locked!, { join_rule: 'restricted', allowed_room_ids: [own], name: 'locked' }),
    ],
    inaccessible_children: [],
  })
  const root = await server.createRoom('alice', { name: 'root', creation_content: { type: 'm.space' } })
  for (const child of [sub, '!missing:there.test']) {
    await server.ok('alice', 'PUT', inRoom(root, `/state/m.space.child/${encodeURIComponent(child!)}`), {
      via: [there],
    })
  }
  const names: string[] = []
  let from = ''
  do {
    const path = `${v1}/rooms/${encodeURIComponent(root)}/hierarchy?limit=2${from && `&from=${from}`}`
    const { body } = await server.call('alice', 'GET', path)
    names.push(...body.rooms.map((room: { name: string }) => room.name))
    from = body.next_batch ?? ''
  } while (from)
  t.deepEqual(names, ['root', 'sub', 'leaf', 'locked', 'own'])
  const ofTree = asked.filter(roomId => !roomId.startsWith('!liar'))
  t.deepEqual(ofTree.sort(), ['!missing:there.test', sub])
})

test('a peer that answers for another room is not believed', async t => {
  answers.set('!liar:there.test', { room: summary('!other:there.test'), children: [] })
  const root = await server.createRoom('alice', { name: 'root', creation_content: { type: 'm.space' } })
  await server.ok(
    'alice',
    'PUT',
    inRoom(root, `/state/m.space.child/${encodeURIComponent('!liar:there.test')}`),
    {
      via: [there],
    },
  )
  const { body } = await server.call('alice', 'GET', `${v1}/rooms/${encodeURIComponent(root)}/hierarchy`)
  t.is(body.rooms.length, 1)
})
