/**
 * Anything in any order: messages, state, people coming and going, redactions, forks, failing writes, rooms that
 * do not fit in memory. Whatever happened, memory and rows tell the same.
 */
import test from 'ava'
import type { EventId, RoomId, UserId } from '../../server/protocol/ids.ts'
import { roomVersions } from '../../server/protocol/room-versions.ts'
import { openGroupCommit } from '../../server/store/group-commit.ts'
import { everything } from './everything.ts'
import { FailingEngine } from './failing-engine.ts'
import { checkSignatures, RemoteServer } from './remote-server.ts'
import { ann, ben, cam, member, opening, publicRoom, state, text } from './room-fixture.ts'
import { scrubEvents } from './scrub-store.ts'

for (const seed of [1, 2, 3, 4]) {
  test(`anything in any order, ${seed}`, async t => {
    let random = seed
    const pick = (below: number): number => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0
      return Math.floor((random / 2 ** 32) * below)
    }
    const one = <T>(of: readonly T[]): T => of[pick(of.length)]!

    const engine = new FailingEngine({ slow: true, seed })
    const store = await openGroupCommit(engine, { retryMs: 1 })
    const rooms = await opening(store, { checkSignatures, maxLoadedState: seed % 2 ? 20 : 60_000 })
    const ids: RoomId[] = []
    const remotes = new Map<RoomId, RemoteServer>()
    const known = new Map<RoomId, EventId[]>()
    for (const version of roomVersions) {
      const roomId = await publicRoom(rooms, version)
      const remote = new RemoteServer(rooms, roomId, version)
      await remote.join()
      ids.push(roomId)
      remotes.set(roomId, remote)
      known.set(roomId, [...(await rooms.view(roomId))!.forwardExtremities])
    }

    const act = async (): Promise<void> => {
      const roomId = one(ids)
      const events = known.get(roomId)!
      const remember = ({ eventId }: { eventId: EventId }) => void events.push(eventId)
      const who = one<UserId>([ann, ann, ben, cam])
      switch (pick(10)) {
        case 0:
          return remember(await rooms.send({ roomId, ...state(ann, one(['t.a', 't.b']), { n: pick(1000) }) }))
        case 1:
        case 2:
          return remember(await rooms.send({ roomId, ...member(one([ben, cam]), one(['join', 'leave'])) }))
        case 3:
          return remember(await rooms.send({ roomId, ...member(ben, one(['join', 'leave'])) }))
        case 4:
          return void (await rooms.send({
            roomId,
            sender: ann,
            type: 'm.room.redaction',
            content: {},
            redacts: one(events),
          }))
        case 5:
        case 6: {
          // From another server, somewhere in the room's recent past.
          const prev = [...new Set([one(events.slice(-6)), one(events.slice(-6))])]
          const { pdu, eventId } = await remotes
            .get(roomId)!
            .make(remotes.get(roomId)!.message('z', { prev }))
          const received = await rooms.receive(roomId, pdu)
          if (received.kind === 'accepted') events.push(eventId)
          return
        }
        case 7:
          if (pick(6) === 0) engine.fails = one(['before', 'after'] as const)
          return
        default:
          return remember(await rooms.send({ roomId, ...text(who, `${pick(1e6)}`) }))
      }
    }

    for (let round = 0; round < 30; round++) {
      await Promise.allSettled(Array.from({ length: 1 + pick(6) }, act))
      if (pick(4) === 0) await everything(rooms, one(ids))
    }
    engine.fails = null
    for (const roomId of ids) {
      await rooms.send({ roomId, ...text(ann, 'the end') })
      const restarted = await opening(store, { checkSignatures })
      t.deepEqual(await everything(restarted, roomId), await everything(rooms, roomId))
      const current = await rooms.currentStateAsOf(roomId, (await rooms.view(roomId))!.lastPosition)
      const state = Array.from((await rooms.view(roomId))!.allState(), ({ eventId }) => eventId)
      t.deepEqual((await current.getAll()).map(({ eventId }) => eventId).sort(), state.sort())
      t.true((await rooms.timeline(roomId, { limit: 1000 })).length > 20)
    }
    t.deepEqual(await scrubEvents(store), [])
  })
}
