/**
 * Relations between events: an index from parent to children, kept in the child's own batch, and what is
 * read from it: bundled aggregations and lists of children. Threads have a second index (threads.ts).
 *
 * A redacted child loses its relation, so its row goes; a redacted parent keeps its children.
 * Nothing is returned that the reader may not see. Spec: client-server-api#forming-relationships-between-events
 */
import { type EventId, type RoomId, serverOf, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import {
  annotations,
  type RelationRow,
  relationChildren,
  relationParents,
  relationsByChild,
  threadRoots,
  threadsByLatest,
} from '../store/catalogue.ts'
import type { Key } from '../store/key.ts'
import type { Entry, RowWriter, Store, View } from '../store/store.ts'
import type { Gate, LoadedRows } from './gate.ts'
import { namedLevel } from './power.ts'
import type { Projection } from './projection.ts'
import { type Relation, relationOf } from './relation.ts'
import type { Draft, RoomEvent, Rooms, RoomView } from './rooms.ts'
import { listThreads, type ThreadsPage, type ThreadsQuery } from './threads.ts'

/** The index's rows. `app.ts` hands this to the rooms. */
export const relationsProjection: Projection = {
  name: 'relations',
  reads: ({ roomId, content, redacts }) => {
    const relation = relationOf(content)
    const keys: Key<unknown>[] = []
    if (relation?.relType === 'm.thread') keys.push(threadRoots.key(roomId, relation.parent))
    if (redacts !== undefined) keys.push(relationsByChild.key(roomId, redacts))
    return keys
  },
  rows: (event, view, loaded, rows) => {
    const relation = relationOf(event.content)
    if (relation) addRows(event, relation, loaded, rows)
    if (event.redacts !== undefined) removeRows(event, event.redacts, view, loaded, rows)
  },
}

function addRows(event: RoomEvent, relation: Relation, loaded: LoadedRows, rows: RowWriter): void {
  const { roomId, eventId, position, type, sender, originServerTs: ts } = event
  const { parent, relType, key } = relation
  rows.put(relationParents.key(roomId, parent), 1)
  rows.put(relationChildren.key(roomId, parent, position), { eventId, type, sender, relType, ts })
  const isAnnotation = relType === 'm.annotation' && key !== undefined
  rows.put(relationsByChild.key(roomId, eventId), {
    parent,
    position,
    relType,
    sender,
    type,
    ...(isAnnotation ? { key } : {}),
  })
  if (isAnnotation) rows.put(annotations.key(roomId, parent, sender, type, key), { eventId })
  if (relType !== 'm.thread') return
  const thread = loaded.get(threadRoots.key(roomId, parent))
  if (thread) rows.delete(threadsByLatest.key(roomId, thread.latest))
  rows.put(threadRoots.key(roomId, parent), { latest: position, count: (thread?.count ?? 0) + 1 })
  rows.put(threadsByLatest.key(roomId, position), { root: parent })
}

/**
 * A redacted reply leaves its thread where it stands in the list, and `count` as it was: both are read only
 * together with the replies that are left.
 */
function removeRows(
  redaction: RoomEvent,
  redacts: EventId,
  view: RoomView,
  loaded: LoadedRows,
  rows: RowWriter,
): void {
  const { roomId } = redaction
  const row = loaded.get(relationsByChild.key(roomId, redacts))
  if (!row || !takesEffect(redaction, row.sender as UserId, view)) return
  rows.delete(relationsByChild.key(roomId, redacts))
  rows.delete(relationChildren.key(roomId, row.parent, row.position))
  if (row.key !== undefined) rows.delete(annotations.key(roomId, row.parent, row.sender, row.type, row.key))
}

/** Spec: rooms/v11#handling-redactions */
function takesEffect(redaction: RoomEvent, author: UserId, view: RoomView): boolean {
  if (serverOf(redaction.sender) === serverOf(author)) return true
  return view.powerLevel(redaction.sender) >= namedLevel(view, 'redact')
}

/** Spec: client-server-api#avoiding-duplicate-annotations. `app.ts` hands this to the rooms. */
export const annotationGate: Gate = {
  name: 'duplicate annotations',
  reads: draft => {
    const key = annotationKey(draft)
    return key ? [key] : []
  },
  judge: (draft, _view, loaded) => {
    const key = annotationKey(draft)
    if (!key || loaded.get(key) === undefined) return { kind: 'allow' }
    return {
      kind: 'refuse',
      code: 'M_DUPLICATE_ANNOTATION',
      reason: 'content.m.relates_to: you have annotated this event with the same key already.',
    }
  },
}

function annotationKey({ roomId, sender, type, content }: Draft): Key<{ readonly eventId: string }> | null {
  const relation = relationOf(content)
  if (relation?.relType !== 'm.annotation' || relation.key === undefined) return null
  return annotations.key(roomId, relation.parent, sender, type, relation.key)
}

export interface ChildrenQuery {
  readonly relType?: string
  readonly type?: string
  /** Chronological; newest first otherwise. */
  readonly forwards: boolean
  readonly from?: number
  readonly to?: number
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
  /** The threads of a room that the user may see, the one with the latest reply first. */
  threads(userId: UserId, roomId: RoomId, query: ThreadsQuery): Promise<ThreadsPage>
  /** The children of an event that the user may see. */
  children(userId: UserId, roomId: RoomId, parent: EventId, query: ChildrenQuery): Promise<ChildrenPage>
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
  readonly rooms: Pick<Rooms, 'events' | 'view' | 'visible'>
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

export function openRelations(deps: RelationsDeps): Relations {
  const { store, rooms, ignoredUsers } = deps
  return {
    children,
    bundle,
    threads: (userId, roomId, query) => listThreads(deps, userId, roomId, query),
  }

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
          : { ...query, from: query.forwards ? last : last - 1 }
    }
    return { events: events.slice(0, query.limit), more: events.length > query.limit, depth: 1 }
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
