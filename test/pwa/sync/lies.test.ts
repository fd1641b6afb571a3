/** Servers and people who say what is not so; and a great deal at once. */
import test from 'ava'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { member, raw, roomId, Synced, text, them, us } from './synced.ts'

const state = (type: string, content: JsonObject) => raw(type, content, { state_key: '' })
const create = () => state('m.room.create', { room_version: '12' })

test('edits by somebody else push out none of its author’s, in whatever number (attack 11)', async t => {
  const synced = await Synced.open()
  const written = text('first')
  const edit = (sender: string, body: string) =>
    raw(
      'm.room.message',
      {
        msgtype: 'm.text',
        body: `* ${body}`,
        'm.new_content': { msgtype: 'm.text', body },
        'm.relates_to': { rel_type: 'm.replace', event_id: written.event_id },
      },
      { sender },
    )
  await synced.news([create(), member(us), member(them), written, edit(them, 'mended')])
  await synced.news(Array.from({ length: 60 }, (_, i) => edit('@mallory:b.example', `forged ${i}`)))
  const { items } = await synced.page()
  const shown = items.filter(({ type }) => type === 'm.room.message').map(({ content }) => content['body'])
  t.deepEqual(shown, ['mended'])
  t.is(synced.entry().preview?.text, 'mended')
  t.false([...synced.indexed.values()].some(each => each.startsWith('forged')))
})

test('a room that was encrypted stays so in the list and in the engine, whatever is said later (attack 19)', async t => {
  const synced = await Synced.open()
  const encryption = (content: JsonObject) => state('m.room.encryption', content)
  const first = [create(), member(us), encryption({ algorithm: 'm.megolm.v1.aes-sha2' })]
  await synced.news(first, { state: first })
  t.true(synced.entry().encrypted)
  for (const content of [{}, { algorithm: 'none' }]) {
    const lie = encryption(content)
    await synced.news([lie], { state: [lie] })
    t.true(synced.entry().encrypted)
  }
  // It asks for the devices first; in a room that is not encrypted it would throw.
  const { kind } = await synced.device.machine.encryptRoomEvent(roomId, 'm.room.message', { body: 'x' })
  t.is(kind, 'waiting')
})

test('ids that are names of objects’ innards are ids', async t => {
  const synced = await Synced.open()
  for (const id of ['__proto__', 'constructor', 'toString']) {
    const body = JSON.parse(`{"rooms":{"join":{"${id}":{"timeline":{"events":[]}}}}}`)
    const own = raw('m.room.message', { msgtype: 'm.text', body: id }, { event_id: id, sender: id })
    const [update] = Object.values<{ timeline: JsonObject }>(body.rooms.join)
    update!.timeline = { events: [own, member(id)] }
    await synced.sync(body)
  }
  t.is(({} as JsonObject)['timeline'], undefined)
  t.is(synced.store.entry('constructor')?.roomId, 'constructor')
})

test('ten thousand messages after an absence, over a hundred rooms: every line of the list is right', async t => {
  const synced = await Synced.open()
  const people = [create(), member(us), member(them)]
  const join = Object.fromEntries(
    Array.from({ length: 100 }, (_, room) => [
      `!r${room}:a.example`,
      {
        timeline: {
          limited: true,
          prev_batch: 't',
          events: Array.from({ length: 100 }, (_, i) => text(`${room} ${i}`)),
        },
        state_after: { events: people },
      },
    ]),
  )
  const started = performance.now()
  await synced.sync({ rooms: { join } })
  t.log(`${Math.round(performance.now() - started)} ms`)
  t.is(synced.store.entries.length, 100)
  t.true(synced.store.entries.every(({ preview }, room) => preview?.text === `${room} 99`))
  t.is(synced.indexed.size, 10_000)
})
