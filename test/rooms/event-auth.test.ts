/**
 * The authorisation rules, rule by rule and version by version.
 *
 * Each case has the rule's number in version 12 and in versions 10 and 11; a rejection must name it.
 */
import test from 'ava'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import { authorise } from '../../server/rooms/event-auth.ts'
import type { Verdict } from '../../server/rooms/verdict.ts'
import { verify } from '../support/primitives.ts'
import { alice, bob, carol, type Fields, TestRoom } from '../support/test-room.ts'

type Numbers = { readonly 12?: string; readonly 11?: string; readonly 10?: string }

/** One number for version 12, one for both versions before. */
function numbers(since12: string | null, before: string | null): Numbers {
  return { ...(since12 ? { 12: since12 } : {}), ...(before ? { 11: before, 10: before } : {}) }
}

function rule(
  numbered: Numbers,
  outcome: 'allows' | 'rejects',
  sentence: string,
  judge: (version: RoomVersion) => Verdict,
): void {
  for (const version of roomVersions) {
    const number = numbered[version]
    if (number === undefined) continue
    test(`rooms/v${version} (${number}) ${outcome} ${sentence}`, t => {
      const verdict = judge(version)
      if (outcome === 'allows') {
        t.deepEqual(verdict, { kind: 'accept' })
      } else {
        t.is(verdict.kind, 'reject')
        const named = verdict.kind === 'reject' ? verdict.rule : ''
        t.true(named.startsWith(`rooms/v${version}#authorization-rules (${number}): `), named)
      }
    })
  }
}

const same = (number: string) => numbers(number, number)

// Rule 1: m.room.create

const createFields = (version: RoomVersion, change: Partial<Fields> = {}): Fields => ({
  type: 'm.room.create',
  sender: alice,
  state_key: '',
  content: { room_version: version, creator: alice },
  room_id: version === '12' ? undefined : '!room:one',
  prev_events: [],
  ...change,
})
const judgeCreate = (version: RoomVersion, change: Partial<Fields> = {}) =>
  new TestRoom(version).judge(createFields(version, change))

rule(same('1.1'), 'rejects', 'a create event with previous events', version =>
  judgeCreate(version, { prev_events: [new TestRoom(version).latest] }),
)
rule(
  numbers(null, '1.2'),
  'rejects',
  "a create event whose room id is of another server than its sender's",
  version => judgeCreate(version, { room_id: '!room:two' }),
)
rule(numbers('1.2', null), 'rejects', 'a create event with a room id', version =>
  judgeCreate(version, { room_id: new TestRoom(version).roomId }),
)
rule(same('1.3'), 'rejects', 'a create event of a version that nobody knows', version =>
  judgeCreate(version, { content: { room_version: '99', creator: alice } }),
)
rule(same('1.3'), 'rejects', 'a create event whose version is a number', version =>
  judgeCreate(version, { content: { room_version: 12, creator: alice } }),
)
rule({ 10: '1.4' }, 'rejects', 'a create event that names no creator', version =>
  judgeCreate(version, { content: { room_version: version } }),
)
rule({ 11: '1.4', 12: '1.5' }, 'allows', 'a create event that names no creator', version =>
  judgeCreate(version, { content: { room_version: version } }),
)
for (const [what, value] of [
  ['text', bob],
  ['an object', {}],
  ['null', null],
  ['a list with a number', [bob, 5]],
  ['a list with what is no user id', ['bob']],
] as const) {
  rule(numbers('1.4', null), 'rejects', `additional_creators that is ${what}`, version =>
    judgeCreate(version, { content: { room_version: version, additional_creators: value } }),
  )
}
rule(
  { 10: '1.5', 11: '1.4', 12: '1.5' },
  'allows',
  'a create event, in version 12 with additional creators',
  version =>
    judgeCreate(version, {
      content: {
        room_version: version,
        creator: alice,
        ...(version === '12' ? { additional_creators: [bob, carol] } : {}),
      },
    }),
)
rule(numbers(null, '1.4'), 'allows', 'whatever stands in additional_creators before version 12', version =>
  judgeCreate(version, { content: { room_version: version, creator: alice, additional_creators: 'x' } }),
)

// Rule 2 of version 12: the room is its create event

const topic = (sender: string): Fields => ({ type: 'm.room.topic', sender, state_key: '', content: {} })
const message = (sender: string): Fields => ({ type: 'm.room.message', sender })

rule(numbers('2', null), 'rejects', 'an event whose room id is not the hash of the create event', version =>
  TestRoom.open(version).judge({ ...message(alice), room_id: `!${'x'.repeat(43)}` }),
)
rule(numbers('2', null), 'rejects', 'an event without room id', version =>
  TestRoom.open(version).judge({ ...message(alice), room_id: undefined }),
)
rule(numbers('2', '2.4'), 'rejects', 'an event in a room without create event', version => {
  const room = TestRoom.open(version)
  return authorise(room.draft(message(alice)), room.rules, () => undefined, verify)
})
rule(numbers('2', '2.3'), 'rejects', 'an event in a room whose create event was rejected', version => {
  const room = TestRoom.open(version)
  const lookup: typeof room.lookup = (type, key) => {
    const event = room.lookup(type, key)
    return event && type === 'm.room.create' ? { ...event, rejected: true } : event
  }
  return authorise(room.draft(message(alice)), room.rules, lookup, verify)
})

// Rule 4 (3 before): m.federate

const closed = (version: RoomVersion, value: unknown) =>
  TestRoom.open(version, { create: { 'm.federate': value } as JsonObject, joinRule: 'public' })
const joining = (user: string): Fields => ({
  type: 'm.room.member',
  sender: user,
  state_key: user,
  content: { membership: 'join' },
})

rule(numbers('4', '3'), 'rejects', 'an event from another server in a room that is closed to them', version =>
  closed(version, false).judge(joining(carol)),
)
rule(numbers('4', '3'), 'allows', "an event from the creator's server in a closed room", version =>
  closed(version, false).judge(joining(bob)),
)
rule(
  numbers('4', '3'),
  'allows',
  'an event from another server where m.federate is anything but false',
  version => closed(version, 'false').judge(joining(carol)),
)

// Rules 6 to 9 (5 to 8 before) and 11 (10 before)

rule(numbers('6', '5'), 'rejects', 'a message from somebody who never was in the room', version =>
  TestRoom.open(version).judge(message(bob)),
)
for (const membership of ['invite', 'leave', 'ban', 'knock']) {
  rule(numbers('6', '5'), 'rejects', `a message from somebody whose membership is ${membership}`, version => {
    const room = TestRoom.open(version)
    room.member(bob, membership)
    return room.judge(message(bob))
  })
}

const withBob = (version: RoomVersion, powerLevels?: JsonObject) => {
  const room = TestRoom.open(version, powerLevels ? { powerLevels } : {})
  room.member(bob, 'join')
  return room
}
/** Power for the creator, where the version lets power levels name her. */
const alicesPower = (version: RoomVersion, level = 100): JsonObject =>
  version === '12' ? {} : { [alice]: level }

const thirdPartyInvite = (sender: string): Fields => ({
  type: 'm.room.third_party_invite',
  sender,
  state_key: 'token',
})
rule(numbers('7.1', '6.1'), 'rejects', 'a third-party invite from somebody below the invite level', version =>
  withBob(version, { invite: 1 }).judge(thirdPartyInvite(bob)),
)
rule(
  numbers('7.1', '6.1'),
  'allows',
  'a third-party invite at the invite level, whatever state events need',
  version =>
    withBob(version, { invite: 1, state_default: 50, users: { [bob]: 1 } }).judge(thirdPartyInvite(bob)),
)

rule(numbers('8', '7'), 'rejects', 'a state event below state_default, which is 50', version =>
  withBob(version, { users: { [bob]: 49 } }).judge(topic(bob)),
)
rule(
  numbers('8', '7'),
  'rejects',
  'a state event from an ordinary member of a room without power levels',
  version => withBob(version).judge(topic(bob)),
)
rule(numbers('8', '7'), 'rejects', 'a message below events_default', version =>
  withBob(version, { events_default: 1 }).judge(message(bob)),
)
rule(numbers('8', '7'), 'rejects', 'an event below the level of its own type', version =>
  withBob(version, { events: { 'm.room.message': 10 }, users: { [bob]: 9 } }).judge(message(bob)),
)
rule(numbers('8', '7'), 'rejects', 'an event below users_default where the user is named lower', version =>
  withBob(version, { events_default: 5, users_default: 5, users: { [bob]: 4 } }).judge(message(bob)),
)
rule(
  numbers('8', '7'),
  'allows',
  'a type named like what every object inherits, at events_default',
  version => withBob(version, { events: {} }).judge({ type: 'constructor', sender: bob }),
)
rule(
  numbers('8', '7'),
  'allows',
  'a redaction at events_default: the redact level is not asked here',
  version => withBob(version, { redact: 100 }).judge({ type: 'm.room.redaction', sender: bob }),
)

rule(numbers('9', '8'), 'rejects', "a state event under another user's id", version =>
  withBob(version).judge({ type: 'org.example.status', sender: alice, state_key: bob }),
)
rule(numbers('9', '8'), 'rejects', 'a state key that only begins like a user id', version =>
  withBob(version).judge({ type: 'org.example.status', sender: alice, state_key: '@' }),
)
rule(numbers('9', '8'), 'allows', "a state event under the sender's own id", version =>
  withBob(version, { state_default: 0 }).judge({ type: 'org.example.status', sender: bob, state_key: bob }),
)

rule(numbers('11', '10'), 'allows', 'a message from a member', version =>
  withBob(version).judge(message(bob)),
)
rule(
  numbers('11', '10'),
  'allows',
  'a state event from the creator of a room without power levels',
  version => withBob(version).judge(topic(alice)),
)
rule(numbers('11', '10'), 'allows', 'a state event at exactly state_default', version =>
  withBob(version, { users: { [bob]: 50 } }).judge(topic(bob)),
)

// MSC4289: creators

test('rooms/v12: nothing takes power from a creator, not even a level above every integer (MSC4289)', t => {
  const high = { events: { 'm.room.topic': Number.MAX_SAFE_INTEGER }, users_default: -1 }
  const room = TestRoom.open('12', { create: { additional_creators: [bob] }, powerLevels: high })
  room.member(bob, 'join')
  t.deepEqual(room.judge(topic(alice)), { kind: 'accept' })
  t.deepEqual(room.judge(topic(bob)), { kind: 'accept' })
})

for (const version of ['10', '11'] as const) {
  test(`rooms/v${version}: power levels take power from the creator, and additional_creators give none`, t => {
    const room = TestRoom.open(version, {
      create: { additional_creators: [bob] },
      powerLevels: { users: {} },
    })
    room.member(bob, 'join')
    t.is(room.judge(topic(alice)).kind, 'reject')
    t.is(room.judge(topic(bob)).kind, 'reject')
  })
}

test('rooms/v10: the creator is the one whom the create event names, since version 11 its sender', t => {
  for (const version of ['10', '11', '12'] as const) {
    const room = new TestRoom(version, { creator: bob })
    room.member(alice, 'join')
    room.member(bob, 'join')
    t.is(room.judge(topic(bob)).kind, version === '10' ? 'accept' : 'reject', version)
    t.is(room.judge(topic(alice)).kind, version === '10' ? 'reject' : 'accept', version)
  }
})

// Rule 10 (9 before): m.room.power_levels

const levels = (sender: string, content: JsonObject): Fields => ({
  type: 'm.room.power_levels',
  sender,
  state_key: '',
  content,
})
const namedLevels = ['users_default', 'events_default', 'state_default', 'ban', 'redact', 'kick', 'invite']

for (const name of namedLevels) {
  rule(numbers('10.1', '9.1'), 'rejects', `${name} as text`, version =>
    TestRoom.open(version).judge(levels(alice, { [name]: '50' })),
  )
  rule(numbers('10.1', '9.1'), 'rejects', `${name} as null`, version =>
    TestRoom.open(version).judge(levels(alice, { [name]: null })),
  )
}
for (const map of ['events', 'notifications']) {
  rule(numbers('10.2', '9.2'), 'rejects', `${map} that is a list`, version =>
    TestRoom.open(version).judge(levels(alice, { [map]: [] })),
  )
  rule(numbers('10.2', '9.2'), 'rejects', `${map} with a level as text`, version =>
    TestRoom.open(version).judge(levels(alice, { [map]: { x: '1' } })),
  )
}
rule(numbers('10.3', '9.3'), 'rejects', 'users that is a list', version =>
  TestRoom.open(version).judge(levels(alice, { users: [] })),
)
rule(numbers('10.3', '9.3'), 'rejects', 'users with a level as text', version =>
  TestRoom.open(version).judge(levels(alice, { users: { [bob]: '1' } })),
)
rule(numbers('10.3', '9.3'), 'rejects', 'users with a key that is no user id', version =>
  TestRoom.open(version).judge(levels(alice, { users: { bob: 1 } })),
)
rule(numbers('10.4', null), 'rejects', 'users that name the creator', version =>
  TestRoom.open(version).judge(levels(alice, { users: { [alice]: 100 } })),
)
rule(numbers('10.4', null), 'rejects', 'users that name an additional creator', version =>
  TestRoom.open(version, { create: { additional_creators: [bob] } }).judge(
    levels(alice, { users: { [bob]: 0 } }),
  ),
)
rule(numbers('10.5', '9.4'), 'allows', 'any levels where there were none', version =>
  TestRoom.open(version).judge(levels(alice, { ban: 1_000, users: { [bob]: 1_000 } })),
)

const bobs = (version: RoomVersion, content: JsonObject, level = 50) => {
  const { users, ...rest } = content
  const powerLevels = {
    ...rest,
    users: { ...alicesPower(version), [bob]: level, ...(users as JsonObject | undefined) },
  }
  const room = withBob(version, powerLevels)
  return {
    change: (changed: JsonObject, removed: string[] = []) => {
      const { users: changedUsers, ...changedRest } = changed
      const next: Record<string, JsonObject[string]> = { ...powerLevels, ...changedRest }
      next['users'] = { ...powerLevels.users, ...(changedUsers as JsonObject | undefined) }
      for (const name of removed) delete next[name]
      return room.judge(levels(bob, next))
    },
  }
}

for (const name of namedLevels) {
  rule(numbers('10.6.1', '9.5.1'), 'rejects', `lowering ${name} that is above the sender`, version =>
    bobs(version, { events: { 'm.room.power_levels': 0 }, [name]: 51 }).change({ [name]: 1 }),
  )
  rule(numbers('10.6.1', '9.5.1'), 'rejects', `removing ${name} that is above the sender`, version =>
    bobs(version, { events: { 'm.room.power_levels': 0 }, [name]: 51 }).change({}, [name]),
  )
  rule(numbers('10.6.2', '9.5.2'), 'rejects', `raising ${name} above the sender`, version =>
    bobs(version, { [name]: 1 }).change({ [name]: 51 }),
  )
  rule(numbers('10.6.2', '9.5.2'), 'rejects', `adding ${name} above the sender`, version =>
    bobs(version, {}).change({ [name]: 51 }),
  )
  rule(numbers('10.6', '9.5'), 'allows', `moving ${name} up to the sender's own level`, version =>
    bobs(version, { [name]: 1 }).change({ [name]: 50 }),
  )
}
for (const map of ['events', 'notifications']) {
  rule(
    numbers('10.7.1', '9.6.1'),
    'rejects',
    `changing an entry of ${map} that is above the sender`,
    version => bobs(version, { [map]: { x: 51 } }).change({ [map]: { x: 1 } }),
  )
  rule(
    numbers('10.7.1', '9.6.1'),
    'rejects',
    `removing an entry of ${map} that is above the sender`,
    version => bobs(version, { [map]: { x: 51 } }).change({ [map]: {} }),
  )
  rule(numbers('10.7.1', '9.6.1'), 'rejects', `removing ${map} with an entry above the sender`, version =>
    bobs(version, { [map]: { x: 51 } }).change({}, [map]),
  )
  rule(numbers('10.8.1', '9.7.1'), 'rejects', `adding an entry of ${map} above the sender`, version =>
    bobs(version, {}).change({ [map]: { x: 51 } }),
  )
  rule(numbers('10.8.1', '9.7.1'), 'rejects', `raising an entry of ${map} above the sender`, version =>
    bobs(version, { [map]: { x: 1 } }).change({ [map]: { x: 51 } }),
  )
  rule(numbers('10.7', '9.6'), 'allows', `changing an entry of ${map} at the sender's own level`, version =>
    bobs(version, { [map]: { x: 50 } }).change({ [map]: { x: 1, y: 50 } }),
  )
}
rule(numbers('10.9.1', '9.8.1'), 'rejects', "lowering somebody at the sender's own level", version =>
  bobs(version, { users: { [carol]: 50 } }).change({ users: { [carol]: 0 } }),
)
rule(numbers('10.9.1', '9.8.1'), 'rejects', 'lowering somebody above the sender', version =>
  bobs(version, { users: { [carol]: 51 } }).change({ users: { [carol]: 0 } }),
)
rule(numbers('10.9.1', '9.8.1'), 'rejects', "removing somebody at the sender's own level", version =>
  bobs(version, { users: { [carol]: 50 } }).change({}, ['users']),
)
rule(numbers('10.9', '9.8'), 'allows', 'lowering somebody below the sender', version =>
  bobs(version, { users: { [carol]: 49 } }).change({ users: { [carol]: 0 } }),
)
rule(numbers('10.9', '9.8'), 'allows', 'the sender giving up power', version =>
  bobs(version, {}).change({ users: { [bob]: 10 } }),
)
rule(numbers('10.10.1', '9.9.1'), 'rejects', 'raising somebody above the sender', version =>
  bobs(version, { users: { [carol]: 10 } }).change({ users: { [carol]: 51 } }),
)
rule(numbers('10.10.1', '9.9.1'), 'rejects', 'adding somebody above the sender', version =>
  bobs(version, {}).change({ users: { [carol]: 51 } }),
)
rule(numbers('10.10.1', '9.9.1'), 'rejects', 'the sender raising himself', version =>
  bobs(version, {}).change({ users: { [bob]: 51 } }),
)
rule(numbers('10.10', '9.9'), 'allows', "raising somebody to the sender's own level", version =>
  bobs(version, { users: { [carol]: 10 } }).change({ users: { [carol]: 50 } }),
)
rule(
  numbers('10.11', '9.10'),
  'allows',
  'levels that change nothing, even where all are above the sender',
  version =>
    bobs(version, {
      users: { [carol]: 99 },
      ban: 99,
      kick: 99,
      invite: 99,
      events: { x: 99, 'm.room.power_levels': 50 },
      notifications: { room: 99 },
    }).change({}),
)
