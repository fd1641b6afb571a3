/** External people come by invitation and see whom they share a room with: tried from every side. */
import test, { type ExecutionContext } from 'ava'
import { adminToken, startAdministered } from '../support/administered.ts'
import type { TestPerson } from '../support/server.ts'

const v3 = '/_matrix/client/v3'
const v1 = '/_matrix/client/v1'
async function start(t: ExecutionContext) {
  const server = await startAdministered(t)
  const ann = await server.register('ann')
  const ben = await server.register('ben')
  const ext = await server.register('ext')
  const kind = { kind: 'external', expires_ts: Date.now() + 3_600_000, sponsor: ann.userId }
  const made = await server.call('PUT', `/_letro/admin/v1/people/${ext.userId}/kind`, {
    token: adminToken,
    body: kind,
  })
  t.is(made.status, 200, JSON.stringify(made.body))
  const room = async (who: TestPerson, body: object) =>
    (await who.call('POST', `${v3}/createRoom`, { body })).body.room_id as string
  return { server, ann, ben, ext, room }
}

const rooms = (roomId: string, rest: string) => `${v3}/rooms/${encodeURIComponent(roomId)}${rest}`

test('an external person comes into no room without an invitation, whatever the way', async t => {
  const { ann, ext, room } = await start(t)
  const open = await room(ann, { preset: 'public_chat', room_alias_name: 'lobby', visibility: 'public' })
  const knocking = await room(ann, {
    room_version: '11',
    initial_state: [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }],
  })
  const member = `/state/m.room.member/${encodeURIComponent(ext.userId)}`
  const attempts: [string, string, object][] = [
    ['POST', rooms(open, '/join'), {}],
    ['POST', `${v3}/join/${encodeURIComponent('#lobby:localhost')}`, {}],
    ['PUT', rooms(open, member), { membership: 'join' }],
    ['POST', `${v3}/knock/${encodeURIComponent(knocking)}`, {}],
    ['PUT', rooms(knocking, member), { membership: 'knock' }],
    ['POST', `${v3}/createRoom`, {}],
  ]
  for (const [method, path, body] of attempts) {
    const answer = await ext.call(method, path, { body })
    t.is(answer.status, 403, `${method} ${path}: ${JSON.stringify(answer.body)}`)
  }
  t.deepEqual((await ext.call('GET', `${v3}/joined_rooms`)).body.joined_rooms, [])

  await ann.call('POST', rooms(open, '/invite'), { body: { user_id: ext.userId } })
  t.is((await ext.call('POST', rooms(open, '/join'), { body: {} })).status, 200)
  const renamed = await ext.call('PUT', rooms(open, member), {
    body: { membership: 'join', displayname: 'Guest' },
  })
  t.is(renamed.status, 200, 'a member may change the own member event')
  const upgrade = await ext.call('POST', rooms(open, '/upgrade'), { body: { new_version: '12' } })
  t.is(upgrade.status, 403)
})

test('an external person reads nothing of rooms that anybody of the organisation may read', async t => {
  const { ann, ext, room } = await start(t)
  const open = await room(ann, {
    preset: 'public_chat',
    room_alias_name: 'lobby',
    visibility: 'public',
    initial_state: [
      { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'world_readable' } },
    ],
  })
  const sent = await ann.call('PUT', rooms(open, '/send/m.room.message/1'), { body: { body: 'hello' } })
  const event = encodeURIComponent(sent.body.event_id)
  const inRoom = [
    '/messages?dir=b',
    '/state',
    '/state/m.room.name',
    '/members',
    `/event/${event}`,
    `/context/${event}`,
    '/aliases',
  ].map(rest => rooms(open, rest))
  const others = [
    `${v1}/rooms/${encodeURIComponent(open)}/hierarchy`,
    `${v1}/rooms/${encodeURIComponent(open)}/relations/${event}`,
    `${v1}/rooms/${encodeURIComponent(open)}/threads`,
    `${v1}/rooms/${encodeURIComponent(open)}/timestamp_to_event?ts=0&dir=f`,
    `${v1}/room_summary/${encodeURIComponent(open)}`,
    `${v1}/room_summary/${encodeURIComponent('#lobby:localhost')}`,
    `${v3}/directory/room/${encodeURIComponent('#lobby:localhost')}`,
    `${v3}/publicRooms`,
  ]
  for (const path of [...inRoom, ...others]) {
    const { status, body } = await ext.call('GET', path)
    t.true(status === 403 || status === 404, `${path}: ${status} ${JSON.stringify(body)}`)
  }
  t.is((await ext.call('POST', `${v3}/publicRooms`, { body: {} })).status, 403)
  t.is((await ann.call('GET', `${v3}/publicRooms`)).body.chunk.length, 1)
})

test('a space shows an external person only those of its rooms that they were invited to', async t => {
  const { ann, ext, room } = await start(t)
  const open = await room(ann, { preset: 'public_chat', name: 'Canteen' })
  const space = await room(ann, { creation_content: { type: 'm.space' }, invite: [ext.userId] })
  await ann.call('PUT', rooms(space, `/state/m.space.child/${encodeURIComponent(open)}`), {
    body: { via: ['localhost'] },
  })
  await ext.call('POST', rooms(space, '/join'), { body: {} })
  const { body } = await ext.call('GET', `${v1}/rooms/${encodeURIComponent(space)}/hierarchy`)
  t.deepEqual(
    body.rooms.map((each: { room_id: string }) => each.room_id),
    [space],
  )
})

test('an external person and the people with whom they share no room do not find each other', async t => {
  const { server, ann, ben, ext, room } = await start(t)
  await room(ben, { preset: 'public_chat' })
  const shared = await room(ann, { invite: [ext.userId] })
  await ext.call('POST', rooms(shared, '/join'), { body: {} })
  const find = async (who: TestPerson, term: string) =>
    (await who.call('POST', `${v3}/user_directory/search`, { body: { search_term: term } })).body.results
  t.deepEqual(await find(ext, 'ben'), [])
  t.is((await find(ext, 'ann')).length, 1)
  t.deepEqual(await find(ann, 'ext'), [])
  t.is((await ext.call('GET', `${v3}/profile/${ben.userId}`)).status, 403)
  t.is((await ben.call('GET', `${v3}/profile/${ext.userId}`)).status, 403)
  const query = await ext.call('POST', `${v3}/keys/query`, { body: { device_keys: { [ben.userId]: [] } } })
  t.deepEqual(query.body.device_keys, {})
  const reported = await ext.call('POST', `${v3}/users/${ben.userId}/report`, { body: { reason: 'x' } })
  t.is(reported.status, 404)

  for (const [target, arrives] of [
    [ben, 0],
    [ann, 1],
  ] as const) {
    const messages = { [target.userId]: { '*': { body: 'psst' } } }
    const put = `${v3}/sendToDevice/m.test/${target.deviceId}`
    t.is((await ext.call('PUT', put, { body: { messages } })).status, 200)
    const { body } = await target.call('GET', `${v3}/sync`)
    t.is(body.to_device?.events.length ?? 0, arrives, target.userId)
  }
  t.deepEqual(server.lines, [])
})

test('who shares a room with a guest learns that they are one; nobody else does', async t => {
  const { server, ann, ben, ext, room } = await start(t)
  const shared = await room(ann, { preset: 'private_chat', invite: [ext.userId] })
  const guestsFor = async (who: TestPerson) =>
    (await who.call('GET', '/_letro/client/v1/external_people')).body.user_ids
  t.deepEqual(await guestsFor(ann), [])
  await ext.call('POST', rooms(shared, '/join'), { body: {} })
  t.deepEqual(await guestsFor(ann), [ext.userId])
  t.deepEqual(await guestsFor(ben), [])
  const stays = { token: adminToken, body: { kind: 'member' } }
  await server.call('PUT', `/_letro/admin/v1/people/${ext.userId}/kind`, stays)
  t.deepEqual(await guestsFor(ann), [])
  t.is((await server.call('GET', '/_letro/client/v1/external_people', {})).status, 401)
})
