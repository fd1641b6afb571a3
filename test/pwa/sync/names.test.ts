/** What rooms are called. */
import test from 'ava'
import { roomName } from '../../../pwa/sync/names.ts'
import { newRoom, withState } from '../../../pwa/sync/room.ts'

test('a room without a name is called after those who are in it', t => {
  const people = (...names: [string, string, string?][]) =>
    withState(
      newRoom('!r'),
      names.map(([userId, membership, displayname]) => ({
        type: 'm.room.member',
        stateKey: userId,
        sender: userId,
        content: { membership, ...(displayname && { displayname }) },
        eventId: null,
        ts: 0,
      })),
    )
  const named = (...names: [string, string, string?][]) =>
    roomName({ ...newRoom('!r'), ...people(['@us:a', 'join', 'Us'], ...names) }, '@us:a').name
  t.is(named(), null)
  t.is(named(['@b:a', 'join', 'Bea'], ['@c:a', 'invite']), 'Bea, @c:a')
  t.is(named(['@b:a', 'leave', 'Bea']), 'Bea')
  t.is(
    named(...Array.from({ length: 8 }, (_, i): [string, string, string] => [`@${i}:a`, 'join', `P${i}`])),
    'P0, P1, P2, P3, P4 +3',
  )
})
