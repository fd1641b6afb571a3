/** What a peer learns of our people, aliases and rooms by asking. */
import test from 'ava'
import { hierarchyRoutes } from '../../server/federation-api/hierarchy.ts'
import { openIdRoutes } from '../../server/federation-api/open-id.ts'
import { publicRoomsRoutes } from '../../server/federation-api/public-rooms.ts'
import { queryRoutes } from '../../server/federation-api/queries.ts'
import type { RoomId, UserId } from '../../server/protocol/ids.ts'
import { openAliases } from '../../server/rooms/aliases.ts'
import { openPublicRooms } from '../../server/rooms/public-rooms.ts'
import { id, inRoom, serverName, startRoomServer } from '../client-api/room-server.ts'
import { authenticate, gatedRooms, peer, startAsking } from './asking-peer.ts'

const server = await startRoomServer()
const { store, clock } = server
const rooms = gatedRooms(server.rooms)
const people = new Map([
  [id('alice'), {}],
  [id('gone'), { deactivatedTs: 1 }],
]) as unknown as ReadonlyMap<UserId, never>
const asking = await startAsking([
  ...queryRoutes({
    authenticate,
    serverName,
    people: { get: async userId => people.get(userId) ?? null },
    profiles: { get: async () => ({ displayname: 'Alice', 'm.tz': 'Asia/Dubai' }) },
    aliases: openAliases({ store, rooms: server.rooms, clock }),
    rooms,
  }),
  ...publicRoomsRoutes({
    authenticate,
    publicRooms: openPublicRooms({ store, rooms: server.rooms, clock }),
    rooms,
  }),
  ...hierarchyRoutes({ authenticate, rooms }),
  ...openIdRoutes({ openId: { owner: token => (token === 'good' ? id('alice') : null) } }),
])
test.after.always(async () => {
  await asking.close()
  await server.close()
})

const query = (path: string, parameters: Record<string, string>) =>
  asking.get(`${path}?${new URLSearchParams(parameters)}`)
const hierarchy = (roomId: string, more = '') => asking.get(`/hierarchy/${encodeURIComponent(roomId)}${more}`)
const deny = (roomId: string) => rooms.denied.add(`${peer} ${roomId}`)

test('a profile, or one field of it', async t => {
  const user_id = id('alice')
  const whole = await query('/query/profile', { user_id })
  t.deepEqual(whole.body, { displayname: 'Alice', 'm.tz': 'Asia/Dubai' })
  const one = await query('/query/profile', { user_id, field: 'displayname' })
  t.deepEqual(one.body, { displayname: 'Alice' })
  t.like(await query('/query/profile', { user_id, field: 'avatar_url' }), {
    status: 404,
    body: { errcode: 'M_NOT_FOUND' },
  })
})

test('nobody, somebody who is gone and somebody of another server are all nobody here', async t => {
  for (const user_id of [id('nobody'), id('gone'), '@alice:elsewhere.test']) {
    t.like(await query('/query/profile', { user_id }), { status: 404, body: { errcode: 'M_NOT_FOUND' } })
  }
  t.like(await query('/query/profile', { user_id: 'alice' }), { body: { errcode: 'M_INVALID_PARAM' } })
  t.like(await asking.get('/query/profile'), { body: { errcode: 'M_MISSING_PARAM' } })
})

test('an alias names us alone, and nothing where the room does not let the peer in', async t => {
  const roomId = await server.createRoom('alice', { room_alias_name: 'hall' })
  const room_alias = `#hall:${serverName}`
  t.deepEqual((await query('/query/directory', { room_alias })).body, {
    room_id: roomId,
    servers: [serverName],
  })
  deny(roomId)
  t.is((await query('/query/directory', { room_alias })).status, 404)
  for (const other of [`#none:${serverName}`, '#hall:elsewhere.test']) {
    t.is((await query('/query/directory', { room_alias: other })).status, 404)
  }
})

test('published rooms are listed and found, without those that do not let the peer in', async t => {
  const publish = (name: string) =>
    server.createRoom('alice', { preset: 'public_chat', visibility: 'public', name })
  const [open, closed] = [await publish('library'), await publish('library vault')]
  await server.createRoom('alice', { preset: 'public_chat', name: 'library unpublished' })
  deny(closed)
  const names = ({ body }: Awaited<ReturnType<typeof asking.get>>) =>
    body.chunk.map((room: { name: string }) => room.name)
  t.deepEqual(names(await asking.get('/publicRooms')), ['library'])
  const found = await asking.post('/publicRooms', { filter: { generic_search_term: 'LIBR' } })
  t.is(found.body.chunk[0].room_id, open)
  t.is(found.body.total_room_count_estimate, 1)
  t.deepEqual(names(await asking.post('/publicRooms', { filter: { room_types: ['m.space'] } })), [])
  t.like(await asking.post('/publicRooms', { limit: 'x' }), { body: { errcode: 'M_BAD_JSON' } })
})

test('a space shows the rooms that somebody of the peer could come into, and the ids of those here that they cannot', async t => {
  const make = (name: string, more: object) => server.createRoom('alice', { name, ...more })
  const space = await make('space', { preset: 'public_chat', creation_content: { type: 'm.space' } })
  const open = await make('open', { preset: 'public_chat' })
  const secret = await make('secret', { preset: 'private_chat' })
  const invited = await make('invited', { preset: 'private_chat' })
  await server.rooms.send({
    roomId: invited as RoomId,
    sender: id('alice'),
    type: 'm.room.member',
    stateKey: `@zoe:${peer}`,
    content: { membership: 'invite' },
  })
  const denied = await make('denied', { preset: 'public_chat' })
  const elsewhere = '!unknown:elsewhere.test'
  deny(denied)
  for (const child of [open, secret, invited, denied, elsewhere]) {
    server.wait(10)
    await server.ok('alice', 'PUT', inRoom(space, `/state/m.space.child/${encodeURIComponent(child)}`), {
      via: [serverName],
      suggested: child === open,
    })
  }
  const { body } = await hierarchy(space)
  t.is(body.room.room_id, space)
  t.is(body.room.children_state.length, 5)
  t.deepEqual(
    body.children.map((room: { room_id: string }) => room.room_id),
    [open, invited],
  )
  t.deepEqual(body.inaccessible_children, [secret, denied])
  t.is((await hierarchy(space, '?suggested_only=true')).body.room.children_state.length, 1)
  t.is((await hierarchy(secret)).status, 404)
  t.is((await hierarchy(denied)).status, 404)
  t.is((await hierarchy(elsewhere)).status, 404)
})

test('an OpenID token tells who it is of, and a wrong one nothing', async t => {
  t.deepEqual((await asking.get('/openid/userinfo?access_token=good')).body, { sub: id('alice') })
  t.like(await asking.get('/openid/userinfo?access_token=bad'), {
    status: 401,
    body: { errcode: 'M_UNKNOWN_TOKEN' },
  })
  t.like(await asking.get('/openid/userinfo'), { status: 401, body: { errcode: 'M_MISSING_TOKEN' } })
})
