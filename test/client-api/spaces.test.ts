import test from 'ava'
import { id, inRoom, startRoomServer, v1 } from './room-server.ts'

const server = await startRoomServer()
test.after.always(() => server.close())

interface HierarchyRoom {
  room_id: string
  name: string
  children_state: { state_key: string; origin_server_ts: number }[]
}

const hierarchy = (who: string, space: string, query = '') =>
  server.call(who, 'GET', `${v1}/rooms/${encodeURIComponent(space)}/hierarchy${query}`)
const names = async (who: string, space: string, query = '') =>
  (await hierarchy(who, space, query)).body.rooms.map((room: HierarchyRoom) => room.name)

const make = (name: string, more: object = {}) =>
  server.createRoom('alice', { preset: 'public_chat', name, ...more })
const makeSpace = (name: string, more: object = {}) =>
  make(name, { ...more, creation_content: { type: 'm.space' } })
const add = (space: string, child: string, content: object = {}) =>
  server.ok('alice', 'PUT', inRoom(space, `/state/m.space.child/${encodeURIComponent(child)}`), {
    via: ['hq.test'],
    ...content,
  })

test('depth first, in the order of order, then of time', async t => {
  const root = await makeSpace('root')
  const sub = await makeSpace('sub')
  const [a, b, c, deep] = await Promise.all(['a', 'b', 'c', 'deep'].map(name => make(name)))
  for (const [child, order] of [[a], [b, 'bbb'], [sub, 'aaa'], [c, 'x'.repeat(51)]] as [string, string?][]) {
    server.wait(10)
    await add(root, child, order === undefined ? {} : { order })
  }
  await add(sub, deep!)
  t.deepEqual(await names('bob', root), ['root', 'sub', 'deep', 'b', 'a', 'c'])
  const { body } = await hierarchy('bob', root)
  t.deepEqual(
    body.rooms[0].children_state.map((child: { state_key: string }) => child.state_key),
    [sub, b, a, c],
  )
  t.like(body.rooms[0].children_state[0], {
    type: 'm.space.child',
    sender: id('alice'),
    content: { via: ['hq.test'], order: 'aaa' },
  })
  t.like(body.rooms[0], {
    room_type: 'm.space',
    room_version: '12',
    join_rule: 'public',
    num_joined_members: 1,
  })
  t.deepEqual(body.rooms[2].children_state, [])
})

test('page by page; the wish may not change on the way', async t => {
  const root = await makeSpace('root')
  for (const name of ['1', '2', '3', '4']) {
    server.wait(10)
    await add(root, await make(name))
  }
  const seen: string[] = []
  let from = ''
  do {
    const { body } = await hierarchy('bob', root, `?limit=2${from && `&from=${from}`}`)
    t.true(body.rooms.length <= 2)
    seen.push(...body.rooms.map((room: HierarchyRoom) => room.name))
    from = body.next_batch ?? ''
  } while (from)
  t.deepEqual(seen, ['root', '1', '2', '3', '4'])
  const { next_batch: token } = (await hierarchy('bob', root, '?limit=2&max_depth=3')).body
  for (const query of [
    `?from=${token}&max_depth=2`,
    `?from=${token}&max_depth=3&suggested_only=true`,
    '?from=x',
  ]) {
    t.like(await hierarchy('bob', root, query), { status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  }
})

test('suggested_only and max_depth', async t => {
  const root = await makeSpace('root')
  const sub = await makeSpace('sub')
  await add(root, sub, { suggested: true })
  await add(root, await make('plain'))
  await add(sub, await make('deep'), { suggested: true })
  t.deepEqual(await names('bob', root, '?suggested_only=true'), ['root', 'sub', 'deep'])
  t.deepEqual(await names('bob', root, '?max_depth=0'), ['root'])
  t.deepEqual(await names('bob', root, '?max_depth=1'), ['root', 'sub', 'plain'])
  t.is((await hierarchy('bob', root, '?max_depth=-1')).body.errcode, 'M_INVALID_PARAM')
  t.is((await hierarchy('bob', root, '?limit=0')).body.errcode, 'M_INVALID_PARAM')
})

test('a loop ends, and what is no child is not followed', async t => {
  const root = await makeSpace('root')
  const sub = await makeSpace('sub')
  const plain = await make('plain')
  await add(root, sub)
  await add(sub, root)
  await add(root, plain)
  await add(plain, await make('not below a plain room'))
  const removed = await make('removed')
  await add(root, removed)
  await server.ok('alice', 'PUT', inRoom(root, `/state/m.space.child/${encodeURIComponent(removed)}`), {})
  await add(root, '!unknown:hq.test')
  t.deepEqual(await names('bob', root), ['root', 'sub', 'plain'])
})

test('only rooms that one is in or may get into', async t => {
  const root = await makeSpace('root')
  const secret = await server.createRoom('alice', { name: 'secret' })
  const invited = await server.createRoom('alice', { name: 'invited', invite: [id('bob')] })
  const rule = (join_rule: string, more: object = {}) => ({
    initial_state: [{ type: 'm.room.join_rules', content: { join_rule, ...more } }],
  })
  const knock = await make('knock', rule('knock'))
  const allow = [{ type: 'm.room_membership', room_id: root }]
  const restricted = await make('restricted', rule('restricted', { allow }))
  const readable = await server.createRoom('alice', {
    name: 'readable',
    initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } }],
  })
  for (const child of [secret, invited, knock, restricted, readable]) {
    server.wait(10)
    await add(root, child)
  }
  t.deepEqual(await names('alice', root), ['root', 'secret', 'invited', 'knock', 'restricted', 'readable'])
  t.deepEqual(await names('bob', root), ['root', 'invited', 'knock', 'readable'])
  await server.join('bob', root)
  t.deepEqual(await names('bob', root), ['root', 'invited', 'knock', 'restricted', 'readable'])
  const { body } = await hierarchy('bob', root)
  t.deepEqual(body.rooms.find((room: HierarchyRoom) => room.name === 'restricted').allowed_room_ids, [root])
  t.is((await hierarchy('bob', secret)).body.errcode, 'M_FORBIDDEN')
  t.is((await hierarchy('bob', '!nowhere:hq.test')).body.errcode, 'M_FORBIDDEN')
})
