/**
 * Writes that fail, with the rows there afterwards or not: the rooms in memory are dropped, read again, and one
 * transaction id still is one event.
 */
import test from 'ava'
import { clientEvent } from '../../server/rooms/client-event.ts'
import type { RoomEvent } from '../../server/rooms/rooms.ts'
import { openGroupCommit } from '../../server/store/group-commit.ts'
import { StoreError } from '../../server/store/store.ts'
import { FailingEngine } from './failing-engine.ts'
import { ann, ben, member, opening, publicRoom, state, text } from './room-fixture.ts'

function shown(events: readonly RoomEvent[]) {
  return events.map(event => ({ ...clientEvent(event, { now: 0, userId: ann }), order: event.order }))
}

for (const fails of ['before', 'after'] as const) {
  for (const slow of [false, true]) {
    const where = `${fails} its rows are there${slow ? ', over a store that answers late' : ''}`

    test(`a write that fails ${where}: one transaction id stays one event, the room stays consistent`, async t => {
      const engine = new FailingEngine({ slow })
      const store = await openGroupCommit(engine, { retryMs: 1 })
      const rooms = await opening(store)
      const roomId = await publicRoom(rooms)
      await rooms.send({ roomId, ...member(ben, 'join') })
      const say = (i: number) =>
        rooms.send(
          { roomId, ...(i % 5 === 0 ? state(ann, 't', { i }) : text(ann, `${i}`)) },
          { transaction: { userId: ann, deviceId: 'D', txnId: `${i}` } },
        )
      const all = Array.from({ length: 40 }, (_, i) => i)

      engine.fails = fails
      const first = await Promise.allSettled(all.map(say))
      const refused = first.filter(result => result.status === 'rejected')
      t.true(refused.length > 0)
      for (const { reason } of refused) t.true(reason instanceof StoreError)

      const second = await Promise.all(all.map(say))
      const third = await Promise.all(all.map(say))
      t.deepEqual(third, second)
      for (const [i, result] of first.entries()) {
        if (result.status === 'fulfilled') t.deepEqual(result.value, second[i])
      }

      const timeline = await rooms.timeline(roomId, { limit: 200 })
      const numbers = timeline
        .map(({ content }) => Number(content['i'] ?? content['body']))
        .filter(n => n >= 0)
      t.deepEqual(
        numbers.toSorted((a, b) => a - b),
        all,
      )
      const depths = timeline.map(({ depth }) => depth)
      t.deepEqual(
        depths,
        Array.from({ length: depths.length }, (_, i) => i + 1),
      )

      const restarted = await opening(store)
      t.deepEqual(shown(await restarted.timeline(roomId, { limit: 200 })), shown(timeline))
      const [live, loaded] = [(await rooms.view(roomId))!, (await restarted.view(roomId))!]
      t.deepEqual(
        Array.from(live.allState(), ({ eventId }) => eventId).sort(),
        Array.from(loaded.allState(), ({ eventId }) => eventId).sort(),
      )
      t.deepEqual(live.forwardExtremities, loaded.forwardExtremities)
    })
  }
}

test('what waits for the disk is seen by nobody; what fails was never seen', async t => {
  const engine = new FailingEngine()
  const store = await openGroupCommit(engine, { retryMs: 1 })
  const rooms = await opening(store)
  const roomId = await publicRoom(rooms)
  const view = (await rooms.view(roomId))!
  const before = view.lastPosition
  engine.fails = 'before'
  const sending = rooms.send({ roomId, ...member(ben, 'join') })
  for (let i = 0; i < 5; i++) {
    t.is(view.membership(ben), undefined)
    t.is(view.lastPosition, before)
    t.is((await rooms.timeline(roomId, { limit: 10 })).length, 4)
  }
  await t.throwsAsync(sending)
  t.is((await rooms.view(roomId))!.membership(ben), undefined)
  t.is((await rooms.memberships(ben)).size, 0)
  await rooms.send({ roomId, ...member(ben, 'join') })
  t.is((await rooms.view(roomId))!.membership(ben), 'join')
  t.is((await rooms.memberships(ben)).size, 1)
})

test('a room whose creation failed can be made again, and no number is given twice', async t => {
  const engine = new FailingEngine()
  const store = await openGroupCommit(engine, { retryMs: 1 })
  const rooms = await opening(store)
  engine.fails = 'before'
  await t.throwsAsync(publicRoom(rooms))
  t.deepEqual(await rooms.roomIds(), [])
  const ids = await Promise.all([publicRoom(rooms), publicRoom(rooms, '11'), publicRoom(rooms, '10')])
  for (const [i, roomId] of ids.entries()) {
    await rooms.send({ roomId, ...state(ann, 't', { i }) })
    t.is((await rooms.timeline(roomId, { limit: 50 })).length, 5)
  }
  const restarted = await opening(store)
  for (const [i, roomId] of ids.entries()) t.is((await restarted.view(roomId))!.state('t')!.content['i'], i)
})
