import test from 'ava'
import type { UserId } from '../../server/protocol/ids.ts'
import { deviceListFeedTable, sharingFeedTable } from '../../server/store/catalogue.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import type { Position } from '../../server/store/store.ts'
import { alice, bob, carol, type Directory, openDirectory, room1, room2, signIn } from './people.ts'

/** What one of Alice's devices is told after something happened. */
async function told(directory: Directory, act: () => Promise<unknown>, userId: UserId = alice) {
  const before = directory.store.durablePosition
  await act()
  return await directory.keys.deviceListChanges(userId, before, directory.store.durablePosition)
}

for (const slow of [false, true]) {
  const how = slow ? ' (slow store)' : ''

  test(`new devices, renamed and removed ones are told to those who share a room, and to their owner${how}`, async t => {
    const directory = await openDirectory({ slow })
    const { keys, store, rooms } = directory
    for (const userId of [alice, bob]) await rooms.set(room1, userId, 'join')
    t.deepEqual(await told(directory, () => signIn(directory, bob, 'B')), { changed: [bob], left: [] })
    t.deepEqual(await told(directory, () => signIn(directory, alice, 'A')), { changed: [alice], left: [] })
    t.deepEqual(await told(directory, () => signIn(directory, carol, 'C')), { changed: [], left: [] })
    const bobs = [...(await directory.devices.devicesOf(null, bob))!.keys()][0]!
    t.deepEqual(await told(directory, () => store.transact(bob, tx => keys.deviceRenamed(tx, bob, bobs))), {
      changed: [bob],
      left: [],
    })
    t.deepEqual(await told(directory, () => store.transact(bob, tx => keys.removeDevice(tx, bob, bobs))), {
      changed: [bob],
      left: [],
    })
  })

  test(`someone who comes into a shared room is told, someone who leaves the last one as well${how}`, async t => {
    const directory = await openDirectory({ slow })
    const { rooms } = directory
    await rooms.set(room1, alice, 'join')
    await rooms.set(room2, alice, 'join')
    t.deepEqual(await told(directory, () => rooms.set(room1, bob, 'invite')), { changed: [], left: [] })
    t.deepEqual(await told(directory, () => rooms.set(room1, bob, 'join')), { changed: [bob], left: [] })
    await rooms.set(room2, bob, 'join')
    t.deepEqual(await told(directory, () => rooms.set(room1, bob, 'leave')), { changed: [], left: [] })
    t.deepEqual(await told(directory, () => rooms.set(room2, bob, 'ban')), { changed: [], left: [bob] })
    t.deepEqual(await told(directory, () => rooms.set(room1, bob, 'join')), { changed: [bob], left: [] })
  })

  test(`who comes into a room is told of all that are there, who leaves of all that stay${how}`, async t => {
    const directory = await openDirectory({ slow })
    const { rooms } = directory
    for (const userId of [bob, carol]) await rooms.set(room1, userId, 'join')
    t.deepEqual(await told(directory, () => rooms.set(room1, alice, 'join')), {
      changed: [bob, carol],
      left: [],
    })
    await rooms.set(room2, alice, 'join')
    await rooms.set(room2, carol, 'join')
    t.deepEqual(await told(directory, () => rooms.set(room1, alice, 'leave')), { changed: [], left: [bob] })
  })

  test(`who left is not told who came after${how}`, async t => {
    const directory = await openDirectory({ slow })
    const { rooms } = directory
    for (const userId of [alice, bob]) await rooms.set(room1, userId, 'join')
    const changes = await told(directory, async () => {
      await rooms.set(room1, alice, 'leave')
      await rooms.set(room1, carol, 'join')
    })
    t.deepEqual(changes, { changed: [], left: [bob] })
  })

  test(`a new display name in a room is no reason to look again${how}`, async t => {
    const directory = await openDirectory({ slow })
    const { rooms } = directory
    for (const userId of [alice, bob]) await rooms.set(room1, userId, 'join')
    t.deepEqual(await told(directory, () => rooms.set(room1, bob, 'join', { displayname: 'Bob' })), {
      changed: [],
      left: [],
    })
  })
}

test('who was away while someone came and went is told the outcome', async t => {
  const directory = await openDirectory()
  const { rooms } = directory
  for (const userId of [alice, bob]) await rooms.set(room1, userId, 'join')
  const changes = await told(directory, async () => {
    await rooms.set(room1, bob, 'leave')
    await signIn(directory, bob, 'B')
    await rooms.set(room1, carol, 'join')
    await rooms.set(room1, carol, 'leave')
    await rooms.set(room1, bob, 'join')
  })
  t.deepEqual(changes, { changed: [bob], left: [carol] })
})

test('a device that comes back after a restart is told what happened before it', async t => {
  const directory = await openDirectory()
  const { rooms, store } = directory
  for (const userId of [alice, bob]) await rooms.set(room1, userId, 'join')
  const before = store.durablePosition
  await signIn(directory, bob, 'B')
  await rooms.set(room1, carol, 'join')
  const keys = await directory.reopen()
  const changes = await keys.deviceListChanges(alice, before, store.durablePosition)
  t.deepEqual({ ...changes, changed: changes.changed.toSorted() }, { changed: [bob, carol], left: [] })
  t.deepEqual(await keys.deviceListChanges(alice, store.durablePosition, store.durablePosition), {
    changed: [],
    left: [],
  })
})

test('what lies above the position that is asked for is not told yet', async t => {
  const directory = await openDirectory()
  const { rooms, store, keys } = directory
  for (const userId of [alice, bob]) await rooms.set(room1, userId, 'join')
  const from = store.durablePosition
  await signIn(directory, bob, 'B')
  const to = store.durablePosition
  await signIn(directory, alice, 'A')
  t.deepEqual((await keys.deviceListChanges(alice, from, to)).changed, [bob])
  t.deepEqual((await keys.deviceListChanges(alice, to, store.durablePosition)).changed, [alice])
})

test('the feeds hold one row a person, however often something changes', async t => {
  const store = await openMemoryStore()
  const directory = await openDirectory({ store })
  const { rooms } = directory
  const { keys } = directory
  await rooms.set(room1, alice, 'join')
  await signIn(directory, bob, 'B')
  const bobs = [...(await directory.devices.devicesOf(null, bob))!.keys()][0]!
  for (let i = 0; i < 20; i++) {
    await rooms.set(room1, bob, i % 2 ? 'leave' : 'join')
    await store.transact(bob, async tx => {
      await keys.deviceRenamed(tx, bob, bobs)
      await keys.deviceRenamed(tx, bob, bobs)
    })
  }
  const [people, sharing] = await store.read(view =>
    Promise.all([view.range(deviceListFeedTable.under()), view.range(sharingFeedTable.under())]),
  )
  t.is(people.length, 1)
  t.is(sharing.length, 2)
})

test('who was away for more changes than are kept in memory is told of all people all the same', async t => {
  const directory = await openDirectory()
  const { rooms, store, keys } = directory
  for (const userId of [alice, bob, carol]) await rooms.set(room1, userId, 'join')
  const phone = await signIn(directory, bob, 'B')
  const before = store.durablePosition
  await signIn(directory, carol, 'C')
  for (let i = 0; i < 4_200; i++) {
    await store.transact(bob, tx => keys.deviceRenamed(tx, bob, phone.deviceId))
  }
  const middle = (store.durablePosition - 3) as Position
  const told = async (after: Position) => {
    const { changed } = await keys.deviceListChanges(alice, after, store.durablePosition)
    return changed.toSorted()
  }
  t.deepEqual(await told(before), [bob, carol])
  t.deepEqual(await told(middle), [bob])
})

test('all who are in a room with someone who comes and goes are told the same, the room’s feed is read once', async t => {
  const directory = await openDirectory()
  const { rooms, store, keys } = directory
  const people = Array.from({ length: 20 }, (_, i) => `@p${i}:letro.test` as UserId)
  for (const userId of people) await rooms.set(room1, userId, 'join')
  const before = store.durablePosition
  await rooms.set(room1, bob, 'join')
  let reads = 0
  const read = store.read.bind(store)
  store.read = fn => {
    reads++
    return read(fn)
  }
  for (const userId of people) {
    const changes = await keys.deviceListChanges(userId, before, store.durablePosition)
    t.deepEqual(changes, { changed: [bob], left: [] })
  }
  t.is(reads, 1)
  const joined = store.durablePosition
  await rooms.set(room1, bob, 'leave')
  for (const userId of people) {
    t.deepEqual((await keys.deviceListChanges(userId, joined, store.durablePosition)).left, [bob])
    t.deepEqual((await keys.deviceListChanges(userId, before, joined)).changed, [])
  }
})

test('a sync after which nothing happened asks nobody', async t => {
  const directory = await openDirectory()
  const { rooms, store, keys } = directory
  for (const userId of [alice, bob]) await rooms.set(room1, userId, 'join')
  await signIn(directory, bob, 'B')
  const at = store.durablePosition
  rooms.memberships = () => t.fail() as never
  await store.transact('room', tx => {
    tx.sequence(next => void next())
    tx.announce(`room:${room1}`)
  })
  await keys.deviceListChanges(alice, at, store.durablePosition as number as Position)
  t.pass()
})
