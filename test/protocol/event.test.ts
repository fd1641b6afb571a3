import test from 'ava'
import fc from 'fast-check'
import { canonicalJson } from '../../server/protocol/canonical-json.ts'
import { maxEventBytes, parsePdu } from '../../server/protocol/event.ts'
import type { Json, JsonObject } from '../../server/protocol/json.ts'
import { type RoomVersion, roomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import { utf8Length } from '../../server/protocol/utf8.ts'

const id = `$${'a'.repeat(43)}`
const roomIds = { '10': '!room:example.org', '11': '!room:example.org', '12': `!${'b'.repeat(43)}` }

function message(version: RoomVersion): JsonObject {
  return {
    type: 'm.room.message',
    room_id: roomIds[version],
    sender: '@alice:example.org',
    content: { body: 'hello' },
    origin_server_ts: 1_700_000_000_000,
    depth: 12,
    prev_events: [id],
    auth_events: [id, id],
    hashes: { sha256: 'x'.repeat(43) },
    signatures: { 'example.org': { 'ed25519:1': 'x'.repeat(86) } },
  }
}

function refusedField(event: Json, version: RoomVersion): string {
  const parsed = parsePdu(event, roomVersion(version)!)
  return parsed.kind === 'refused' ? parsed.field : 'none'
}

for (const version of roomVersions) {
  test(`version ${version}: a well-formed event is taken as it is`, t => {
    const event = { ...message(version), unsigned: { age: 1 }, 'org.example.extra': true }
    const parsed = parsePdu(event, roomVersion(version)!)
    t.is(parsed.kind, 'pdu')
    t.is<unknown, unknown>(parsed.kind === 'pdu' && parsed.pdu, event)
  })
}

const limits: [sentence: string, field: string, change: JsonObject][] = [
  ['no type', 'type', { type: undefined }],
  ['a type that is a number', 'type', { type: 5 }],
  ['a type of 256 bytes', 'type', { type: 'x'.repeat(256) }],
  ['a type of 128 two-byte characters', 'type', { type: 'é'.repeat(128) }],
  ['no sender', 'sender', { sender: undefined }],
  ['a sender without server', 'sender', { sender: '@alice' }],
  ['a sender of 256 bytes', 'sender', { sender: `@${'a'.repeat(243)}:example.org` }],
  ['no room id', 'room_id', { room_id: undefined }],
  ['a room id that is a number', 'room_id', { room_id: 5 }],
  ['a state key that is null', 'state_key', { state_key: null }],
  ['a state key of 256 bytes', 'state_key', { state_key: 'x'.repeat(256) }],
  ['no content', 'content', { content: undefined }],
  ['content that is an array', 'content', { content: [] }],
  ['a time that is a fraction', 'origin_server_ts', { origin_server_ts: 1.5 }],
  ['a time that is text', 'origin_server_ts', { origin_server_ts: '1' }],
  ['a time beyond 2^53', 'origin_server_ts', { origin_server_ts: 2 ** 53 }],
  ['no depth', 'depth', { depth: undefined }],
  ['a negative depth', 'depth', { depth: -1 }],
  ['a depth of 2^53', 'depth', { depth: 2 ** 53 }],
  ['prev_events that are no array', 'prev_events', { prev_events: id }],
  ['21 prev_events', 'prev_events', { prev_events: Array(21).fill(id) }],
  ['a prev_event with a server name', 'prev_events', { prev_events: ['$x:example.org'] }],
  ['a prev_event of version 1', 'prev_events', { prev_events: [[id, { sha256: 'x' }]] }],
  ['11 auth_events', 'auth_events', { auth_events: Array(11).fill(id) }],
  ['an auth_event that is null', 'auth_events', { auth_events: [null] }],
  ['no hashes', 'hashes', { hashes: undefined }],
  ['hashes without sha256', 'hashes', { hashes: {} }],
  ['no signatures', 'signatures', { signatures: undefined }],
  ['signatures that are no object', 'signatures', { signatures: { a: 'x' } }],
  ['a signature that is a number', 'signatures', { signatures: { a: { 'ed25519:1': 1 } } }],
  ['unsigned data that is text', 'unsigned', { unsigned: 'x' }],
  ['a fraction in its content', 'event', { content: { a: 0.5 } }],
  ['an integer beyond 2^53 in its content', 'event', { content: { a: [2 ** 60] } }],
  ['half a surrogate pair in its content', 'event', { content: { a: '\ud800' } }],
  ['65,537 bytes and more', 'event', { content: { a: 'x'.repeat(65_536) } }],
]

for (const [sentence, field, change] of limits) {
  test(`an event with ${sentence} is refused for its ${field}`, t => {
    for (const version of roomVersions) t.is(refusedField({ ...message(version), ...change }, version), field)
  })
}

test('what is exactly at a limit passes', t => {
  for (const change of [
    { type: 'x'.repeat(255) },
    { state_key: 'é'.repeat(127) },
    { sender: `@${'a'.repeat(242)}:example.org` },
    { prev_events: Array(20).fill(id) },
    { auth_events: Array(10).fill(id) },
    { prev_events: [], auth_events: [] },
    { depth: 0 },
    { depth: 2 ** 53 - 1 },
  ]) {
    t.is(refusedField({ ...message('12'), ...change }, '12'), 'none')
  }
})

test('the size limit counts canonical bytes, signatures included: 65,536 pass, one more does not', t => {
  for (const letter of ['x', 'é']) {
    const empty = utf8Length(canonicalJson({ ...message('12'), content: { a: '' } }))
    const room = maxEventBytes - empty
    const a = letter.repeat(Math.floor(room / utf8Length(letter))).padEnd(letter === 'x' ? room : 0, letter)
    const filled = { ...message('12'), content: { a: `${a}${'x'.repeat(room - utf8Length(a))}` } }
    t.is(utf8Length(canonicalJson(filled)), maxEventBytes)
    t.is(refusedField(filled, '12'), 'none')
    t.is(refusedField({ ...filled, depth: 123 }, '12'), 'event')
  }
})

test('a room id has a server in versions 10 and 11 and none in version 12', t => {
  t.is(refusedField({ ...message('11'), room_id: roomIds['12'] }, '11'), 'room_id')
  t.is(refusedField({ ...message('12'), room_id: roomIds['11'] }, '12'), 'room_id')
})

test('a create event of version 12 has no room id, in earlier versions it has one', t => {
  const create = (version: RoomVersion) => ({ ...message(version), type: 'm.room.create', state_key: '' })
  t.is(refusedField({ ...create('12'), room_id: undefined }, '12'), 'none')
  t.is(refusedField({ ...create('11'), room_id: undefined }, '11'), 'room_id')
  // With one all the same it is for rule 1.2 to reject.
  t.is(refusedField(create('12'), '12'), 'none')
})

test('what is no object is refused', t => {
  for (const value of [null, [], 'x', 1, true]) t.is(refusedField(value, '12'), 'event')
})

test('whatever a stranger sends, the answer is an event or a refusal, never an exception', t => {
  const junk = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(id, '@a:b', '!r:b', {}, [], 1.5, -1, '\ud800'),
  )
  const fields = [
    'type',
    'sender',
    'room_id',
    'state_key',
    'content',
    'depth',
    'prev_events',
    'auth_events',
    'hashes',
    'signatures',
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...fields),
      junk,
      fc.constantFrom(...roomVersions),
      (field, value, version) => {
        const parsed = parsePdu({ ...message(version), [field]: value } as Json, roomVersion(version)!)
        t.true(parsed.kind === 'pdu' || parsed.reason.length > 0)
      },
    ),
    { numRuns: 500 },
  )
})
