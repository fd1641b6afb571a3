/** Who sees which event: every setting, at every point of somebody's way in and out of a room. */
import test from 'ava'
import type { RoomId, UserId } from '../../server/protocol/ids.ts'
import type { Position } from '../../server/store/store.ts'
import { ann, ben, cam, member, type Opened, open, opening, publicRoom, state, text } from './room-fixture.ts'

/** Says one thing at each point; gives what a person sees of it, in order. */
async function seenBy(rooms: Opened, roomId: RoomId, userId: UserId): Promise<string> {
  const events = await rooms.timeline(roomId, { limit: 1000 })
  const said = events.filter(({ type }) => type === 'm.room.message')
  const visible = await rooms.visible(userId, said)
  return said
    .filter((_, i) => visible[i])
    .map(({ content }) => content['body'])
    .join(' ')
}

async function wayInAndOut(visibility: string) {
  const { rooms, store } = await open()
  const roomId = await publicRoom(rooms, '12', [
    state(ann, 'm.room.history_visibility', { history_visibility: visibility }),
  ])
  const say = (body: string) => rooms.send({ roomId, ...text(ann, body) })
  await say('before')
  await rooms.send({ roomId, ...member(ben, 'invite', ann) })
  await say('invited')
  await rooms.send({ roomId, ...member(ben, 'join') })
  await say('joined')
  await rooms.send({ roomId, ...member(ben, 'leave') })
  await say('left')
  return { rooms, store, roomId, say }
}

const cases: [visibility: string, left: string, rejoined: string, stranger: string][] = [
  ['joined', 'joined', 'joined again', ''],
  ['invited', 'invited joined', 'invited joined again', ''],
  ['shared', 'before invited joined', 'before invited joined left again', ''],
  [
    'world_readable',
    'before invited joined left',
    'before invited joined left again',
    'before invited joined left again',
  ],
  ['nonsense', 'before invited joined', 'before invited joined left again', ''],
]

for (const [visibility, left, rejoined, stranger] of cases) {
  test(`history that is ${visibility}: seen after leaving, after joining again, and by strangers`, async t => {
    const { rooms, store, roomId, say } = await wayInAndOut(visibility)
    t.is(await seenBy(rooms, roomId, ben), left)
    await rooms.send({ roomId, ...member(ben, 'join') })
    await say('again')
    for (const reader of [rooms, await opening(store)]) {
      t.is(await seenBy(reader, roomId, ben), rejoined)
      t.is(await seenBy(reader, roomId, ann), 'before invited joined left again')
      t.is(await seenBy(reader, roomId, cam), stranger)
    }
  })
}

test('each event is seen under the setting of its time, not of today', async t => {
  const { rooms } = await open()
  const roomId = await publicRoom(rooms)
  const set = (history_visibility: string) =>
    rooms.send({ roomId, ...state(ann, 'm.room.history_visibility', { history_visibility }) })
  const say = (body: string) => rooms.send({ roomId, ...text(ann, body) })
  await say('default')
  await set('joined')
  await say('closed')
  await set('world_readable')
  await say('open')
  await set('shared')
  await say('shared')
  t.is(await seenBy(rooms, roomId, cam), 'open')
  await rooms.send({ roomId, ...member(cam, 'join') })
  await say('now')
  t.is(await seenBy(rooms, roomId, cam), 'default open shared now')
})

test('a change of the setting is seen under the setting before or after it; one’s own membership likewise', async t => {
  const { rooms } = await open()
  const roomId = await publicRoom(rooms, '12', [
    state(ann, 'm.room.history_visibility', { history_visibility: 'joined' }),
  ])
  const opened = await rooms.send({
    roomId,
    ...state(ann, 'm.room.history_visibility', { history_visibility: 'world_readable' }),
  })
  const closed = await rooms.send({
    roomId,
    ...state(ann, 'm.room.history_visibility', { history_visibility: 'joined' }),
  })
  const joined = await rooms.send({ roomId, ...member(ben, 'join') })
  const left = await rooms.send({ roomId, ...member(ben, 'leave') })
  const ids = [opened, closed, joined, left].map(({ eventId }) => eventId)
  const events = (await rooms.events(ids)).filter(event => event !== null)
  t.deepEqual(await rooms.visible(cam, events), [true, true, false, false])
  t.deepEqual(await rooms.visible(ben, events), [true, true, true, true])
})

test('a member of a room with shared history is answered without looking at any state', async t => {
  const { rooms, store } = await open()
  const roomId = await publicRoom(rooms)
  for (let i = 0; i < 30; i++) await rooms.send({ roomId, ...text(ann, `${i}`) })
  const events = await rooms.timeline(roomId, { limit: 100 })
  await rooms.visible(ann, events)
  const read = store.read
  let reads = 0
  store.read = function (this: typeof store, fn) {
    reads++
    return read.call(store, fn) as ReturnType<typeof fn>
  } as typeof store.read
  t.deepEqual(new Set(await rooms.visible(ann, events)), new Set([true]))
  t.is(reads, 0)
  t.is((await rooms.timeline(roomId, { after: events.at(-5)!.position as Position, limit: 10 })).length, 4)
  t.is(reads, 0)
})
