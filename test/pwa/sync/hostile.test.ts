/** Servers and people who send what they should not. */
import test from 'ava'
import fc from 'fast-check'
import type { Json, JsonObject } from '../../../server/protocol/json.ts'
import { amal, create, jonas, message, messages, Reader, room, state } from './reader.ts'

const member = (userId: string, membership = 'join') => state('m.room.member', { membership }, userId)
const edit = (n: number, of: string, body: string, more: JsonObject = {}) =>
  message(n, {
    content: {
      body: `* ${body}`,
      'm.new_content': { msgtype: 'm.text', body },
      'm.relates_to': { rel_type: 'm.replace', event_id: of },
    },
    ...more,
  })

test('an edit by somebody else changes neither the message nor the list (attack 11), in whatever number', async t => {
  const reader = await Reader.open()
  await reader.joined([create, member(amal), member(jonas), message(1), edit(2, '$m1', 'mended')])
  const mallory = { sender: '@mallory:b.example' }
  await reader.joined(Array.from({ length: 60 }, (_, i) => edit(10 + i, '$m1', `forged ${i}`, mallory)))
  t.deepEqual(await reader.bodies(), ['mended'])
  t.is(reader.store.entry(room)?.preview?.text, 'mended')
  t.false(reader.indexed.some(({ text }) => text.startsWith('forged')))
})

test('a room that was encrypted stays so in the list, and in the engine, whatever is said later (attack 19)', async t => {
  const reader = await Reader.open()
  const encryption = state('m.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' })
  await reader.joined([create, member(amal)], { state_after: { events: [create, member(amal), encryption] } })
  t.true(reader.store.entry(room)?.encrypted)
  await reader.joined([], { state_after: { events: [state('m.room.encryption', {})] } })
  await reader.joined([], { state_after: { events: [state('m.room.encryption', { algorithm: 'none' })] } })
  t.true(reader.store.entry(room)?.encrypted)
  // It asks for the devices first; of a room that is not encrypted it would throw.
  const { kind } = await reader.device.machine.encryptRoomEvent(room, 'm.room.message', { body: 'x' })
  t.is(kind, 'waiting')
})

test('a room that says nothing any more keeps what it said', async t => {
  const reader = await Reader.open()
  const name = state('m.room.name', { name: 'Ward 4' })
  await reader.joined([create, member(amal), message(1)], {
    state_after: { events: [create, member(amal), name] },
  })
  for (const answer of [
    {},
    { rooms: null },
    { rooms: { join: { [room]: null } } },
    { rooms: { join: { [room]: {} } } },
  ]) {
    await reader.take(answer as JsonObject)
    t.is(reader.store.entry(room)?.name, 'Ward 4')
    t.is(reader.store.entry(room)?.preview?.text, 'm1')
  }
  t.deepEqual(await reader.bodies(), ['m1'])
})

test('names that are no names: the room has one all the same', async t => {
  const reader = await Reader.open()
  for (const content of [{ name: 5 }, { name: ['a'] }, { name: '   ' }, {}]) {
    await reader.joined([], {
      state_after: {
        events: [create, member(amal), member(jonas), state('m.room.name', content as JsonObject)],
      },
    })
    t.is(reader.store.entry(room)?.name, jonas)
  }
})

test('ids that are names of objects’ innards are ids', async t => {
  const reader = await Reader.open()
  for (const id of ['__proto__', 'constructor', 'toString']) {
    const own = message(1, { event_id: id, sender: id, content: { body: id } })
    const answer = JSON.parse(`{"rooms":{"join":{"${id}":{"timeline":{"events":[]}}}}}`)
    answer.rooms.join[id].timeline.events.push(own, { ...member(id), event_id: `$of${id}` })
    await reader.take(answer)
  }
  t.is(({} as JsonObject)['timeline'], undefined)
  t.is(reader.store.entry('constructor')?.roomId, 'constructor')
})

/** A sync of everything that there is. */
const whole: JsonObject = {
  account_data: {
    events: [
      { type: 'm.direct', content: { [jonas]: [room] } },
      {
        type: 'm.push_rules',
        content: {
          global: {
            override: [
              {
                rule_id: 'a',
                enabled: true,
                actions: ['notify'],
                conditions: [{ kind: 'event_match', key: 'content.body', pattern: 'm*' }],
              },
              {
                rule_id: 'b',
                enabled: true,
                actions: ['notify', { set_tweak: 'highlight' }],
                conditions: [
                  { kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: amal },
                ],
              },
            ],
            content: [{ rule_id: 'c', pattern: 'amal', actions: ['notify'], enabled: true }],
          },
        },
      },
      { type: 'm.ignored_user_list', content: { ignored_users: { '@x:y': {} } } },
    ],
  },
  device_lists: { changed: [jonas], left: [] },
  device_one_time_keys_count: { signed_curve25519: 10 },
  to_device: { events: [{ sender: jonas, type: 'm.dummy', content: {} }] },
  rooms: {
    join: {
      [room]: {
        summary: { 'm.joined_member_count': 2 },
        unread_notifications: { notification_count: 1, highlight_count: 0 },
        timeline: {
          limited: true,
          prev_batch: 't',
          events: [
            create,
            message(1),
            edit(2, '$m1', 'mended'),
            {
              ...message(3),
              type: 'm.reaction',
              content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$m1', key: '👍' } },
            },
            {
              ...message(4),
              type: 'm.room.redaction',
              redacts: '$m1',
              content: { redacts: '$m1', reason: 'r' },
            },
            {
              ...message(5),
              type: 'm.room.encrypted',
              content: {
                algorithm: 'm.megolm.v1.aes-sha2',
                ciphertext: 'AAAA',
                session_id: 's',
                sender_key: 'k',
                device_id: 'd',
              },
            },
            message(6, {
              content: {
                'm.relates_to': {
                  rel_type: 'm.thread',
                  event_id: '$m1',
                  'm.in_reply_to': { event_id: '$m1' },
                },
                'm.mentions': { user_ids: [amal] },
              },
            }),
            message(7, {
              unsigned: {
                transaction_id: 't',
                redacted_because: { sender: jonas, content: { reason: 'x' } },
              },
            }),
            {
              ...message(8),
              content: {
                msgtype: 'm.key.verification.request',
                body: 'x',
                methods: ['m.sas.v1'],
                from_device: 'D',
                to: amal,
              },
            },
          ],
        },
        state_after: {
          events: [
            create,
            member(amal),
            state(
              'm.room.member',
              { membership: 'invite', displayname: 'X', 'org.letro.invite_signature': {} },
              '@x:y',
            ),
            state('m.room.name', { name: 'N' }),
            state('m.room.power_levels', { users: { [jonas]: 100 }, notifications: { room: 50 } }),
            state('m.room.history_visibility', { history_visibility: 'shared' }),
            state('m.space.child', { via: ['a.example'], order: 'a' }, '!child:a.example'),
            state('m.room.tombstone', { replacement_room: '!new:a.example' }),
          ],
        },
        account_data: {
          events: [
            { type: 'm.tag', content: { tags: { 'm.favourite': { order: 0.5 } } } },
            { type: 'm.marked_unread', content: { unread: true } },
          ],
        },
        ephemeral: {
          events: [
            { type: 'm.receipt', content: { $m1: { 'm.read': { [jonas]: { ts: 5 } } } } },
            { type: 'm.typing', content: { user_ids: [jonas] } },
          ],
        },
      },
    },
    invite: {
      '!invite:a.example': {
        invite_state: { events: [state('m.room.member', { membership: 'invite', is_direct: true }, amal)] },
      },
    },
    leave: { '!left:a.example': { timeline: { events: [message(9)] } } },
  },
}

/** Every place in a value, as a path. */
function paths(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [path]
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [path, ...entries.flatMap(([name, inner]) => paths(inner as Json, [...path, name]))]
}

function withJunk(path: readonly (string | number)[], junk: Json): JsonObject {
  const copy = structuredClone(whole)
  let at = copy as Record<string | number, Json>
  for (const name of path.slice(0, -1)) at = at[name] as Record<string | number, Json>
  at[path.at(-1)!] = junk
  return copy
}

const junk: Json[] = [null, 5, -1e308, '', 'x', [], [null], [[]], {}, { a: null }, true, '\u202e'.repeat(50)]

test('whatever stands wherever in a sync: it is taken, shown, and the next message comes', async t => {
  const places = paths(whole).filter(path => path.length > 0)
  t.true(places.length > 200)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), fc.constantFrom(...junk), async (path, value) => {
      const reader = await Reader.open()
      await reader.take(withJunk(path, value))
      await reader.page()
      await reader.joined([message(100)])
      const { items } = await reader.page()
      return items.at(-1)?.content['body'] === 'm100'
    }),
    { numRuns: 100, verbose: 1 },
  )
})

test('ten thousand messages after an absence, over a hundred rooms: every list entry is right', async t => {
  const reader = await Reader.open()
  const join = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [
      `!r${i}:a.example`,
      {
        timeline: { limited: true, prev_batch: 't', events: messages(i * 100, i * 100 + 100) },
        state_after: { events: [create, member(amal), member(jonas)] },
      },
    ]),
  )
  const started = performance.now()
  await reader.take({ rooms: { join } })
  t.log(`${Math.round(performance.now() - started)} ms`)
  t.is(reader.store.entries.length, 100)
  t.true(reader.store.entries.every(({ preview }, i) => preview?.text === `m${i * 100 + 99}`))
  t.is(reader.indexed.length, 10_000)
})
