import test from 'ava'
import type { EventId, RoomId, UserId } from '../../server/protocol/ids.ts'
import { openReceipts, type ThreadId } from '../../server/rooms/receipts.ts'
import { openTyping } from '../../server/rooms/typing.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import type { Position } from '../../server/store/store.ts'
import { receiptEvents } from '../../server/sync/room-sections.ts'

const [alice, bob] = ['@alice:x', '@bob:x'] as UserId[] as [UserId, UserId]
const room = '!room:x' as RoomId
const event = (position: number) => ({ eventId: `$${position}` as EventId, position: position as Position })

for (const slow of [false, true]) {
  const name = slow ? ' (slow store)' : ''

  test(`a receipt replaces the one before and never moves back${name}`, async t => {
    const store = await openMemoryStore({ slow })
    const receipts = openReceipts({ store, clock: () => 5 })
    t.is(await receipts.set(room, alice, [{ type: 'm.read', event: event(10) }]), 1)
    const between = store.durablePosition
    t.is(await receipts.set(room, alice, [{ type: 'm.read', event: event(12) }]), 1)
    t.is(await receipts.set(room, alice, [{ type: 'm.read', event: event(11) }]), 0)
    const all = await receipts.since(room, undefined, store.durablePosition)
    t.deepEqual(
      all.map(each => each.eventId),
      ['$12'],
    )
    t.is((await receipts.since(room, between, store.durablePosition)).length, 1)
    t.deepEqual(await receipts.since(room, store.durablePosition, store.durablePosition), [])
    t.is((await receipts.marks(room, alice)).room, 12 as Position)
  })

  test(`receipts of other types, threads and people stand beside each other${name}`, async t => {
    const store = await openMemoryStore({ slow })
    const receipts = openReceipts({ store, clock: () => 5 })
    const thread = '$root' as ThreadId
    await Promise.all([
      receipts.set(room, alice, [
        { type: 'm.read', event: event(1) },
        { type: 'm.read.private', event: event(4) },
      ]),
      receipts.set(room, alice, [{ type: 'm.read', threadId: thread, event: event(2) }]),
      receipts.set(room, bob, [{ type: 'm.read', threadId: 'main', event: event(3) }]),
    ])
    const again = openReceipts({ store, clock: () => 5 })
    for (const each of [receipts, again]) {
      t.is((await each.since(room, undefined, store.durablePosition)).length, 4)
      const marks = await each.marks(room, alice)
      t.is(marks.room, 4 as Position)
      t.deepEqual([...marks.threads], [[thread, 2 as Position]])
    }
  })

  test(`of two receipts sent at once the more advanced stays${name}`, async t => {
    const store = await openMemoryStore({ slow })
    const receipts = openReceipts({ store, clock: () => 5 })
    await Promise.all(
      [20, 10, 30, 25].map(at => receipts.set(room, alice, [{ type: 'm.read', event: event(at) }])),
    )
    t.deepEqual(
      (await receipts.since(room, undefined, store.durablePosition)).map(each => each.eventId),
      ['$30'],
    )
  })

  test(`who is told of a change finds it${name}`, async t => {
    const store = await openMemoryStore({ slow })
    const receipts = openReceipts({ store, clock: () => 5 })
    const seen: Promise<number>[] = []
    store.onDurable(({ topics, durablePosition }) => {
      if (topics.has(`ephemeral:${room}`))
        seen.push(receipts.since(room, undefined, durablePosition).then(each => each.length))
    })
    await receipts.set(room, alice, [{ type: 'm.read', event: event(1) }])
    await receipts.set(room, bob, [{ type: 'm.read', event: event(1) }])
    t.deepEqual(await Promise.all(seen), [1, 2])
  })
}

test('one person’s receipts for one event in the room and in a thread are two m.receipt events', async t => {
  const store = await openMemoryStore()
  const receipts = openReceipts({ store, clock: () => 5 })
  await receipts.set(room, alice, [
    { type: 'm.read', event: event(1) },
    { type: 'm.read', threadId: 'main', event: event(1) },
  ])
  t.deepEqual(receiptEvents(await receipts.since(room, undefined, store.durablePosition)), [
    { type: 'm.receipt', content: { $1: { 'm.read': { [alice]: { ts: 5 } } } } },
    { type: 'm.receipt', content: { $1: { 'm.read': { [alice]: { ts: 5, thread_id: 'main' } } } } },
  ])
})

test('typing ends by itself, tells each change once, and a longer wish is no change', async t => {
  const typing = openTyping({ clock: Date.now })
  const changes: RoomId[] = []
  typing.onChange(roomId => changes.push(roomId))
  typing.set(room, alice, 40)
  typing.set(room, alice, 60)
  typing.set(room, bob, 10_000)
  t.deepEqual(typing.typists(room), [alice, bob])
  t.is(changes.length, 2)
  t.is(typing.changedAt(room), typing.serial)
  await new Promise(resolve => setTimeout(resolve, 150))
  t.deepEqual(typing.typists(room), [bob])
  t.is(changes.length, 3)
  typing.set(room, bob, 0)
  typing.set(room, bob, 0)
  t.is(changes.length, 4)
  t.is(typing.serial, typing.firstSerial + 4)
  typing.close()
})

test('receipts of ever more threads do not pile up: those read longest ago go, the room’s own stay', async t => {
  const store = await openMemoryStore()
  const receipts = openReceipts({ store, clock: () => 5 })
  await receipts.set(room, alice, [{ type: 'm.read', event: event(1) }])
  await receipts.set(room, bob, [{ type: 'm.read', event: event(1), threadId: '$bob' as ThreadId }])
  for (let n = 2; n < 520; n++)
    await receipts.set(room, alice, [{ type: 'm.read', event: event(n), threadId: `$${n}` as ThreadId }])
  const reopened = openReceipts({ store, clock: () => 5 })
  for (const each of [receipts, reopened]) {
    const all = await each.since(room, undefined, store.durablePosition)
    t.is(all.filter(({ userId, threadId }) => userId === alice && threadId !== undefined).length, 500)
    t.is(all.filter(({ userId }) => userId === bob).length, 1)
    t.is((await each.marks(room, alice)).room, 1 as Position)
    t.true((await each.marks(room, alice)).threads.has('$519' as ThreadId))
  }
})
