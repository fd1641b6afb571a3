import test from 'ava'
import { id, inRoom, startRoomServer, v3 } from './room-server.ts'

const server = await startRoomServer()
test.after.always(() => server.close())

interface StateEvent {
  type: string
  state_key: string
  sender: string
  content: Record<string, unknown>
}

async function stateOf(who: string, roomId: string) {
  const events: StateEvent[] = await server.ok(who, 'GET', inRoom(roomId, '/state'))
  return (type: string, key = '') => events.find(e => e.type === type && e.state_key === key)?.content
}

test('a room without a wish is private, of version 12, and its creator is in no power list', async t => {
  const roomId = await server.createRoom('alice')
  t.regex(roomId, /^![\w-]{43}$/)
  const state = await stateOf('alice', roomId)
  t.deepEqual(state('m.room.create'), { room_version: '12' })
  t.deepEqual(state('m.room.join_rules'), { join_rule: 'invite' })
  t.deepEqual(state('m.room.history_visibility'), { history_visibility: 'shared' })
  t.deepEqual(state('m.room.guest_access'), { guest_access: 'can_join' })
  t.deepEqual(state('m.room.member', id('alice')), { membership: 'join', displayname: 'alice' })
  const levels = state('m.room.power_levels') as { users: object; events: Record<string, number> }
  t.deepEqual(levels.users, {})
  t.true(levels.events['m.room.tombstone']! > (levels as unknown as { state_default: number }).state_default)
})

for (const version of ['10', '11']) {
  test(`version ${version}: the creator has level 100`, async t => {
    const roomId = await server.createRoom('alice', { room_version: version })
    const state = await stateOf('alice', roomId)
    t.like(state('m.room.power_levels'), { users: { [id('alice')]: 100 } })
    t.deepEqual(
      state('m.room.create'),
      version === '10' ? { room_version: '10', creator: id('alice') } : { room_version: '11' },
    )
    t.regex(roomId, /^!.+:hq\.test$/)
  })
}

test('public_chat is public and closed to guests; visibility alone chooses it', async t => {
  for (const body of [{ preset: 'public_chat' }, { visibility: 'public' }]) {
    const state = await stateOf('alice', await server.createRoom('alice', body))
    t.deepEqual(state('m.room.join_rules'), { join_rule: 'public' })
    t.deepEqual(state('m.room.guest_access'), { guest_access: 'forbidden' })
  }
})

test('trusted_private_chat: in version 12 all who are invited are creators', async t => {
  const roomId = await server.createRoom('alice', {
    preset: 'trusted_private_chat',
    invite: [id('bob')],
    creation_content: { additional_creators: [id('carol'), id('bob')] },
    is_direct: true,
  })
  const state = await stateOf('alice', roomId)
  t.deepEqual(state('m.room.create')?.['additional_creators'], [id('carol'), id('bob')])
  t.like(state('m.room.member', id('bob')), { membership: 'invite', displayname: 'bob', is_direct: true })
})

test('trusted_private_chat: before version 12 they get the level of the creator', async t => {
  const roomId = await server.createRoom('alice', {
    room_version: '11',
    preset: 'trusted_private_chat',
    invite: [id('bob')],
  })
  const state = await stateOf('alice', roomId)
  t.deepEqual(state('m.room.power_levels')?.['users'], { [id('alice')]: 100, [id('bob')]: 100 })
  t.is(state('m.room.create')?.['additional_creators'], undefined)
})

test('initial_state wins over the preset, name and topic win over initial_state', async t => {
  const roomId = await server.createRoom('alice', {
    name: 'the name',
    topic: 'the topic',
    initial_state: [
      { type: 'm.room.name', content: { name: 'another' } },
      { type: 'm.room.history_visibility', content: { history_visibility: 'joined' } },
      { type: 'org.example.thing', state_key: 'k', content: { a: 1 } },
    ],
  })
  const state = await stateOf('alice', roomId)
  t.is(state('m.room.name')?.['name'], 'the name')
  t.deepEqual(state('m.room.topic'), { topic: 'the topic', 'm.topic': { 'm.text': [{ body: 'the topic' }] } })
  t.is(state('m.room.history_visibility')?.['history_visibility'], 'joined')
  t.deepEqual(state('org.example.thing', 'k'), { a: 1 })
})

test('power_level_content_override is laid over the default', async t => {
  const roomId = await server.createRoom('alice', { power_level_content_override: { events_default: 7 } })
  const levels = (await stateOf('alice', roomId))('m.room.power_levels')
  t.like(levels, { events_default: 7, ban: 50 })
})

test('a space needs a high level for messages, and keeps its type', async t => {
  const roomId = await server.createRoom('alice', { creation_content: { type: 'm.space' } })
  const state = await stateOf('alice', roomId)
  t.is(state('m.room.create')?.['type'], 'm.space')
  t.is(state('m.room.power_levels')?.['events_default'], 100)
})

test('room_version and creator cannot be set by creation_content', async t => {
  const roomId = await server.createRoom('alice', {
    creation_content: { room_version: '1', creator: '@mallory:hq.test', 'm.federate': false },
  })
  const state = await stateOf('alice', roomId)
  t.deepEqual(state('m.room.create'), { room_version: '12', 'm.federate': false })
})

test('an alias is made with the room and is its main alias', async t => {
  const roomId = await server.createRoom('alice', { room_alias_name: 'thepub' })
  const resolved = await server.ok(
    'bob',
    'GET',
    `${v3}/directory/room/${encodeURIComponent('#thepub:hq.test')}`,
  )
  t.deepEqual(resolved, { room_id: roomId, servers: ['hq.test'] })
  t.deepEqual((await stateOf('alice', roomId))('m.room.canonical_alias'), { alias: '#thepub:hq.test' })
  const again = await server.call('bob', 'POST', `${v3}/createRoom`, { room_alias_name: 'thepub' })
  t.like(again, { status: 400, body: { errcode: 'M_ROOM_IN_USE' } })
  const { joined_rooms: joined } = await server.ok('bob', 'GET', `${v3}/joined_rooms`)
  t.deepEqual(joined, [], 'a refused room leaves nothing')
})

test('two rooms at once do not get the same alias', async t => {
  const answers = await Promise.all(
    ['alice', 'bob', 'carol'].map(who =>
      server.call(who, 'POST', `${v3}/createRoom`, { room_alias_name: 'contended' }),
    ),
  )
  t.deepEqual(answers.map(answer => answer.status).sort(), [200, 400, 400])
})

test('a room whose beginning the rules refuse is not made, nor its alias', async t => {
  const answer = await server.call('dave', 'POST', `${v3}/createRoom`, {
    room_version: '11',
    room_alias_name: 'stillborn',
    name: 'x',
    power_level_content_override: { users: { [id('dave')]: 10 } },
  })
  t.like(answer, { status: 400, body: { errcode: 'M_INVALID_ROOM_STATE' } })
  t.deepEqual(await server.ok('dave', 'GET', `${v3}/joined_rooms`), { joined_rooms: [] })
  const alias = await server.call(
    'dave',
    'GET',
    `${v3}/directory/room/${encodeURIComponent('#stillborn:hq.test')}`,
  )
  t.is(alias.status, 404)
})

const refusals: [string, object, number, string, RegExp][] = [
  ['an unknown version', { room_version: '1' }, 400, 'M_UNSUPPORTED_ROOM_VERSION', /room_version/],
  ['a version that is no string', { room_version: 12 }, 400, 'M_BAD_JSON', /room_version/],
  ['an unknown preset', { preset: 'chat' }, 400, 'M_INVALID_PARAM', /preset/],
  ['an unknown visibility', { visibility: 'secret' }, 400, 'M_INVALID_PARAM', /visibility/],
  ['an alias with a colon', { room_alias_name: 'a:b' }, 400, 'M_INVALID_PARAM', /room_alias_name/],
  ['an empty alias', { room_alias_name: '' }, 400, 'M_INVALID_PARAM', /room_alias_name/],
  [
    'an alias that is too long',
    { room_alias_name: 'a'.repeat(250) },
    400,
    'M_INVALID_PARAM',
    /room_alias_name/,
  ],
  ['an invitee that is no user id', { invite: ['bob'] }, 400, 'M_INVALID_PARAM', /invite\[0\]/],
  ['an invitee of another server', { invite: ['@x:else.test'] }, 403, 'M_FORBIDDEN', /invite: .*else\.test/],
  ['an invitee without account', { invite: [id('gone')] }, 403, 'M_FORBIDDEN', /invite/],
  [
    'an invitation to an address',
    { invite_3pid: [{ medium: 'email' }] },
    400,
    'M_INVALID_PARAM',
    /invite_3pid/,
  ],
  ['state without type', { initial_state: [{ content: {} }] }, 400, 'M_BAD_JSON', /initial_state\[0\]\.type/],
  [
    'state without content',
    { initial_state: [{ type: 'a' }] },
    400,
    'M_BAD_JSON',
    /initial_state\[0\]\.content/,
  ],
  [
    'a second create event',
    { initial_state: [{ type: 'm.room.create', content: {} }] },
    400,
    'M_INVALID_PARAM',
    /initial_state\[0\]\.type/,
  ],
  [
    'creators that are no user ids',
    { creation_content: { additional_creators: ['bob'] } },
    400,
    'M_INVALID_PARAM',
    /additional_creators\[0\]/,
  ],
  [
    'more invitees than one transaction should carry',
    { invite: Array.from({ length: 501 }, (_, i) => id(`u${i}`)) },
    400,
    'M_INVALID_PARAM',
    /^invite has more than 500/,
  ],
  ['a name that is no string', { name: 1 }, 400, 'M_BAD_JSON', /name/],
  ['levels that are no object', { power_level_content_override: [] }, 400, 'M_BAD_JSON', /power_level/],
  [
    'the creator in the power levels of version 12',
    { power_level_content_override: { users: { [id('erin')]: 100 } } },
    400,
    'M_INVALID_ROOM_STATE',
    /room/,
  ],
]

for (const [name, body, status, errcode, sentence] of refusals) {
  test(`refused: ${name}`, async t => {
    const answer = await server.call('erin', 'POST', `${v3}/createRoom`, body)
    t.like(answer, { status, body: { errcode } }, JSON.stringify(answer.body))
    t.regex(answer.body.error, sentence)
    t.deepEqual(await server.ok('erin', 'GET', `${v3}/joined_rooms`), { joined_rooms: [] })
  })
}

test('external people create no rooms, suspended people neither', async t => {
  t.like(await server.call('ext-eve', 'POST', `${v3}/createRoom`), {
    status: 403,
    body: { errcode: 'M_FORBIDDEN' },
  })
  server.suspended.add('sue')
  t.like(await server.call('sue', 'POST', `${v3}/createRoom`), {
    status: 403,
    body: { errcode: 'M_USER_SUSPENDED' },
  })
})

test('nobody creates a room without a token', async t => {
  t.like(await server.call('', 'POST', `${v3}/createRoom`), {
    status: 401,
    body: { errcode: 'M_MISSING_TOKEN' },
  })
})
