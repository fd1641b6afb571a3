/** What oversight makes of a room: whose power it is, what stands still, what is nobody's business. */
import test from 'ava'
import type { RoomId, ServerName, UserId } from '../../server/protocol/ids.ts'
import { openRoomOversight, type PowerIs } from '../../server/rooms/room-oversight.ts'
import type { RoomView } from '../../server/rooms/rooms.ts'

type Deps = Parameters<typeof openRoomOversight>[0]
const clinic = 'clinic.example' as ServerName

interface Room {
  readonly id: string
  readonly name?: string
  /** User id → level; 100 is power. */
  readonly members: Readonly<Record<string, number>>
  readonly frozenBy?: string
}

/** Rooms as a test says they are, and the ears of who watches them. */
function watched(rooms: Room[]) {
  const onDurable: ((batch: { topics: string[] }) => void)[] = []
  const viewOf = (room: Room): RoomView => {
    const ids = Object.keys(room.members)
    const servers = new Map<ServerName, number>()
    for (const id of ids) {
      const server = id.slice(id.indexOf(':') + 1) as ServerName
      servers.set(server, (servers.get(server) ?? 0) + 1)
    }
    return {
      roomId: room.id,
      version: '12',
      createEvent: { content: {} },
      joinedServers: servers,
      frozen: room.frozenBy
        ? { server: 'stranger.example', by: room.frozenBy, eventId: '$e', sinceTs: 7 }
        : null,
      state: (type: string) =>
        type === 'm.room.name' && room.name !== undefined ? { content: { name: room.name } } : undefined,
      members: () => ids.map(stateKey => ({ stateKey })),
      memberCount: (membership: string) => (membership === 'join' ? ids.length : 0),
      powerLevel: (id: UserId) => room.members[id],
      maySend: (id: UserId) => room.members[id]! >= 100,
    } as unknown as RoomView
  }
  const oversight = openRoomOversight({
    store: { onReset: () => {}, onDurable: (listener: never) => void onDurable.push(listener) },
    rooms: {
      serverName: clinic,
      roomIds: async () => rooms.map(({ id }) => id as RoomId),
      view: async (id: RoomId) => {
        const room = rooms.find(each => each.id === id)
        return room ? viewOf(room) : null
      },
      onFrozen: () => {},
    },
  } as unknown as Deps)
  const changed = (id: string) => {
    for (const listener of onDurable) listener({ topics: [`room:${id}`] })
  }
  return { oversight, changed }
}

const ours = '@a:clinic.example'
const theirs = '@b:court.example'

const cases: readonly (readonly [says: string, room: Room, power: PowerIs])[] = [
  ['here', { id: '!1', name: 'one', members: { [ours]: 100, [theirs]: 0 } }, 'here'],
  ['elsewhere', { id: '!1', name: 'one', members: { [ours]: 0, [theirs]: 100 } }, 'elsewhere'],
  ['nobody', { id: '!1', name: 'one', members: { [ours]: 0, [theirs]: 50 } }, 'nobody'],
]
for (const [says, room, power] of cases) {
  test(`power is ${says}`, async t => {
    const { oversight } = watched([room])
    t.is((await oversight.get('!1' as RoomId))?.power, power)
  })
}

test('a room that stands still is shown with its cause, even where it is a conversation', async t => {
  const { oversight } = watched([{ id: '!1', members: { [ours]: 100 }, frozenBy: theirs }])
  const { rooms, conversations } = await oversight.list({ frozen: true, limit: 10 })
  t.like(rooms[0], { frozen: { server: 'stranger.example' as ServerName, by: theirs as UserId } })
  t.is(conversations, 0)
})

test('a conversation is counted; a room that none of ours is in is not', async t => {
  const { oversight } = watched([
    { id: '!direct', members: { [ours]: 100, [theirs]: 100 } },
    { id: '!away', name: 'away', members: { [theirs]: 100 } },
  ])
  t.deepEqual(await oversight.list({ limit: 10 }), { rooms: [], more: false, conversations: 1 })
  t.is(await oversight.get('!direct' as RoomId), null)
})

test('people by organisation, the largest first', async t => {
  const members = { [theirs]: 100, [ours]: 0, '@c:clinic.example': 0 }
  const { oversight } = watched([{ id: '!1', name: 'one', members }])
  t.deepEqual((await oversight.get('!1' as RoomId))?.servers, [
    { server: clinic, joined: 2 },
    { server: 'court.example' as ServerName, joined: 1 },
  ])
})

test('what changed is looked at anew', async t => {
  const rooms: Room[] = [{ id: '!1', name: 'before', members: { [ours]: 100 } }]
  const { oversight, changed } = watched(rooms)
  t.is((await oversight.get('!1' as RoomId))?.name, 'before')
  rooms[0] = { ...rooms[0]!, name: 'after' }
  changed('!1')
  t.is((await oversight.get('!1' as RoomId))?.name, 'after')
})
