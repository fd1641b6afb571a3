/**
 * The published room directory of this server.
 *
 * Spec: client-server-api#published-room-directory. Largest first, then by room id: a stable order, so a token is
 * the room that the last page ended with.
 */
import type { RoomId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { publishedRooms } from '../store/catalogue.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { Actor } from './people.ts'
import { publishedSummary } from './room-summary.ts'
import { RoomError, type Rooms } from './rooms.ts'

export interface DirectoryQuery {
  readonly limit: number
  readonly since?: string
  readonly searchTerm?: string
  /** null stands for rooms without a type. */
  readonly roomTypes?: readonly (string | null)[]
  /** Rooms that are published, and still not for whoever asks. */
  readonly isShown?: (roomId: RoomId) => Promise<boolean>
}

export interface PublicRooms {
  isPublished(roomId: RoomId): Promise<boolean>
  publish(actor: Actor, roomId: RoomId, published: boolean): Promise<void>
  /** The spec's response. */
  list(query: DirectoryQuery): Promise<JsonObject>
  /** In the room's own transaction (a new room, an upgrade). */
  write(tx: Transaction, roomId: RoomId, actor: Actor, published: boolean): void
}

export interface PublicRoomsDeps {
  readonly store: Store
  readonly rooms: Rooms
  readonly clock: () => number
}

export function openPublicRooms({ store, rooms, clock }: PublicRoomsDeps): PublicRooms {
  const summaries = cacheSummaries(store, rooms)
  return { isPublished, publish, list, write }

  async function isPublished(roomId: RoomId): Promise<boolean> {
    if (!(await rooms.view(roomId))) throw unknownRoom()
    return (await store.read(view => view.get(publishedRooms.key(roomId)))) !== undefined
  }

  async function publish(actor: Actor, roomId: RoomId, published: boolean): Promise<void> {
    const view = await rooms.view(roomId)
    if (!view) throw unknownRoom()
    // The room's main alias and its place in the directory are the same kind of decision.
    const may =
      actor.kind === 'administrator' ||
      (view.membership(actor.userId) === 'join' && view.maySend(actor.userId, 'm.room.canonical_alias', true))
    if (!may) {
      throw new RoomError(
        'M_FORBIDDEN',
        'roomId: only who may change the room’s main alias or an administrator may change its visibility.',
      )
    }
    await store.transact(`directory ${roomId}`, tx => write(tx, roomId, actor, published))
  }

  function write(tx: Transaction, roomId: RoomId, actor: Actor, published: boolean): void {
    if (published) tx.put(publishedRooms.key(roomId), { by: actor.userId, ts: clock() })
    else tx.delete(publishedRooms.key(roomId))
  }

  async function list(query: DirectoryQuery): Promise<JsonObject> {
    const rows = await store.read(view => view.range(publishedRooms.under()))
    const published = rows.map(({ parts }) => parts[0] as RoomId)
    const found = await Promise.all(
      published.map(async roomId => {
        const isShown = query.isShown === undefined || (await query.isShown(roomId))
        return isShown ? summaries(roomId) : null
      }),
    )
    const entries = found
      .filter(entry => entry !== null)
      .filter(entry => matches(entry, query))
      .map(entry => ({ entry, place: placeOf(entry) }))
      .sort((a, b) => compare(a.place, b.place))
    const { first, last } = pageOf(
      entries.map(({ place }) => place),
      query,
    )
    return {
      chunk: entries.slice(first, last).map(({ entry }) => entry),
      total_room_count_estimate: entries.length,
      ...(last < entries.length && last > 0 ? { next_batch: token('n', entries[last - 1]!.place) } : {}),
      ...(first > 0 && first < entries.length ? { prev_batch: token('p', entries[first]!.place) } : {}),
    }
  }
}

/** What the directory says of a room, kept until something happens in it: a search looks at every published room. */
function cacheSummaries(
  store: Pick<Store, 'onDurable' | 'onReset'>,
  rooms: Pick<Rooms, 'view'>,
): (roomId: RoomId) => Promise<JsonObject | null> {
  const cached = new Map<string, JsonObject>()
  let commits = 0
  store.onDurable(({ topics }) => {
    commits++
    if (cached.size === 0) return
    for (const topic of topics) if (topic.startsWith('room:')) cached.delete(topic.slice(5))
  })
  store.onReset(() => cached.clear())
  return async roomId => {
    const known = cached.get(roomId)
    if (known) return known
    const before = commits
    const view = await rooms.view(roomId)
    if (!view) return null
    const summary = publishedSummary(view)
    // With a commit in between this may be the room of before: right to answer with, wrong to keep.
    if (commits === before) cached.set(roomId, summary)
    return summary
  }
}

/** Where a room stands in the directory. */
interface Place {
  readonly members: number
  readonly roomId: string
}

function placeOf(entry: JsonObject): Place {
  return { members: entry['num_joined_members'] as number, roomId: entry['room_id'] as string }
}

function compare(a: Place, b: Place): number {
  return b.members - a.members || (a.roomId < b.roomId ? -1 : a.roomId > b.roomId ? 1 : 0)
}

function matches(entry: JsonObject, { searchTerm, roomTypes }: DirectoryQuery): boolean {
  if (roomTypes && !roomTypes.includes((entry['room_type'] as string | undefined) ?? null)) return false
  if (searchTerm === undefined || searchTerm === '') return true
  const wanted = searchTerm.toLowerCase()
  return ['name', 'topic', 'canonical_alias'].some(field =>
    (entry[field] as string | undefined)?.toLowerCase().includes(wanted),
  )
}

/** The rooms after (`n`) or before (`p`) a place. A room that went away meanwhile leaves its place. */
function pageOf(places: readonly Place[], { since, limit }: DirectoryQuery): { first: number; last: number } {
  if (since === undefined) return { first: 0, last: Math.min(limit, places.length) }
  const { direction, place } = readToken(since)
  if (direction === 'n') {
    const first = places.filter(other => compare(other, place) <= 0).length
    return { first, last: Math.min(first + limit, places.length) }
  }
  const last = places.filter(other => compare(other, place) < 0).length
  return { first: Math.max(0, last - limit), last }
}

function token(direction: 'n' | 'p', { members, roomId }: Place): string {
  return `${direction}${members}~${roomId}`
}

function readToken(text: string): { direction: 'n' | 'p'; place: Place } {
  const match = /^([np])([0-9]{1,15})~(!.{1,254})$/s.exec(text)
  if (!match) throw new RoomError('M_INVALID_PARAM', 'since: this is no token of this endpoint.')
  return { direction: match[1] as 'n' | 'p', place: { members: Number(match[2]), roomId: match[3]! } }
}

function unknownRoom(): RoomError {
  return new RoomError('M_NOT_FOUND', 'roomId: there is no such room here.')
}
