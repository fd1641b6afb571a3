import test from 'ava'
import { actsOn, levelOf, levelsFor, rights, roleOf, withLevel } from '../../pwa/views/trust/roles.ts'
import type { RoomDetail } from '../../pwa/worker/calls.ts'

const may = {
  send: true,
  invite: true,
  kick: true,
  ban: true,
  redactOthers: true,
  pin: true,
  rename: true,
  setPower: true,
  upgrade: true,
  notifyRoom: true,
}
const detail = (change: Partial<RoomDetail> = {}) =>
  ({ powerLevels: {}, ourPower: 100, may, ...change }) as RoomDetail
const us = '@us:here'
const member = (power: number, change: object = {}) =>
  ({ userId: '@amal:clinic', power, membership: 'join', ...change }) as const

test('levels have names, and those without one are numbers', t => {
  t.is(roleOf(100, detail()), 'administrator')
  t.is(roleOf(50, detail()), 'moderator')
  t.is(roleOf(0, detail()), 'member')
  t.is(roleOf(37, detail()), 'other')
  t.is(roleOf(Number.POSITIVE_INFINITY, detail()), 'creator')
  t.is(roleOf(0, detail({ powerLevels: { events_default: 10 } })), 'reader')
})

test('nobody gives more than they have, nor takes from those who have as much', t => {
  t.deepEqual(levelsFor(detail(), member(0), us), [100, 50, 0])
  t.deepEqual(levelsFor(detail({ ourPower: 50 }), member(0), us), [50, 0])
  t.deepEqual(levelsFor(detail(), member(100), us), [])
  t.deepEqual(levelsFor(detail(), { userId: us, power: 100 }, us), [100, 50, 0])
  t.deepEqual(levelsFor(detail({ may: { ...may, setPower: false } }), member(0), us), [])
  t.deepEqual(levelsFor(detail(), member(Number.POSITIVE_INFINITY), us), [])
})

test('people are removed and banned only by those above them', t => {
  t.deepEqual(actsOn(detail(), member(50), us), { remove: true, ban: true, unban: false })
  t.deepEqual(actsOn(detail({ ourPower: 50 }), member(50), us), { remove: false, ban: false, unban: false })
  t.deepEqual(actsOn(detail(), { userId: us, power: 0, membership: 'join' }, us), {
    remove: false,
    ban: false,
    unban: false,
  })
  t.deepEqual(actsOn(detail(), member(0, { membership: 'ban' }), us), {
    remove: false,
    ban: false,
    unban: true,
  })
})

test('acts need the level that the room says, else the specification’s', t => {
  t.deepEqual(
    rights.map(right => levelOf({}, right)),
    [0, 0, 50, 50, 50, 50, 50, 50, 50, 50],
  )
  t.is(levelOf({ events: { 'm.room.topic': 70 } }, 'rename'), 70)
  t.is(levelOf({ state_default: 20 }, 'pin'), 20)
  t.is(levelOf({ ban: '75' }, 'ban'), 75)
  t.is(levelOf({ ban: {} }, 'ban'), 50)
})

test('a changed level is what is read back, and nothing else changes', t => {
  const before = { users: { [us]: 100 }, events: { 'm.room.server_acl': 100 }, 'org.example.own': 1 }
  for (const right of rights) {
    const after = withLevel(before, right, 63)
    t.is(levelOf(after, right), 63, right)
    t.like(after, before)
  }
})
