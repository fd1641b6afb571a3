/** One room of local people, over the memory store as it comes and when it answers late and in random order. */
import test from 'ava'
import { canonicalJson } from '../../server/protocol/canonical-json.ts'
import { parsePdu } from '../../server/protocol/event.ts'
import { eventIdOf, hasExpectedContentHash } from '../../server/protocol/event-hash.ts'
import { checkEventSignature } from '../../server/protocol/event-signing.ts'
import type { EventId, UserId } from '../../server/protocol/ids.ts'
import { roomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import type { Gate } from '../../server/rooms/gate.ts'
import type { Projection } from '../../server/rooms/projection.ts'
import { RoomError } from '../../server/rooms/rooms.ts'
import { jsonTable } from '../../server/store/key.ts'
import type { Position } from '../../server/store/store.ts'
import { sha256, verify } from '../support/primitives.ts'
import {
  ann,
  ben,
  cam,
  member,
  open,
  opening,
  ourKey,
  publicRoom,
  serverName,
  state,
  text,
} from './room-fixture.ts'
import { scrubEvents } from './scrub-store.ts'

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

test('state that says what the state says already is not written again', async t => {
  const { rooms } = await open()
  const roomId = await publicRoom(rooms)
  const first = await rooms.send({ roomId, ...state(ann, 'm.room.name', { name: 'A' }) })
  const again = await rooms.send({ roomId, ...state(ann, 'm.room.name', { name: 'A' }) })
  t.deepEqual(again, first)
  const other = await rooms.send({ roomId, ...state(ann, 'm.room.name', { name: 'B' }) })
  t.deepEqual((await rooms.event(other.eventId))!.replacesState, {
    eventId: first.eventId,
    content: { name: 'A' },
    sender: ann,
  })
})

test('an event that would be too large with its signature is refused', async t => {
  const { rooms } = await open()
  const roomId = await publicRoom(rooms)
  const refusal = await t.throwsAsync(rooms.send({ roomId, ...text(ann, 'x'.repeat(65_000)) }))
  t.is((refusal as RoomError).code, 'M_TOO_LARGE')
  const sent = await rooms.send({ roomId, ...text(ann, 'x'.repeat(64_000)) })
  const pdu = (await rooms.signed(sent.eventId))!
  t.true(Buffer.byteLength(canonicalJson(pdu)) < 65_536)
})

test('what is not canonical JSON is refused', async t => {
  const { rooms } = await open()
  const roomId = await publicRoom(rooms)
  for (const content of [{ n: 0.5 }, { n: 2 ** 53 }, { s: '\ud800' }]) {
    const refusal = await t.throwsAsync(rooms.send({ roomId, ...state(ann, 't', content) }))
    t.is((refusal as RoomError).code, 'M_BAD_JSON')
  }
})

test('an event leaves signed, and its id, hash and signature are those of the protocol', async t => {
  const { rooms } = await open()
  for (const version of roomVersions) {
    const rules = roomVersion(version)!
    const roomId = await publicRoom(rooms, version)
    const sent = [
      await rooms.send({ roomId, ...text(ann, 'ünïcode "quoted" \u2028 \n') }),
      await rooms.send({ roomId, ...state(ann, 'm.room.topic', { topic: 't', 'm.mentions': {} }) }),
      await rooms.send({ roomId, ...member(ben, 'join') }),
    ]
    const redaction = {
      sender: ann,
      type: 'm.room.redaction',
      content: { reason: 'r' },
      redacts: sent[0]!.eventId,
    }
    sent.push(await rooms.send({ roomId, ...redaction }))
    const first = (await rooms.view(roomId))!.createEvent
    for (const eventId of [first.eventId, ...sent.map(({ eventId }) => eventId)]) {
      const pdu = (await rooms.signed(eventId))!
      t.is(parsePdu(pdu, rules).kind, 'pdu')
      t.is(eventIdOf(pdu, rules, sha256), eventId)
      if (eventId !== sent[0]!.eventId) t.true(hasExpectedContentHash(pdu, sha256))
      const keys = () => ourKey.publicKey
      t.is(checkEventSignature(pdu, rules, serverName, keys, verify).kind, 'valid')
    }
    t.is((await rooms.event(sent[3]!.eventId))!.redacts, sent[0]!.eventId)
  }
})

for (const version of roomVersions) {
  test(`in version ${version} a redaction takes the content everywhere, and the id and signature stay`, async t => {
    const { rooms, store } = await open()
    const roomId = await publicRoom(rooms, version)
    await rooms.send({ roomId, ...member(ben, 'join') })
    const said = await rooms.send({ roomId, ...text(ben, 'secret') })
    const named = await rooms.send({ roomId, ...state(ann, 'm.room.name', { name: 'secret' }) })
    const renamed = await rooms.send({ roomId, ...state(ann, 'm.room.name', { name: 'new' }) })
    await rooms.timeline(roomId, { limit: 50 })
    const redact = (sender: UserId, redacts: EventId) =>
      rooms.send({ roomId, sender, type: 'm.room.redaction', content: {}, redacts })

    const refusal = await t.throwsAsync(redact(ben, named.eventId))
    t.is((refusal as RoomError).code, 'M_FORBIDDEN')
    const refused = await t.throwsAsync(redact(ben, `$${'a'.repeat(43)}` as EventId))
    t.is((refused as RoomError).code, 'M_NOT_FOUND')

    const redaction = await redact(ann, said.eventId)
    await redact(ann, named.eventId)
    await redact(ann, renamed.eventId)
    for (const reader of [rooms, await opening(store)]) {
      const event = (await reader.event(said.eventId))!
      t.deepEqual(event.content, {})
      t.is(event.redactedBecause?.eventId, redaction.eventId)
      const timeline = await reader.timeline(roomId, { limit: 50 })
      t.false(JSON.stringify(timeline).includes('secret'))
      t.deepEqual(timeline.find(({ eventId }) => eventId === renamed.eventId)!.replacesState?.content, {})
      t.deepEqual((await reader.view(roomId))!.state('m.room.name')!.content, {})
      t.deepEqual((await reader.view(roomId))!.state('m.room.name')!.replacesState?.content, {})
      const pdu = (await reader.signed(said.eventId))!
      t.is(eventIdOf(pdu, roomVersion(version)!, sha256), said.eventId)
    }
    t.deepEqual(await scrubEvents(store), [])
  })
}

test('an event and its redaction that wait for the disk together come out redacted', async t => {
  const { rooms } = await open({ slow: true })
  const roomId = await publicRoom(rooms)
  const said = rooms.send({ roomId, ...state(ann, 'm.room.topic', { topic: 'secret' }) })
  const other = rooms.send({ roomId, ...text(ann, 'between') })
  const { eventId } = await said
  await Promise.all([
    rooms.send({ roomId, sender: ann, type: 'm.room.redaction', content: {}, redacts: eventId }),
    rooms.send({ roomId, ...state(ann, 'm.room.topic', { topic: 'next' }) }),
    other,
  ])
  t.false(JSON.stringify(await rooms.timeline(roomId, { limit: 20 })).includes('secret'))
})

test('memberships are indexed in the batch of their event', async t => {
  const { rooms } = await open()
  const roomId = await publicRoom(rooms, '12', [state(ann, 'm.room.name', { name: 'Ops' })])
  t.is((await rooms.memberships(ben)).size, 0)
  await rooms.send({ roomId, ...member(ben, 'invite', ann) })
  const invited = (await rooms.memberships(ben)).get(roomId)!
  t.like(invited, { membership: 'invite', sender: ann, everJoined: false, forgotten: false })
  t.deepEqual(
    invited.strippedState!.map(({ type }) => type),
    ['m.room.create', 'm.room.name', 'm.room.join_rules', 'm.room.member', 'm.room.member'],
  )
  await rooms.send({ roomId, ...member(ben, 'join') })
  t.deepEqual([...(await rooms.sharesRoomWith(ann))], [ben])
  const refusal = await t.throwsAsync(rooms.forget(ben, roomId))
  t.is((refusal as RoomError).code, 'M_UNKNOWN')
  const left = await rooms.send({ roomId, ...member(ben, 'leave') })
  t.like((await rooms.memberships(ben)).get(roomId), {
    membership: 'leave',
    everJoined: true,
    joinedUntil: left.position,
  })
  await rooms.forget(ben, roomId)
  t.true((await rooms.memberships(ben)).get(roomId)!.forgotten)
  t.is((await rooms.sharesRoomWith(ann)).size, 0)
  await rooms.send({ roomId, ...member(ben, 'invite', ann) })
  t.like((await rooms.memberships(ben)).get(roomId), { forgotten: false, everJoined: true })
})

test('states of the past are what they were', async t => {
  const { rooms } = await open()
  const roomId = await publicRoom(rooms)
  const sent = []
  for (let i = 0; i < 50; i++) {
    sent.push(await rooms.send({ roomId, ...state(ann, `t.${i % 5}`, { i }) }))
    await rooms.send({ roomId, ...text(ann, `${i}`) })
  }
  for (const [i, { position }] of sent.entries()) {
    const after = await rooms.stateAt(roomId, position, 'after')
    const before = await rooms.stateAt(roomId, position, 'before')
    t.is((await after.get(`t.${i % 5}`))!.content['i'], i)
    t.is((await before.get(`t.${i % 5}`))?.content['i'], i < 5 ? undefined : i - 5)
    t.is(after.ids.size, 4 + Math.min(i + 1, 5))
    const asOf = await rooms.currentStateAsOf(roomId, (position + 1) as Position)
    t.deepEqual(asOf.ids, after.ids)
    t.is((await after.getAll()).length, after.ids.size)
  }
})

test('timelines read alike from memory and from the store, in both directions', async t => {
  const { rooms, store } = await open()
  const roomId = await publicRoom(rooms)
  for (let i = 0; i < 150; i++) await rooms.send({ roomId, ...text(ann, `${i}`) })
  const all = await (await opening(store)).timeline(roomId, { limit: 1000 })
  t.is(all.length, 154)
  const orders = all.map(({ order }) => order)
  for (const reader of [rooms, await opening(store)]) {
    for (const [after, before] of [
      [undefined, undefined],
      [3, undefined],
      [undefined, 120],
      [140, 150],
      [100, 101],
      [153, undefined],
      [5, 90],
    ]) {
      for (const reverse of [false, true]) {
        for (const limit of [1, 10, 200]) {
          const options = {
            limit,
            reverse,
            ...(after !== undefined && { after: orders[after]! }),
            ...(before !== undefined && { before: orders[before]! }),
          }
          const inRange = orders.slice((after ?? -1) + 1, before ?? 154)
          const expected = (reverse ? inRange.reverse() : inRange).slice(0, limit)
          const got = await reader.timeline(roomId, options)
          t.deepEqual(
            got.map(({ order }) => order),
            expected,
            JSON.stringify(options),
          )
        }
      }
    }
  }
})

test('an event is found by its time', async t => {
  const { rooms } = await open()
  const roomId = await publicRoom(rooms)
  const sent = []
  for (let i = 0; i < 30; i++) {
    sent.push(
      await rooms.send({ roomId, ...text(ann, `${i}`), originServerTs: 1_800_000_000_000 + i * 1000 }),
    )
  }
  const at = async (ms: number, direction: 'forwards' | 'backwards') =>
    (await rooms.eventNear(roomId, 1_800_000_000_000 + ms, direction))?.eventId
  t.is(await at(10_000, 'forwards'), sent[10]!.eventId)
  t.is(await at(10_001, 'forwards'), sent[11]!.eventId)
  t.is(await at(10_001, 'backwards'), sent[10]!.eventId)
  t.is(await at(29_001, 'forwards'), undefined)
  t.is(await rooms.eventNear(roomId, 5, 'backwards'), null)
})

test('a transaction id gives the same event after years', async t => {
  let now = 1_700_000_000_000
  const { rooms } = await open({ clock: () => now })
  const roomId = await publicRoom(rooms)
  const transaction = { userId: ann, deviceId: 'D', txnId: 't' }
  const first = await rooms.send({ roomId, ...text(ann, 'a') }, { transaction })
  now += 3 * 365 * 24 * 60 * 60_000
  t.deepEqual(await rooms.send({ roomId, ...text(ann, 'a') }, { transaction }), first)
})

test('gates refuse drafts, projections write in the same batch and see what earlier ones of the batch wrote', async t => {
  const counts = jsonTable<number>()('zq', 'test: messages counted', ['text'])
  const gate: Gate = {
    name: 'no shouting',
    judge: (draft, view) =>
      draft.content['body'] === 'HEY' && view.membership(draft.sender) === 'join'
        ? { kind: 'refuse', code: 'M_FORBIDDEN', reason: 'not so loud' }
        : { kind: 'allow' },
  }
  const projection: Projection = {
    name: 'counts',
    reads: event => [counts.key(event.roomId)],
    rows: (event, view, loaded, rows) => {
      t.true(event.position > 0)
      t.is(view.membership(ann), 'join')
      rows.put(counts.key(event.roomId), (loaded.get(counts.key(event.roomId)) ?? 0) + 1)
    },
  }
  const { rooms, store } = await open({ gates: [gate], projections: [projection], slow: true })
  const roomId = await publicRoom(rooms)
  await t.throwsAsync(rooms.send({ roomId, ...text(ann, 'HEY') }), { message: 'not so loud' })
  await Promise.all([rooms.send({ roomId, ...text(ann, 'a') }), rooms.send({ roomId, ...text(ann, 'b') })])
  t.is(await store.read(view => view.get(counts.key(roomId))), 6)
})
