/** What was said before this device came is found by its words without anybody scrolling there. */
import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { Gathering } from '../../../pwa/sync/gathering.ts'
import { indexAgain } from '../../../pwa/sync/index-again.ts'
import type { Search } from '../../../pwa/sync/ports.ts'
import { SearchIndex } from '../../../pwa/vault/search-index.ts'
import { member, raw, roomId, Synced, text, us } from './synced.ts'

const many = (count: number, name: string) => Array.from({ length: count }, (_, i) => text(`${name} ${i}`))

/** A new device: the last of a long room is here, and a gap before it. */
async function newDevice() {
  const synced = await Synced.open()
  const begin = [raw('m.room.create', { room_version: '12' }, { state_key: '' }), member(us)]
  const before = [...begin, ...many(450, 'before')]
  const last = many(20, 'last')
  await synced.news(last, { missed: before, state: begin })
  return { synced, before, last }
}

const gathering = (synced: Synced, more: Partial<ConstructorParameters<typeof Gathering>[0]> = {}) =>
  new Gathering({
    store: synced.store,
    history: synced.history,
    pause: async () => {},
    mayGather: async () => true,
    ...more,
  })

const asksOf = (synced: Synced) => synced.asked.filter(path => path.endsWith('/messages')).length

test('all of a room comes by itself, each page once, and nothing is asked for that is here', async t => {
  const { synced, before } = await newDevice()
  const all = gathering(synced)
  all.wake()
  all.wake()
  await all.settled()
  t.is(synced.indexed.get(before[2]!.event_id), 'before 0')
  t.is(synced.indexed.size, 470)
  t.is(asksOf(synced), 5)
  await synced.restart()
  const again = gathering(synced)
  again.wake()
  await again.settled()
  t.is(asksOf(synced), 5)
})

test('without the server it stops, and goes on from there when the server is back, also after a start', async t => {
  const { synced, before } = await newDevice()
  let pages = 0
  const stopping = gathering(synced, {
    pause: async () => {
      if (++pages > 2) synced.isOffline = true
    },
  })
  stopping.wake()
  await stopping.settled()
  t.is(synced.indexed.size, 220)
  await synced.restart()
  synced.isOffline = false
  const all = gathering(synced)
  all.wake()
  await all.settled()
  t.is(synced.indexed.get(before[2]!.event_id), 'before 0')
  t.is(synced.indexed.size, 470)
})

test('a room that the server refuses is asked for once, and where there is no room nothing is', async t => {
  const { synced } = await newDevice()
  let asked = 0
  const refused = gathering(synced, {
    history: {
      older: async () => {
        asked++
        throw new ApiError('M_FORBIDDEN', 'not for you', { status: 403 })
      },
    },
  })
  refused.wake()
  await refused.settled()
  refused.wake()
  await refused.settled()
  t.is(asked, 1)
  const full = gathering(synced, { mayGather: async () => false })
  full.wake()
  await full.settled()
  t.is(asksOf(synced), 0)
})

test('nothing is stored once the session is being closed', async t => {
  const { synced } = await newDevice()
  const running = gathering(synced)
  running.wake()
  running.stop()
  await synced.history.stop()
  await running.settled()
  t.is(synced.indexed.size, 20)
  await t.throwsAsync(
    synced.history.older(
      roomId,
      await synced.store.timeline(roomId),
      (await synced.store.timeline(roomId)).packNumbers[0]!,
    ),
    { code: 'OFFLINE' },
  )
})

test('an index that was lost is made again from the messages, as they read now', async t => {
  const { synced, last } = await newDevice()
  const [first, second] = last
  const edit = text('* the changed one', {
    content: {
      msgtype: 'm.text',
      body: '* the changed one',
      'm.new_content': { msgtype: 'm.text', body: 'the changed one' },
      'm.relates_to': { rel_type: 'm.replace', event_id: first!.event_id },
    },
  })
  const redaction = raw(
    'm.room.redaction',
    { redacts: second!.event_id },
    { sender: second!['sender'] as string },
  )
  await synced.news([edit, redaction])
  const index = await SearchIndex.open(synced.records)
  t.true(index.isNew)
  const search: Search = {
    commit: (writes, { reindex = [] }) => index.commit({ replace: reindex }, writes),
  }
  await indexAgain({ store: synced.store, search }, () => false)
  t.is(index.size, 19)
  t.deepEqual(
    index.search('changed one').map(({ eventId }) => eventId),
    [first!.event_id],
  )
  t.deepEqual(
    index.search('last 1', { limit: 100 }).some(({ eventId }) => eventId === second!.event_id),
    false,
  )
  await indexAgain({ store: synced.store, search }, () => false)
  t.is(index.size, 19)
})
