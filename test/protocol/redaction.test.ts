import test from 'ava'
import type { EventId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { redact, redactedEventId } from '../../server/protocol/redaction.ts'
import { type RoomVersion, roomVersion, roomVersions } from '../../server/protocol/room-versions.ts'

const full = {
  event_id: '$x',
  type: 'm.room.message',
  room_id: '!r:example.org',
  sender: '@a:example.org',
  state_key: '',
  content: { body: 'hello', membership: 'join' },
  hashes: { sha256: 'x' },
  signatures: { 'example.org': {} },
  depth: 3,
  prev_events: [],
  auth_events: [],
  origin_server_ts: 1,
  unsigned: { age: 1 },
  origin: 'example.org',
  membership: 'join',
  prev_state: [],
  redacts: '$y',
  'org.example.extra': true,
}
const always = [
  'auth_events',
  'content',
  'depth',
  'event_id',
  'hashes',
  'origin_server_ts',
  'prev_events',
  'room_id',
  'sender',
  'signatures',
  'state_key',
  'type',
]

const rulesOf = (version: RoomVersion) => roomVersion(version)!

test('rooms/v10#redactions keeps origin, membership and prev_state beside what every version keeps', t => {
  const kept = redact(full, rulesOf('10'))
  t.deepEqual(Object.keys(kept).sort(), [...always, 'membership', 'origin', 'prev_state'].sort())
})

for (const version of ['11', '12'] as const) {
  test(`rooms/v${version}#redactions keeps only what every version keeps`, t => {
    t.deepEqual(Object.keys(redact(full, rulesOf(version))).sort(), always)
  })
}

const powerLevels = {
  ban: 1,
  events: { a: 1 },
  events_default: 2,
  invite: 3,
  kick: 4,
  notifications: { room: 1 },
  redact: 5,
  state_default: 6,
  users: { '@a:b': 7 },
  users_default: 8,
}
const { notifications: _notifications, ...powerLevelsSince11 } = powerLevels
const { invite: _invite, ...powerLevels10 } = powerLevelsSince11
const signed = { mxid: '@b:c', token: 't' }

type Case = [type: string, content: JsonObject, kept10: JsonObject, keptSince11: JsonObject]
const cases: Case[] = [
  ['m.room.message', { body: 'x', msgtype: 'm.text' }, {}, {}],
  ['m.room.topic', { topic: 'x' }, {}, {}],
  ['m.room.aliases', { aliases: ['#a:b'] }, {}, {}],
  [
    'm.room.member',
    { membership: 'join', displayname: 'x', join_authorised_via_users_server: '@c:d' },
    { membership: 'join', join_authorised_via_users_server: '@c:d' },
    { membership: 'join', join_authorised_via_users_server: '@c:d' },
  ],
  [
    'm.room.member',
    { membership: 'invite', third_party_invite: { display_name: 'x', signed } },
    { membership: 'invite' },
    { membership: 'invite', third_party_invite: { signed } },
  ],
  ['m.room.member', { third_party_invite: { display_name: 'x' } }, {}, { third_party_invite: {} }],
  ['m.room.member', { third_party_invite: 'x' }, {}, {}],
  [
    'm.room.create',
    { creator: '@a:b', room_version: '11', 'm.federate': false, additional_creators: ['@c:d'] },
    { creator: '@a:b' },
    { creator: '@a:b', room_version: '11', 'm.federate': false, additional_creators: ['@c:d'] },
  ],
  [
    'm.room.join_rules',
    { join_rule: 'x', allow: [1], y: 1 },
    { join_rule: 'x', allow: [1] },
    { join_rule: 'x', allow: [1] },
  ],
  ['m.room.power_levels', powerLevels, powerLevels10, powerLevelsSince11],
  [
    'm.room.history_visibility',
    { history_visibility: 'joined', x: 1 },
    { history_visibility: 'joined' },
    { history_visibility: 'joined' },
  ],
  ['m.room.redaction', { redacts: '$x', reason: 'y' }, {}, { redacts: '$x' }],
  ['constructor', { a: 1 }, {}, {}],
]

for (const [type, content, kept10, keptSince11] of cases) {
  test(`of ${type} with ${JSON.stringify(content)} each version keeps what its page lists`, t => {
    t.deepEqual(redact({ type, content } as JsonObject, rulesOf('10'))['content'], kept10)
    t.deepEqual(redact({ type, content } as JsonObject, rulesOf('11'))['content'], keptSince11)
    t.deepEqual(redact({ type, content } as JsonObject, rulesOf('12'))['content'], keptSince11)
  })
}

test('redacting twice is redacting once, and the event itself stays as it was', t => {
  for (const version of roomVersions) {
    const before = structuredClone(full)
    const once = redact(full, rulesOf(version))
    t.deepEqual(redact(once, rulesOf(version)), once)
    t.deepEqual(full, before)
  }
})

test('a redaction names its target at the top in version 10 and in its content since', t => {
  const a = '$Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg' as EventId
  const b = '$Sqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg' as EventId
  const event = { redacts: a, content: { redacts: b } }
  t.is(redactedEventId(event, rulesOf('10')), a)
  t.is(redactedEventId(event, rulesOf('11')), b)
  t.is(redactedEventId(event, rulesOf('12')), b)
  t.is(redactedEventId({ content: {} }, rulesOf('10')), null)
  t.is(redactedEventId({ redacts: 'nonsense', content: { redacts: 5 } }, rulesOf('11')), null)
})
