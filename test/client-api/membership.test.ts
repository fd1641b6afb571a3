import test from 'ava'
import { id, inRoom, startRoomServer, v1, v3 } from './room-server.ts'

const server = await startRoomServer()
const refusing = await server.createRoom('alice')
test.after.always(() => server.close())

const membershipOf = async (who: string, roomId: string, whose: string) =>
  (await server.ok(who, 'GET', inRoom(roomId, `/state/m.room.member/${id(whose)}`))).membership

test('invite, join, leave, forget: the way through a private room', async t => {
  const room = await server.createRoom('alice')
  t.is((await server.call('ben', 'POST', inRoom(room, '/join'))).body.errcode, 'M_FORBIDDEN')
  t.deepEqual(
    await server.ok('alice', 'POST', inRoom(room, '/invite'), { user_id: id('ben'), reason: 'hi' }),
    {},
  )
  const invite = await server.ok('alice', 'GET', inRoom(room, `/state/m.room.member/${id('ben')}`))
  t.deepEqual(invite, { membership: 'invite', displayname: 'ben', reason: 'hi' })
  t.deepEqual(await server.ok('ben', 'POST', inRoom(room, '/join')), { room_id: room })
  t.deepEqual(await server.ok('ben', 'GET', `${v3}/joined_rooms`), { joined_rooms: [room] })
  t.like(await server.call('ben', 'POST', inRoom(room, '/forget')), {
    status: 400,
    body: { errcode: 'M_UNKNOWN' },
  })
  t.deepEqual(await server.ok('ben', 'POST', inRoom(room, '/leave')), {})
  t.is((await server.call('ben', 'GET', inRoom(room, '/state'))).status, 200, 'the past stays readable')
  t.deepEqual(await server.ok('ben', 'POST', inRoom(room, '/forget')), {})
  t.is((await server.call('ben', 'GET', inRoom(room, '/state'))).status, 403, 'until it is forgotten')
})

test('joining and leaving twice change nothing and succeed', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat' })
  await server.join('bob', room)
  const before = await server.rooms.view(room as never)
  await server.join('bob', room)
  t.is((await server.rooms.view(room as never))!.lastPosition, before!.lastPosition)
  await server.ok('bob', 'POST', inRoom(room, '/leave'))
  await server.ok('bob', 'POST', inRoom(room, '/leave'))
})

test('an alias joins as well as an id', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat', room_alias_name: 'open' })
  const path = (target: string) => `${v3}/join/${encodeURIComponent(target)}?via=hq.test`
  t.deepEqual(await server.ok('bob', 'POST', path('#open:hq.test')), { room_id: room })
  t.deepEqual(await server.ok('carol', 'POST', path(room)), { room_id: room })
  t.is((await server.call('carol', 'POST', path('#closed:hq.test'))).body.errcode, 'M_NOT_FOUND')
  t.is((await server.call('carol', 'POST', path('!nowhere:hq.test'))).body.errcode, 'M_NOT_FOUND')
})

test('kick, ban and unban need power, and a reason stays with the event', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat' })
  for (const who of ['bob', 'carol']) await server.join(who, room)
  t.is(
    (await server.call('bob', 'POST', inRoom(room, '/kick'), { user_id: id('carol') })).body.errcode,
    'M_FORBIDDEN',
  )
  await server.ok('alice', 'POST', inRoom(room, '/kick'), { user_id: id('carol'), reason: 'loud' })
  t.deepEqual(await server.ok('alice', 'GET', inRoom(room, `/state/m.room.member/${id('carol')}`)), {
    membership: 'leave',
    reason: 'loud',
  })
  await server.ok('alice', 'POST', inRoom(room, '/ban'), { user_id: id('carol') })
  t.is((await server.call('carol', 'POST', inRoom(room, '/join'))).body.errcode, 'M_FORBIDDEN')
  t.is(
    (await server.call('alice', 'POST', inRoom(room, '/invite'), { user_id: id('carol') })).body.errcode,
    'M_FORBIDDEN',
  )
  t.is(
    (await server.call('bob', 'POST', inRoom(room, '/unban'), { user_id: id('carol') })).body.errcode,
    'M_FORBIDDEN',
  )
  await server.ok('alice', 'POST', inRoom(room, '/unban'), { user_id: id('carol') })
  await server.join('carol', room)
})

test('someone who never was in the room can be banned beforehand', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat' })
  await server.ok('alice', 'POST', inRoom(room, '/ban'), { user_id: id('mallory') })
  t.is((await server.call('mallory', 'POST', inRoom(room, '/join'))).status, 403)
})

test('a refused invite leaves no archived room', async t => {
  const room = await server.createRoom('alice', { invite: [id('bob')] })
  await server.ok('bob', 'POST', inRoom(room, '/leave'))
  t.is((await server.call('bob', 'GET', inRoom(room, '/state'))).status, 403)
})

test('knocking: only where the room lets people, and an invite answers it', async t => {
  const room = await server.createRoom('alice', {
    initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }],
  })
  const knock = `${v3}/knock/${encodeURIComponent(room)}`
  t.deepEqual(await server.ok('bob', 'POST', knock, { reason: 'let me in' }), { room_id: room })
  t.is(await membershipOf('alice', room, 'bob'), 'knock')
  t.is((await server.call('bob', 'POST', inRoom(room, '/join'))).status, 403)
  await server.ok('alice', 'POST', inRoom(room, '/invite'), { user_id: id('bob') })
  await server.join('bob', room)
  t.is((await server.call('bob', 'POST', knock)).body.errcode, 'M_FORBIDDEN')
  const closed = await server.createRoom('alice')
  t.is(
    (await server.call('bob', 'POST', `${v3}/knock/${encodeURIComponent(closed)}`)).body.errcode,
    'M_FORBIDDEN',
  )
})

for (const joinRule of ['restricted', 'knock_restricted']) {
  for (const version of ['10', '12']) {
    test(`${joinRule} in version ${version}: members of the other room join, with someone's word`, async t => {
      const club = await server.createRoom('alice', { preset: 'public_chat' })
      await server.join('bob', club)
      const room = await server.createRoom('alice', {
        room_version: version,
        initial_state: [
          {
            type: 'm.room.join_rules',
            content: { join_rule: joinRule, allow: [{ type: 'm.room_membership', room_id: club }] },
          },
        ],
      })
      await server.join('bob', room)
      t.deepEqual(await server.ok('alice', 'GET', inRoom(room, `/state/m.room.member/${id('bob')}`)), {
        membership: 'join',
        displayname: 'bob',
        join_authorised_via_users_server: id('alice'),
      })
      t.is((await server.call('carol', 'POST', inRoom(room, '/join'))).body.errcode, 'M_FORBIDDEN')
      // An invite needs nobody's word.
      await server.ok('alice', 'POST', inRoom(room, '/invite'), { user_id: id('carol') })
      await server.join('carol', room)
      const carol = await server.ok('alice', 'GET', inRoom(room, `/state/m.room.member/${id('carol')}`))
      t.is(carol.join_authorised_via_users_server, undefined)
      // By a state event as well.
      await server.join('dave', club)
      await server.ok('dave', 'PUT', inRoom(room, `/state/m.room.member/${id('dave')}`), {
        membership: 'join',
      })
      t.is(await membershipOf('dave', room, 'dave'), 'join')
    })
  }
}

test('a restricted room where nobody may invite lets nobody in', async t => {
  const club = await server.createRoom('alice', { preset: 'public_chat' })
  await server.join('bob', club)
  const room = await server.createRoom('alice', {
    room_version: '11',
    power_level_content_override: { invite: 101 },
    initial_state: [
      {
        type: 'm.room.join_rules',
        content: { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: club }] },
      },
    ],
  })
  const answer = await server.call('bob', 'POST', inRoom(room, '/join'))
  t.like(answer, { status: 403, body: { errcode: 'M_FORBIDDEN' } })
})

test('external people invite only those with whom they share a room', async t => {
  const room = await server.createRoom('alice', { invite: [id('ext-eve'), id('bob')] })
  await server.join('ext-eve', room)
  const other = await server.createRoom('carol', { invite: [id('ext-eve')] })
  await server.join('ext-eve', other)
  const invite = (target: string) =>
    server.call('ext-eve', 'POST', inRoom(other, '/invite'), { user_id: id(target) })
  t.is((await invite('bob')).status, 403)
  // The answer is the same whether the account exists or not.
  t.is((await invite('gone')).body.error, (await invite('bob')).body.error.replace(id('bob'), id('gone')))
  await server.join('bob', room)
  t.is((await invite('bob')).status, 200)
})

test('who is suspended may leave, but neither join nor invite', async t => {
  const room = await server.createRoom('sid', { preset: 'public_chat' })
  const other = await server.createRoom('alice', { preset: 'public_chat' })
  server.suspended.add('sid')
  t.is((await server.call('sid', 'POST', inRoom(other, '/join'))).body.errcode, 'M_USER_SUSPENDED')
  t.is(
    (await server.call('sid', 'POST', inRoom(room, '/invite'), { user_id: id('bob') })).body.errcode,
    'M_USER_SUSPENDED',
  )
  t.deepEqual(await server.ok('sid', 'POST', inRoom(room, '/leave')), {})
})

test('someone outside learns nothing, whether the room exists or not', async t => {
  const room = await server.createRoom('alice')
  const ask = async (roomId: string) => {
    const answers = await Promise.all([
      server.call('bob', 'GET', inRoom(roomId, '/state')),
      server.call('bob', 'GET', inRoom(roomId, '/members')),
      server.call('bob', 'GET', inRoom(roomId, '/joined_members')),
      server.call('bob', 'GET', inRoom(roomId, '/messages?dir=b')),
      server.call('bob', 'GET', inRoom(roomId, '/aliases')),
      server.call('bob', 'GET', `${v1}/rooms/${encodeURIComponent(roomId)}/threads`),
      server.call('bob', 'POST', inRoom(roomId, '/leave')),
      server.call('bob', 'POST', inRoom(roomId, '/forget')),
      server.call('bob', 'POST', inRoom(roomId, '/kick'), { user_id: id('alice') }),
      server.call('bob', 'PUT', inRoom(roomId, `/redact/$${'a'.repeat(43)}/t2`)),
      server.call('bob', 'POST', inRoom(roomId, '/upgrade'), { new_version: '12' }),
      server.call('bob', 'POST', inRoom(roomId, '/invite'), { user_id: id('carol') }),
      server.call('bob', 'PUT', inRoom(roomId, '/state/m.room.name'), { name: 'x' }),
      server.call('bob', 'PUT', inRoom(roomId, '/send/m.room.message/t1'), { body: 'x' }),
    ])
    return answers.map(({ status, body }) => ({ status, errcode: body.errcode }))
  }
  const existing = await ask(room)
  t.deepEqual(existing, await ask('!nowhere:hq.test'))
  t.true(existing.every(({ status, errcode }) => status === 403 && errcode === 'M_FORBIDDEN'))
})

const refusals: [string, string, object, number, string, RegExp][] = [
  ['invite', 'without user_id', {}, 400, 'M_MISSING_PARAM', /user_id/],
  ['invite', 'of no user id', { user_id: 'bob' }, 400, 'M_INVALID_PARAM', /user_id/],
  ['invite', 'of one who is in', { user_id: id('alice') }, 403, 'M_FORBIDDEN', /already in the room/],
  ['invite', 'of no account', { user_id: id('gone') }, 403, 'M_FORBIDDEN', /user_id/],
  ['invite', 'to another server', { user_id: '@a:b.test' }, 403, 'M_FORBIDDEN', /b\.test/],
  ['invite', 'with a wrong reason', { user_id: id('bob'), reason: 1 }, 400, 'M_BAD_JSON', /reason/],
  ['invite', 'of one who takes none', { user_id: id('shy') }, 403, 'M_INVITE_BLOCKED', /user_id/],
  ['kick', 'of one who is not in', { user_id: id('bob') }, 403, 'M_FORBIDDEN', /not in the room/],
  ['unban', 'of one who is not banned', { user_id: id('bob') }, 403, 'M_FORBIDDEN', /not banned/],
  ['ban', 'of an equal', { user_id: id('alice') }, 403, 'M_FORBIDDEN', /power level/],
]

for (const [act, name, body, status, errcode, sentence] of refusals) {
  test(`refused: ${act} ${name}`, async t => {
    const answer = await server.call('alice', 'POST', inRoom(refusing, `/${act}`), body)
    t.like(answer, { status, body: { errcode } })
    t.regex(answer.body.error, sentence)
  })
}

test('a path that names no room is refused by its name', async t => {
  const answer = await server.call('alice', 'POST', inRoom('room', '/join'))
  t.like(answer, { status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  t.regex(answer.body.error, /roomId/)
})

test('a join carries what the client adds to it, never what the server writes', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat' })
  await server.ok('ben', 'POST', inRoom(room, '/join'), {
    'org.example.colour': 'blue',
    reason: 'curious',
    membership: 'leave',
    displayname: 'The Boss',
    avatar_url: 'mxc://hq.test/boss',
    join_authorised_via_users_server: id('alice'),
    third_party_signed: {},
  })
  t.deepEqual(await server.ok('alice', 'GET', inRoom(room, `/state/m.room.member/${id('ben')}`)), {
    membership: 'join',
    displayname: 'ben',
    reason: 'curious',
    'org.example.colour': 'blue',
  })
})

test('who may not read a room learns that before what else is wrong with the request', async t => {
  const room = await server.createRoom('alice')
  for (const path of ['/messages', '/members?membership=none', '/members?at=x']) {
    t.like(await server.call('ben', 'GET', inRoom(room, path)), {
      status: 403,
      body: { errcode: 'M_FORBIDDEN' },
    })
    t.is((await server.call('alice', 'GET', inRoom(room, path))).status, 400)
  }
})
