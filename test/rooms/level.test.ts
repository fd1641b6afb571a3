/** Rooms over LevelDB: closed and opened again, damaged, and with more rooms than fit in memory. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { roomVersions } from '../../server/protocol/room-versions.ts'
import { eventContents, eventPositions, eventSkeletons } from '../../server/store/catalogue.ts'
import { openLevelStore } from '../../server/store/level-engine.ts'
import { everything } from './everything.ts'
import { checkSignatures, RemoteServer } from './remote-server.ts'
import { ann, ben, member, open, opening, publicRoom, state, text } from './room-fixture.ts'
import { scrubEvents } from './scrub-store.ts'

const folder = () => mkdtemp(join(tmpdir(), 'letro-rooms-'))

for (const version of roomVersions) {
  test(`a version ${version} room over LevelDB is the same after closing and opening`, async t => {
    const path = await folder()
    let store = await openLevelStore(path)
    let rooms = await opening(store, { checkSignatures })
    const roomId = await publicRoom(rooms, version, [
      state(ann, 'm.room.history_visibility', { history_visibility: 'joined' }),
    ])
    const remote = new RemoteServer(rooms, roomId, version)
    await remote.join()
    await rooms.send({ roomId, ...member(ben, 'join') })
    const said = await rooms.send({ roomId, ...text(ann, 'to be redacted') })
    await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        rooms.send(
          { roomId, ...(i % 3 === 0 ? state(ann, `t.${i % 5}`, { i }) : text(ann, `${i}`)) },
          { transaction: { userId: ann, deviceId: 'D', txnId: `${i}` } },
        ),
      ),
    )
    const fork = (await rooms.view(roomId))!.forwardExtremities
    await rooms.send({ roomId, ...state(ann, 'm.room.name', { name: 'here' }) })
    await remote.send(remote.message('fork', { prev: fork }))
    await rooms.send({ roomId, sender: ann, type: 'm.room.redaction', content: {}, redacts: said.eventId })
    await rooms.send({ roomId, ...member(ben, 'leave') })
    await rooms.send({ roomId, ...text(ann, 'after') })
    const before = await everything(rooms, roomId)
    await store.close()

    store = await openLevelStore(path)
    rooms = await opening(store, { checkSignatures })
    t.deepEqual(await everything(rooms, roomId), before)
    const again = await rooms.send(
      { roomId, ...text(ann, '1') },
      { transaction: { userId: ann, deviceId: 'D', txnId: '1' } },
    )
    t.is((await rooms.event(again.eventId))!.content['body'], '1')
    t.is((await rooms.view(roomId))!.lastPosition, before.last)
    await rooms.send({ roomId, ...text(ann, 'on') })
    t.true((await rooms.view(roomId))!.lastPosition > before.last)
    t.deepEqual(await scrubEvents(store), [])
    await store.close()
  })
}

test('rows that are not the event whose id they bear are found by the scrub, and never leave', async t => {
  const { rooms, store } = await open()
  const roomId = await publicRoom(rooms)
  const sent = []
  for (let i = 0; i < 5; i++) sent.push(await rooms.send({ roomId, ...text(ann, `body ${i}`) }))
  const [whole, skeleton, content, broken] = sent.map(({ position }) => position)
  const unindexed = sent[4]!.eventId
  await store.transact('damage', async tx => {
    const rows = await tx.getMany([eventSkeletons.key(skeleton!), eventContents.key(content!)])
    tx.put(eventSkeletons.key(skeleton!), rows[0]!.replace('"depth":', '"depth":1'))
    tx.put(eventContents.key(content!), rows[1]!.replace('body 2', 'body 9'))
    tx.put(eventContents.key(broken!), '{"c":')
    tx.put(eventPositions.key(unindexed), whole!)
  })
  const findings = await scrubEvents(store)
  t.deepEqual(findings.map(({ message }) => message).sort(), [
    'A stored event cannot be read.',
    'A stored event is not found by its id.',
    'A stored event is not what it was: its content is not what was hashed.',
    'A stored event is not what it was: its id is not the hash of what is stored.',
  ])
  t.truthy(await rooms.signed(sent[0]!.eventId))
  t.is(whole, sent[0]!.position)
  await t.throwsAsync(rooms.signed(sent[1]!.eventId), { message: /not what it was/ })
  await t.throwsAsync(rooms.signed(sent[2]!.eventId), { message: /not what it was/ })
})

test('purged content leaves the id and the signature good', async t => {
  const { rooms, store } = await open()
  const roomId = await publicRoom(rooms)
  const sent = await rooms.send({ roomId, ...text(ann, 'old') })
  await store.transact(roomId, tx => tx.delete(eventContents.key(sent.position)))
  const restarted = await opening(store)
  t.deepEqual((await restarted.event(sent.eventId))!.content, {})
  t.truthy((await restarted.signed(sent.eventId))!.signatures)
  t.deepEqual(await scrubEvents(store), [])
})

test('with more rooms than fit in memory, each still is one line', async t => {
  const { rooms } = await open({ slow: true, maxLoadedState: 200 })
  const ids = await Promise.all(Array.from({ length: 12 }, () => publicRoom(rooms)))
  const numbers = Array.from({ length: 10 }, (_, i) => i)
  await Promise.all(
    numbers
      .flatMap(i => ids.map(roomId => rooms.send({ roomId, ...text(ann, `${i}`) })))
      .concat(
        ids.map(async roomId =>
          rooms.send({ roomId, ...state(ann, 't', { roomId: (await rooms.view(roomId))!.roomId }) }),
        ),
      ),
  )
  for (const roomId of ids) {
    const timeline = await rooms.timeline(roomId, { limit: 100 })
    t.deepEqual(
      timeline.map(({ depth }) => depth),
      Array.from({ length: 15 }, (_, i) => i + 1),
    )
    t.is((await rooms.view(roomId))!.state('t')!.content['roomId'], roomId)
  }
})

test('a big fork in a room with a hundred members resolves in one go', async t => {
  const { rooms } = await open({ checkSignatures })
  const roomId = await publicRoom(rooms)
  const remote = new RemoteServer(rooms, roomId, '12')
  await remote.join()
  const base = (await rooms.view(roomId))!.forwardExtremities
  let prev = base
  for (let i = 0; i < 100; i++) {
    await rooms.send({ roomId, ...member(`@m${i}:here.test` as typeof ann, 'join') })
    const sender = `@z${i}:there.test` as typeof ann
    prev = [
      await remote.send({
        type: 'm.room.member',
        sender,
        stateKey: sender,
        content: { membership: 'join' },
        prev,
      }),
    ]
  }
  const view = (await rooms.view(roomId))!
  t.is(view.forwardExtremities.length, 2)
  t.is(view.memberCount('join'), 202)
  await rooms.send({ roomId, ...text(ann, 'joined') })
  t.is((await rooms.view(roomId))!.forwardExtremities.length, 1)
  t.is((await rooms.view(roomId))!.memberCount('join'), 202)
})
