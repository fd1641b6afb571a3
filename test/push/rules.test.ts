import test from 'ava'
import type { EventId, RoomId, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { compileRuleset, type PushContext, propertyPath } from '../../server/push/evaluate.ts'
import {
  changeRule,
  noChanges,
  type PushAction,
  type PushChanges,
  type PushCondition,
  placeRule,
  type RuleKind,
  removeRule,
  rulesetOf,
} from '../../server/push/rules.ts'
import type { RoomEvent } from '../../server/rooms/rooms.ts'
import type { Position } from '../../server/store/store.ts'

const alice = '@alice:example.org' as UserId
const bob = '@bob:example.org' as UserId
const roomId = '!room:example.org' as RoomId

function event(type: string, content: JsonObject, more: Partial<RoomEvent> = {}): RoomEvent {
  return {
    position: 1 as Position,
    order: 1,
    roomId,
    eventId: '$event' as EventId,
    type,
    sender: bob,
    content,
    originServerTs: 0,
    depth: 1,
    ...more,
  }
}

const context: PushContext = {
  joinedMembers: 5,
  displayName: 'Alice M.',
  powerLevel: () => 50,
  notificationLevel: () => 50,
}

function outcome(changes: PushChanges, what: RoomEvent, where: Partial<PushContext> = {}) {
  return compileRuleset(rulesetOf(alice, changes))(what, { ...context, ...where })
}

const message = event('m.room.message', { msgtype: 'm.text', body: 'It is time for tea' })
const encrypted = event('m.room.encrypted', { algorithm: 'm.megolm.v1.aes-sha2' })

function own(
  changes: PushChanges,
  kind: RuleKind,
  rule_id: string,
  rule: { actions?: readonly PushAction[]; conditions?: readonly PushCondition[]; pattern?: string } = {},
): PushChanges {
  const placed = placeRule(changes, kind, { rule_id, actions: ['notify'], ...rule }, {})
  if (placed.kind !== 'placed') throw new Error('not placed')
  return placed.changes
}

// One case for each default rule. Spec: client-server-api#predefined-rules.
type Case = [
  rule: string,
  what: RoomEvent,
  expected: 'silent' | 'notify' | 'highlight',
  sound?: string,
  where?: Partial<PushContext>,
]
const mention = { msgtype: 'm.text', body: 'hi', 'm.mentions': { user_ids: [alice] } }
const roomMention = event('m.room.message', { body: 'hi', 'm.mentions': { room: true } })
const cases: Case[] = [
  ['.m.rule.suppress_notices', event('m.room.message', { msgtype: 'm.notice', body: 'x' }), 'silent'],
  [
    '.m.rule.invite_for_me',
    event('m.room.member', { membership: 'invite' }, { stateKey: alice }),
    'notify',
    'default',
  ],
  ['.m.rule.member_event', event('m.room.member', { membership: 'invite' }, { stateKey: bob }), 'silent'],
  ['.m.rule.is_user_mention', event('m.room.message', mention), 'highlight', 'default'],
  ['.m.rule.is_room_mention', roomMention, 'highlight'],
  ['.m.rule.tombstone', event('m.room.tombstone', { body: 'moved' }, { stateKey: '' }), 'highlight'],
  ['.m.rule.reaction', event('m.reaction', { 'm.relates_to': { rel_type: 'm.annotation' } }), 'silent'],
  ['.m.rule.room.server_acl', event('m.room.server_acl', { allow: ['*'] }, { stateKey: '' }), 'silent'],
  [
    '.m.rule.suppress_edits',
    event('m.room.message', { body: '* x', 'm.relates_to': { rel_type: 'm.replace' } }),
    'silent',
  ],
  ['.m.rule.call', event('m.call.invite', {}), 'notify', 'ring'],
  ['.m.rule.encrypted_room_one_to_one', encrypted, 'notify', 'default', { joinedMembers: 2 }],
  ['.m.rule.room_one_to_one', message, 'notify', 'default', { joinedMembers: 2 }],
  ['.m.rule.message', message, 'notify'],
  ['.m.rule.encrypted', encrypted, 'notify'],
]

for (const [rule, what, expected, sound, where] of cases) {
  test(`the default rule ${rule} makes its event ${expected}`, t => {
    const found = outcome(noChanges, what, where)
    t.is(found.notify, expected !== 'silent')
    t.is(found.highlight, expected === 'highlight')
    const tweak = found.actions.find(each => typeof each === 'object' && each['set_tweak'] === 'sound')
    t.is((tweak as JsonObject | undefined)?.['value'], sound)
  })
}

test('.m.rule.master silences everything once it is enabled, the person’s own rules too', t => {
  t.true(outcome(noChanges, message).notify)
  const changes = changeRule(alice, own(noChanges, 'override', 'all'), 'override', '.m.rule.master', {
    enabled: true,
  })
  t.false(outcome(changes!, message).notify)
})

test('an edit that mentions someone is a mention all the same', t => {
  const edit = event('m.room.message', {
    ...mention,
    'm.relates_to': { rel_type: 'm.replace', event_id: '$x' },
  })
  t.true(outcome(noChanges, edit).highlight)
})

test('a room mention needs the power for it', t => {
  t.false(outcome(noChanges, roomMention, { powerLevel: () => 49 }).highlight)
  t.true(outcome(noChanges, roomMention, { powerLevel: () => 49 }).notify)
})

test('a tombstone that is no state event is nothing', t => {
  t.false(outcome(noChanges, event('m.room.tombstone', {})).notify)
})

test('a state event of no rule is silent', t => {
  t.false(outcome(noChanges, event('m.room.topic', { topic: 'x' }, { stateKey: '' })).notify)
})

test('kinds are asked in the order override, content, room, sender, underride', t => {
  let changes = noChanges
  const order: [RuleKind, string, object][] = [
    ['underride', 'u', {}],
    ['sender', bob, {}],
    ['room', roomId, {}],
    ['content', 'c', { pattern: 'tea' }],
    ['override', 'o', {}],
  ]
  for (const [kind, ruleId, more] of order) {
    changes = own(changes, kind, ruleId, { actions: [{ set_tweak: 'from', value: kind }], ...more })
    t.deepEqual(outcome(changes, message).actions, [{ set_tweak: 'from', value: kind }])
  }
})

test('a rule for another room or another sender does not match', t => {
  const changes = own(own(noChanges, 'room', '!other:x', { actions: [] }), 'sender', '@other:x', {
    actions: [],
  })
  t.true(outcome(changes, message).notify)
})

test('a disabled rule never matches', t => {
  const quiet = own(noChanges, 'room', roomId, { actions: [] })
  t.false(outcome(quiet, message).notify)
  t.true(outcome(changeRule(alice, quiet, 'room', roomId, { enabled: false })!, message).notify)
})

const conditions: [condition: PushCondition, what: RoomEvent, matches: boolean][] = [
  [{ kind: 'event_match', key: 'content.body', pattern: 'TEA' }, message, true],
  [{ kind: 'event_match', key: 'content.body', pattern: 'te' }, message, false],
  [{ kind: 'event_match', key: 'content.absent', pattern: '*' }, message, false],
  [{ kind: 'event_match', key: 'content.number', pattern: '*' }, event('x', { number: 1 }), false],
  [{ kind: 'event_match', key: 'sender', pattern: '@BOB:*' }, message, true],
  [{ kind: 'event_match', key: 'state_key', pattern: '' }, message, false],
  [{ kind: 'event_match', key: 'room_id', pattern: roomId }, message, true],
  [
    { kind: 'event_property_is', key: 'content.m\\.federate', value: true },
    event('x', { 'm.federate': true }),
    true,
  ],
  [
    { kind: 'event_property_is', key: 'content.m\\.federate', value: true },
    event('x', { 'm.federate': 'true' }),
    false,
  ],
  [
    { kind: 'event_property_is', key: 'content.m\\.federate', value: true },
    event('x', { 'm.federate': 1 }),
    false,
  ],
  [{ kind: 'event_property_is', key: 'content.a', value: null }, event('x', { a: null }), true],
  [{ kind: 'event_property_is', key: 'content.a', value: null }, event('x', {}), false],
  [
    { kind: 'event_property_contains', key: 'content.l', value: '#a:x' },
    event('x', { l: ['#b:x', '#a:x'] }),
    true,
  ],
  [{ kind: 'event_property_contains', key: 'content.l', value: ':x' }, event('x', { l: ['#a:x'] }), false],
  [{ kind: 'event_property_contains', key: 'content.l', value: 'a' }, event('x', { l: 'a' }), false],
  [{ kind: 'contains_display_name' }, event('m.room.message', { body: 'hello alice m., tea?' }), true],
  [{ kind: 'contains_display_name' }, message, false],
  [{ kind: 'room_member_count', is: '5' }, message, true],
  [{ kind: 'room_member_count', is: '==5' }, message, true],
  [{ kind: 'room_member_count', is: '>4' }, message, true],
  [{ kind: 'room_member_count', is: '>=6' }, message, false],
  [{ kind: 'room_member_count', is: '<5' }, message, false],
  [{ kind: 'room_member_count', is: '<=5' }, message, true],
  [{ kind: 'room_member_count', is: 'five' }, message, false],
  [{ kind: 'sender_notification_permission', key: 'room' }, message, true],
  [{ kind: 'org.example.unknown' }, message, false],
  [{ kind: 'event_match', key: 'content.__proto__', pattern: '*' }, message, false],
]

for (const [condition, what, matches] of conditions) {
  test(`the condition ${JSON.stringify(condition)} ${matches ? 'holds' : 'does not hold'} for ${what.type} ${JSON.stringify(what.content)}`, t => {
    const changes = own(noChanges, 'override', 'probe', {
      conditions: [condition],
      actions: [{ set_tweak: 'probe' }],
    })
    t.is(
      outcome(changes, what).actions.length === 1 && outcome(changes, what).actions[0] !== 'notify',
      matches,
    )
  })
}

test('property paths escape dots and backslashes and leave other escapes alone', t => {
  t.deepEqual(propertyPath('content.m\\.relates_to.rel_type'), ['content', 'm.relates_to', 'rel_type'])
  t.deepEqual(propertyPath('content.m\\\\foo'), ['content', 'm\\foo'])
  t.deepEqual(propertyPath('content.a\\x'), ['content', 'a\\x'])
})

const ids = (changes: PushChanges, kind: RuleKind = 'override') =>
  rulesetOf(alice, changes)
    [kind].filter(each => !each.default)
    .map(each => each.rule_id)

test('a new rule is the most important of the person’s own', t => {
  t.deepEqual(ids(own(own(noChanges, 'override', 'a'), 'override', 'b')), ['b', 'a'])
})

test('before and after place a rule; with both, before decides', t => {
  const three = ['c', 'b', 'a'].reduce((changes, id) => own(changes, 'override', id), noChanges)
  t.deepEqual(ids(three), ['a', 'b', 'c'])
  const place = (where: object, id = 'x') => {
    const placed = placeRule(three, 'override', { rule_id: id, actions: [] }, where)
    return placed.kind === 'placed' ? ids(placed.changes) : placed.ruleId
  }
  t.deepEqual(place({ before: 'b' }), ['a', 'x', 'b', 'c'])
  t.deepEqual(place({ after: 'b' }), ['a', 'b', 'x', 'c'])
  t.deepEqual(place({ before: 'c', after: 'a' }), ['a', 'b', 'x', 'c'])
  t.deepEqual(place({ before: 'a' }, 'c'), ['c', 'a', 'b'])
  t.deepEqual(place({}, 'b'), ['a', 'b', 'c'])
  t.is(place({ before: 'nobody' }), 'nobody')
  t.is(place({ after: '.m.rule.master' }), '.m.rule.master')
})

test('a changed rule stays disabled, a new one is enabled', t => {
  const disabled = changeRule(alice, own(noChanges, 'room', roomId), 'room', roomId, { enabled: false })!
  t.false(rulesetOf(alice, own(disabled, 'room', roomId, { actions: [] })).room[0]!.enabled)
  t.true(rulesetOf(alice, own(noChanges, 'room', roomId)).room[0]!.enabled)
})

test('a default rule takes other actions and can be disabled, and no other changes', t => {
  const changes = changeRule(alice, noChanges, 'underride', '.m.rule.message', { actions: [] })!
  const again = changeRule(alice, changes, 'underride', '.m.rule.message', { enabled: false })!
  const rule = rulesetOf(alice, again).underride.find(each => each.rule_id === '.m.rule.message')!
  t.deepEqual(rule.actions, [])
  t.false(rule.enabled)
  t.true(rule.default)
  t.is(changeRule(alice, noChanges, 'override', '.m.rule.nothing', { enabled: false }), null)
  t.is(removeRule(noChanges, 'override', '.m.rule.master'), null)
})
