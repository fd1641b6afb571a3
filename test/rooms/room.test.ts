/** One room of local people, over the memory store as it comes and when it answers late and in random order. */
import test from 'ava'
import { roomVersions } from '../../server/protocol/room-versions.ts'
import { RoomError } from '../../server/rooms/rooms.ts'
import { ann, ben, cam, member, open, opening, publicRoom, state, text } from './room-fixture.ts'

for (const slow of [false, true]) {
  const over = slow ? 'a store that answers late' : 'the memory store'

  for (const version of roomVersions) {
    test(`over ${over}, a version ${version} room is made whole and reads as it was written`, async t => {
      const { rooms } = await open({ slow })
      const roomId = await publicRoom(rooms, version, [state(ann, 'm.room.name', { name: 'Ops' })])
      const view = (await rooms.view(roomId))!
      t.is(view.version, version)
      t.is(view.membership(ann), 'join')
      t.is(view.state('m.room.name')?.content['name'], 'Ops')
      t.is(view.powerLevel(ann), version === '12' ? Infinity : 100)
      t.deepEqual([...view.creators], [ann])
      const timeline = await rooms.timeline(roomId, { limit: 10 })
      t.deepEqual(
        timeline.map(event => event.type),
        ['m.room.create', 'm.room.member', 'm.room.power_levels', 'm.room.join_rules', 'm.room.name'],
      )
      t.deepEqual(
        timeline.map(event => event.depth),
        [1, 2, 3, 4, 5],
      )
      t.deepEqual(await rooms.roomIds(), [roomId])
    })
  }

  test(`over ${over}, 64 sends at once form one line, in the order of their positions`, async t => {
    const { rooms } = await open({ slow })
    const roomId = await publicRoom(rooms)
    await rooms.send({ roomId, ...member(ben, 'join') })
    const sent = await Promise.all(
      Array.from({ length: 64 }, (_, i) => rooms.send({ roomId, ...text(i % 2 ? ann : ben, `${i}`) })),
    )
    const timeline = await rooms.timeline(roomId, { limit: 100, after: sent[0]!.position - 1 })
    t.deepEqual(
      timeline.map(event => event.content['body']),
      Array.from({ length: 64 }, (_, i) => `${i}`),
    )
    t.deepEqual(
      timeline.map(event => event.position),
      sent.map(({ position }) => position),
    )
    t.is(new Set(sent.map(({ eventId }) => eventId)).size, 64)
    t.is((await rooms.view(roomId))!.forwardExtremities.length, 1)
  })

  test(`over ${over}, what is written twice with one transaction id is one event`, async t => {
    const { rooms, store } = await open({ slow })
    const roomId = await publicRoom(rooms)
    const transaction = { userId: ann, deviceId: 'D', txnId: 't1' }
    const draft = { roomId, ...text(ann, 'once') }
    const [first, pending] = await Promise.all([
      rooms.send(draft, { transaction }),
      rooms.send(draft, { transaction }),
    ])
    const later = await rooms.send(draft, { transaction })
    const restarted = await opening(store)
    const afterwards = await restarted.send(draft, { transaction })
    t.deepEqual([pending, later, afterwards], [first, first, first])
    const otherDevice = await rooms.send(draft, { transaction: { ...transaction, deviceId: 'E' } })
    t.not(otherDevice.eventId, first!.eventId)
    const events = await rooms.timeline(roomId, { limit: 10, reverse: true })
    t.is(events.filter(event => event.content['body'] === 'once').length, 2)
    t.deepEqual(events[1]!.transaction, transaction)
  })

  test(`over ${over}, a restart finds the room as it was`, async t => {
    const { rooms, store } = await open({ slow })
    const roomId = await publicRoom(rooms)
    for (let i = 0; i < 40; i++) await rooms.send({ roomId, ...state(ann, `t.${i % 7}`, { i }) })
    await rooms.send({ roomId, ...member(ben, 'join') })
    await rooms.send({ roomId, ...member(ben, 'leave') })
    const restarted = await opening(store)
    const before = (await rooms.view(roomId))!
    const after = (await restarted.view(roomId))!
    const ids = (view: typeof before) => [...view.allState()].map(event => event.eventId).sort()
    t.deepEqual(ids(after), ids(before))
    t.is(after.memberCount('join'), 1)
    t.is(after.memberCount('leave'), 1)
    t.is(after.lastPosition, before.lastPosition)
    t.deepEqual(after.forwardExtremities, before.forwardExtremities)
    t.deepEqual(await restarted.memberships(ben), await rooms.memberships(ben))
    const sent = await restarted.send({ roomId, ...text(ann, 'on') })
    t.is((await restarted.event(sent.eventId))!.depth, 47)
  })
}

test('what the rules refuse writes nothing', async t => {
  const { rooms } = await open()
  const roomId = await publicRoom(rooms)
  const before = (await rooms.view(roomId))!.lastPosition
  const refusal = await t.throwsAsync(rooms.send({ roomId, ...text(ben, 'hello') }), {
    instanceOf: RoomError,
  })
  t.is((refusal as RoomError).code, 'M_FORBIDDEN')
  await t.throwsAsync(rooms.sendMany(roomId, [text(ann, 'one'), member(ben, 'join'), text(cam, 'never')]), {
    message: /not joined/,
  })
  t.is((await rooms.view(roomId))!.lastPosition, before)
  t.is((await rooms.view(roomId))!.membership(ben), undefined)
  t.is((await rooms.memberships(ben)).size, 0)
})
