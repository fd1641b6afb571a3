/**
 * Clients that only know what sync told them, beside what the rooms say: whatever happens in between, and
 * however much of it a response leaves out, both must agree in the end.
 */
import test from 'ava'
import type { RoomId, UserId } from '../../server/protocol/ids.ts'
import { RoomError } from '../../server/rooms/rooms.ts'
import {
  ann,
  ben,
  cam,
  type Device,
  member,
  openWorld,
  type RoomDraft,
  state,
  text,
  type World,
} from './world.ts'

/** Reproducible randomness (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let a = seed
  return below => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

type ClientEvent = { event_id: string; type: string; state_key?: string }

interface KnownRoom {
  joined: boolean
  readonly state: Map<string, string>
  /** Events since the last gap. */
  timeline: string[]
}

/** What a client that follows the specification believes. */
class Client {
  readonly rooms = new Map<string, KnownRoom>()
  readonly invites = new Set<string>()
  readonly userId: UserId
  readonly #device: Device
  readonly #stateAfter: boolean

  constructor(world: World, userId: UserId, stateAfter: boolean) {
    this.userId = userId
    this.#device = world.device(userId, stateAfter ? 'AFTER' : 'BEFORE')
    this.#stateAfter = stateAfter
  }

  async sync(limit: number, timeoutMs = 0): Promise<void> {
    const filter = { room: { timeline: { limit } } }
    const { rooms = {} }: { rooms?: Record<string, Record<string, unknown>> } = await this.#device.sync({
      filter,
      stateAfter: this.#stateAfter,
      timeoutMs,
    })
    for (const [roomId, room] of Object.entries(rooms.join ?? {})) this.#take(roomId, room, true)
    for (const [roomId, room] of Object.entries(rooms.leave ?? {})) this.#take(roomId, room, false)
    for (const roomId of Object.keys(rooms.invite ?? {})) {
      this.invites.add(roomId)
      // Out and invited again between two syncs: the invite says that the room was left.
      const known = this.rooms.get(roomId)
      if (known) known.joined = false
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: a response as it came
  #take(roomId: string, room: any, joined: boolean): void {
    this.invites.delete(roomId)
    const known: KnownRoom = this.rooms.get(roomId) ?? { joined, state: new Map(), timeline: [] }
    this.rooms.set(roomId, known)
    known.joined = joined
    if (room.timeline.limited) known.timeline = []
    for (const event of room.timeline.events) {
      const at = known.timeline.indexOf(event.event_id)
      if (at < 0) known.timeline.push(event.event_id)
    }
    const told: ClientEvent[] = this.#stateAfter
      ? room.state_after.events
      : [...room.state.events, ...room.timeline.events]
    for (const event of told)
      if (event.state_key !== undefined) known.state.set(`${event.type}|${event.state_key}`, event.event_id)
  }
}

async function agree(t: import('ava').ExecutionContext, world: World, client: Client): Promise<void> {
  const memberships = await world.rooms.memberships(client.userId)
  for (const { roomId, membership } of memberships.values()) {
    const known = client.rooms.get(roomId)
    t.is(client.invites.has(roomId), membership === 'invite', `${client.userId} invited to ${roomId}`)
    t.is(known?.joined ?? false, membership === 'join', `${client.userId} in ${roomId}`)
    if (membership !== 'join') continue
    const view = (await world.rooms.view(roomId))!
    const state = Object.fromEntries(
      [...view.allState()].map(each => [`${each.type}|${each.stateKey}`, each.eventId]),
    )
    t.deepEqual(
      Object.fromEntries([...known!.state].sort()),
      Object.fromEntries(Object.entries(state).sort()),
    )
    const newest = await world.rooms.timeline(roomId, { reverse: true, limit: known!.timeline.length })
    const visible = await world.rooms.visible(client.userId, newest)
    const shown = newest
      .filter((_, i) => visible[i])
      .map(each => each.eventId)
      .reverse()
    t.deepEqual(known!.timeline.slice(-shown.length), shown)
  }
}

/** Counted anew from everything that happened: what others wrote above the receipt, one's own writing and one's coming. */
async function countAnew(world: World, userId: UserId, roomId: RoomId): Promise<number> {
  const mark = (await world.receipts.marks(roomId, userId)).room
  let count = 0
  for (const event of await world.rooms.timeline(roomId, { limit: 100_000 })) {
    const isOwnMember = event.type === 'm.room.member' && event.stateKey === userId
    const comes =
      isOwnMember &&
      event.content['membership'] === 'join' &&
      event.replacesState?.content['membership'] !== 'join'
    if (comes || (event.sender === userId && !isOwnMember)) count = 0
    else if (event.type === 'm.room.message' && event.sender !== userId && event.position > mark) count++
  }
  return count
}

async function countsAgree(t: import('ava').ExecutionContext, world: World, userId: UserId): Promise<void> {
  for (const { roomId, membership } of (await world.rooms.memberships(userId)).values()) {
    if (membership !== 'join') continue
    const view = (await world.rooms.view(roomId))!
    const { room } = await world.push.counts(userId, view, world.store.durablePosition)
    t.is(room.notifications, await countAnew(world, userId, roomId), `unread of ${userId} in ${roomId}`)
  }
}

async function readSomething(world: World, roomId: RoomId, random: (below: number) => number): Promise<void> {
  const userId = [ann, ben, cam][random(3)]!
  const newest = await world.rooms.timeline(roomId, { reverse: true, limit: 8 })
  const event = newest[random(newest.length)]!
  const type = (['m.read', 'm.read.private'] as const)[random(2)]!
  if ((await world.rooms.memberships(userId)).get(roomId)?.membership === 'join')
    await world.receipts.set(roomId, userId, [{ type, event }])
}

function someDraft(random: (below: number) => number, n: number): RoomDraft {
  const who = [ann, ben, cam][random(3)]!
  const whom = [ann, ben, cam][random(3)]!
  const drafts: (() => RoomDraft)[] = [
    () => text(who, `message ${n}`),
    () => text(who, `message ${n}`),
    () => text(who, `message ${n}`),
    () => state(who, 'm.room.name', { name: `name ${n}` }),
    () => ({ ...state(who, 'org.example.state', { n }), stateKey: `${random(4)}` }),
    () => member(who, 'join', who, { displayname: `name ${random(3)}` }),
    () => member(who, 'join'),
    () => member(who, 'leave'),
    () => member(whom, 'invite', who),
    () => member(whom, 'leave', who),
    () => member(whom, 'ban', ann),
    () => member(whom, 'leave', ann),
    () =>
      state(ann, 'm.room.history_visibility', {
        history_visibility: ['joined', 'shared', 'invited'][random(3)]!,
      }),
  ]
  return drafts[random(drafts.length)]!()
}

async function act(world: World, roomId: RoomId, draft: RoomDraft): Promise<void> {
  // Ann stays, so that the room stays alive.
  if (draft.stateKey === ann && draft.content['membership'] !== 'join') return
  try {
    await world.send(roomId, draft)
  } catch (error) {
    if (!(error instanceof RoomError)) throw error
  }
}

const openDoors = state(ann, 'm.room.power_levels', {
  state_default: 0,
  events_default: 0,
  invite: 0,
  events: { 'm.room.history_visibility': 100 },
  users: {},
})

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`clients that sync now and then know what the rooms know (seed ${seed})`, async t => {
    const world = await openWorld({ slow: seed === 6 })
    const random = randomOf(seed)
    const rooms = [await world.room([openDoors]), await world.room([openDoors])]
    const clients = [ann, ben, cam].flatMap(each => [
      new Client(world, each, false),
      new Client(world, each, true),
    ])
    for (let n = 0; n < (seed === 6 ? 60 : 250); n++) {
      await act(world, rooms[random(2)]!, someDraft(random, n))
      if (random(5) === 0) await readSomething(world, rooms[random(2)]!, random)
      const client = clients[random(clients.length * 2)]
      if (!client) continue
      await client.sync(1 + random(8))
      await agree(t, world, client)
      await countsAgree(t, world, client.userId)
    }
    world.close()
  })
}

for (const slow of [false, true]) {
  test(`clients that wait while things happen miss nothing${slow ? ' (slow store)' : ''}`, async t => {
    const world = await openWorld({ slow })
    const random = randomOf(99)
    const rooms = [await world.room([openDoors]), await world.room([openDoors])]
    const clients = [ann, ben, cam].flatMap(each => [
      new Client(world, each, false),
      new Client(world, each, true),
    ])
    let isOver = false
    const polling = clients.map(async (client, i) => {
      while (!isOver) await client.sync(1 + (i % 4) * 3, 50)
    })
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let n = 0; n < (slow ? 25 : 100); n++)
        await act(world, rooms[random(2)]!, someDraft(random, writer * 1000 + n))
    })
    await Promise.all(writers)
    isOver = true
    await Promise.all(polling)
    for (const client of clients) {
      await client.sync(5)
      await agree(t, world, client)
    }
    world.close()
  })
}
