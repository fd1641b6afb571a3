/** Spec: client-server-api#mroompower_levels */
import test from 'ava'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import { creatorsOf, powerLevelsIn } from '../../server/rooms/power-levels.ts'
import { mayRedact } from '../../server/rooms/redaction-permission.ts'
import { alice, bob, carol, dave, TestRoom } from '../support/test-room.ts'

const levelsOf = (version: RoomVersion, powerLevels?: JsonObject, create?: JsonObject) => {
  const room = TestRoom.open(version, {
    ...(powerLevels ? { powerLevels } : {}),
    ...(create ? { create } : {}),
  })
  return powerLevelsIn(room.lookup, room.rules)
}

for (const version of roomVersions) {
  test(`version ${version}: without power levels the creator has power and nobody else`, t => {
    const levels = levelsOf(version)
    t.is(levels.ofUser(alice), version === '12' ? Infinity : 100)
    t.is(levels.ofUser(bob), 0)
  })

  test(`version ${version}: without power levels, and with empty ones, the defaults hold`, t => {
    for (const levels of [levelsOf(version), levelsOf(version, {})]) {
      t.deepEqual(
        (['ban', 'kick', 'redact', 'invite'] as const).map(name => levels.named(name)),
        [50, 50, 50, 0],
      )
      t.is(levels.toSend('m.room.topic', true), 50)
      t.is(levels.toSend('m.room.message', false), 0)
    }
  })

  test(`version ${version}: a level of one's own comes before the default, 0 included`, t => {
    const levels = levelsOf(version, {
      users: { [bob]: 0 },
      users_default: 7,
      events: { 'm.room.topic': 0, 'm.room.message': 3 },
      state_default: 9,
      events_default: 8,
      invite: 4,
    })
    t.is(levels.ofUser(bob), 0)
    t.is(levels.ofUser(carol), 7)
    t.is(levels.toSend('m.room.topic', true), 0)
    t.is(levels.toSend('m.room.name', true), 9)
    t.is(levels.toSend('m.room.message', false), 3)
    t.is(levels.toSend('m.reaction', false), 8)
    t.is(levels.named('invite'), 4)
  })
}

test('names that every object inherits are no levels', t => {
  const levels = levelsOf('12', { users: {}, events: {} })
  t.is(levels.toSend('constructor', false), 0)
  t.is(levels.toSend('__proto__', true), 50)
  t.is(levels.ofUser('toString'), 0)
})

test('creators: the sender, in version 10 the one who is named, in version 12 the additional ones too', t => {
  const create = { additional_creators: [bob, carol], creator: dave }
  const creators = (version: RoomVersion) => {
    const room = new TestRoom(version, create)
    return [...creatorsOf(room.create.pdu, room.rules)]
  }
  t.deepEqual(creators('10'), [dave])
  t.deepEqual(creators('11'), [alice])
  t.deepEqual(creators('12'), [alice, bob, carol])
})

test('rooms/v12#handling-redactions: at the redact level, or for what a neighbour on the same server sent', t => {
  const levels = levelsOf('12', { redact: 30, users: { [bob]: 30, [carol]: 29 } })
  t.true(mayRedact({ sender: bob }, { sender: carol }, levels))
  t.false(mayRedact({ sender: carol }, { sender: bob }, levels))
  t.true(mayRedact({ sender: carol }, { sender: dave }, levels), 'both are of server two')
  t.true(mayRedact({ sender: carol }, { sender: carol }, levels))
})
