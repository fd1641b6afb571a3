/**
 * Relations between events: an index from parent to children, kept in the child's own batch, and what is
 * read from it: bundled aggregations and lists of children. Threads have a second index (threads.ts).
 *
 * A redacted child loses its relation, so its row goes; a redacted parent keeps its children.
 * Nothing is returned that the reader may not see. Spec: client-server-api#forming-relationships-between-events
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import {
  type RelationRow,
  relationChildren,
  relationParents,
  type ThreadRow,
  threadRoots,
  threadsByLatest,
} from '../store/catalogue.ts'
import type { Entry, Position, Store, View } from '../store/store.ts'
import type { Projection, RoomEvent, Rooms } from './rooms.ts'

export interface Relation {
  readonly parent: EventId
  readonly relType: string
  readonly key?: string
}

/** Spec: client-server-api#definition-mrelates_to. null: this event relates to nothing (a rich reply has no rel_type). */
export function relationOf(content: JsonObject): Relation | null {
  const relatesTo = content['m.relates_to']
  if (!isObject(relatesTo)) return null
  const { event_id: parent, rel_type: relType, key } = relatesTo
  if (typeof parent !== 'string' || typeof relType !== 'string' || relType === '') return null
  // Longer than any event id or any sensible name: not worth a row.
  if (parent.length > 255 || relType.length > 255) return null
  return { parent: parent as EventId, relType, ...(typeof key === 'string' ? { key } : {}) }
}

/** The index's rows. `app.ts` hands this to the rooms. */
export const relationsProjection: Projection = {
  name: 'relations',
  reads: (event, redacted) =>
    threadsTouched(event, redacted).map(({ roomId, root }) => threadRoots.key(roomId, root)),
  write: (event, redacted, known, rows) => {
    const lost = redacted && relationOf(redacted.content)
    if (lost) rows.delete(relationChildren.key(redacted.roomId, lost.parent, redacted.position))
    const relation = relationOf(event.content)
    if (relation) {
      rows.put(relationParents.key(event.roomId, relation.parent), 1)
      rows.put(relationChildren.key(event.roomId, relation.parent, event.position), rowOf(event, relation))
    }
    threadsTouched(event, redacted).forEach(({ roomId, root, reply, change }, i) => {
      const row = (known[i] as ThreadRow | undefined) ?? { latest: 0, count: 0 }
      // A redacted reply leaves the thread where it stands in the list: readers see its newest visible reply.
      const latest = change > 0 ? reply : row.latest
      if (latest !== row.latest) rows.delete(threadsByLatest.key(roomId, row.latest))
      rows.put(threadRoots.key(roomId, root), { latest, count: Math.max(0, row.count + change) })
      rows.put(threadsByLatest.key(roomId, latest), { root })
    })
  },
}

function threadsTouched(event: RoomEvent, redacted: RoomEvent | undefined) {
  const touched: { roomId: RoomId; root: EventId; reply: Position; change: 1 | -1 }[] = []
  for (const [reply, change] of [[event, 1] as const, [redacted, -1] as const]) {
    const relation = reply && relationOf(reply.content)
    if (relation?.relType !== 'm.thread' || touched.some(({ root }) => root === relation.parent)) continue
    touched.push({ roomId: reply!.roomId, root: relation.parent, reply: reply!.position, change })
  }
  return touched
}

function rowOf(event: RoomEvent, relation: Relation): RelationRow {
  return {
    eventId: event.eventId,
    type: event.type,
    sender: event.sender,
    relType: relation.relType,
    ts: event.originServerTs,
    // Only for annotations: other keys mean nothing here.
    ...(relation.relType === 'm.annotation' && relation.key !== undefined ? { key: relation.key } : {}),
  }
}

export interface ChildrenQuery {
  readonly relType?: string
  readonly type?: string
  /** Chronological; newest first otherwise. */
  readonly forwards: boolean
  readonly from?: Position
  readonly to?: Position
  readonly limit: number
  readonly recurse: boolean
}

export interface ChildrenPage {
  readonly events: readonly RoomEvent[]
  /** Are there more after these? */
  readonly more: boolean
  readonly depth: number
}

export interface Relations {
  /** The children of an event that the user may see. */
  children(userId: UserId, roomId: RoomId, parent: EventId, query: ChildrenQuery): Promise<ChildrenPage>
  /** Has this user annotated the event so already? Spec: client-server-api#avoiding-duplicate-annotations */
  hasAnnotated(userId: UserId, roomId: RoomId, parent: EventId, type: string, key: string): Promise<boolean>
  /**
   * Bundled aggregations of events of one room, by event id. `show` writes a child in the form that the
   * response has (with room id or without).
   */
  bundle(
    userId: UserId,
    events: readonly RoomEvent[],
    show: (child: RoomEvent, relations?: JsonObject) => JsonObject,
  ): Promise<ReadonlyMap<EventId, JsonObject>>
}

export interface RelationsDeps {
  readonly store: Pick<Store, 'read'>
  readonly rooms: Pick<Rooms, 'events' | 'visible'>
  /** Spec: client-server-api#ignoring-users: their events count in no aggregation. */
  ignoredUsers(userId: UserId): Promise<ReadonlySet<string>>
}

/** Spec: client-server-api#relationships-api: at least 3 levels. */
const maxDepth = 4
/** A tree of relations may be as large as someone cares to make it: more than this is not walked in one request. */
const maxRecursedRows = 5_000
/** Children looked at for one event's aggregations; a thread with more has its count from the index. */
const maxBundledRows = 2_000
/** References listed in one aggregation. */
const maxReferences = 200

type ChildEntry = Entry<[string, string, number], RelationRow>

export function openRelations({ store, rooms, ignoredUsers }: RelationsDeps): Relations {
  return { children, hasAnnotated, bundle }

  async function children(
    userId: UserId,
    roomId: RoomId,
    parent: EventId,
    query: ChildrenQuery,
  ): Promise<ChildrenPage> {
    const events: RoomEvent[] = []
    // One more than asked for tells whether there is another page.
    const wanted = query.limit + 1
    if (query.recurse) {
      const { rows, depth } = await store.read(view => descendants(view, roomId, parent, query))
      for (let at = 0; at < rows.length && events.length < wanted; at += wanted) {
        events.push(...(await visibleEvents(userId, rows.slice(at, at + wanted))))
      }
      return { events: events.slice(0, query.limit), more: events.length > query.limit, depth }
    }
    let rest: ChildrenQuery | null = query
    while (rest && events.length < wanted) {
      const at: ChildrenQuery = rest
      const rows = await store.read(view => someChildren(view, roomId, parent, at, wanted))
      events.push(
        ...(await visibleEvents(
          userId,
          rows.filter(row => matches(row, query)),
        )),
      )
      const last = rows.at(-1)?.parts[2]
      rest =
        rows.length < wanted || last === undefined
          ? null
          : { ...query, from: (query.forwards ? last : last - 1) as Position }
    }
    return { events: events.slice(0, query.limit), more: events.length > query.limit, depth: 1 }
  }

  async function hasAnnotated(
    userId: UserId,
    roomId: RoomId,
    parent: EventId,
    type: string,
    key: string,
  ): Promise<boolean> {
    const rows = await store.read(view => view.range(relationChildren.under(roomId, parent)))
    return rows.some(
      ({ value }) =>
        value.relType === 'm.annotation' &&
        value.sender === userId &&
        value.type === type &&
        value.key === key,
    )
  }

  /** The events behind these rows, in their order: those that still are what the row says, and visible. */
  async function visibleEvents(userId: UserId, rows: readonly ChildEntry[]): Promise<RoomEvent[]> {
    const found = await rooms.events(rows.map(({ value }) => value.eventId as EventId))
    const events = found.filter(
      (event, i): event is RoomEvent =>
        event !== null && relationOf(event.content)?.parent === rows[i]!.parts[1],
    )
    const visible = await rooms.visible(userId, events)
    return events.filter((_, i) => visible[i])
  }

  async function bundle(
    userId: UserId,
    events: readonly RoomEvent[],
    show: (child: RoomEvent, relations?: JsonObject) => JsonObject,
    depth = 0,
  ): Promise<Map<EventId, JsonObject>> {
    const bundles = new Map<EventId, JsonObject>()
    // Spec: client-server-api#aggregations-of-child-events: state events have none.
    const candidates = events.filter(event => event.stateKey === undefined)
    if (candidates.length === 0) return bundles
    const withChildren = await store.read(async view => {
      const marks = await view.getMany(candidates.map(e => relationParents.key(e.roomId, e.eventId)))
      const parents = candidates.filter((_, i) => marks[i] !== undefined)
      return Promise.all(
        parents.map(async parent => ({
          parent,
          // Newest first, so that what a limit cuts off is the oldest; then by age.
          rows: (
            await view.range(relationChildren.under(parent.roomId, parent.eventId), {
              reverse: true,
              limit: maxBundledRows,
            })
          ).reverse(),
          thread: await view.get(threadRoots.key(parent.roomId, parent.eventId)),
        })),
      )
    })
    if (withChildren.length === 0) return bundles
    const ignored = await ignoredUsers(userId)
    await Promise.all(
      withChildren.map(async ({ parent, rows, thread: row }) => {
        const counted = rows.filter(({ value }) => !ignored.has(value.sender))
        const [edit, thread, references] = await Promise.all([
          newestEdit(userId, parent, counted),
          threadSummary(userId, parent, counted, rows.length < maxBundledRows ? 0 : (row?.count ?? 0)),
          visibleReferences(userId, counted),
        ])
        const bundled: { [relType: string]: JsonObject } = {}
        if (edit) bundled['m.replace'] = show(edit)
        if (thread) {
          const { latest, ...summary } = thread
          // An event of a thread may itself have been edited; it cannot be a root, so this ends here.
          const ofLatest =
            depth === 0 ? (await bundle(userId, [latest], show, 1)).get(latest.eventId) : undefined
          bundled['m.thread'] = { latest_event: show(latest, ofLatest), ...summary }
        }
        if (references.length > 0) {
          bundled['m.reference'] = { chunk: references.map(e => ({ event_id: e.eventId })) }
        }
        if (Object.keys(bundled).length > 0) bundles.set(parent.eventId, bundled)
      }),
    )
    return bundles
  }

  /** Spec: client-server-api#validity-of-replacement-events and #server-side-aggregation-of-mreplace-relationships */
  async function newestEdit(
    userId: UserId,
    original: RoomEvent,
    rows: readonly ChildEntry[],
  ): Promise<RoomEvent | undefined> {
    if (original.redactedBecause || relationOf(original.content)?.relType === 'm.replace') return undefined
    const edits = rows.filter(
      ({ value }) =>
        value.relType === 'm.replace' && value.sender === original.sender && value.type === original.type,
    )
    edits.sort((a, b) => b.value.ts - a.value.ts || (b.value.eventId > a.value.eventId ? 1 : -1))
    return firstVisible(userId, edits, isReplacement)
  }

  /** `atLeast`: how many replies there are, where not all rows were read. */
  async function threadSummary(
    userId: UserId,
    root: RoomEvent,
    rows: readonly ChildEntry[],
    atLeast: number,
  ) {
    const replies = rows.filter(({ value }) => value.relType === 'm.thread')
    if (replies.length === 0) return undefined
    const latest = await firstVisible(userId, replies.toReversed(), () => true)
    if (!latest) return undefined
    // Replies above the newest visible one came after the reader left: they are none of theirs.
    const known = replies.filter(({ parts }) => parts[2] <= latest.position)
    return {
      latest,
      count: Math.max(known.length, atLeast),
      current_user_participated: root.sender === userId || known.some(({ value }) => value.sender === userId),
    }
  }

  async function visibleReferences(userId: UserId, rows: readonly ChildEntry[]): Promise<RoomEvent[]> {
    const references = rows.filter(({ value }) => value.relType === 'm.reference').slice(-maxReferences)
    return references.length === 0 ? [] : visibleEvents(userId, references)
  }

  /** The first of these that the user may see; nearly always the very first. */
  async function firstVisible(
    userId: UserId,
    rows: readonly ChildEntry[],
    accepts: (event: RoomEvent) => boolean,
  ): Promise<RoomEvent | undefined> {
    for (let at = 0, size = 1; at < rows.length; at += size, size = 32) {
      const found = (await visibleEvents(userId, rows.slice(at, at + size))).find(accepts)
      if (found) return found
    }
    return undefined
  }
}

function isReplacement(event: RoomEvent): boolean {
  // In an encrypted event m.new_content is inside the payload.
  return (
    event.stateKey === undefined &&
    (event.type === 'm.room.encrypted' || isObject(event.content['m.new_content']))
  )
}

function someChildren(
  view: View,
  roomId: RoomId,
  parent: EventId,
  query: ChildrenQuery,
  limit: number,
): Promise<ChildEntry[]> {
  return view.range(relationChildren.under(roomId, parent), {
    ...bounds(query, position => relationChildren.key(roomId, parent, position)),
    reverse: !query.forwards,
    limit,
  })
}

/** A token lies just above its position: backwards it includes that one, forwards it does not. */
function bounds(
  query: ChildrenQuery,
  key: (position: number) => string,
): { after?: string; before?: string } {
  const [low, high] = query.forwards ? [query.from, query.to] : [query.to, query.from]
  return {
    ...(low === undefined ? {} : { after: key(low) }),
    ...(high === undefined ? {} : { before: key(high + 1) }),
  }
}

async function descendants(
  view: View,
  roomId: RoomId,
  root: EventId,
  query: ChildrenQuery,
): Promise<{ rows: ChildEntry[]; depth: number }> {
  const found = new Map<string, ChildEntry>()
  let parents: string[] = [root]
  let depth = 0
  while (parents.length > 0 && depth < maxDepth && found.size < maxRecursedRows) {
    const lists = await Promise.all(
      parents.map(parent =>
        view.range(relationChildren.under(roomId, parent), { limit: maxRecursedRows - found.size }),
      ),
    )
    const fresh = lists.flat().filter(row => matches(row, query) && !found.has(row.value.eventId))
    for (const row of fresh) found.set(row.value.eventId, row)
    depth++
    const ids = fresh.map(({ value }) => value.eventId)
    const marks = await view.getMany(ids.map(id => relationParents.key(roomId, id)))
    parents = ids.filter((_, i) => marks[i] !== undefined)
  }
  const inBounds = (position: number) =>
    query.forwards
      ? position > (query.from ?? -1) && position <= (query.to ?? Number.MAX_SAFE_INTEGER)
      : position <= (query.from ?? Number.MAX_SAFE_INTEGER) && position > (query.to ?? -1)
  const rows = [...found.values()].filter(({ parts }) => inBounds(parts[2]))
  const sign = query.forwards ? 1 : -1
  rows.sort((a, b) => sign * (a.parts[2] - b.parts[2]))
  return { rows, depth }
}

function matches({ value }: ChildEntry, { relType, type }: ChildrenQuery): boolean {
  return (relType === undefined || value.relType === relType) && (type === undefined || value.type === type)
}
