/** What a sync does to rooms, entries, mentions and what people are told; late keys; servers that talk nonsense. */
import test from 'ava'
import * as fc from 'fast-check'
import { parseSyncAnswer } from '../../../pwa/sync/sync-answer.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { OurDevice } from '../../e2ee/hub.ts'
import { member, type Raw, raw, reaction, roomId, Synced, text, them, us } from './synced.ts'

const begin = () => [
  raw('m.room.create', { room_version: '12' }, { state_key: '' }),
  member(us),
  member(them),
]
const rules = (room: JsonObject[] = []): JsonObject => ({
  account_data: {
    events: [
      {
        type: 'm.push_rules',
        content: {
          global: {
            override: [
              {
                rule_id: '.m.rule.invite_for_me',
                enabled: true,
                conditions: [
                  { kind: 'event_match', key: 'type', pattern: 'm.room.member' },
                  { kind: 'event_match', key: 'content.membership', pattern: 'invite' },
                  { kind: 'event_match', key: 'state_key', pattern: us },
                ],
                actions: ['notify'],
              },
              {
                rule_id: '.m.rule.is_user_mention',
                enabled: true,
                conditions: [
                  {
                    kind: 'event_property_contains',
                    key: 'content.m\\.mentions.user_ids',
                    value: us,
                  },
                ],
                actions: ['notify', { set_tweak: 'highlight' }],
              },
            ],
            room,
            underride: [
              {
                rule_id: '.m.rule.message',
                enabled: true,
                conditions: [{ kind: 'event_match', key: 'type', pattern: 'm.room.message' }],
                actions: ['notify'],
              },
            ],
          },
        },
      },
    ],
  },
})
const receipt = (userId: string, eventId: string, more: JsonObject = {}) => ({
  type: 'm.receipt',
  content: { [eventId]: { 'm.read': { [userId]: { ts: 2_000_000, ...more } } } },
})

/** A room where we are, and what stands in it. */
async function inRoom(): Promise<{ synced: Synced; first: Raw }> {
  const synced = await Synced.open()
  await synced.sync(rules())
  const first = text('first')
  const start = begin()
  await synced.news([...start, first], { state: start })
  synced.notices.length = 0
  return { synced, first }
}

const told = (synced: Synced) =>
  synced.notices.flatMap(notice => (notice.kind === 'notify' ? notice.body : []))

test('one answer gives one notification a room, and what lies before we came gives none', async t => {
  const synced = await Synced.open()
  await synced.sync(rules())
  const invite = member(us, 'invite')
  await synced.sync({
    rooms: { invite: { [roomId]: { invite_state: { events: [{ ...invite, sender: them }] } } } },
  })
  t.deepEqual(told(synced), [them], 'the invitation')
  const start = begin()
  await synced.news([...start, text('long ago')], { state: start })
  t.deepEqual(told(synced), [them])
  await synced.news(
    Array.from({ length: 40 }, (_, i) => text(`news ${i}`)),
    { unread: 40 },
  )
  t.deepEqual(told(synced), [them, `${them}: news 39`])
})

test('what is read elsewhere, or said by somebody ignored, is no news', async t => {
  const { synced } = await inRoom()
  const seen = text('seen on the phone')
  await synced.news([seen], { ephemeral: [receipt(us, seen.event_id)] })
  t.deepEqual(told(synced), [])
  await synced.sync({
    account_data: {
      events: [{ type: 'm.ignored_user_list', content: { ignored_users: { [them]: {} } } }],
    },
  })
  const rude = text('rude')
  await synced.news([rude])
  t.deepEqual(told(synced), [])
  t.false((await synced.page()).items.some(({ eventId }) => eventId === rude.event_id))
  await synced.sync({
    account_data: { events: [{ type: 'm.ignored_user_list', content: { ignored_users: {} } }] },
  })
  t.true(
    (await synced.page()).items.some(({ eventId }) => eventId === rude.event_id),
    'forgiven: it is still there',
  )
})

test('the list shows the newest message as it reads now: edited by its sender alone, gone when redacted', async t => {
  const { synced, first } = await inRoom()
  const second = text('second')
  await synced.news([second])
  t.is(synced.entry().preview?.text, 'second')
  const edit = (sender: string, body: string) =>
    raw(
      'm.room.message',
      {
        msgtype: 'm.text',
        body: `* ${body}`,
        'm.new_content': { msgtype: 'm.text', body },
        'm.relates_to': { rel_type: 'm.replace', event_id: second.event_id },
      },
      { sender },
    )
  await synced.news([edit(us, 'forged'), edit(them, 'mended')])
  t.is(synced.entry().preview?.text, 'mended')
  t.is(synced.indexed.get(second.event_id), 'mended')
  await synced.news([edit(us, 'forged again')])
  t.is(synced.indexed.get(second.event_id), 'mended')
  await synced.news([raw('m.room.redaction', { redacts: second.event_id })])
  t.is(synced.entry().preview?.eventId, first.event_id)
  t.false(synced.indexed.has(second.event_id))
})

test('a receipt at a reaction says that the messages above it were read', async t => {
  const { synced } = await inRoom()
  const ours = text('ours', { sender: us })
  const liked = reaction(ours.event_id)
  await synced.news([ours])
  const state = async () => (await synced.page()).items.at(-1)?.state
  t.is(await state(), 'sent')
  await synced.news([liked])
  await synced.restart()
  await synced.news([], { ephemeral: [receipt(them, liked.event_id)] })
  t.is(await state(), 'read')
})

test('a room that the server froze says so, also after a start, until the server takes it back', async t => {
  const { synced } = await inRoom()
  const freeze = (content: JsonObject) =>
    synced.sync({
      rooms: { join: { [roomId]: { account_data: { events: [{ type: 'org.letro.frozen', content }] } } } },
    })
  for (const content of [{}, { server: 7 }, { server: '', by: them }, { by: them }]) {
    await freeze(content as JsonObject)
    t.is(synced.entry().frozen, null)
  }
  await freeze({ server: 'x'.repeat(9000), by: 'nobody', since: 8.65e15 })
  t.deepEqual(synced.entry().frozen, { server: 'x'.repeat(255), by: null, sinceTs: null })
  await freeze({ server: 'stranger.example', by: them, event_id: '$e', since: 5 })
  await synced.restart()
  t.deepEqual(synced.entry().frozen, { server: 'stranger.example', by: them, sinceTs: 5 })
  await freeze({})
  t.is(synced.entry().frozen, null)
})

test('a message from the future comes now, and does not stay above all rooms for ever', async t => {
  const { synced } = await inRoom()
  synced.now = 1_500_000
  await synced.news([text('year 275760', { origin_server_ts: 8.64e15 })])
  t.is(synced.entry().lastTs, 1_500_000)
  synced.now = 1_600_000
  await synced.news([text('now', { origin_server_ts: 1_550_000 })])
  t.is(synced.entry().lastTs, 1_550_000)
  t.is((await synced.page()).items.at(-1)?.content['body'], 'now')
})

test('a thread is unread until it was read there or in the room', async t => {
  const { synced, first } = await inRoom()
  const inThread = (sender: string) =>
    raw(
      'm.room.message',
      {
        msgtype: 'm.text',
        body: 'in the thread',
        'm.relates_to': { rel_type: 'm.thread', event_id: first.event_id },
      },
      { sender },
    )
  const unread = async () =>
    (await synced.page()).items.find(({ eventId }) => eventId === first.event_id)?.thread?.unread
  const one = inThread(them)
  await synced.news([one])
  t.true(await unread())
  await synced.news([], { ephemeral: [receipt(us, one.event_id, { thread_id: first.event_id })] })
  t.false(await unread())
  await synced.restart()
  t.false(await unread())
  const two = inThread(them)
  await synced.news([two])
  t.true(await unread())
  await synced.news([], { ephemeral: [receipt(us, two.event_id)] })
  t.false(await unread())
})

/** Jonas writes with his engine; the key goes by the hub. */
async function encrypted() {
  const synced = await Synced.open()
  const { hub, device } = synced
  const jonas = await OurDevice.open(hub, them, 'JONAS')
  await hub.settle()
  for (const each of [device, jonas]) await each.bootstrap()
  await synced.sync(rules([{ rule_id: roomId, enabled: true, actions: [] }]))
  const start = [
    ...begin(),
    raw('m.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' }, { state_key: '' }),
  ]
  await synced.news(start, { state: start })
  await hub.settle()
  await jonas.joinRoom(roomId, [us, them])
  const write = async (content: JsonObject) => {
    for (let i = 0; i < 5; i++) {
      const result = await jonas.machine.encryptRoomEvent(roomId, 'm.room.message', content)
      if (result.kind === 'encrypted') return raw('m.room.encrypted', result.content)
      await hub.settle()
    }
    throw new Error('still waiting')
  }
  return { synced, hub, jonas, write }
}

test('mentions in what the server cannot read are counted until we have read them, also where only mentions notify', async t => {
  const { synced, hub, write } = await encrypted()
  const mention = { msgtype: 'm.text', body: 'Amal?', 'm.mentions': { user_ids: [us] } }
  const event = await write(mention)
  await hub.settle()
  await synced.news([event])
  t.is(synced.entry().mentions, 1)
  t.deepEqual(told(synced), [`${them}: Amal?`])
  await synced.news([await write({ msgtype: 'm.text', body: 'no more than talk' })])
  t.is(synced.entry().mentions, 1)
  const again = await write(mention)
  await synced.news([again])
  t.is(synced.entry().mentions, 2)
  await synced.news([], { ephemeral: [receipt(us, again.event_id)] })
  t.is(synced.entry().mentions, 0)
})

test('messages whose key comes late are opened, shown, found and counted then', async t => {
  const { synced, hub, write } = await encrypted()
  const { device } = synced
  const first = await write({ msgtype: 'm.text', body: 'the first' })
  const second = await write({ msgtype: 'm.text', body: 'Amal?', 'm.mentions': { user_ids: [us] } })
  await synced.news([first])
  await synced.news([{ ...second, unsigned: { transaction_id: 'ours' } } as unknown as Raw])
  t.is(synced.entry().preview?.type, 'm.room.encrypted')
  t.truthy((await synced.page()).items.at(-1)?.unreadable)
  await synced.reopening.settled()
  await hub.settle()
  await synced.reopening.settled()
  t.is(device.refusals.length, 0)
  const [one, two] = (await synced.page()).items.slice(-2)
  t.deepEqual([one?.content['body'], two?.content['body']], ['the first', 'Amal?'])
  t.deepEqual([one?.key, two?.key], [first.event_id, 'ours'])
  t.is(synced.entry().preview?.text, 'Amal?')
  t.is(synced.entry().mentions, 1)
  t.is(synced.indexed.get(first.event_id), 'the first')
})

test('a key whose word a crash swallowed opens messages when somebody looks at them', async t => {
  const { synced, hub, write } = await encrypted()
  const event = await write({ msgtype: 'm.text', body: 'looked at' })
  await synced.news([event])
  synced.reopening.keysCame = () => {}
  await hub.settle()
  await synced.restart()
  t.truthy((await synced.page()).items.at(-1)?.unreadable)
  await synced.reopening.settled()
  t.is((await synced.page()).items.at(-1)?.content['body'], 'looked at')
})

test('nobody has to look at a message whose key a crash swallowed the word of: the next start opens and counts it', async t => {
  const { synced, hub, write } = await encrypted()
  const mention = { msgtype: 'm.text', body: 'Amal, found late', 'm.mentions': { user_ids: [us] } }
  const before = await write(mention)
  // What stands above something of ours we have read.
  await synced.news([before])
  await synced.news([{ ...text('ours'), sender: us }])
  const event = await write(mention)
  await synced.news([event])
  synced.reopening.keysCame = () => {}
  await hub.settle()
  await synced.restart()
  t.is(synced.entry().mentions, 0)
  await synced.reopening.resume()
  await synced.reopening.settled()
  t.is(synced.indexed.get(event.event_id), 'Amal, found late')
  t.is(synced.entry().mentions, 1)
  t.deepEqual(await synced.records.entries('unread-session'), [])
})

test('what no key opens is tried again at a start only with another key', async t => {
  const { synced, hub, jonas, write } = await encrypted()
  const event = await write({ msgtype: 'm.text', body: 'broken on its way' })
  await hub.settle()
  const content = event['content'] as JsonObject
  const ciphertext = String(content['ciphertext']).slice(0, -4)
  await synced.news([{ ...event, content: { ...content, ciphertext } }])
  t.truthy((await synced.page()).items.at(-1)?.unreadable)
  await synced.reopening.settled()
  await synced.restart()
  const { machine } = synced.device
  const tries: unknown[] = []
  const decrypt = machine.decryptRoomEvents.bind(machine)
  machine.decryptRoomEvents = (...asked) => {
    tries.push(asked)
    return decrypt(...asked)
  }
  await synced.reopening.resume()
  await synced.reopening.settled()
  t.is(tries.length, 0)
  t.truthy(jonas)
})

test('a room that cannot be taken keeps nobody from the others, and its events are asked for again', async t => {
  const { synced } = await inRoom()
  const { machine } = synced.device
  const event = raw('m.room.encrypted', { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x' })
  const decrypt = machine.decryptRoomEvents
  machine.decryptRoomEvents = async () => {
    throw new TypeError('a fault of ours')
  }
  synced.rooms.set(roomId, [...synced.rooms.get(roomId)!, event])
  await synced.sync({
    rooms: {
      join: {
        [roomId]: { timeline: { events: [event] }, state_after: { events: [] } },
        '!other:a.example': { timeline: { events: begin() }, state_after: { events: begin() } },
      },
    },
  })
  machine.decryptRoomEvents = decrypt
  t.deepEqual(
    synced.store.entries.map(each => each.roomId),
    [roomId, '!other:a.example'],
  )
  const timeline = await synced.store.timeline(roomId)
  t.not((await timeline.pack(timeline.packNumbers.at(-1)!)).gap, null)
})

test('a server that says a room is not encrypted any more is not believed', async t => {
  const { synced } = await encrypted()
  const { machine } = synced.device
  for (const content of [{}, { algorithm: 'none' }, { algorithm: null }]) {
    const lie = raw('m.room.encryption', content, { state_key: '' })
    await synced.news([lie], { state: [lie] })
    t.true(synced.entry().encrypted)
    await t.notThrowsAsync(machine.encryptRoomEvent(roomId, 'm.room.message', { body: 'secret' }))
  }
  t.true(synced.device.refusals.includes('ROOM_DOWNGRADE'))
})

test('somebody whom a server puts into a room without a word of ours gets no keys, and is to be seen', async t => {
  const { synced, hub } = await encrypted()
  const stranger = '@stranger:evil.example'
  await synced.news([member(stranger)], { state: [member(stranger)] })
  await hub.settle()
  const result = await synced.device.machine.encryptRoomEvent(roomId, 'm.room.message', { body: 'secret' })
  t.is(result.kind, 'blocked')
  t.true(synced.entry().servers.includes('evil.example'))
})

// ── nonsense ───────────────────────────────────────────────────────────────────────────────────────

const words = [
  'm.room.member',
  'm.room.name',
  'm.room.create',
  'm.room.encryption',
  'm.room.encrypted',
  'm.room.power_levels',
  'm.room.redaction',
  'm.room.message',
  'm.reaction',
  'm.space.child',
  'm.receipt',
  'm.typing',
  'm.tag',
  'm.key.verification.request',
  'm.replace',
  'm.thread',
  'm.annotation',
  '__proto__',
  'constructor',
  roomId,
  us,
  them,
  '$e1',
  '',
]
const names = [
  'type',
  'content',
  'sender',
  'event_id',
  'state_key',
  'origin_server_ts',
  'unsigned',
  'events',
  'm.relates_to',
  'rel_type',
  'event_id',
  'key',
  'm.new_content',
  'm.mentions',
  'user_ids',
  'users',
  'membership',
  'name',
  'via',
  'body',
  'msgtype',
  'redacts',
  'redacted_because',
  'prev_content',
  'm.read',
  'algorithm',
  'ciphertext',
  '__proto__',
]
const leaf = fc.oneof(
  fc.constantFrom<unknown>(...words),
  fc.constant(null),
  fc.boolean(),
  fc.double(),
  fc.integer(),
)
const anything = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 5 }),
  ),
})).value
const nearlyEvent = fc.record(
  {
    type: fc.constantFrom(...words),
    sender: fc.constantFrom(us, them),
    event_id: fc.constantFrom('$e1', '$e2', '$e3', '$e4', '$e5'),
    state_key: fc.oneof(fc.constantFrom(us, them, ''), anything),
    origin_server_ts: fc.oneof(fc.integer(), anything),
    content: fc.dictionary(fc.constantFrom(...names), anything, { maxKeys: 6 }),
    unsigned: anything,
  },
  { requiredKeys: ['type', 'sender', 'event_id', 'content'] },
)
const events = fc.record({
  events: fc.oneof(fc.array(fc.oneof(nearlyEvent, anything), { maxLength: 6 }), anything),
  limited: anything,
  prev_batch: fc.oneof(fc.constant('t0'), anything),
})

test('an answer of any shape stops nothing: the next one is taken, and every view has something to show', async t => {
  const { synced } = await inRoom()
  const room = fc.record(
    {
      timeline: fc.oneof(events, anything),
      state: fc.oneof(events, anything),
      state_after: fc.oneof(events, anything),
      ephemeral: fc.oneof(events, anything),
      account_data: fc.oneof(events, anything),
      unread_notifications: anything,
      summary: anything,
      invite_state: events,
    },
    { requiredKeys: [] },
  )
  const rooms = fc.record({
    join: fc.dictionary(fc.constantFrom(roomId, '!x:y', '__proto__'), fc.oneof(room, anything)),
    invite: fc.dictionary(fc.constantFrom('!i:y', roomId), fc.oneof(room, anything)),
    leave: fc.dictionary(fc.constantFrom('!l:y'), fc.oneof(room, anything)),
  })
  const answer = fc.record(
    { rooms, to_device: events, account_data: events, device_lists: anything, presence: anything },
    { requiredKeys: ['rooms'] },
  )
  await fc.assert(
    fc.asyncProperty(answer, async body => {
      await synced.sync(body as JsonObject)
      for (const { roomId: id } of synced.store.entries) await synced.page({ roomId: id })
    }),
    { numRuns: 300, seed: 4 },
  )
  await synced.restart()
  const last = text('and then this')
  await synced.news([last])
  t.is((await synced.page({ before: 1 })).items.at(-1)?.content['body'], 'and then this')
})

test('no event says when it was in a way that no date can be', t => {
  const at = (ts: unknown) =>
    parseSyncAnswer({
      next_batch: 's',
      rooms: { join: { [roomId]: { timeline: { events: [{ ...text('x'), origin_server_ts: ts }] } } } },
    } as JsonObject)?.rooms[0]?.timeline[0]?.ts
  for (const ts of [1e300, -1, '5', null, Number.NaN]) t.is(at(ts), 0)
  t.is(at(8.64e15), 8.64e15)
})
