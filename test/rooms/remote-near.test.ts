/** The event nearest to a moment, where some of the history is on other servers. */
import test from 'ava'
import type { EventId, RoomId, ServerName } from '../../server/protocol/ids.ts'
import { type Near, nearestOfAll } from '../../server/rooms/remote-near.ts'
import { RemoteError } from '../../server/rooms/remote-rooms.ts'
import type { RoomEvent, RoomView } from '../../server/rooms/rooms.ts'

const at = (originServerTs: number, name = 'x'): Near => ({ eventId: `$${name}` as EventId, originServerTs })

interface World {
  here?: Near
  gaps?: number
  visibility?: string
  frozen?: boolean
  servers?: Record<string, Near | Error>
  /** Servers that name an event and do not give it. */
  lost?: string[]
}

async function find(timestamp: number, forwards: boolean, world: World) {
  const asked: string[] = []
  const servers = world.servers ?? {}
  const view = {
    roomId: '!room' as RoomId,
    frozen: world.frozen ? {} : null,
    joinedServers: new Map(['hq.test', ...Object.keys(servers)].map((server, i) => [server, 100 - i])),
    state: () => world.visibility && { content: { history_visibility: world.visibility } },
  } as unknown as RoomView
  const found = await nearestOfAll(
    {
      rooms: {
        serverName: 'hq.test' as ServerName,
        backwardExtremities: async () =>
          new Map(Array.from({ length: world.gaps ?? 1 }, (_, i) => [`$gap${i}` as EventId, 1])),
        async fetchEvent(roomId, server) {
          const answer = servers[server]
          if (world.lost?.includes(server) || answer instanceof Error) return null
          return { ...answer, roomId } as unknown as RoomEvent
        },
      },
      remote: {
        async timestampToEvent(server) {
          asked.push(server)
          const answer = servers[server]!
          if (answer instanceof Error) throw answer
          return answer
        },
      },
    },
    view,
    timestamp,
    forwards,
    world.here,
  )
  return { found: found && at(found.originServerTs), asked }
}

const away = new RemoteError('unreachable', 'away')

test('what a peer has is taken where it is nearer, or where there is nothing here', async t => {
  t.deepEqual((await find(10, true, { here: at(50), servers: { a: at(20) } })).found, at(20))
  t.deepEqual((await find(10, true, { here: at(15), servers: { a: at(20) } })).found, at(15))
  t.deepEqual((await find(10, false, { servers: { a: at(5) } })).found, at(5))
})

test('servers are asked one after the other until one knows, at most three, never ourselves', async t => {
  const servers = { a: away, b: away, c: away, d: at(11) }
  t.deepEqual(await find(10, true, { servers }), { found: undefined, asked: ['a', 'b', 'c'] })
  const some = await find(10, true, { servers: { a: away, b: at(12), c: at(11) } })
  t.deepEqual(some, { found: at(12), asked: ['a', 'b'] })
})

test('an answer on the wrong side of the moment is none', async t => {
  t.deepEqual((await find(10, true, { here: at(50), servers: { a: at(9) } })).found, at(50))
  t.deepEqual((await find(10, false, { servers: { a: at(11), b: at(4) } })).found, at(4))
})

test('an event that is named and cannot be had is not told: the next server may have one', async t => {
  const servers = { a: at(11), b: at(12) }
  const world = { here: at(50), servers }
  t.deepEqual(await find(10, true, { ...world, lost: ['a'] }), { found: at(12), asked: ['a', 'b'] })
  t.deepEqual(await find(10, true, { ...world, lost: ['a', 'b'] }), { found: at(50), asked: ['a', 'b'] })
})

for (const [name, world] of [
  ['without gaps', { gaps: 0 }],
  ['with history for those who were there alone', { visibility: 'joined' }],
  ['that stands still', { frozen: true }],
  ['with an event of just that moment', { here: at(10) }],
] as [string, World][]) {
  test(`in a room ${name} nobody is asked`, async t => {
    t.deepEqual((await find(10, true, { ...world, servers: { a: at(10) } })).asked, [])
  })
}
