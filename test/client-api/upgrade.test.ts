import test from 'ava'
import { id, inRoom, startRoomServer, v3 } from './room-server.ts'

const server = await startRoomServer()
test.after.always(() => server.close())

const upgrade = async (who: string, room: string, body: object): Promise<string> =>
  (await server.ok(who, 'POST', inRoom(room, '/upgrade'), body)).replacement_room
const state = (who: string, room: string, path: string) =>
  server.ok(who, 'GET', inRoom(room, `/state/${path}`))

test('the new room begins like the old one ends, and the old one says so', async t => {
  const old = await server.createRoom('alice', {
    room_version: '11',
    visibility: 'public',
    name: 'The name',
    topic: 'The topic',
    room_alias_name: 'moved',
    power_level_content_override: { users: { [id('alice')]: 100, [id('mod')]: 50 }, events_default: 1 },
    initial_state: [
      { type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
      { type: 'm.room.history_visibility', content: { history_visibility: 'joined' } },
      { type: 'org.example.private', content: { secret: true } },
    ],
  })
  await server.join('bob', old)
  await server.ok('alice', 'POST', inRoom(old, '/ban'), { user_id: id('mallory'), reason: 'spam' })
  const replacement = await upgrade('alice', old, { new_version: '12', additional_creators: [id('mod')] })

  t.deepEqual(await state('alice', replacement, 'm.room.create'), {
    room_version: '12',
    predecessor: { room_id: old },
    additional_creators: [id('mod')],
  })
  for (const [type, content] of [
    ['m.room.name', { name: 'The name' }],
    ['m.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' }],
    ['m.room.history_visibility', { history_visibility: 'joined' }],
    ['m.room.join_rules', { join_rule: 'public' }],
    ['m.room.canonical_alias', { alias: '#moved:hq.test' }],
    [`m.room.member/${id('mallory')}`, { membership: 'ban', reason: 'spam' }],
  ] as const) {
    t.deepEqual(await state('alice', replacement, type), content, type)
  }
  t.is((await state('alice', replacement, 'm.room.topic')).topic, 'The topic')
  t.is((await server.call('alice', 'GET', inRoom(replacement, '/state/org.example.private'))).status, 404)
  t.is(
    (await server.call('alice', 'GET', inRoom(replacement, `/state/m.room.member/${id('bob')}`))).status,
    404,
  )
  const levels = await state('alice', replacement, 'm.room.power_levels')
  t.deepEqual(levels.users, {}, 'creators stand in no list')
  t.is(levels.events_default, 1)
  t.true(levels.events['m.room.tombstone'] > levels.state_default)

  const tombstone = await state('bob', old, 'm.room.tombstone')
  t.is(tombstone.replacement_room, replacement)
  t.like(await state('bob', old, 'm.room.power_levels'), { events_default: 50, invite: 50 })
  t.deepEqual(await state('bob', old, 'm.room.canonical_alias'), {})
  t.is((await server.call('bob', 'PUT', inRoom(old, '/send/m.room.message/x'), { body: 'x' })).status, 403)

  const resolved = await server.ok(
    'bob',
    'GET',
    `${v3}/directory/room/${encodeURIComponent('#moved:hq.test')}`,
  )
  t.is(resolved.room_id, replacement)
  const visibility = async (room: string) =>
    (await server.ok('bob', 'GET', `${v3}/directory/list/room/${encodeURIComponent(room)}`)).visibility
  t.deepEqual([await visibility(old), await visibility(replacement)], ['private', 'public'])
})

test('to version 11: the predecessor names an event, and the levels are the old ones', async t => {
  const old = await server.createRoom('alice', {
    room_version: '10',
    power_level_content_override: {
      users: { [id('alice')]: 100, [id('owner')]: 200 },
      events: { 'm.room.tombstone': 100, 'm.room.encryption': 150 },
    },
    initial_state: [{ type: 'm.room.name', content: { name: 'x' } }],
  })
  const before = await state('alice', old, 'm.room.power_levels')
  const replacement = await upgrade('alice', old, { new_version: '11', additional_creators: [id('bob')] })
  const create = await state('alice', replacement, 'm.room.create')
  t.is(create.predecessor.room_id, old)
  t.regex(create.predecessor.event_id, /^\$/)
  t.is(create.additional_creators, undefined, 'ignored before version 12')
  t.deepEqual(await state('alice', replacement, 'm.room.power_levels'), before)
})

test('from version 12 to 11 the creators keep their power as a level', async t => {
  const old = await server.createRoom('alice', {
    creation_content: { additional_creators: [id('bob')] },
  })
  const replacement = await upgrade('alice', old, { new_version: '11' })
  const { users } = await state('alice', replacement, 'm.room.power_levels')
  t.is(users[id('alice')], users[id('bob')])
  t.true(users[id('alice')] >= 100)
})

test('a space keeps its type and its children', async t => {
  const child = await server.createRoom('alice')
  const old = await server.createRoom('alice', { creation_content: { type: 'm.space' } })
  const path = `m.space.child/${encodeURIComponent(child)}`
  await server.ok('alice', 'PUT', inRoom(old, `/state/${path}`), { via: ['hq.test'] })
  const replacement = await upgrade('alice', old, { new_version: '12' })
  t.is((await state('alice', replacement, 'm.room.create')).type, 'm.space')
  t.deepEqual(await state('alice', replacement, path), { via: ['hq.test'] })
})

const refusals: [string, string, object, number, string, RegExp][] = [
  ['an unknown version', 'alice', { new_version: '1' }, 400, 'M_UNSUPPORTED_ROOM_VERSION', /new_version/],
  ['no version', 'alice', {}, 400, 'M_MISSING_PARAM', /new_version/],
  [
    'a creator that is no user id',
    'alice',
    { new_version: '12', additional_creators: ['x'] },
    400,
    'M_INVALID_PARAM',
    /additional_creators\[0\]/,
  ],
  ['someone without power', 'bob', { new_version: '12' }, 403, 'M_FORBIDDEN', /power level/],
  ['someone who is not in', 'carol', { new_version: '12' }, 403, 'M_FORBIDDEN', /not in this room/],
  ['someone external', 'ext-eve', { new_version: '12' }, 403, 'M_FORBIDDEN', /External/],
]
for (const [name, who, body, status, errcode, sentence] of refusals) {
  test(`refused: ${name}`, async t => {
    const room = await server.createRoom('alice', { preset: 'public_chat' })
    for (const member of ['bob', 'ext-eve']) await server.join(member, room)
    const answer = await server.call(who, 'POST', inRoom(room, '/upgrade'), body)
    t.like(answer, { status, body: { errcode } })
    t.regex(answer.body.error, sentence)
    t.is((await server.call('alice', 'GET', inRoom(room, '/state/m.room.tombstone'))).status, 404)
  })
}
