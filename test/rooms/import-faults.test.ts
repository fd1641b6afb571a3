/**
 * A room that comes here by a join, and each write on the way failing in turn, with its rows there afterwards or not: the
 * room is here whole or not at all, and joining again brings it.
 */
import test from 'ava'
import type { RoomId } from '../../server/protocol/ids.ts'
import { openRooms } from '../../server/rooms/open-rooms.ts'
import { openGroupCommit } from '../../server/store/group-commit.ts'
import { StoreError } from '../../server/store/store.ts'
import { FailingEngine } from './failing-engine.ts'
import { openRoom, person } from './federated-room.ts'
import { type FederatedRooms, World } from './two-servers.ts'

/** More than two batches of events. */
const settings = 600

async function stateOf(rooms: FederatedRooms, roomId: RoomId): Promise<string[] | null> {
  const view = await rooms.view(roomId)
  return view && Array.from(view.allState(), ({ eventId }) => eventId).sort()
}

for (const fails of ['before', 'after'] as const) {
  test(`a join whose writes fail ${fails} their rows are there leaves the room whole or not at all`, async t => {
    const world = new World()
    const a = await world.add('a.test')
    const engine = new FailingEngine()
    const b = await world.add('bb.test', {
      store: await openGroupCommit(engine, { retryMs: 1 }),
      // What a signature is worth is another test's subject, and most of its time.
      checkSignatures: async () => true,
    })
    const restarted = () =>
      openRooms({
        store: b.store,
        serverName: b.name,
        clock: world.clock,
        randomBytes: size => new Uint8Array(size),
        signer: { keyId: 'ed25519:1' as never, sign: (_keyId, bytes) => world.keyOf(b.name).sign(bytes) },
      })
    const ann = person('ann', a)
    const bob = person('bob', b)
    const members = Array.from({ length: settings }, (_, i) => ({
      sender: ann,
      type: 'org.example.setting',
      stateKey: `${i}`,
      content: { i },
    }))
    let outcomes = ''
    for (let spared = 0; ; spared++) {
      const roomId = await openRoom(a, '12', members)
      Object.assign(engine, { fails, spared })
      const error = await b.rooms.outward.join(bob, roomId, [a.name], {}).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      const hasFailed = engine.fails === null
      engine.fails = null
      for (const rooms of [b.rooms, await restarted()]) {
        const here = await stateOf(rooms, roomId)
        if (here) t.deepEqual(here, await stateOf(a.rooms, roomId))
        t.is((await rooms.memberships(bob)).get(roomId)?.membership, here ? 'join' : undefined)
      }
      outcomes += (await b.rooms.view(roomId)) ? 'whole ' : 'none '
      if (!hasFailed) {
        t.is(error, null)
        break
      }
      t.true(error === null || error instanceof StoreError, String(error))
      await b.rooms.outward.join(bob, roomId, [a.name], {})
      t.deepEqual(await stateOf(b.rooms, roomId), await stateOf(a.rooms, roomId))
      t.is((await b.rooms.view(roomId))!.membership(bob), 'join')
      t.deepEqual(await stateOf(await restarted(), roomId), await stateOf(a.rooms, roomId))
    }
    // Three batches of events, then the room: only the last one's rows bring it.
    t.is(outcomes, fails === 'before' ? 'none none none none whole ' : 'none none none whole whole ')
  })
}
