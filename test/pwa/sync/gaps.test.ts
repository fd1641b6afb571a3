/** What a limited sync left out, and how it comes in its place, once. */
import test from 'ava'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { message, messages, Reader, room } from './reader.ts'

const bodies = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `m${from + i}`)

/** `/messages` over a room of so many: tokens are `t` and the number of the message before which to read. */
function serve(reader: Reader, asked: string[] = []): void {
  reader.server.set('/messages', query => {
    const from = Number(query.get('from')!.slice(1))
    const limit = Number(query.get('limit'))
    asked.push(`${query.get('dir')}${from}`)
    if (query.get('dir') === 'f') {
      const end = Math.min(from + limit, 1000)
      return { chunk: messages(from, end), ...(end < 1000 && { end: `t${end}` }) }
    }
    const start = Math.max(0, from - limit)
    return { chunk: messages(start, from).toReversed(), ...(start > 0 && { end: `t${start}` }) }
  })
}

test('a gap is filled where it is, once, also when the answer reaches far into what is here', async t => {
  const reader = await Reader.open()
  const asked: string[] = []
  serve(reader, asked)
  await reader.joined(messages(0, 50), { timeline: { limited: true, prev_batch: 't0' } })
  await reader.joined(messages(50, 100))
  await reader.joined(messages(100, 140))
  await reader.joined(messages(150, 200), { timeline: { limited: true, prev_batch: 't150' } })
  t.deepEqual(await reader.bodies({ before: 50 }), bodies(150, 200))
  t.deepEqual(await reader.bodies({ before: 90 }), bodies(110, 200))
  t.deepEqual(await reader.bodies(), bodies(0, 200))
  t.deepEqual(asked, ['b150', 'b0'])
})

test('gaps in which only reactions came are closed as well', async t => {
  const reader = await Reader.open()
  serve(reader)
  const reaction = (n: number): JsonObject => ({
    ...message(n),
    type: 'm.reaction',
    content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$m1', key: '👍' } },
  })
  await reader.joined(messages(0, 50), { timeline: { limited: true, prev_batch: 't0' } })
  await reader.joined([reaction(60)], { timeline: { limited: true, prev_batch: 't60' } })
  await reader.joined([reaction(70)], { timeline: { limited: true, prev_batch: 't70' } })
  await reader.joined(messages(80, 90), { timeline: { limited: true, prev_batch: 't80' } })
  t.deepEqual(await reader.bodies(), bodies(0, 90))
})

test('without the server a timeline ends at its gap, and says so', async t => {
  const reader = await Reader.open()
  await reader.joined(messages(0, 50))
  await reader.joined(messages(150, 200), { timeline: { limited: true, prev_batch: 't150' } })
  const page = await reader.page()
  t.is(page.items.length, 50)
  t.like(page, { hasOlder: true, offline: true })
})

test('a jump into the past brings an island, which grows together with what is here', async t => {
  const reader = await Reader.open()
  serve(reader)
  reader.server.set('/context/$m500', () => ({
    start: 't480',
    end: 't521',
    event: message(500),
    events_before: messages(480, 500).toReversed(),
    events_after: messages(501, 521),
  }))
  await reader.joined(messages(950, 1000), { timeline: { limited: true, prev_batch: 't950' } })
  const around = { at: { eventId: '$m500' }, before: 5, after: 5 } as const
  t.deepEqual(await reader.bodies(around), bodies(495, 506))
  t.deepEqual(await reader.bodies({ ...around, before: 60, after: 300 }), bodies(440, 801))
  t.deepEqual(await reader.bodies({ ...around, before: 10, after: 600 }), bodies(490, 1000))
  const ids = (await reader.page({ ...around, before: 400, after: 600 })).items.map(({ eventId }) => eventId)
  t.is(new Set(ids).size, ids.length, 'nothing stands there twice')
})

test('a place that is not to be had is an error with a code, and changes nothing', async t => {
  const reader = await Reader.open()
  await reader.joined(messages(0, 10))
  reader.server.set('/context/$nowhere', () => ({ event: 'none' }))
  await t.throwsAsync(reader.page({ at: { eventId: '$nowhere' } }), { code: 'M_NOT_FOUND' })
  await t.throwsAsync(reader.page({ at: { eventId: '$away' } }), { code: 'OFFLINE' })
  t.deepEqual(await reader.bodies({ before: 10 }), bodies(0, 10))
  t.is((await reader.page({ roomId: '!never:a.example' })).items.length, 0)
  t.truthy(room)
})
