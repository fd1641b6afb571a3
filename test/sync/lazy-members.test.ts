import test from 'ava'
import type { DeviceId, RoomId, UserId } from '../../server/protocol/ids.ts'
import { openLazyMembers } from '../../server/sync/lazy-members.ts'

const alice = '@alice:x' as UserId
const device = 'D' as DeviceId
const room = '!room:x' as RoomId

test('a member counts as known only once the device comes back with the token of that response', t => {
  const lazy = openLazyMembers()
  const first = lazy.open(alice, device, undefined)
  t.false(first.knows(room, alice))
  first.carries(room, alice)
  first.offer('t1')
  t.true(lazy.open(alice, device, 't1').knows(room, alice))
})

test('a response that got lost is answered again in full', t => {
  const lazy = openLazyMembers()
  lazy.open(alice, device, undefined).offer('t1')
  const lost = lazy.open(alice, device, 't1')
  lost.carries(room, alice)
  lost.offer('t2')
  t.false(lazy.open(alice, device, 't1').knows(room, alice))
})

test('another token than the last, or none, begins anew', t => {
  const lazy = openLazyMembers()
  const first = lazy.open(alice, device, undefined)
  first.carries(room, alice)
  first.offer('t1')
  t.true(lazy.open(alice, device, 't1').knows(room, alice))
  t.false(lazy.open(alice, device, 't0').knows(room, alice))
  t.false(lazy.open(alice, device, undefined).knows(room, alice))
})

test('devices know nothing of each other, and a room that begins anew is forgotten', t => {
  const lazy = openLazyMembers()
  const first = lazy.open(alice, device, undefined)
  first.carries(room, alice)
  first.offer('t1')
  t.false(lazy.open(alice, 'E' as DeviceId, 't1').knows(room, alice))
  const second = lazy.open(alice, device, 't1')
  second.forgetRoom(room)
  t.false(second.knows(room, alice))
})
