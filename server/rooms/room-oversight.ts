/**
 * Rooms as an administrator may see them: what a room is called, which servers are in it and with how many people, who has
 * power, whether it stands still. Never an event of its timeline, a topic, a picture, or the list of its members.
 *
 * A conversation is nobody's room: one without a name and with two people at most is counted and not shown, unless it stands
 * still. (The operator can find it in the data folder, as SECURITY.md says; the administration does not lay it out.)
 */
import type { RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import type { Frozen } from './inbound-rooms.ts'
import { hasPower } from './pass-power.ts'
import type { Rooms, RoomView } from './rooms.ts'

export interface OverseenRoom {
  readonly roomId: RoomId
  /** Null: it has none. */
  readonly name: string | null
  readonly isSpace: boolean
  readonly isEncrypted: boolean
  readonly version: string
  readonly joined: number
  readonly invited: number
  /** The servers in it, the one with most people first. */
  readonly servers: readonly { readonly server: ServerName; readonly joined: number }[]
  /** Who is in it and may say who may do what; a creator of version 12 has no number. */
  readonly powerful: readonly { readonly userId: UserId; readonly level: number | null }[]
  readonly power: PowerIs
  readonly frozen: Frozen | null
}

/** `here`: somebody of this server has power. `nobody`: not even elsewhere. */
export type PowerIs = 'here' | 'elsewhere' | 'nobody'

export interface RoomQuery {
  readonly text?: string | undefined
  readonly power?: PowerIs | undefined
  readonly frozen?: boolean | undefined
  readonly after?: string | undefined
  readonly limit: number
}

export interface OverseenRooms {
  readonly rooms: readonly OverseenRoom[]
  readonly more: boolean
  /** How many conversations there are, which are not shown. */
  readonly conversations: number
}

export interface RoomOversight {
  /** By name, those without one last. */
  list(query: RoomQuery): Promise<OverseenRooms>
  /** Null: not known, or a conversation. */
  get(roomId: RoomId): Promise<OverseenRoom | null>
}

/** A room with more powerful people than that has a different problem. */
const maxPowerful = 200

export function openRoomOversight({
  store,
  rooms,
}: {
  readonly store: Store
  readonly rooms: Pick<Rooms, 'roomIds' | 'view' | 'serverName' | 'onFrozen'>
}): RoomOversight {
  /** What was seen of each room, until it changes. */
  const seen = new Map<RoomId, Seen>()
  store.onReset(() => seen.clear())
  store.onDurable(({ topics }) => {
    for (const topic of topics) if (topic.startsWith('room:')) seen.delete(topic.slice(5) as RoomId)
  })
  rooms.onFrozen(roomId => void seen.delete(roomId))

  const look = async (roomId: RoomId): Promise<Seen> => {
    const known = seen.get(roomId)
    if (known !== undefined) return known
    const view = await rooms.view(roomId)
    const now = view ? seenOf(view, rooms.serverName) : 'gone'
    seen.set(roomId, now)
    return now
  }

  return {
    get: async roomId => {
      const room = await look(roomId)
      return typeof room === 'string' ? null : room
    },
    list: async query => {
      const all: OverseenRoom[] = []
      let conversations = 0
      for (const roomId of await rooms.roomIds()) {
        const room = await look(roomId)
        if (room === 'conversation') conversations++
        else if (room !== 'gone') all.push(room)
      }
      const found = all.filter(room => matches(room, query)).sort(byName)
      const from = query.after === undefined ? 0 : found.findIndex(({ roomId }) => roomId === query.after) + 1
      const page = found.slice(from, from + query.limit)
      return { rooms: page, more: from + page.length < found.length, conversations }
    },
  }
}

/** `gone`: nobody of ours is in it. */
type Seen = OverseenRoom | 'conversation' | 'gone'

function seenOf(view: RoomView, ourselves: ServerName): Seen {
  if (view.frozen === null && !view.joinedServers.has(ourselves)) return 'gone'
  return isConversation(view) ? 'conversation' : overseen(view, ourselves)
}

function isConversation(view: RoomView): boolean {
  return nameOf(view) === null && !isSpace(view) && view.frozen === null && sizeOf(view) <= 2
}

function sizeOf(view: RoomView): number {
  return view.memberCount('join') + view.memberCount('invite')
}

function overseen(view: RoomView, ourselves: ServerName): OverseenRoom {
  const powerful = [...view.members('join')]
    .filter(({ stateKey }) => hasPower(view, stateKey))
    .map(({ stateKey }) => ({ userId: stateKey, level: view.powerLevel(stateKey) }))
    .sort((a, b) => b.level - a.level || (a.userId < b.userId ? -1 : 1))
  const isHere = powerful.some(({ userId }) => userId.endsWith(`:${ourselves}`))
  return {
    roomId: view.roomId,
    name: nameOf(view),
    isSpace: isSpace(view),
    isEncrypted: view.state('m.room.encryption') !== undefined,
    version: view.version,
    joined: view.memberCount('join'),
    invited: view.memberCount('invite'),
    servers: [...view.joinedServers]
      .map(([server, joined]) => ({ server, joined }))
      .sort((a, b) => b.joined - a.joined || (a.server < b.server ? -1 : 1)),
    powerful: powerful.slice(0, maxPowerful).map(({ userId, level }) => ({
      userId,
      level: Number.isFinite(level) ? level : null,
    })),
    power: isHere ? 'here' : powerful.length > 0 ? 'elsewhere' : 'nobody',
    frozen: view.frozen,
  }
}

function nameOf(view: RoomView): string | null {
  const name = view.state('m.room.name')?.content['name']
  return typeof name === 'string' && name.trim() !== '' ? name : null
}

function isSpace(view: RoomView): boolean {
  return view.createEvent.content['type'] === 'm.space'
}

function matches(room: OverseenRoom, { text, power, frozen }: RoomQuery): boolean {
  if (power !== undefined && room.power !== power) return false
  if (frozen !== undefined && (room.frozen !== null) !== frozen) return false
  const words = text?.trim().toLowerCase() ?? ''
  return [room.roomId, room.name ?? ''].some(name => name.toLowerCase().includes(words))
}

function byName(a: OverseenRoom, b: OverseenRoom): number {
  if ((a.name === null) !== (b.name === null)) return a.name === null ? 1 : -1
  return (a.name ?? '').localeCompare(b.name ?? '') || (a.roomId < b.roomId ? -1 : 1)
}
