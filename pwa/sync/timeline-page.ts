/**
 * A stretch of a timeline as views show it: events with what others say of them, and at the live end what waits to leave.
 */
import { ApiError } from '../api/api-error.ts'
import type { Doubts } from './doubts.ts'
import type { History } from './history.ts'
import { memberName } from './names.ts'
import type { Outbox, QueuedItem } from './ports.ts'
import { hasOwnLine, withQueued } from './queued-relations.ts'
import { plainText } from './reading.ts'
import { noRelations, RelationBatch, type Relations, validEdit } from './relations.ts'
import type { Reopening } from './reopen.ts'
import type { Room } from './room.ts'
import type { RoomStore } from './room-store.ts'
import { relationOf, type StoredEvent } from './stored-event.ts'
import type { Timeline } from './timeline.ts'
import type { Quoted, Reaction, TimelineItem, TimelinePage, TimelineQuery } from './timeline-item.ts'
import { type Place, Walk } from './walk.ts'

interface PageDeps {
  readonly store: RoomStore
  readonly history: History
  readonly outbox: Outbox
  readonly reopening: Pick<Reopening, 'missed'>
  readonly doubts: Pick<Doubts, 'met'>
}

const quotePacks = 6

/** @throws ApiError M_NOT_FOUND where the place is not to be had */
export async function timelinePage(deps: PageDeps, query: TimelineQuery): Promise<TimelinePage> {
  const { store, history, outbox, reopening, doubts } = deps
  const { roomId } = query
  const room = await store.room(roomId)
  if (!room) return { items: [], hasOlder: false, hasNewer: false, offline: false }
  const timeline = await store.timeline(roomId)
  const isShown = (event: StoredEvent) =>
    standsIn(event, query.threadRoot) && (event.stateKey !== null || !store.isIgnored(event.sender))
  const walk = new Walk(timeline, history, roomId, isShown)
  const place = await placeOf(deps, timeline, query)
  const older = await walk.back(place, query.before)
  const newer = place === 'end' ? { events: [], more: false } : await walk.forth(place, query.after)
  const events = [...older.events, ...newer.events]
  const relations = new RelationBatch(store.records, roomId)
  await relations.load(events.map(({ eventId }) => eventId))
  const readers = readersBy(room, events, store.ourUserId)
  const newestRead = newestReadTs(room, events, store.ourUserId)
  reopening.missed(
    roomId,
    events.flatMap(({ unreadable }) => unreadable?.sessionId ?? []),
  )
  doubts.met(roomId, events)
  const queued = outbox.queued(roomId)
  const items: TimelineItem[] = []
  for (const event of events) {
    const of = withQueued(relations.of(event.eventId), event, queued, store.ourUserId)
    items.push({
      ...itemOf(room, event, of, store.ourUserId),
      replyTo: await quoted(timeline, room, event, relations),
      readBy: readers.get(event.eventId) ?? [],
      state: event.sender !== store.ourUserId ? null : event.ts <= newestRead ? 'read' : 'sent',
    })
  }
  if (!newer.more) {
    const here = new Set(
      events.flatMap(({ txnId, eventId }) => (txnId === null ? eventId : [txnId, eventId])),
    )
    for (const each of queued) {
      const isHere = here.has(each.txnId) || (each.eventId !== null && here.has(each.eventId))
      if (isHere || !hasOwnLine(each) || !isShown(each.event)) continue
      const of = withQueued(noRelations, each.event, queued, store.ourUserId)
      items.push({
        ...queuedItem(room, each, of, store.ourUserId),
        replyTo: await quoted(timeline, room, each.event, relations),
      })
    }
  }
  return { items, hasOlder: older.more, hasNewer: newer.more, offline: walk.offline }
}

async function placeOf(
  { store, history }: PageDeps,
  timeline: Timeline,
  { roomId, at }: TimelineQuery,
): Promise<Place> {
  if (at === 'end') return 'end'
  const named = 'eventId' in at ? at.eventId : await eventAt(timeline, history, roomId, at.ts)
  if (named === null) return 'end'
  // A reaction or an edit is to be seen where it belongs.
  const relations = new RelationBatch(store.records, roomId)
  await relations.load([named])
  const eventId = relations.of(named).belongsTo?.eventId ?? named
  let found = await timeline.find(eventId)
  if (!found && (await history.around(roomId, timeline, eventId))) found = await timeline.find(eventId)
  if (!found) throw new ApiError('M_NOT_FOUND', 'this message is not to be had')
  return { number: found.pack.number, index: found.index }
}

/** The first event from this time on: the server knows; without it, the nearest that we have. */
async function eventAt(
  timeline: Timeline,
  history: History,
  roomId: string,
  ts: number,
): Promise<string | null> {
  try {
    return await history.eventAt(roomId, ts)
  } catch (error) {
    if (!(error instanceof ApiError) || !error.isPassing) return null
    let nearest: string | null = null
    for (const number of timeline.packNumbers.toReversed()) {
      const { events } = await timeline.pack(number)
      nearest = events.find(event => event.ts >= ts)?.eventId ?? nearest
      if ((events[0]?.ts ?? 0) < ts) break
    }
    return nearest
  }
}

/** The room shows what is in no thread, and roots; a thread its root and what is in it. */
function standsIn(event: StoredEvent, threadRoot: string | undefined): boolean {
  const relation = relationOf(event)
  const root = relation?.kind === 'thread' ? relation.to : null
  if (threadRoot === undefined) return root === null
  return event.eventId === threadRoot || root === threadRoot
}

function itemOf(
  room: Room,
  event: StoredEvent,
  of: Relations,
  ourUserId: string,
): Omit<TimelineItem, 'replyTo' | 'readBy' | 'state'> {
  const because =
    of.redaction ??
    (event.redactedBecause && { by: event.redactedBecause.sender, reason: event.redactedBecause.reason })
  const edit = because ? null : validEdit(room.roomId, event, of)
  const content = because ? {} : (edit?.content ?? event.content)
  const relation = relationOf(event)
  return {
    key: event.txnId ?? event.eventId,
    eventId: event.eventId,
    roomId: room.roomId,
    sender: event.sender,
    senderName: memberName(room, event.sender),
    senderAvatar: room.members.get(event.sender)?.avatar ?? null,
    ts: event.ts,
    type: event.type,
    stateKey: event.stateKey,
    content,
    previousContent: because ? null : event.previousContent,
    editedTs: edit?.ts ?? null,
    redacted: because
      ? { by: because.by, byName: memberName(room, because.by), reason: because.reason }
      : null,
    reactions: because ? [] : reactionsOf(room, of, ourUserId),
    threadRoot: relation?.kind === 'thread' ? relation.to : null,
    thread: of.thread && {
      count: of.thread.eventIds.length,
      lastTs: of.thread.last.ts,
      lastSenderName: memberName(room, of.thread.last.sender),
      lastText: plainText(of.thread.last),
      unread: isThreadUnread(room, event.eventId, of.thread.last, ourUserId),
    },
    problem: null,
    mentionsUs: event.sender !== ourUserId && mentions(content, ourUserId),
    encrypted: event.encrypted,
    shield: event.shield,
    // Of our own devices it is said with the backup, in one sentence: an id says nothing to anybody.
    keyGivenBy: event.keyGivenBy?.startsWith('@') ? event.keyGivenBy : null,
    unreadable:
      because || !event.unreadable
        ? null
        : { code: event.unreadable.code, withheld: event.unreadable.withheld },
  }
}

/** What was read in the room was read in its threads as well. Spec: client-server-api#threaded-read-receipts */
function isThreadUnread(room: Room, root: string, last: StoredEvent, ourUserId: string): boolean {
  const { eventTs = null } = room.receipts.get(ourUserId) ?? {}
  return last.sender !== ourUserId && last.ts > Math.max(room.threadsRead.get(root) ?? 0, eventTs ?? 0)
}

function queuedItem(
  room: Room,
  { txnId, eventId, event, state, problem }: QueuedItem,
  of: Relations,
  ourUserId: string,
): Omit<TimelineItem, 'replyTo'> {
  return { ...itemOf(room, event, of, ourUserId), key: txnId, eventId, readBy: [], state, problem }
}

function mentions(content: TimelineItem['content'], ourUserId: string): boolean {
  const list = (content['m.mentions'] as { user_ids?: unknown; room?: unknown } | undefined) ?? {}
  return list.room === true || (Array.isArray(list.user_ids) && list.user_ids.includes(ourUserId))
}

function reactionsOf(room: Room, { reactions }: Relations, ourUserId: string): Reaction[] {
  const byKey = new Map<string, { senders: { userId: string; name: string }[]; ours: string | null }>()
  for (const { key, sender, eventId } of reactions) {
    const reaction = byKey.get(key) ?? { senders: [], ours: null }
    reaction.senders.push({ userId: sender, name: memberName(room, sender) })
    if (sender === ourUserId) reaction.ours = eventId
    byKey.set(key, reaction)
  }
  return [...byKey].map(([key, reaction]) => ({ key, ...reaction }))
}

async function quoted(
  timeline: Timeline,
  room: Room,
  event: StoredEvent,
  relations: RelationBatch,
): Promise<Quoted | null> {
  const relation = relationOf(event)
  const to = relation?.kind === 'reply' ? relation.to : relation?.kind === 'thread' ? relation.replyTo : null
  if (to === null) return null
  const found = timeline.loadedEvent(to) ?? (await storedOf(timeline, to))
  if (!found) return { eventId: to, item: null }
  await relations.load([to])
  const of = relations.of(to)
  if (of.redaction || found.redactedBecause) return { eventId: to, item: null }
  const content = validEdit(room.roomId, found, of)?.content ?? found.content
  return {
    eventId: to,
    item: {
      sender: found.sender,
      senderName: memberName(room, found.sender),
      text: plainText({ type: found.type, content }).slice(0, 200),
    },
  }
}

async function storedOf(timeline: Timeline, eventId: string): Promise<StoredEvent | null> {
  const found = await timeline.find(eventId, quotePacks)
  return found ? found.pack.events[found.index]! : null
}

/** Whose newest receipt stands at which of these events: at the last one that is not newer than what they read. */
function readersBy(
  room: Room,
  events: readonly StoredEvent[],
  ourUserId: string,
): ReadonlyMap<string, string[]> {
  const readers = new Map<string, string[]>()
  const receipts = [...room.receipts].sort(([, a], [, b]) => b.ts - a.ts)
  for (const [userId, { eventId, eventTs }] of receipts) {
    if (userId === ourUserId) continue
    const at =
      events.find(event => event.eventId === eventId) ??
      (eventTs === null ? undefined : events.findLast(event => event.ts <= eventTs))
    // What they read lies after this stretch.
    if (!at || (eventTs !== null && at === events.at(-1) && at.eventId !== eventId && at.ts < eventTs))
      continue
    readers.set(at.eventId, [...(readers.get(at.eventId) ?? []), userId])
  }
  return readers
}

/** Up to here somebody else has read. */
function newestReadTs(room: Room, events: readonly StoredEvent[], ourUserId: string): number {
  const times = new Map(events.map(({ eventId, ts }) => [eventId, ts]))
  let newest = 0
  for (const [userId, { eventId, eventTs }] of room.receipts) {
    if (userId !== ourUserId) newest = Math.max(newest, eventTs ?? times.get(eventId) ?? 0)
  }
  return newest
}
