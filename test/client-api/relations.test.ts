import test from 'ava'
import { id, inRoom, startRoomServer, v1 } from './room-server.ts'

const server = await startRoomServer()
test.after.always(() => server.close())

interface Shown {
  event_id: string
  content: { body?: string }
  unsigned: { 'm.relations'?: Record<string, unknown> }
}

const ids = (events: Shown[]) => events.map(event => event.event_id)
const relations = (room: string, parent: string, rest = '') =>
  `${v1}/rooms/${encodeURIComponent(room)}/relations/${parent}${rest}`
const threads = (room: string, rest = '') => `${v1}/rooms/${encodeURIComponent(room)}/threads${rest}`

const relating = (relType: string, parent: string, more: object = {}) => ({
  msgtype: 'm.text',
  body: `${relType} of it`,
  'm.relates_to': { rel_type: relType, event_id: parent },
  ...more,
})
const edit = (parent: string, body: string) =>
  relating('m.replace', parent, { 'm.new_content': { msgtype: 'm.text', body } })
const reply = (root: string, body = 'reply') => relating('m.thread', root, { body })
const reaction = (parent: string, key: string) => ({
  'm.relates_to': { rel_type: 'm.annotation', event_id: parent, key },
})

async function room(more: object = {}) {
  const roomId = await server.createRoom('alice', { preset: 'public_chat', ...more })
  await server.join('bob', roomId)
  return roomId
}

const bundleOf = async (who: string, roomId: string, event: string) =>
  (await server.ok(who, 'GET', inRoom(roomId, `/event/${event}`))).unsigned['m.relations']

test('an event without children has no m.relations', async t => {
  const r = await room()
  t.is(await bundleOf('alice', r, await server.send('alice', r, 'alone')), undefined)
})

test('m.replace: the newest valid edit, as an event', async t => {
  const r = await room()
  const original = await server.send('alice', r, 'v1')
  await server.send('alice', r, edit(original, 'v2'))
  const newest = await server.send('alice', r, edit(original, 'v3'))
  // None of these is an edit: another sender, another type, no new content, an edit of an edit.
  await server.send('bob', r, edit(original, 'forged'))
  await server.send('alice', r, edit(original, 'typed'), 'org.example.other')
  await server.send('alice', r, relating('m.replace', original))
  await server.send('alice', r, edit(newest, 'nested'))
  const bundle = await bundleOf('bob', r, original)
  t.is(bundle['m.replace'].event_id, newest)
  t.is(bundle['m.replace'].content['m.new_content'].body, 'v3')
  t.is(bundle['m.replace'].room_id, r)
  t.is(await bundleOf('bob', r, newest), undefined)
  t.is((await server.ok('bob', 'GET', inRoom(r, `/event/${original}`))).content.body, 'v1', 'left intact')
})

test('m.replace: an encrypted edit needs no new content outside', async t => {
  const r = await room()
  const original = await server.send('alice', r, { ciphertext: 'a' }, 'm.room.encrypted')
  const edited = await server.send('alice', r, relating('m.replace', original), 'm.room.encrypted')
  t.is((await bundleOf('bob', r, original))['m.replace'].event_id, edited)
})

test('m.replace: a redacted edit is gone, a redacted original shows none', async t => {
  const r = await room()
  const original = await server.send('alice', r, 'v1')
  const second = await server.send('alice', r, edit(original, 'v2'))
  const third = await server.send('alice', r, edit(original, 'v3'))
  await server.ok('alice', 'PUT', inRoom(r, `/redact/${third}/r1`))
  t.is((await bundleOf('bob', r, original))['m.replace'].event_id, second)
  await server.ok('alice', 'PUT', inRoom(r, `/redact/${original}/r2`))
  t.is(await bundleOf('bob', r, original), undefined)
})

test('m.reference lists ids, oldest first', async t => {
  const r = await room()
  const parent = await server.send('alice', r, 'request')
  const one = await server.send('bob', r, relating('m.reference', parent))
  const two = await server.send('alice', r, relating('m.reference', parent))
  t.deepEqual(await bundleOf('alice', r, parent), {
    'm.reference': { chunk: [{ event_id: one }, { event_id: two }] },
  })
})

test('annotations are not bundled, and the same one is refused a second time', async t => {
  const r = await room()
  const parent = await server.send('alice', r, 'nice')
  const first = await server.send('bob', r, reaction(parent, '👍'), 'm.reaction')
  await server.send('bob', r, reaction(parent, '🎉'), 'm.reaction')
  await server.send('alice', r, reaction(parent, '👍'), 'm.reaction')
  t.is(await bundleOf('alice', r, parent), undefined)
  const again = () => server.call('bob', 'PUT', inRoom(r, '/send/m.reaction/again'), reaction(parent, '👍'))
  t.like(await again(), { status: 400, body: { errcode: 'M_DUPLICATE_ANNOTATION' } })
  await server.ok('bob', 'PUT', inRoom(r, `/redact/${first}/r`))
  t.is((await again()).status, 200)
})

test('a repeated reaction request gets its event id, not a refusal', async t => {
  const r = await room()
  const parent = await server.send('alice', r, 'nice')
  const put = () => server.ok('bob', 'PUT', inRoom(r, '/send/m.reaction/once'), reaction(parent, '👍'))
  t.deepEqual(await put(), await put())
})

test('m.thread: latest reply, count, own part; the latest reply with its own edit', async t => {
  const r = await room()
  const root = await server.send('alice', r, 'root')
  await server.send('bob', r, reply(root, 'one'))
  const last = await server.send('bob', r, reply(root, 'two'))
  const fixed = await server.send('bob', r, edit(last, 'two, edited'))
  const forAlice = (await bundleOf('alice', r, root))['m.thread']
  t.like(forAlice, { count: 2, current_user_participated: true, latest_event: { event_id: last } })
  t.is(forAlice.latest_event.unsigned['m.relations']['m.replace'].event_id, fixed)
  await server.join('carol', r)
  t.false((await bundleOf('carol', r, root))['m.thread'].current_user_participated)
})

test('m.thread: redacted replies and ignored people do not count', async t => {
  const r = await room()
  await server.join('dora', r)
  const root = await server.send('alice', r, 'root')
  const kept = await server.send('bob', r, reply(root, 'one'))
  const gone = await server.send('bob', r, reply(root, 'two'))
  await server.send('mute', r, reply(root)).catch(() => {})
  await server.join('mute', r)
  await server.send('mute', r, reply(root, 'noise'))
  await server.ok('bob', 'PUT', inRoom(r, `/redact/${gone}/r`))
  server.ignored.set(id('dora'), new Set([id('mute')]))
  t.like((await bundleOf('dora', r, root))['m.thread'], { count: 1, latest_event: { event_id: kept } })
  t.like((await bundleOf('alice', r, root))['m.thread'], { count: 2 })
})

test('m.thread: who left sees the thread as it was', async t => {
  const r = await room()
  const root = await server.send('alice', r, 'root')
  const seen = await server.send('bob', r, reply(root, 'one'))
  await server.ok('bob', 'POST', inRoom(r, '/leave'))
  await server.send('alice', r, reply(root, 'later'))
  t.like((await bundleOf('bob', r, root))['m.thread'], { count: 1, latest_event: { event_id: seen } })
})

test('no thread starts from an event that relates to another; a rich reply may be a root', async t => {
  const r = await room()
  const root = await server.send('alice', r, 'root')
  const child = await server.send('alice', r, reply(root))
  const answer = await server.call('alice', 'PUT', inRoom(r, '/send/m.room.message/x'), reply(child))
  t.like(answer, { status: 400, body: { errcode: 'M_UNKNOWN' } })
  const rich = { body: 'r', 'm.relates_to': { 'm.in_reply_to': { event_id: root } } }
  await server.send('alice', r, reply(await server.send('alice', r, rich)))
})

test('children: newest first, by type, page by page, in both directions', async t => {
  const r = await room()
  const parent = await server.send('alice', r, 'parent')
  const sent: string[] = []
  for (let i = 0; i < 5; i++) sent.push(await server.send('bob', r, relating('m.reference', parent)))
  const other = await server.send('bob', r, relating('org.example.rel', parent), 'org.example.type')
  await server.send('bob', r, 'unrelated')
  const all = await server.ok('alice', 'GET', relations(r, parent))
  t.deepEqual(ids(all.chunk), [other, ...sent.toReversed()])
  t.false('next_batch' in all)
  t.false('prev_batch' in all)
  t.false('recursion_depth' in all)
  t.deepEqual(ids((await server.ok('alice', 'GET', relations(r, parent, '/org.example.rel'))).chunk), [other])
  const typed = (type: string) => server.ok('alice', 'GET', relations(r, parent, `/org.example.rel/${type}`))
  t.deepEqual(ids((await typed('org.example.type')).chunk), [other])
  t.deepEqual((await typed('m.room.message')).chunk, [])

  for (const dir of ['b', 'f']) {
    const seen: string[] = []
    let from = ''
    do {
      const page = await server.ok(
        'alice',
        'GET',
        relations(r, parent, `/m.reference?limit=2&dir=${dir}${from && `&from=${from}`}`),
      )
      t.true(page.chunk.length <= 2)
      if (from) t.is(page.prev_batch, from)
      seen.push(...ids(page.chunk))
      from = page.next_batch ?? ''
    } while (from)
    t.deepEqual(seen, dir === 'b' ? sent.toReversed() : sent)
  }
  const first = await server.ok('alice', 'GET', relations(r, parent, '/m.reference?limit=2'))
  const bounded = await server.ok('alice', 'GET', relations(r, parent, `/m.reference?to=${first.next_batch}`))
  t.deepEqual(ids(bounded.chunk), sent.slice(-2).toReversed())
})

test('children of children with recurse, only through what fits', async t => {
  const r = await room()
  const root = await server.send('alice', r, 'root')
  const child = await server.send('bob', r, reply(root))
  const grandchild = await server.send('alice', r, reaction(child, '👍'), 'm.reaction')
  const edited = await server.send('bob', r, edit(child, 'x'))
  const all = await server.ok('alice', 'GET', relations(r, root, '?recurse=true'))
  t.deepEqual(ids(all.chunk), [edited, grandchild, child])
  t.true(all.recursion_depth >= 2)
  t.deepEqual(ids((await server.ok('alice', 'GET', relations(r, root, '?recurse=false'))).chunk), [child])
  t.deepEqual(ids((await server.ok('alice', 'GET', relations(r, root, '/m.thread?recurse=true'))).chunk), [
    child,
  ])
  const page = await server.ok('alice', 'GET', relations(r, root, '?recurse=true&limit=2'))
  t.deepEqual(ids(page.chunk), [edited, grandchild])
  const rest = await server.ok('alice', 'GET', relations(r, root, `?recurse=true&from=${page.next_batch}`))
  t.deepEqual(ids(rest.chunk), [child])
})

test('a circle of relations ends', async t => {
  const r = await room()
  // Ids are hashes, so a real circle cannot be; events that name themselves by chance are as near as one gets.
  const a = await server.send('alice', r, 'a')
  const b = await server.send('alice', r, relating('m.reference', a))
  for (let i = 0; i < 6; i++) await server.send('alice', r, relating('m.reference', b))
  const all = await server.ok('alice', 'GET', relations(r, a, '?recurse=true'))
  t.is(all.chunk.length, 7)
})

test('children in another room, or of an event that one may not see, are not found', async t => {
  const r = await room()
  const other = await room()
  const parent = await server.send('alice', r, 'parent')
  await server.send('alice', other, relating('m.reference', parent))
  t.deepEqual((await server.ok('alice', 'GET', relations(r, parent))).chunk, [])
  t.is((await server.call('alice', 'GET', relations(other, parent))).body.errcode, 'M_NOT_FOUND')
  t.is((await server.call('stranger', 'GET', relations(r, parent))).body.errcode, 'M_NOT_FOUND')
  t.is((await server.call('alice', 'GET', relations(r, parent, '?from=x'))).body.errcode, 'M_INVALID_PARAM')
  t.is(
    (await server.call('alice', 'GET', relations(r, parent, '?recurse=1'))).body.errcode,
    'M_INVALID_PARAM',
  )
})

test('threads: the one with the latest reply first, page by page, with bundles', async t => {
  const r = await room()
  const roots = [] as string[]
  for (const name of ['a', 'b', 'c']) roots.push(await server.send('alice', r, name))
  const [a, b, c] = roots as [string, string, string]
  for (const root of [a, b, c, a]) await server.send('bob', r, reply(root))
  const all = await server.ok('alice', 'GET', threads(r))
  t.deepEqual(ids(all.chunk), [a, c, b])
  t.false('next_batch' in all)
  t.is(all.chunk[0].unsigned['m.relations']['m.thread'].count, 2)
  const first = await server.ok('alice', 'GET', threads(r, '?limit=2'))
  const second = await server.ok('alice', 'GET', threads(r, `?limit=2&from=${first.next_batch}`))
  t.deepEqual([ids(first.chunk), ids(second.chunk)], [[a, c], [b]])
  t.false('next_batch' in second)
})

test('threads one has taken part in', async t => {
  const r = await room()
  await server.join('carol', r)
  const byAlice = await server.send('alice', r, 'a')
  const byBob = await server.send('bob', r, 'b')
  const foreign = await server.send('alice', r, 'c')
  await server.send('bob', r, reply(byAlice))
  await server.send('carol', r, reply(byBob))
  await server.send('alice', r, reply(foreign))
  const mine = async (who: string) =>
    ids((await server.ok(who, 'GET', threads(r, '?include=participated'))).chunk)
  t.deepEqual(await mine('bob'), [byBob, byAlice])
  t.deepEqual(await mine('carol'), [byBob])
  t.is((await server.call('bob', 'GET', threads(r, '?include=some'))).body.errcode, 'M_INVALID_PARAM')
})

test('the root of an ignored person is shown redacted', async t => {
  const r = await room()
  await server.join('rude', r)
  const root = await server.send('rude', r, 'rude words')
  await server.send('bob', r, reply(root))
  server.ignored.set(id('polite'), new Set([id('rude')]))
  await server.join('polite', r)
  const { chunk } = await server.ok('polite', 'GET', threads(r))
  t.deepEqual(ids(chunk), [root])
  t.deepEqual(chunk[0].content, {})
})

test('a thread whose replies are all redacted is none', async t => {
  const r = await room()
  const root = await server.send('alice', r, 'a')
  const only = await server.send('bob', r, reply(root))
  await server.ok('bob', 'PUT', inRoom(r, `/redact/${only}/r`))
  t.deepEqual((await server.ok('alice', 'GET', threads(r))).chunk, [])
})

test('a redaction without effect breaks no relation', async t => {
  const r = await room()
  const parent = await server.send('alice', r, 'parent')
  const child = await server.send('alice', r, relating('m.reference', parent))
  t.is((await server.call('bob', 'PUT', inRoom(r, `/redact/${child}/r`))).status, 403)
  t.deepEqual(ids((await server.ok('alice', 'GET', relations(r, parent))).chunk), [child])
})

test('bundles come with /messages, /context and /relations', async t => {
  const r = await room()
  const parent = await server.send('alice', r, 'parent')
  const child = await server.send('alice', r, relating('m.reference', parent))
  const under = await server.send('bob', r, relating('m.reference', child))
  const has = (event: Shown | undefined) => event?.unsigned['m.relations'] !== undefined
  const { chunk } = await server.ok('bob', 'GET', inRoom(r, '/messages?dir=b'))
  t.deepEqual(
    [parent, child, under].map(event => has(chunk.find((e: Shown) => e.event_id === event))),
    [true, true, false],
  )
  t.true(has((await server.ok('bob', 'GET', inRoom(r, `/context/${parent}`))).event))
  t.true(has((await server.ok('bob', 'GET', relations(r, parent))).chunk[0]))
})
