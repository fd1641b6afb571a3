import test from 'ava'
import { id, inRoom, startRoomServer, v3 } from './room-server.ts'

const server = await startRoomServer()
test.after.always(() => server.close())

test('state is read by its key, with and without the slash, as content or as event', async t => {
  const room = await server.createRoom('alice', { name: 'one' })
  for (const path of ['/state/m.room.name', '/state/m.room.name/', '/state/m.room.name?format=content']) {
    t.deepEqual(await server.ok('alice', 'GET', inRoom(room, path)), { name: 'one' })
  }
  const event = await server.ok('alice', 'GET', inRoom(room, '/state/m.room.name?format=event'))
  t.like(event, {
    type: 'm.room.name',
    state_key: '',
    room_id: room,
    sender: id('alice'),
    content: { name: 'one' },
  })
  t.regex(event.event_id, /^\$[\w-]{43}$/)
  t.is(
    (await server.call('alice', 'GET', inRoom(room, '/state/m.room.name/other'))).body.errcode,
    'M_NOT_FOUND',
  )
  t.is(
    (await server.call('alice', 'GET', inRoom(room, '/state/m.room.name?format=x'))).body.errcode,
    'M_INVALID_PARAM',
  )
})

test('state is written by its key, and what it says already is not written again', async t => {
  const room = await server.createRoom('alice')
  const put = async (path: string, body: object) =>
    (await server.ok('alice', 'PUT', inRoom(room, path), body)).event_id as string
  const first = await put('/state/m.room.name', { name: 'a' })
  t.is(await put('/state/m.room.name/', { name: 'a' }), first)
  t.not(await put('/state/m.room.name', { name: 'b' }), first)
  await put('/state/org.example.x/with%2Fslash', { v: 1 })
  t.deepEqual(await server.ok('alice', 'GET', inRoom(room, '/state/org.example.x/with%2Fslash')), { v: 1 })
})

test('who lacks the power may not write state', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat' })
  await server.join('bob', room)
  const answer = await server.call('bob', 'PUT', inRoom(room, '/state/m.room.name'), { name: 'mine' })
  t.like(answer, { status: 403, body: { errcode: 'M_FORBIDDEN' } })
})

test('who has left sees the room as it was then', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat', name: 'before' })
  await server.join('bob', room)
  await server.ok('bob', 'POST', inRoom(room, '/leave'))
  await server.ok('alice', 'PUT', inRoom(room, '/state/m.room.name'), { name: 'after' })
  await server.join('carol', room)
  t.deepEqual(await server.ok('bob', 'GET', inRoom(room, '/state/m.room.name')), { name: 'before' })
  const state: { type: string; state_key: string }[] = await server.ok('bob', 'GET', inRoom(room, '/state'))
  t.false(state.some(e => e.state_key === id('carol')))
  const { chunk } = await server.ok('bob', 'GET', inRoom(room, '/members'))
  t.false(chunk.some((e: { state_key: string }) => e.state_key === id('carol')))
  // A ban afterwards does not move the point.
  await server.ok('alice', 'POST', inRoom(room, '/ban'), { user_id: id('bob') })
  t.deepEqual(await server.ok('bob', 'GET', inRoom(room, '/state/m.room.name')), { name: 'before' })
  t.is((await server.call('bob', 'GET', inRoom(room, '/joined_members'))).status, 403)
})

test('anyone reads a world-readable room', async t => {
  const room = await server.createRoom('alice', {
    initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } }],
  })
  t.is((await server.call('carol', 'GET', inRoom(room, '/state/m.room.create'))).status, 200)
  t.is((await server.call('carol', 'GET', inRoom(room, '/messages?dir=b'))).status, 200)
})

test('members: filters are joined by or; joined_members shows profiles', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat', invite: [id('dave')] })
  await server.join('bob', room)
  await server.join('carol', room)
  await server.ok('carol', 'POST', inRoom(room, '/leave'))
  const who = async (query: string) =>
    (await server.ok('alice', 'GET', inRoom(room, `/members${query}`))).chunk
      .map((e: { state_key: string }) => e.state_key)
      .sort()
  t.deepEqual(await who(''), ['alice', 'bob', 'carol', 'dave'].map(id))
  t.deepEqual(await who('?membership=join'), ['alice', 'bob'].map(id))
  t.deepEqual(await who('?not_membership=leave'), ['alice', 'bob', 'dave'].map(id))
  t.deepEqual(await who('?membership=leave&not_membership=join'), ['carol', 'dave'].map(id))
  t.deepEqual(await server.ok('alice', 'GET', inRoom(room, '/joined_members')), {
    joined: { [id('alice')]: { display_name: 'alice' }, [id('bob')]: { display_name: 'bob' } },
  })
  t.is(
    (await server.call('alice', 'GET', inRoom(room, '/members?membership=in'))).body.errcode,
    'M_INVALID_PARAM',
  )
})

test('members at a token of the past are those of then', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat' })
  await server.send('alice', room, 'early')
  const { start } = await server.ok('alice', 'GET', inRoom(room, '/messages?dir=b&limit=1'))
  await server.join('bob', room)
  const { chunk } = await server.ok('alice', 'GET', inRoom(room, `/members?at=${start}`))
  t.deepEqual(
    chunk.map((e: { state_key: string }) => e.state_key),
    [id('alice')],
  )
  t.is(
    (await server.call('alice', 'GET', inRoom(room, '/members?at=nonsense'))).body.errcode,
    'M_INVALID_PARAM',
  )
})

test('m.room.canonical_alias names only aliases of this room; those it had stay', async t => {
  const room = await server.createRoom('alice', { room_alias_name: 'canon' })
  await server.createRoom('alice', { room_alias_name: 'elsewhere' })
  const put = (content: object) =>
    server.call('alice', 'PUT', inRoom(room, '/state/m.room.canonical_alias'), content)
  t.is((await put({ alias: '#elsewhere:hq.test' })).body.errcode, 'M_BAD_ALIAS')
  t.is((await put({ alias: '#canon:hq.test', alt_aliases: ['#nobody:hq.test'] })).body.errcode, 'M_BAD_ALIAS')
  t.is((await put({ alias: 'canon' })).body.errcode, 'M_INVALID_PARAM')
  t.is((await put({ alt_aliases: '#canon:hq.test' })).body.errcode, 'M_INVALID_PARAM')
  t.is((await put({ alt_aliases: [5] })).body.errcode, 'M_INVALID_PARAM')
  t.is((await put({ alias: '#canon:hq.test', alt_aliases: [] })).status, 200)
  // The alias goes, the event still names it: what was there already is not checked again.
  await server.ok('alice', 'PUT', inRoom(room, '/state/m.room.power_levels'), {
    ...(await server.ok('alice', 'GET', inRoom(room, '/state/m.room.power_levels'))),
    users: {},
  })
  t.is((await put({ alt_aliases: ['#canon:hq.test'] })).status, 200)
})

test('an invite by a state event is held to the same rules', async t => {
  const room = await server.createRoom('alice')
  const invite = (target: string) =>
    server.call('alice', 'PUT', inRoom(room, `/state/m.room.member/${target}`), { membership: 'invite' })
  t.is((await invite('@x:else.test')).body.errcode, 'M_FORBIDDEN')
  t.is((await invite(id('gone'))).body.errcode, 'M_FORBIDDEN')
  t.is((await invite('nobody')).body.errcode, 'M_INVALID_PARAM')
  t.is((await invite(id('bob'))).status, 200)
})

test('joined_rooms lists rooms of join alone', async t => {
  const room = await server.createRoom('zoe', { preset: 'public_chat' })
  const left = await server.createRoom('zoe', { preset: 'public_chat' })
  await server.createRoom('alice', { invite: [id('zoe')] })
  await server.ok('zoe', 'POST', inRoom(left, '/leave'))
  t.deepEqual(await server.ok('zoe', 'GET', `${v3}/joined_rooms`), { joined_rooms: [room] })
})

test('changing a name in a restricted room does not say again who vouched for the join', async t => {
  const hall = await server.createRoom('alice', { preset: 'public_chat' })
  const room = await server.createRoom('alice', {
    initial_state: [
      {
        type: 'm.room.join_rules',
        content: { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: hall }] },
      },
    ],
  })
  await server.join('bob', hall)
  await server.join('bob', room)
  const member = inRoom(room, `/state/m.room.member/${id('bob')}`)
  const joined = await server.ok('bob', 'GET', member)
  t.is(joined.join_authorised_via_users_server, id('alice'))
  for (const voucher of [id('alice'), 'unused']) {
    const wanted = {
      ...joined,
      displayname: `Bobby by ${voucher}`,
      join_authorised_via_users_server: voucher,
    }
    await server.ok('bob', 'PUT', member, wanted)
    t.deepEqual(await server.ok('bob', 'GET', member), {
      membership: 'join',
      displayname: wanted.displayname,
    })
  }
})

test('state that nobody could write is malformed, not forbidden', async t => {
  const room = await server.createRoom('alice')
  const put = (type: string, body: object) =>
    server.call('alice', 'PUT', inRoom(room, `/state/${type}/`), body)
  const refused = { status: 400, body: { errcode: 'M_INVALID_PARAM' } }
  t.like(await put('m.room.create', { room_version: '12', more: 1 }), refused)
  t.like(await put('m.room.power_levels', { users: { [id('alice')]: 100 } }), refused)
  t.like(await server.call('ben', 'PUT', inRoom(room, '/state/m.room.power_levels'), { users: {} }), {
    status: 403,
  })
})
