import test from 'ava'
import { id, inRoom, startRoomServer, v1 } from './room-server.ts'

const server = await startRoomServer()
test.after.always(() => server.close())

interface Shown {
  event_id: string
  type: string
  sender: string
  state_key?: string
  content: { body?: string }
  unsigned: Record<string, unknown>
}

const bodies = (events: Shown[]) => events.flatMap(event => event.content.body ?? [])
const query = (fields: Record<string, string>) => new URLSearchParams(fields).toString()

async function roomWith(count: number, more: object = {}) {
  const room = await server.createRoom('alice', { preset: 'public_chat', ...more })
  await server.join('bob', room)
  const ids: string[] = []
  for (let i = 1; i <= count; i++) ids.push(await server.send('alice', room, `m${i}`))
  return { room, ids }
}

test('a repeated transaction id gives the same event, another device another one', async t => {
  const { room } = await roomWith(0)
  const path = inRoom(room, '/send/m.room.message/same')
  const first = await server.ok('alice', 'PUT', path, { body: 'a' })
  t.deepEqual(await server.ok('alice', 'PUT', path, { body: 'changed' }), first)
  t.notDeepEqual(await server.ok('alice/LAPTOP', 'PUT', path, { body: 'a' }), first)
  const [both, again] = await Promise.all([
    server.ok('alice', 'PUT', inRoom(room, '/send/m.room.message/race'), { body: 'r' }),
    server.ok('alice', 'PUT', inRoom(room, '/send/m.room.message/race'), { body: 'r' }),
  ])
  t.deepEqual(both, again)
  const event = await server.ok('alice', 'GET', inRoom(room, `/event/${first.event_id}`))
  t.like(event, { content: { body: 'a' }, unsigned: { transaction_id: 'same', membership: 'join' } })
  const elsewhere = await server.ok('alice/LAPTOP', 'GET', inRoom(room, `/event/${first.event_id}`))
  t.false('transaction_id' in elsewhere.unsigned)
})

test('backwards page by page to the beginning, then no end', async t => {
  const { room } = await roomWith(7)
  const seen: Shown[] = []
  let from: string | undefined
  for (let pages = 0; pages < 10; pages++) {
    const page = await server.ok(
      'alice',
      'GET',
      inRoom(room, `/messages?dir=b&limit=4${from === undefined ? '' : `&from=${from}`}`),
    )
    if (from !== undefined) t.is(page.start, from)
    seen.push(...page.chunk)
    from = page.end
    if (from === undefined) break
    t.is(page.chunk.length, 4)
  }
  t.is(from, undefined)
  t.deepEqual(bodies(seen), ['m7', 'm6', 'm5', 'm4', 'm3', 'm2', 'm1'])
  t.is(seen.at(-1)!.type, 'm.room.create')
  t.is(new Set(seen.map(event => event.event_id)).size, seen.length)
})

test('forwards from the beginning, and from where another page ended', async t => {
  const { room } = await roomWith(5)
  const all = await server.ok('alice', 'GET', inRoom(room, '/messages?dir=f&limit=1000'))
  t.is(all.chunk[0].type, 'm.room.create')
  t.deepEqual(bodies(all.chunk), ['m1', 'm2', 'm3', 'm4', 'm5'])
  t.false('end' in all)
  const back = await server.ok('alice', 'GET', inRoom(room, '/messages?dir=b&limit=2'))
  const forth = await server.ok('alice', 'GET', inRoom(room, `/messages?dir=f&from=${back.end}`))
  t.deepEqual(bodies(forth.chunk), ['m4', 'm5'])
  const bounded = await server.ok('alice', 'GET', inRoom(room, `/messages?dir=b&limit=100&to=${back.end}`))
  t.deepEqual(bodies(bounded.chunk), ['m5', 'm4'])
})

test('a filter chooses, and lazy loading adds the senders alone', async t => {
  const { room } = await roomWith(1)
  await server.send('bob', room, 'from bob')
  await server.join('carol', room)
  const filter = { types: ['m.room.message'], senders: [id('bob')], lazy_load_members: true }
  const page = await server.ok(
    'alice',
    'GET',
    inRoom(room, `/messages?${query({ dir: 'b', filter: JSON.stringify(filter) })}`),
  )
  t.deepEqual(bodies(page.chunk), ['from bob'])
  t.deepEqual(
    page.state.map((event: Shown) => event.state_key),
    [id('bob')],
  )
})

test('who joins later sees what the room’s history setting lets them', async t => {
  const expected: Record<string, [beforeInvite: boolean, beforeJoin: boolean]> = {
    world_readable: [true, true],
    shared: [true, true],
    invited: [false, true],
    joined: [false, false],
  }
  for (const [setting, [beforeInvite, beforeJoin]] of Object.entries(expected)) {
    const { room } = await roomWith(0, {
      initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: setting } }],
    })
    const early = await server.send('alice', room, 'early')
    await server.ok('alice', 'POST', inRoom(room, '/invite'), { user_id: id('carol') })
    const invited = await server.send('alice', room, 'invited')
    await server.join('carol', room)
    await server.send('alice', room, 'late')
    const { chunk } = await server.ok('carol', 'GET', inRoom(room, '/messages?dir=f&limit=100'))
    const visible = [...(beforeInvite ? ['early'] : []), ...(beforeJoin ? ['invited'] : []), 'late']
    t.deepEqual(bodies(chunk), visible, setting)
    const statuses = await Promise.all(
      [early, invited].map(
        async event => (await server.call('carol', 'GET', inRoom(room, `/event/${event}`))).status,
      ),
    )
    t.deepEqual(statuses, [beforeInvite ? 200 : 404, beforeJoin ? 200 : 404], setting)
  }
})

test('who left sees nothing that came afterwards, in any direction', async t => {
  const { room } = await roomWith(2)
  await server.ok('bob', 'POST', inRoom(room, '/leave'))
  const late = await server.send('alice', room, 'secret')
  const back = await server.ok('bob', 'GET', inRoom(room, '/messages?dir=b&limit=100'))
  t.deepEqual(bodies(back.chunk), ['m2', 'm1'])
  const forth = await server.ok('bob', 'GET', inRoom(room, '/messages?dir=f&limit=100'))
  t.deepEqual(bodies(forth.chunk), ['m1', 'm2'])
  t.false('end' in forth)
  t.is((await server.call('bob', 'GET', inRoom(room, `/event/${late}`))).body.errcode, 'M_NOT_FOUND')
  t.is((await server.call('bob', 'GET', inRoom(room, `/context/${late}`))).body.errcode, 'M_NOT_FOUND')
  t.is((await server.call('bob', 'PUT', inRoom(room, '/send/m.room.message/x'), { body: 'x' })).status, 403)
})

test('membership in unsigned is that of the time', async t => {
  const { room } = await roomWith(0)
  await server.send('alice', room, 'before carol')
  await server.ok('alice', 'POST', inRoom(room, '/invite'), { user_id: id('carol') })
  await server.send('alice', room, 'invited')
  await server.join('carol', room)
  await server.send('alice', room, 'joined')
  const { chunk } = await server.ok('carol', 'GET', inRoom(room, '/messages?dir=f&limit=100'))
  const messages = (chunk as Shown[]).filter(event => event.type === 'm.room.message')
  t.deepEqual(
    messages.map(event => event.unsigned['membership']),
    ['leave', 'invite', 'join'],
  )
})

test('previous content is shown where the previous event may be seen', async t => {
  const room = await server.createRoom('alice', {
    preset: 'public_chat',
    name: 'old',
    initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'joined' } }],
  })
  await server.join('bob', room)
  const { event_id: changed } = await server.ok('alice', 'PUT', inRoom(room, '/state/m.room.name'), {
    name: 'new',
  })
  const forAlice = await server.ok('alice', 'GET', inRoom(room, `/event/${changed}`))
  const forBob = await server.ok('bob', 'GET', inRoom(room, `/event/${changed}`))
  t.deepEqual(forAlice.unsigned.prev_content, { name: 'old' })
  t.is(forBob.unsigned.prev_content, undefined)
  t.is(forBob.unsigned.replaces_state, forAlice.unsigned.replaces_state)
})

test('context: both sides, their tokens, the state at the end', async t => {
  const { room, ids } = await roomWith(9)
  const context = await server.ok('alice', 'GET', inRoom(room, `/context/${ids[4]}?limit=4`))
  t.is(context.event.content.body, 'm5')
  t.deepEqual(bodies(context.events_before), ['m4', 'm3'])
  t.deepEqual(bodies(context.events_after), ['m6', 'm7'])
  const before = await server.ok(
    'alice',
    'GET',
    inRoom(room, `/messages?dir=b&limit=1&from=${context.start}`),
  )
  const after = await server.ok('alice', 'GET', inRoom(room, `/messages?dir=f&limit=1&from=${context.end}`))
  t.deepEqual([bodies(before.chunk), bodies(after.chunk)], [['m2'], ['m8']])
  t.true(context.state.some((event: Shown) => event.type === 'm.room.create'))
  const none = await server.ok('alice', 'GET', inRoom(room, `/context/${ids[4]}?limit=0`))
  t.deepEqual([none.events_before, none.events_after], [[], []])
})

test('context: lazy loading keeps the senders’ members alone', async t => {
  const { room, ids } = await roomWith(1)
  const filter = encodeURIComponent(JSON.stringify({ lazy_load_members: true }))
  const context = await server.ok('alice', 'GET', inRoom(room, `/context/${ids[0]}?limit=0&filter=${filter}`))
  const members = context.state.filter((event: Shown) => event.type === 'm.room.member')
  t.deepEqual(
    members.map((event: Shown) => event.state_key),
    [id('alice')],
  )
})

for (const version of ['10', '11', '12']) {
  test(`redaction in version ${version}: content goes, who and why stay`, async t => {
    const room = await server.createRoom('alice', { preset: 'public_chat', room_version: version })
    await server.join('bob', room)
    const event = await server.send('bob', room, 'oops')
    const path = inRoom(room, `/redact/${event}/r1`)
    const { event_id: redaction } = await server.ok('bob', 'PUT', path, { reason: 'mine' })
    t.deepEqual(await server.ok('bob', 'PUT', path, { reason: 'mine' }), { event_id: redaction })
    const shown = await server.ok('alice', 'GET', inRoom(room, `/event/${event}`))
    t.deepEqual(shown.content, {})
    t.like(shown.unsigned.redacted_because, {
      event_id: redaction,
      redacts: event,
      content: { reason: 'mine', redacts: event },
    })
  })

  test(`redaction in version ${version} may be sent like any event`, async t => {
    const room = await server.createRoom('alice', { room_version: version })
    const event = await server.send('alice', room, 'oops')
    const redaction = await server.send('alice', room, { redacts: event, reason: 'r' }, 'm.room.redaction')
    t.like(await server.ok('alice', 'GET', inRoom(room, `/event/${redaction}`)), {
      redacts: event,
      content: { redacts: event, reason: 'r' },
    })
    t.deepEqual((await server.ok('alice', 'GET', inRoom(room, `/event/${event}`))).content, {})
  })
}

test('others’ events need the redact level; unknown ones are not found', async t => {
  const { room, ids } = await roomWith(1)
  const redact = (who: string, event: string) =>
    server.call(who, 'PUT', inRoom(room, `/redact/${event}/r`), {})
  t.is((await redact('bob', ids[0]!)).body.errcode, 'M_FORBIDDEN')
  t.is((await redact('alice', `$${'x'.repeat(43)}`)).body.errcode, 'M_NOT_FOUND')
  t.is((await redact('alice', '$short')).body.errcode, 'M_INVALID_PARAM')
  const own = await server.send('bob', room, 'mine')
  t.is((await redact('alice', own)).status, 200, 'with the level, anybody’s')
})

test('who is suspended redacts their own events and nothing else', async t => {
  const room = await server.createRoom('sal', { preset: 'public_chat' })
  await server.join('bob', room)
  const own = await server.send('sal', room, 'mine')
  const foreign = await server.send('bob', room, 'his')
  server.suspended.add('sal')
  const put = (path: string, body: object = {}) => server.call('sal', 'PUT', inRoom(room, path), body)
  t.is((await put('/send/m.room.message/x', { body: 'x' })).body.errcode, 'M_USER_SUSPENDED')
  t.is((await put('/state/m.room.name', { name: 'x' })).body.errcode, 'M_USER_SUSPENDED')
  t.is((await put(`/redact/${foreign}/r1`)).body.errcode, 'M_USER_SUSPENDED')
  t.is((await put('/send/m.room.redaction/r2', { redacts: foreign })).body.errcode, 'M_USER_SUSPENDED')
  t.is((await put(`/redact/${own}/r3`)).status, 200)
})

test('timestamp_to_event finds the nearest visible event', async t => {
  const room = await server.createRoom('alice', {
    preset: 'public_chat',
    initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'joined' } }],
  })
  // Other tests share the clock: what counts are the events' own times.
  const timeOf = async (event: string): Promise<number> =>
    (await server.ok('alice', 'GET', inRoom(room, `/event/${event}`))).origin_server_ts
  server.wait(1_000)
  const first = await server.send('alice', room, 'one')
  server.wait(1_000)
  await server.join('bob', room)
  const second = await server.send('alice', room, 'two')
  const [firstTs, secondTs] = [await timeOf(first), await timeOf(second)]
  const path = (fields: Record<string, string>) =>
    `${v1}/rooms/${encodeURIComponent(room)}/timestamp_to_event?${query(fields)}`
  const near = (who: string, dir: string, ts: number) =>
    server.call(who, 'GET', path({ dir, ts: String(ts) }))
  t.is((await near('alice', 'b', firstTs + 500)).body.event_id, first)
  t.is((await near('alice', 'f', secondTs)).body.event_id, second)
  t.is((await near('alice', 'f', secondTs + 1)).body.errcode, 'M_NOT_FOUND')
  t.is((await near('alice', 'b', 1)).body.errcode, 'M_NOT_FOUND')
  // Bob cannot see what was said before he joined: forwards he gets his own join.
  const forBob = await near('bob', 'f', firstTs - 100)
  t.is(forBob.status, 200)
  t.not(forBob.body.event_id, first)
  t.is((await server.call('alice', 'GET', path({ dir: 'b' }))).body.errcode, 'M_MISSING_PARAM')
  t.is((await server.call('alice', 'GET', path({ ts: '5' }))).body.errcode, 'M_MISSING_PARAM')
})

const refusals: [string, string, string, RegExp][] = [
  ['messages without dir', '/messages', 'M_MISSING_PARAM', /dir/],
  ['messages in no direction', '/messages?dir=x', 'M_INVALID_PARAM', /dir/],
  ['messages from nowhere', '/messages?dir=b&from=zzz', 'M_INVALID_PARAM', /from/],
  ['messages to nowhere', '/messages?dir=b&to=zzz', 'M_INVALID_PARAM', /to/],
  ['messages without number', '/messages?dir=b&limit=many', 'M_INVALID_PARAM', /limit/],
  ['messages of none', '/messages?dir=b&limit=0', 'M_INVALID_PARAM', /limit/],
  ['a filter that is no JSON', '/messages?dir=b&filter=nonsense', 'M_NOT_JSON', /filter/],
  ['a filter of wrong types', '/messages?dir=b&filter=%7B%22types%22%3A1%7D', 'M_BAD_JSON', /filter\.types/],
  ['an event id that is none', '/event/abc', 'M_INVALID_PARAM', /eventId/],
  ['an event that is not here', `/event/$${'a'.repeat(43)}`, 'M_NOT_FOUND', /eventId/],
]

for (const [name, path, errcode, sentence] of refusals) {
  test(`refused: ${name}`, async t => {
    const room = await server.createRoom('alice')
    const answer = await server.call('alice', 'GET', inRoom(room, path))
    t.is(answer.body.errcode, errcode)
    t.regex(answer.body.error, sentence)
  })
}
