/** What an event lists as its auth events: rule 3 of version 12, rule 2 of versions 10 and 11. */
import test from 'ava'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomVersion, roomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import { authTypesFor, checkAuthEvents } from '../../server/rooms/auth-events.ts'
import type { GraphEvent } from '../../server/rooms/graph-event.ts'
import { alice, bob, carol, TestRoom } from '../support/test-room.ts'

const rulesOf = (version: RoomVersion) => roomVersion(version)!

const selections: [
  sentence: string,
  event: { type: string; state_key?: string; content?: JsonObject },
  places: string[],
][] = [
  ['a message', { type: 'm.room.message' }, []],
  ['a state event', { type: 'm.room.topic', state_key: '' }, []],
  ['his own leave', { type: 'm.room.member', state_key: alice, content: { membership: 'leave' } }, []],
  [
    'a kick',
    { type: 'm.room.member', state_key: bob, content: { membership: 'leave' } },
    [`m.room.member ${bob}`],
  ],
  [
    'a ban',
    { type: 'm.room.member', state_key: bob, content: { membership: 'ban' } },
    [`m.room.member ${bob}`],
  ],
  [
    'a join',
    { type: 'm.room.member', state_key: alice, content: { membership: 'join' } },
    ['m.room.join_rules '],
  ],
  [
    'a knock',
    { type: 'm.room.member', state_key: alice, content: { membership: 'knock' } },
    ['m.room.join_rules '],
  ],
  [
    'an invite',
    { type: 'm.room.member', state_key: bob, content: { membership: 'invite' } },
    [`m.room.member ${bob}`, 'm.room.join_rules '],
  ],
  [
    'a third-party invite',
    {
      type: 'm.room.member',
      state_key: bob,
      content: { membership: 'invite', third_party_invite: { signed: { token: 'abc' } } },
    },
    [`m.room.member ${bob}`, 'm.room.join_rules ', 'm.room.third_party_invite abc'],
  ],
  [
    'a restricted join',
    {
      type: 'm.room.member',
      state_key: alice,
      content: { membership: 'join', join_authorised_via_users_server: carol },
    },
    ['m.room.join_rules ', `m.room.member ${carol}`],
  ],
  [
    'a leave that carries the keys of a join and an invite',
    {
      type: 'm.room.member',
      state_key: alice,
      content: {
        membership: 'leave',
        join_authorised_via_users_server: carol,
        third_party_invite: { signed: { token: 'abc' } },
      },
    },
    [],
  ],
]
for (const [sentence, event, places] of selections) {
  test(`server-server-api#auth-events-selection: ${sentence} looks at the sender, the power levels and ${places.join(', ') || 'nothing more'}`, t => {
    for (const version of roomVersions) {
      const selected = authTypesFor({ sender: alice, content: {}, ...event }, rulesOf(version))
      t.deepEqual(
        selected.map(([type, key]) => `${type} ${key}`).sort(),
        [
          ...(version === '12' ? [] : ['m.room.create ']),
          'm.room.power_levels ',
          `m.room.member ${alice}`,
          ...places,
        ].sort(),
      )
    }
  })
}

test('a create event has no auth events', t => {
  for (const version of roomVersions) {
    t.deepEqual(authTypesFor({ type: 'm.room.create', sender: alice, content: {} }, rulesOf(version)), [])
  }
})

test('rule 1 alone decides about create events, whatever they list', t => {
  for (const version of roomVersions) {
    const { create, rules } = new TestRoom(version)
    t.is(checkAuthEvents(create.pdu, rules, [create]).kind, 'accept')
  }
})

function rejectsWith(
  numberIn12: string | null,
  numberBefore: string | null,
  sentence: string,
  listed: (room: TestRoom, usual: GraphEvent[]) => GraphEvent[],
): void {
  for (const version of roomVersions) {
    const number = version === '12' ? numberIn12 : numberBefore
    if (number === null) continue
    test(`rooms/v${version} (${number}) rejects ${sentence}`, t => {
      const room = TestRoom.open(version, { powerLevels: {} })
      room.member(bob, 'invite', alice)
      const event = room.draft({ type: 'm.room.message', sender: alice })
      const usual = event.auth_events.map(id => room.events.get(id)!)
      const verdict = checkAuthEvents(event, room.rules, listed(room, usual))
      const named = verdict.kind === 'reject' ? verdict.rule : verdict.kind
      t.true(named.startsWith(`rooms/v${version}#authorization-rules (${number}): `), named)
      t.is(checkAuthEvents(event, room.rules, usual).kind, 'accept')
    })
  }
}

rejectsWith('3.1', '2.1', 'two power levels among the auth events', (room, usual) => [
  ...usual,
  room.powerLevels({ ban: 1 }),
])
rejectsWith('3.1', '2.1', 'one event listed twice', (_room, usual) => [...usual, usual.at(-1)!])
rejectsWith('3.2', '2.2', 'an auth event that has no say', (room, usual) => [
  ...usual,
  room.events.get(room.state.get(`13:m.room.member${bob}`)!)!,
])
rejectsWith('3.2', '2.2', 'an auth event that is no state', (room, usual) => [
  ...usual,
  room.send({ type: 'm.room.power_levels', sender: alice }),
])
rejectsWith('3.2', null, 'the create event as auth event', (room, usual) => [room.create, ...usual])
rejectsWith('3.3', '2.3', 'an auth event that was rejected', (_room, usual) =>
  usual.map((event, i) => (i === 1 ? { ...event, rejected: true } : event)),
)
rejectsWith(null, '2.4', 'a list without the create event', (_room, usual) => usual.slice(1))
rejectsWith('3.5', '2.5', 'an auth event of another room', (room, usual) =>
  usual.map((event, i) =>
    i === 1 ? { ...event, pdu: { ...event.pdu, room_id: `${room.roomId}x` as typeof room.roomId } } : event,
  ),
)
test('rooms/v12 (3.5) rejects the auth events of a like room elsewhere (MSC4291)', t => {
  const here = TestRoom.open('12')
  const elsewhere = TestRoom.open('12', { create: { name: 'another' } })
  const event = here.draft({ type: 'm.room.message', sender: alice })
  const theirs = elsewhere.draft({ type: 'm.room.message', sender: alice })
  const listed = theirs.auth_events.map(id => elsewhere.events.get(id)!)
  t.is(checkAuthEvents(event, here.rules, listed).kind, 'reject')
})
