import test from 'ava'
import { membershipSince } from '../../server/rooms/past-membership.ts'
import type { RoomEvent } from '../../server/rooms/rooms.ts'
import { sampleEvent } from './sample-event.ts'

/** Alice's member events at these positions, each replacing the one before. */
function history(...changes: [position: number, membership: string][]) {
  const events = new Map<string, RoomEvent>()
  let newest: RoomEvent | undefined
  for (const [position, membership] of changes) {
    newest = sampleEvent({
      position,
      type: 'm.room.member',
      stateKey: '@alice:hq.test',
      content: { membership },
      ...(newest && {
        replacesState: { eventId: newest.eventId, content: newest.content, sender: newest.sender },
      }),
    })
    events.set(newest.eventId, newest)
  }
  let asked = 0
  const rooms = {
    event: async (eventId: string) => {
      asked++
      return events.get(eventId) ?? null
    },
  }
  const view = { state: () => newest }
  return {
    since: (order: number) =>
      membershipSince(rooms as never, view as never, '@alice:hq.test' as never, order),
    asked: () => asked,
  }
}

test('each time has the membership of its time, the change itself included', async t => {
  const at = await history([10, 'invite'], [20, 'join'], [30, 'leave'], [40, 'join']).since(1)
  t.deepEqual([5, 10, 15, 20, 29, 30, 40, 99].map(at), [
    'leave',
    'invite',
    'invite',
    'join',
    'join',
    'leave',
    'join',
    'join',
  ])
})

test('someone who never was in the room was outside', async t => {
  t.is((await history().since(1))(5), 'leave')
})

test('only what is newer than the page is looked up', async t => {
  const alice = history([10, 'invite'], [20, 'join'], [30, 'leave'], [40, 'join'])
  t.is((await alice.since(45))(50), 'join')
  t.is(alice.asked(), 0)
  t.is((await alice.since(35))(36), 'leave')
  t.is(alice.asked(), 1)
})

test('a membership that changed very often is left unsaid where it would cost too much', async t => {
  const alice = history(...Array.from({ length: 500 }, (_, i): [number, string] => [i + 1, 'join']))
  const at = await alice.since(1)
  t.is(at(500), 'join')
  t.is(at(2), undefined)
  t.true(alice.asked() <= 100)
})
