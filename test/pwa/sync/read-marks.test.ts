/** What was read is read, with the server or without. */
import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { ReadMarks } from '../../../pwa/sync/read-marks.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { member, raw, roomId, Synced, text, us } from './synced.ts'

async function reader() {
  const synced = await Synced.open()
  const start = [raw('m.room.create', { room_version: '12' }, { state_key: '' }), member(us)]
  const [one, two] = [text('one'), text('two')]
  await synced.news([...start, one, two], { state: start, unread: 2 })
  const sent: [path: string, body: JsonObject][] = []
  const server: { answer: () => void } = { answer: () => {} }
  const marks = () =>
    new ReadMarks({
      store: synced.store,
      records: synced.records,
      http: {
        request: async (_method, path, { body = {} } = {}) => {
          server.answer()
          sent.push([path.split('/').slice(-2).join('/'), body])
          return {}
        },
      },
      tell: notice => void synced.notices.push(notice),
    })
  return { synced, one, two, sent, server, marks }
}

test('a mark shows at once, survives a restart without the server, and leaves once, only the newest', async t => {
  const { synced, one, two, sent, server, marks } = await reader()
  server.answer = () => {
    throw new ApiError('OFFLINE', 'no server')
  }
  const before = marks()
  t.is(synced.entry().unread, 2)
  await before.mark({ roomId, eventId: one.event_id })
  await before.mark({ roomId, eventId: two.event_id })
  await before.flush()
  t.is(synced.entry().unread, 0)
  await synced.restart()
  t.is(synced.entry().unread, 0)
  server.answer = () => {}
  const after = marks()
  await after.flush()
  await after.flush()
  t.deepEqual(
    sent.map(([, body]) => body),
    [{ 'm.fully_read': two.event_id, 'm.read': two.event_id }],
  )
})

test('a mark that the server refuses for good is not sent again; other rooms go on', async t => {
  const { one, sent, server, marks } = await reader()
  let refusals = 0
  server.answer = () => {
    if (refusals++ === 0) throw new ApiError('M_FORBIDDEN', 'not in the room', { status: 403 })
  }
  const reading = marks()
  await reading.mark({ roomId: '!gone:a.example', eventId: '$x' })
  await reading.mark({ roomId, eventId: one.event_id, threadRoot: '$root' })
  await reading.flush()
  await reading.flush()
  t.is(refusals, 2)
  t.deepEqual(sent, [[`m.read/${encodeURIComponent(one.event_id)}`, { thread_id: '$root' }]])
})

test('who reads in private tells nobody else', async t => {
  const { synced, two, sent, marks } = await reader()
  await synced.sync({
    account_data: { events: [{ type: 'org.letro.privacy', content: { private_receipts: true } }] },
  })
  const reading = marks()
  await reading.mark({ roomId, eventId: two.event_id })
  await reading.flush()
  t.deepEqual(sent[0]?.[1], { 'm.fully_read': two.event_id, 'm.read.private': two.event_id })
})
