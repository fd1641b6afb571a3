/** Events of another server: accepted, soft-failed, rejected; forks, gaps, outliers and history. */
import test from 'ava'
import type { EventId, UserId } from '../../server/protocol/ids.ts'
import { type RoomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import { checkSignatures, RemoteServer, there, yan, zoe } from './remote-server.ts'
import { ann, ben, member, open, opening, publicRoom, state, text } from './room-fixture.ts'
import { scrubEvents } from './scrub-store.ts'

async function sharedRoom(version: RoomVersion = '12', slow = false) {
  const { rooms, store } = await open({ slow, checkSignatures })
  const roomId = await publicRoom(rooms, version)
  const remote = new RemoteServer(rooms, roomId, version)
  await remote.join()
  const reopened = () => opening(store, { checkSignatures })
  return { rooms, store, roomId, remote, reopened }
}

for (const version of roomVersions) {
  test(`version ${version}: what another server sends on the tip joins the line, and ours stands on it`, async t => {
    const { rooms, roomId, remote } = await sharedRoom(version, true)
    const theirs = await remote.send(remote.message('hello'))
    const ours = await rooms.send({ roomId, ...text(ann, 'hi') })
    const [sent] = await rooms.stored([ours.eventId])
    t.deepEqual(sent!.pdu.prev_events, [theirs])
    const timeline = await rooms.timeline(roomId, { limit: 2, reverse: true })
    t.deepEqual(
      timeline.map(({ content }) => content['body']),
      ['hi', 'hello'],
    )
    t.deepEqual([...(await rooms.view(roomId))!.joinedServers.keys()].sort(), ['here.test', there])
    t.truthy((await rooms.signed(theirs))!.signatures![there])
  })

  test(`version ${version}: a fork resolves, once both sides are here and once they are merged`, async t => {
    const { rooms, roomId, remote, reopened } = await sharedRoom(version)
    const levels = version === '12' ? {} : { [ann]: 100 }
    await rooms.send({ roomId, ...member(ben, 'join') })
    await rooms.send({
      roomId,
      ...state(ann, 'm.room.power_levels', { users: { ...levels, [ben]: 50, [zoe]: 50 } }),
    })
    const base = (await rooms.view(roomId))!.forwardExtremities
    // Here Ann takes the levels of Zoe; there Zoe sets a topic meanwhile, and a name before Ben does.
    const zoesTopic = await remote.make({
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: 'z' },
      prev: base,
    })
    const zoesName = await remote.make({
      type: 'm.room.name',
      stateKey: '',
      content: { name: 'z' },
      prev: [zoesTopic.eventId],
      depth: 20,
    })
    await rooms.send({
      roomId,
      ...state(ann, 'm.room.power_levels', { users: { ...levels, [ben]: 50 } }),
    })
    const bens = await rooms.send({ roomId, ...state(ben, 'm.room.name', { name: 'b' }) })

    // Zoe may no longer: soft-failed, but part of the graph.
    t.is((await rooms.receive(roomId, zoesTopic.pdu)).kind, 'soft-failed')
    t.is((await rooms.receive(roomId, zoesName.pdu)).kind, 'soft-failed')
    t.deepEqual((await rooms.view(roomId))!.forwardExtremities, [bens.eventId])
    t.is(await rooms.event(zoesTopic.eventId), null)

    // Somebody who may stands on both sides: now there is one state, in which Zoe’s events do not count.
    const merged = await remote.send(remote.message('both', { prev: [bens.eventId, zoesName.eventId] }))
    for (const reader of [rooms, await reopened()]) {
      const view = (await reader.view(roomId))!
      t.deepEqual(view.forwardExtremities, [merged])
      t.is(view.state('m.room.name')!.content['name'], 'b')
      t.is(view.state('m.room.topic'), undefined)
      t.is(view.powerLevel(zoe), 0)
    }
    const timeline = await rooms.timeline(roomId, { limit: 50 })
    t.false(timeline.some(({ eventId }) => eventId === zoesTopic.eventId || eventId === zoesName.eventId))
    t.true(timeline.some(({ eventId }) => eventId === merged))
  })

  test(`version ${version}: two forward extremities have one current state; the next event joins them`, async t => {
    const { rooms, roomId, remote, reopened } = await sharedRoom(version)
    const levels = version === '12' ? {} : { [ann]: 100 }
    await rooms.send({ roomId, ...state(ann, 'm.room.power_levels', { users: { ...levels, [zoe]: 50 } }) })
    const base = (await rooms.view(roomId))!.forwardExtremities
    const ours = await rooms.send({
      roomId,
      ...state(ann, 'm.room.name', { name: 'ours' }),
      originServerTs: 1000,
    })
    await rooms.send({ roomId, ...text(ann, 'on our side') })
    const theirs = await remote.send({
      type: 'm.room.name',
      stateKey: '',
      content: { name: 'theirs' },
      prev: base,
      ts: 2000,
    })
    await remote.send({ type: 'm.room.topic', stateKey: '', content: { topic: 'theirs' }, prev: [theirs] })
    for (const reader of [rooms, await reopened()]) {
      const view = (await reader.view(roomId))!
      t.is(view.forwardExtremities.length, 2)
      // Same power, same distance to the levels: the later one stands.
      t.is(view.state('m.room.name')!.content['name'], 'theirs')
      t.is(view.state('m.room.topic')!.content['topic'], 'theirs')
    }
    const joined = await rooms.send({ roomId, ...text(ann, 'together') })
    const [stored] = await rooms.stored([joined.eventId])
    t.is(stored!.pdu.prev_events.length, 2)
    t.is((await rooms.view(roomId))!.forwardExtremities.length, 1)
    // What each side saw is kept.
    const ourSide = await rooms.stateAt(roomId, ours.position, 'after')
    t.is((await ourSide.get('m.room.name'))!.content['name'], 'ours')
    const theirSide = await rooms.stateAt(roomId, (await rooms.event(theirs))!.position, 'before')
    t.is(await theirSide.get('m.room.name'), undefined)
  })
}

test('a wrong event is an outcome and leaves no trace', async t => {
  const { rooms, roomId, remote } = await sharedRoom()
  const before = (await rooms.view(roomId))!.lastPosition
  const { pdu } = await remote.make(remote.message('a'))
  const wrong = [
    null,
    'event',
    [],
    {},
    { ...pdu, type: 7 },
    { ...pdu, origin_server_ts: 0.5 },
    { ...pdu, depth: -1 },
    { ...pdu, prev_events: Array.from({ length: 21 }, () => pdu.prev_events[0]!) },
    { ...pdu, content: { body: 'x'.repeat(66_000) } },
    { ...pdu, room_id: `!${'a'.repeat(43)}` },
    { ...pdu, signatures: {} },
    { ...pdu, sender: ann },
    { ...pdu, origin_server_ts: 1 },
  ]
  for (const event of wrong) t.is((await rooms.receive(roomId, event)).kind, 'refused', JSON.stringify(event))
  t.is((await rooms.receive('!nowhere:there.test' as typeof roomId, pdu)).kind, 'refused')
  t.is((await rooms.view(roomId))!.lastPosition, before)
})

test('an event whose content is not what was hashed is kept redacted', async t => {
  const { rooms, store, roomId, remote } = await sharedRoom()
  const { pdu, eventId } = await remote.make(remote.message('true'))
  const received = await rooms.receive(roomId, { ...pdu, content: { body: 'forged' }, unsigned: { age: 1 } })
  t.like(received, { kind: 'accepted', eventId })
  t.deepEqual((await rooms.event(eventId))!.content, {})
  t.deepEqual(await scrubEvents(store), [])
})

test('what the auth rules refuse is rejected: kept, never shown, and nobody may build rights on it (CVE-2022-31152)', async t => {
  const { rooms, roomId, remote } = await sharedRoom()
  const forbidden = await remote.make({ type: 'm.room.name', stateKey: '', content: { name: 'mine' } })
  const received = await rooms.receive(roomId, forbidden.pdu)
  t.is(received.kind, 'rejected')
  t.is((await rooms.receive(roomId, forbidden.pdu)).kind, 'rejected')
  t.is(await rooms.event(forbidden.eventId), null)
  t.like((await rooms.stored([forbidden.eventId]))[0], { rejected: true })
  t.is((await rooms.view(roomId))!.state('m.room.name'), undefined)
  // It may be referred to all the same.
  const after = await remote.send(remote.message('after', { prev: [forbidden.eventId] }))
  t.is((await rooms.event(after))!.content['body'], 'after')

  // Yan was never let in by an event that counts.
  const levels = await remote.make({
    type: 'm.room.power_levels',
    stateKey: '',
    content: { users: { [zoe]: 100 } },
  })
  t.is((await rooms.receive(roomId, levels.pdu)).kind, 'rejected')
  const view = (await rooms.view(roomId))!
  const onRejected = await remote.make(
    remote.message('x', { auth: [levels.eventId, view.state('m.room.member', zoe)!.eventId] }),
  )
  const refused = await rooms.receive(roomId, onRejected.pdu)
  t.like(refused, { kind: 'rejected' })
})

test('who was banned meanwhile is soft-failed when they send from an older state', async t => {
  const { rooms, roomId, remote } = await sharedRoom()
  const base = (await rooms.view(roomId))!.forwardExtremities
  const late = await remote.make(remote.message('from before', { prev: base }))
  const ban = await rooms.send({ roomId, ...member(zoe, 'ban', ann) })
  t.is((await rooms.receive(roomId, late.pdu)).kind, 'soft-failed')
  t.is(await rooms.event(late.eventId), null)
  t.deepEqual((await rooms.view(roomId))!.forwardExtremities, [ban.eventId])
  const timeline = await rooms.timeline(roomId, { limit: 50 })
  t.is(timeline.at(-1)!.eventId, ban.eventId)
})

test('what is missing is told and nothing is written; with the state before it an event leaves a gap', async t => {
  const { rooms, roomId, remote } = await sharedRoom()
  const missing = await remote.make(remote.message('missing'))
  const newer = await remote.make(remote.message('newer', { prev: [missing.eventId], depth: 9 }))
  t.deepEqual(await rooms.receive(roomId, newer.pdu), {
    kind: 'incomplete',
    eventId: newer.eventId,
    missingPrevEvents: [missing.eventId],
    missingAuthEvents: [],
  })
  t.deepEqual(await rooms.stored([newer.eventId]), [null])
  const stateBefore = Array.from((await rooms.view(roomId))!.allState(), ({ eventId }) => eventId)
  t.is((await rooms.receive(roomId, newer.pdu, { stateBefore })).kind, 'accepted')
  t.deepEqual([...(await rooms.backwardExtremities(roomId))], [[missing.eventId, 9]])

  // The gap is closed by what was missing: it does not become a forward extremity.
  t.is((await rooms.receive(roomId, missing.pdu)).kind, 'accepted')
  t.is((await rooms.backwardExtremities(roomId)).size, 0)
  t.false((await rooms.view(roomId))!.forwardExtremities.includes(missing.eventId))
  t.true((await rooms.view(roomId))!.forwardExtremities.includes(newer.eventId))
})

test('missing auth events are told; as outliers they suffice, and later they can come into the graph', async t => {
  const { rooms, store, roomId, remote, reopened } = await sharedRoom()
  const join = await remote.make({
    type: 'm.room.member',
    sender: yan,
    stateKey: yan,
    content: { membership: 'join' },
  })
  const view = (await rooms.view(roomId))!
  const auth = [view.state('m.room.power_levels')!.eventId, join.eventId]
  const said = await remote.make(remote.message('yan', { sender: yan, prev: [join.eventId], auth, depth: 9 }))
  t.like(await rooms.receive(roomId, said.pdu), {
    kind: 'incomplete',
    missingPrevEvents: [join.eventId],
    missingAuthEvents: [join.eventId],
  })
  t.is((await rooms.receive(roomId, join.pdu, { outlier: true })).kind, 'outlier')
  t.is(await rooms.event(join.eventId), null)
  t.is((await rooms.view(roomId))!.membership(yan), undefined)
  // An outlier has no place in the graph: as a previous event it is still missing.
  t.like(await rooms.receive(roomId, said.pdu), { missingPrevEvents: [join.eventId], missingAuthEvents: [] })

  t.is((await rooms.receive(roomId, join.pdu)).kind, 'accepted')
  t.is((await rooms.receive(roomId, said.pdu)).kind, 'accepted')
  for (const reader of [rooms, await reopened()]) {
    t.is((await reader.view(roomId))!.membership(yan), 'join')
    t.is((await reader.memberships(yan as UserId)).get(roomId)!.membership, 'join')
    const timeline = await reader.timeline(roomId, { limit: 2, reverse: true })
    t.deepEqual(
      timeline.map(({ eventId }) => eventId),
      [said.eventId, join.eventId],
    )
  }
  t.deepEqual(await scrubEvents(store), [])
})

test('history that is fetched goes below the timeline and changes nothing of today', async t => {
  const { rooms, roomId, remote, reopened } = await sharedRoom()
  const base = (await rooms.view(roomId))!.forwardExtremities
  const first = await remote.make(remote.message('1', { prev: base, depth: 7 }))
  const second = await remote.make(remote.message('2', { prev: [first.eventId], depth: 8 }))
  const third = await remote.make(remote.message('3', { prev: [second.eventId], depth: 9 }))
  const newest = await remote.make(remote.message('newest', { prev: [third.eventId], depth: 10 }))
  const stateBefore = Array.from((await rooms.view(roomId))!.allState(), ({ eventId }) => eventId)
  await rooms.receive(roomId, newest.pdu, { stateBefore })
  const today = (await rooms.view(roomId))!.forwardExtremities
  const received = await rooms.backfill(roomId, [second.pdu, third.pdu], stateBefore)
  t.deepEqual(
    received.map(({ kind }) => kind),
    ['accepted', 'accepted'],
  )
  t.deepEqual([...(await rooms.backwardExtremities(roomId)).keys()], [first.eventId])
  await rooms.backfill(roomId, [first.pdu])
  t.is((await rooms.backwardExtremities(roomId)).size, 0)
  for (const reader of [rooms, await reopened()]) {
    t.deepEqual((await reader.view(roomId))!.forwardExtremities, today)
    const timeline = await reader.timeline(roomId, { limit: 4 })
    t.deepEqual(
      timeline.map(({ content, order }) => [content['body'], order < 0]),
      [
        ['1', true],
        ['2', true],
        ['3', true],
        [undefined, false],
      ],
    )
    t.deepEqual(await reader.visible(ann, timeline), [true, true, true, true])
    const back = await reader.timeline(roomId, { limit: 3, reverse: true, before: timeline[3]!.order })
    t.deepEqual(
      back.map(({ content }) => content['body']),
      ['3', '2', '1'],
    )
  }
})

for (const version of roomVersions) {
  test(`version ${version}: a redaction that comes before its target takes effect when that comes`, async t => {
    const { rooms, roomId, remote, reopened } = await sharedRoom(version)
    const base = (await rooms.view(roomId))!.forwardExtremities
    const said = await remote.make(remote.message('secret', { prev: base }))
    const { eventId: redacts } = said
    const redaction = await remote.make({
      type: 'm.room.redaction',
      ...(version === '10' ? { content: {}, redacts } : { content: { redacts } }),
      prev: base,
    })
    t.is((await rooms.receive(roomId, redaction.pdu)).kind, 'accepted')
    const again = await remote.make({
      type: 'm.room.redaction',
      ...(version === '10' ? { content: {}, redacts } : { content: { redacts } }),
      prev: [redaction.eventId],
    })
    await rooms.receive(roomId, again.pdu)
    t.is(await rooms.event(redaction.eventId), null)
    const before = await rooms.timeline(roomId, { limit: 50 })
    t.false(before.some(({ eventId }) => eventId === redaction.eventId))
    t.is((await rooms.receive(roomId, said.pdu)).kind, 'accepted')
    for (const reader of [rooms, await reopened()]) {
      // Each is shown where it came; the first is the one that is told.
      t.deepEqual(
        (await reader.timeline(roomId, { limit: 4, reverse: true })).map(({ eventId }) => eventId),
        [said.eventId, again.eventId, redaction.eventId, before.at(-1)!.eventId],
      )
      t.is((await reader.event(redaction.eventId))?.redacts, redacts)
      const event = (await reader.event(said.eventId))!
      t.deepEqual(event.content, {})
      t.is(event.redactedBecause?.eventId, redaction.eventId)
      t.false(JSON.stringify(await reader.timeline(roomId, { limit: 50 })).includes('secret'))
    }
  })
}

test('a redaction by a server that may not has no effect and is not shown', async t => {
  const { rooms, roomId, remote } = await sharedRoom()
  const said = await rooms.send({ roomId, ...text(ann, 'stays') })
  const redaction = await remote.make({ type: 'm.room.redaction', content: { redacts: said.eventId } })
  t.is((await rooms.receive(roomId, redaction.pdu)).kind, 'accepted')
  t.is(await rooms.event(redaction.eventId), null)
  t.is((await rooms.event(said.eventId))!.content['body'], 'stays')
})

test('visibility in a room with forks goes by the state at each event', async t => {
  const { rooms, roomId, remote } = await sharedRoom()
  await rooms.send({ roomId, ...member(ben, 'join') })
  const base = (await rooms.view(roomId))!.forwardExtremities
  await rooms.send({ roomId, ...member(ben, 'leave') })
  const ours = await rooms.send({ roomId, ...text(ann, 'after Ben left') })
  // Sent where Ben still was: he may see it, though it came later.
  const theirs = await remote.send(remote.message('while Ben was there', { prev: base }))
  const events = (await rooms.events([ours.eventId, theirs])).filter(event => event !== null)
  t.deepEqual(await rooms.visible(ben, events), [false, true])
})

test('the auth chain of an event is what authorises it, all the way down', async t => {
  const { rooms, roomId, remote } = await sharedRoom('11')
  const said = await remote.send(remote.message('x'))
  const view = (await rooms.view(roomId))!
  const chain = await rooms.authChain([said])
  t.deepEqual(
    [...chain].sort(),
    ['m.room.create', 'm.room.power_levels', 'm.room.join_rules']
      .map(type => view.state(type)!.eventId)
      .concat([view.state('m.room.member', zoe)!.eventId, view.state('m.room.member', ann)!.eventId])
      .sort(),
  )
  t.is((await rooms.authChain([`$${'b'.repeat(43)}` as EventId])).size, 0)
})
