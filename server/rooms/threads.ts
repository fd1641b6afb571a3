/**
 * The threads of a room, the one with the latest reply first.
 *
 * Spec: client-server-api#querying-threads-in-a-room. The index is kept by `relationsProjection`.
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import { redact } from '../protocol/redaction.ts'
import { type RoomRules, roomVersion } from '../protocol/room-versions.ts'
import { relationChildren, threadsByLatest } from '../store/catalogue.ts'
import type { Entry, Store } from '../store/store.ts'
import { relationOf } from './relation.ts'
import type { RoomEvent, Rooms } from './rooms.ts'

export interface ThreadsQuery {
  /** Only threads whose root or one of whose replies the user sent. */
  readonly participated: boolean
  readonly from?: number
  readonly limit: number
}

export interface ThreadsPage {
  readonly roots: readonly RoomEvent[]
  readonly end?: number
}

type ThreadEntry = Entry<[string, number], { readonly root: string }>

/** Index rows looked at for one request. */
const maxScanned = 1_000
/** Replies looked at to find one's own. */
const maxReplies = 2_000

export interface ThreadsDeps {
  readonly store: Pick<Store, 'read'>
  readonly rooms: Pick<Rooms, 'events' | 'view' | 'visible'>
  ignoredUsers(userId: UserId): Promise<ReadonlySet<string>>
}

export async function listThreads(
  deps: ThreadsDeps,
  userId: UserId,
  roomId: RoomId,
  query: ThreadsQuery,
): Promise<ThreadsPage> {
  const { store, rooms } = deps
  const view = await rooms.view(roomId)
  const rules = view && roomVersion(view.version)
  if (!rules) return { roots: [] }
  const ignored = await deps.ignoredUsers(userId)
  const roots: RoomEvent[] = []
  const size = query.limit + 1
  let from = query.from
  let end = from
  for (let scanned = 0; scanned < maxScanned; scanned += size) {
    const before = from === undefined ? {} : { before: threadsByLatest.key(roomId, from + 1) }
    const rows = await store.read(view =>
      view.range(threadsByLatest.under(roomId), { reverse: true, limit: size, ...before }),
    )
    for (const [row, root] of await visibleRoots(rows)) {
      if (roots.length === query.limit) return end === undefined ? { roots } : { roots, end }
      roots.push(ignored.has(root.sender) ? redacted(root, rules) : root)
      end = row.parts[1] - 1
    }
    const last = rows.at(-1)
    if (rows.length < size || !last) return { roots }
    from = last.parts[1] - 1
  }
  return from === undefined ? { roots } : { roots, end: from }

  async function visibleRoots(rows: readonly ThreadEntry[]): Promise<[ThreadEntry, RoomEvent][]> {
    const found = await rooms.events(rows.map(({ value }) => value.root as EventId))
    const pairs = rows.flatMap((row, i): [ThreadEntry, RoomEvent][] => {
      const root = found[i]
      // What came from elsewhere may claim anything: a root is in this room and itself relates to nothing.
      return root && root.roomId === roomId && !relationOf(root.content) ? [[row, root]] : []
    })
    const visible = await rooms.visible(
      userId,
      pairs.map(([, root]) => root),
    )
    const mine = await Promise.all(
      pairs.map(([, root]) => !query.participated || root.sender === userId || hasReplied(root)),
    )
    return pairs.filter((_, i) => visible[i] && mine[i])
  }

  async function hasReplied(root: RoomEvent): Promise<boolean> {
    const rows = await store.read(view =>
      view.range(relationChildren.under(roomId, root.eventId), { reverse: true, limit: maxReplies }),
    )
    return rows.some(({ value }) => value.relType === 'm.thread' && value.sender === userId)
  }
}

/** Spec: threads_list.yaml: a root that an ignored person sent is returned redacted. */
function redacted(root: RoomEvent, rules: RoomRules): RoomEvent {
  return { ...root, content: redact({ type: root.type, content: root.content }, rules).content }
}
