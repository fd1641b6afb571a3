import test from 'ava'
import { id, inRoom, startRoomServer, v1, v3 } from './room-server.ts'

const server = await startRoomServer()
test.after.always(() => server.close())

const aliasPath = (alias: string) => `${v3}/directory/room/${encodeURIComponent(alias)}`
const listed = (room: string) => `${v3}/directory/list/room/${encodeURIComponent(room)}`

test('an alias is made, resolved, listed and removed', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat' })
  const alias = '#caffè ☕/1:hq.test'
  t.deepEqual(await server.ok('alice', 'PUT', aliasPath(alias), { room_id: room }), {})
  t.deepEqual(await server.ok('bob', 'GET', aliasPath(alias)), { room_id: room, servers: ['hq.test'] })
  t.deepEqual(await server.ok('alice', 'GET', inRoom(room, '/aliases')), { aliases: [alias] })
  t.is((await server.call('bob', 'GET', inRoom(room, '/aliases'))).body.errcode, 'M_FORBIDDEN')
  t.like(await server.call('alice', 'PUT', aliasPath(alias), { room_id: room }), {
    status: 409,
    body: { errcode: 'M_UNKNOWN' },
  })
  t.deepEqual(await server.ok('alice', 'DELETE', aliasPath(alias)), {})
  t.is((await server.call('alice', 'GET', aliasPath(alias))).body.errcode, 'M_NOT_FOUND')
  t.is((await server.call('alice', 'DELETE', aliasPath(alias))).body.errcode, 'M_NOT_FOUND')
  t.deepEqual(await server.ok('alice', 'GET', inRoom(room, '/aliases')), { aliases: [] })
})

test('who may remove an alias: its maker, who may change the main alias, an administrator', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat' })
  await server.join('bob', room)
  await server.join('carol', room)
  const remove = (who: string) => server.call(who, 'DELETE', aliasPath('#bobs:hq.test'))
  const make = () => server.ok('bob', 'PUT', aliasPath('#bobs:hq.test'), { room_id: room })
  await make()
  t.is((await remove('carol')).body.errcode, 'M_FORBIDDEN')
  for (const who of ['bob', 'alice', 'admin']) {
    t.is((await remove(who)).status, 200, who)
    await make()
  }
})

test('a removed alias goes from m.room.canonical_alias as well', async t => {
  const room = await server.createRoom('alice', { room_alias_name: 'main' })
  await server.ok('alice', 'PUT', aliasPath('#second:hq.test'), { room_id: room })
  const canonical = inRoom(room, '/state/m.room.canonical_alias')
  const both = { alias: '#main:hq.test', alt_aliases: ['#second:hq.test'] }
  await server.ok('alice', 'PUT', canonical, both)
  await server.ok('alice', 'DELETE', aliasPath('#second:hq.test'))
  t.deepEqual(await server.ok('alice', 'GET', canonical), { alias: '#main:hq.test' })
  await server.ok('alice', 'DELETE', aliasPath('#main:hq.test'))
  t.deepEqual(await server.ok('alice', 'GET', canonical), {})
})

const aliasRefusals: [string, string, object, number, string, RegExp][] = [
  ['no alias', 'name', { room_id: '!a:hq.test' }, 400, 'M_INVALID_PARAM', /roomAlias/],
  ['no name', '#:hq.test', { room_id: '!a:hq.test' }, 400, 'M_INVALID_PARAM', /roomAlias/],
  ['another server', '#a:else.test', { room_id: '!a:hq.test' }, 400, 'M_INVALID_PARAM', /roomAlias/],
  ['no room id', '#a:hq.test', {}, 400, 'M_MISSING_PARAM', /room_id/],
  ['a wrong room id', '#a:hq.test', { room_id: 'a' }, 400, 'M_INVALID_PARAM', /room_id/],
  ['a room one is not in', '#a:hq.test', { room_id: '!a:hq.test' }, 403, 'M_FORBIDDEN', /not in this room/],
]
for (const [name, alias, body, status, errcode, sentence] of aliasRefusals) {
  test(`refused alias: ${name}`, async t => {
    const answer = await server.call('alice', 'PUT', aliasPath(alias), body)
    t.like(answer, { status, body: { errcode } })
    t.regex(answer.body.error, sentence)
  })
}

test('visibility: who may change the main alias or an administrator may publish', async t => {
  const room = await server.createRoom('alice', { preset: 'public_chat' })
  await server.join('bob', room)
  t.deepEqual(await server.ok('bob', 'GET', listed(room)), { visibility: 'private' })
  t.is((await server.call('bob', 'PUT', listed(room), {})).body.errcode, 'M_FORBIDDEN')
  t.deepEqual(await server.ok('alice', 'PUT', listed(room), {}), {})
  t.deepEqual(await server.ok('bob', 'GET', listed(room)), { visibility: 'public' })
  await server.ok('admin', 'PUT', listed(room), { visibility: 'private' })
  t.deepEqual(await server.ok('bob', 'GET', listed(room)), { visibility: 'private' })
  t.is((await server.call('alice', 'PUT', listed(room), { visibility: 'x' })).body.errcode, 'M_INVALID_PARAM')
  t.is((await server.call('alice', 'GET', listed('!nowhere:hq.test'))).body.errcode, 'M_NOT_FOUND')
})

test('the directory: fields, order, pages, search and types', async t => {
  const own = await startRoomServer()
  const publish = (name: string, more: object = {}) =>
    own.createRoom('alice', { visibility: 'public', name, ...more })
  const small = await publish('Small talk', { topic: 'about nothing' })
  const big = await publish('Big hall', { room_alias_name: 'hall' })
  const space = await publish('Space', { creation_content: { type: 'm.space' } })
  await own.createRoom('alice', { name: 'Hidden' })
  for (const who of ['bob', 'carol']) await own.join(who, big)
  await own.join('bob', small)

  const all = await own.ok('dave', 'GET', `${v3}/publicRooms`)
  t.deepEqual(
    all.chunk.map((room: { room_id: string }) => room.room_id),
    [big, small, space],
  )
  t.is(all.total_room_count_estimate, 3)
  t.false('next_batch' in all)
  t.deepEqual(all.chunk[0], {
    room_id: big,
    name: 'Big hall',
    canonical_alias: '#hall:hq.test',
    num_joined_members: 3,
    world_readable: false,
    guest_can_join: false,
    join_rule: 'public',
  })
  t.is(all.chunk[1].topic, 'about nothing')
  await own.ok('alice', 'PUT', inRoom(small, '/state/m.room.topic'), { topic: 'about nothing at all' })
  const changed = await own.ok('dave', 'GET', `${v3}/publicRooms`)
  t.is(changed.chunk[1].topic, 'about nothing at all', 'what is kept is forgotten when the room changes')
  t.is(all.chunk[2].room_type, 'm.space')

  const pages: string[] = []
  let since = ''
  let page = all
  do {
    page = await own.ok(
      'dave',
      'GET',
      `${v3}/publicRooms?limit=1${since && `&since=${encodeURIComponent(since)}`}`,
    )
    pages.push(...page.chunk.map((room: { name: string }) => room.name))
    since = page.next_batch ?? ''
  } while (since)
  t.deepEqual(pages, ['Big hall', 'Small talk', 'Space'])
  const back = await own.ok('dave', 'POST', `${v3}/publicRooms`, { limit: 1, since: page.prev_batch })
  t.is(back.chunk[0].name, 'Small talk')

  const search = async (filter: object) =>
    (await own.ok('dave', 'POST', `${v3}/publicRooms`, { filter })).chunk.map(
      (room: { name: string }) => room.name,
    )
  t.deepEqual(await search({ generic_search_term: 'HALL' }), ['Big hall'])
  t.deepEqual(await search({ generic_search_term: 'nothing' }), ['Small talk'])
  t.deepEqual(await search({ room_types: ['m.space'] }), ['Space'])
  t.deepEqual(await search({ room_types: [null] }), ['Big hall', 'Small talk'])
  t.deepEqual(await search({ room_types: [] }), [])
  await own.close()
})

const directoryRefusals: [string, string, object | null, number, string, RegExp][] = [
  ['of another server', '?server=else.test', null, 403, 'M_FORBIDDEN', /else\.test/],
  ['from a strange token', '?since=zzz', null, 400, 'M_INVALID_PARAM', /since/],
  ['with a wrong limit', '?limit=x', null, 400, 'M_INVALID_PARAM', /limit/],
  ['with a wrong filter', '', { filter: 5 }, 400, 'M_BAD_JSON', /filter/],
  ['with wrong types', '', { filter: { room_types: [5] } }, 400, 'M_BAD_JSON', /room_types/],
]
for (const [name, query, body, status, errcode, sentence] of directoryRefusals) {
  test(`refused directory: ${name}`, async t => {
    const answer = await server.call('alice', body ? 'POST' : 'GET', `${v3}/publicRooms${query}`, body ?? {})
    t.like(answer, { status, body: { errcode } })
    t.regex(answer.body.error, sentence)
  })
}

test('the directory is for people of this server', async t => {
  t.is((await server.call('', 'GET', `${v3}/publicRooms`)).body.errcode, 'M_MISSING_TOKEN')
})

test('a summary for who may learn of the room, by id and by alias', async t => {
  const room = await server.createRoom('alice', {
    preset: 'public_chat',
    name: 'Open',
    room_alias_name: 'summary',
    initial_state: [{ type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } }],
  })
  const summary = (who: string, target: string) =>
    server.call(who, 'GET', `${v1}/room_summary/${encodeURIComponent(target)}`)
  const forBob = await summary('bob', '#summary:hq.test')
  t.deepEqual(forBob.body, {
    room_id: room,
    name: 'Open',
    canonical_alias: '#summary:hq.test',
    num_joined_members: 1,
    world_readable: false,
    guest_can_join: false,
    join_rule: 'public',
    room_version: '12',
    encryption: 'm.megolm.v1.aes-sha2',
  })
  t.is((await summary('alice', room)).body.membership, 'join')
  const closed = await server.createRoom('alice', { invite: [id('bob')] })
  t.is((await summary('bob', closed)).body.membership, 'invite')
  t.is((await summary('carol', closed)).body.errcode, 'M_NOT_FOUND')
  t.is((await summary('carol', '!nowhere:hq.test')).body.errcode, 'M_NOT_FOUND')
  await server.ok('alice', 'POST', inRoom(room, '/ban'), { user_id: id('bob') })
  t.is((await summary('bob', room)).body.errcode, 'M_NOT_FOUND')
})

test('reports are kept for the administrators', async t => {
  const own = await startRoomServer()
  const room = await own.createRoom('alice', { preset: 'public_chat' })
  const event = await own.send('alice', room, 'bad')
  await own.join('bob', room)
  t.deepEqual(await own.ok('bob', 'POST', inRoom(room, `/report/${event}`), { reason: 'rude' }), {})
  t.deepEqual(await own.ok('carol', 'POST', inRoom(room, '/report'), { reason: '' }), {})
  t.deepEqual(await own.ok('bob', 'POST', `${v3}/users/${id('alice')}/report`, { reason: 'spam' }), {})
  const reports = (await own.reports.list(10)).map(({ report }) => report)
  t.like(reports, [
    { kind: 'user', reporter: id('bob'), userId: id('alice'), reason: 'spam' },
    { kind: 'room', reporter: id('carol'), roomId: room, reason: '' },
    { kind: 'event', reporter: id('bob'), roomId: room, eventId: event, reason: 'rude' },
  ] as never)
  const report = async (who: string, path: string, body: object = { reason: 'r' }) =>
    (await own.call(who, 'POST', path, body)).body.errcode
  t.is(await report('carol', inRoom(room, `/report/${event}`)), 'M_NOT_FOUND')
  t.is(await report('bob', inRoom('!nowhere:hq.test', '/report')), 'M_NOT_FOUND')
  t.is(await report('bob', inRoom(room, '/report'), {}), 'M_MISSING_PARAM')
  t.is(await report('bob', `${v3}/users/${id('gone')}/report`), 'M_NOT_FOUND')
  t.is(await report('ext-eve', `${v3}/users/${id('alice')}/report`), 'M_NOT_FOUND')
  t.is((await own.reports.list(10)).length, 3)
  await own.close()
})
