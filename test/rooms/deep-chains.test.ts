/**
 * Auth chains that no honest room has (CVE-2024-31208): 100,000 deep, and going round in a circle. No hash makes a circle,
 * but a damaged store, or a mistake of ours, may.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { eventIdOf } from '../../server/protocol/event-hash.ts'
import { withContentHash } from '../../server/protocol/event-signing.ts'
import type { EventId, RoomId, ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { roomVersion } from '../../server/protocol/room-versions.ts'
import { authChainOf, pathsBetween } from '../../server/rooms/auth-chain.ts'
import type { EventLookup, GraphEvent } from '../../server/rooms/graph-event.ts'
import { mainlineOrder, reverseTopologicalPowerOrder } from '../../server/rooms/state-ordering.ts'
import { openLevelStore } from '../../server/store/level-engine.ts'
import { sha256 } from '../support/primitives.ts'
import { person, say, sharedRoom } from './federated-room.ts'
import { World } from './two-servers.ts'

const rules = roomVersion('12')!
const depth = 100_000

/** Changes of one person's member event, each allowed by the one before; oldest first. */
function memberChain(roomId: RoomId, server: ServerName, first: EventId): JsonObject[] {
  const sender = `@bob:${server}` as UserId
  const chain: JsonObject[] = []
  let last = first
  for (let i = 0; i < depth; i++) {
    const pdu = withContentHash(
      {
        type: 'm.room.member',
        sender,
        state_key: sender,
        room_id: roomId,
        content: { membership: 'join', n: i },
        origin_server_ts: 1,
        depth: 10 + i,
        prev_events: [last],
        auth_events: [last],
        signatures: { [server]: { 'ed25519:1': 'unchecked' } },
      },
      sha256,
    )
    chain.push(pdu)
    last = eventIdOf(pdu, rules, sha256)
  }
  return chain
}

test('an auth chain 100,000 deep is taken without overflow, and what others send meanwhile goes through', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-deep-'))
  const store = await openLevelStore(folder)
  t.teardown(async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  const world = new World()
  // What a signature is worth is another test's subject, and most of its time.
  const a = await world.add('a.test', { store, checkSignatures: async () => true })
  const b = await world.add('bb.test')
  const c = await world.add('ccc.test')
  const [roomId, other] = [await sharedRoom(a, b), await sharedRoom(a, c)]
  const bobs = (await b.rooms.view(roomId))!.state('m.room.member', person('bob', b))!.eventId
  const chain = memberChain(roomId, b.name, bobs)
  const last = eventIdOf(chain.at(-1)!, rules, sha256)
  const [top] = memberChain(roomId, b.name, last)
  world.lies.set('event_auth', async () => chain.toReversed())
  world.lies.set('state_ids', async () => ({ stateIds: [], authChainIds: [] }))

  let isDone = false
  const deep = a.rooms.takeTransaction(b.name, [top!]).finally(() => {
    isDone = true
  })
  const honest = await c.rooms.send({ roomId: other, ...say(c, 'bob', 'honest') })
  const pdu = JSON.parse(JSON.stringify(await c.rooms.signed(honest.eventId)))
  t.deepEqual((await a.rooms.takeTransaction(c.name, [pdu])).get(honest.eventId), {})
  t.false(isDone, 'the honest one did not wait')
  const results = await deep
  t.is(results.size, 1)
  // And the room goes on.
  world.lies.clear()
  const after = await b.rooms.send({ roomId, ...say(b, 'bob', 'after') })
  await world.deliver(b, [after.eventId], [a])
  t.truthy(await a.rooms.event(after.eventId))
})

/** Three power levels events that each name the next as what allows it, and a message that stands on one of them. */
const circle: EventLookup = id => {
  const next: Record<string, string> = { a: 'b', b: 'c', c: 'a', message: 'b', create: '' }
  if (!Object.hasOwn(next, id)) return undefined
  const pdu = {
    type: id === 'message' ? 'm.room.message' : 'm.room.power_levels',
    sender: '@x:y',
    ...(id === 'message' ? {} : { state_key: '' }),
    content: {},
    origin_server_ts: 1,
    auth_events: next[id] === '' ? [] : [next[id]],
  }
  return { eventId: id, pdu, rejected: false } as unknown as GraphEvent
}

test('auth events that go round in a circle are walked once', t => {
  const ids = (...names: string[]) => names as EventId[]
  t.deepEqual([...authChainOf(ids('a'), circle)].sort(), ids('a', 'b', 'c'))
  t.true(pathsBetween(new Set(ids('a', 'c')), circle).size <= 3)
  const older = roomVersion('11')!
  t.true(reverseTopologicalPowerOrder(new Set(ids('a', 'b', 'c')), older, circle).length <= 3)
  // Both ways in: from the mainline itself, and from an event that never reaches it.
  t.deepEqual(mainlineOrder(ids('message'), 'a' as EventId, circle), ids('message'))
  t.deepEqual(mainlineOrder(ids('message', 'a'), undefined, circle), ids('a', 'message'))
})
