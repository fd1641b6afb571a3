/**
 * Unread and highlight counts of one person in one room, by thread.
 *
 * A message writes no row for anybody: whoever syncs evaluates the events that came since they last did,
 * and the result stays in memory. Now and then it is written down (one row a person and room, replaced), so
 * that a restart goes on from there instead of from the last receipt.
 *
 * A person's own event reads its thread up to itself. What was redacted does not count.
 * Spec: client-server-api#receiving-notifications, #marking-notifications-as-read.
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import { isObject } from '../protocol/json.ts'
import { type ReadMarks, type Receipts, type ThreadId, threadOf } from '../rooms/receipts.ts'
import type { RoomEvent, Rooms, RoomView } from '../rooms/rooms.ts'
import { type UnreadCheckpointRow, unreadCheckpointTable } from '../store/catalogue.ts'
import type { Position, Store } from '../store/store.ts'
import type { Evaluate, PushContext } from './evaluate.ts'

export interface Tally {
  readonly notifications: number
  readonly highlights: number
}

export interface UnreadCounts {
  /** Everything in the room, and of that what is in no thread. */
  readonly room: Tally
  readonly main: Tally
  /** Threads in which something is unread. */
  readonly threads: ReadonlyMap<EventId, Tally>
}

/** Events that the caller has at hand anyway: all of the room above `after` and up to `until`. */
export interface KnownEvents {
  readonly after: Position
  readonly events: readonly RoomEvent[]
}

export interface Unread {
  counts(userId: UserId, view: RoomView, until: Position, known?: KnownEvents): Promise<UnreadCounts>
}

/** Who never read a busy room is told about this many of its newest events, not about a million. */
const maxEvaluatedEvents = 2_000
const eventsBetweenCheckpoints = 200
/** Of one look at one room: some 50 ms, which nobody's own words come near. */
const maxComparisons = 20_000_000
const maxEntries = 50_000

interface Entry {
  /** Evaluated up to here. */
  upTo: Position
  marks: ReadMarks
  counts: Map<ThreadId, { notifications: number; highlights: number }>
  sinceCheckpoint: number
}

const none: Tally = { notifications: 0, highlights: 0 }

export function openUnread(deps: {
  store: Store
  rooms: Pick<Rooms, 'timeline' | 'event'>
  receipts: Pick<Receipts, 'marks'>
  evaluatorOf(userId: UserId): Promise<Evaluate>
  /** Spec: client-server-api#ignoring-users: what they write notifies nobody who ignores them. */
  ignoredUsers(userId: UserId): Promise<ReadonlySet<UserId>>
}): Unread {
  const { store, rooms, receipts, evaluatorOf, ignoredUsers } = deps
  const entries = new Map<string, Entry>()
  const turns = new Map<string, Promise<unknown>>()
  store.onReset(() => entries.clear())

  async function update(
    name: string,
    userId: UserId,
    view: RoomView,
    until: Position,
    known: KnownEvents | undefined,
  ): Promise<Entry> {
    const [evaluate, marks, ignored] = await Promise.all([
      evaluatorOf(userId),
      receipts.marks(view.roomId, userId),
      ignoredUsers(userId),
    ])
    const context = contextOf(view, userId)
    let entry = entries.get(name) ?? (await loadCheckpoint(userId, view.roomId, marks))
    if (entry && entry.marks.version !== marks.version && !moveMarks(entry, marks)) entry = undefined
    entry ??= await freshEntry(userId, view, marks)
    if (until > entry.upTo) {
      let events = await eventsOf(view.roomId, entry.upTo, until, known)
      if (await takesBackCounted(entry, events)) {
        entry = await freshEntry(userId, view, marks)
        events = await eventsOf(view.roomId, entry.upTo, until)
      }
      for (const event of events) {
        if (ignored.has(event.sender)) continue
        const inThread = threadOf(event, rooms.event)
        count(entry, userId, event, typeof inThread === 'string' ? inThread : await inThread, () =>
          evaluate(event, context),
        )
      }
      entry.upTo = until
      entry.sinceCheckpoint += events.length
    }
    entries.delete(name)
    entries.set(name, entry)
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) break
      entries.delete(oldest)
    }
    if (entry.sinceCheckpoint >= eventsBetweenCheckpoints) writeCheckpoint(userId, view.roomId, entry)
    return entry
  }

  async function eventsOf(
    roomId: RoomId,
    after: Position,
    until: Position,
    known?: KnownEvents,
  ): Promise<readonly RoomEvent[]> {
    if (known && known.after <= after) return known.events.filter(each => each.position > after)
    const before = (until + 1) as Position
    const newest = await rooms.timeline(roomId, { after, before, reverse: true, limit: maxEvaluatedEvents })
    return newest.reverse()
  }

  /** From the last receipt, or from when the person came. */
  async function freshEntry(userId: UserId, view: RoomView, marks: ReadMarks): Promise<Entry> {
    let member: RoomEvent | null | undefined = view.state('m.room.member', userId)
    while (member?.replacesState?.content['membership'] === 'join' && member.position > marks.room)
      member = await rooms.event(member.replacesState.eventId)
    const upTo = Math.max(marks.room, member?.position ?? 0) as Position
    return { upTo, marks, counts: new Map(), sinceCheckpoint: 0 }
  }

  /** Does one of these events redact one that was counted? */
  async function takesBackCounted(entry: Entry, events: readonly RoomEvent[]): Promise<boolean> {
    if (entry.counts.size === 0) return false
    for (const event of events) {
      if (event.type !== 'm.room.redaction' || !event.redacts) continue
      const target = await rooms.event(event.redacts)
      if (target && target.position > entry.marks.room && target.position <= entry.upTo) return true
    }
    return false
  }

  async function loadCheckpoint(userId: UserId, roomId: RoomId, marks: ReadMarks) {
    const row = await store.read(view => view.get(unreadCheckpointTable.key(userId, roomId)))
    if (!row) return undefined
    // The marks that the row stands on are known by their version alone: if they moved, only that can help.
    const entry: Entry = {
      upTo: row.upTo,
      marks: row.marks === marks.version ? marks : { ...noMarks, version: row.marks },
      counts: new Map(),
      sinceCheckpoint: 0,
    }
    for (const [thread, [notifications, highlights]] of Object.entries(row.counts))
      entry.counts.set(thread as ThreadId, { notifications, highlights })
    return entry
  }

  function writeCheckpoint(userId: UserId, roomId: RoomId, entry: Entry) {
    entry.sinceCheckpoint = 0
    const counts: Record<string, [number, number]> = {}
    for (const [thread, tally] of entry.counts) counts[thread] = [tally.notifications, tally.highlights]
    const row: UnreadCheckpointRow = { upTo: entry.upTo, marks: entry.marks.version, counts }
    // A lost checkpoint costs a longer evaluation later, nothing else.
    store
      .transact(`unread:${userId}`, tx => tx.put(unreadCheckpointTable.key(userId, roomId), row))
      .catch(() => {})
  }

  return {
    async counts(userId, view, until, known) {
      const name = `${userId}\n${view.roomId}`
      // Two devices of one person: the second finds what the first evaluated.
      while (turns.has(name)) await turns.get(name)!.catch(() => {})
      const turn = update(name, userId, view, until, known)
      turns.set(name, turn)
      try {
        return countsOf(await turn)
      } finally {
        turns.delete(name)
      }
    },
  }
}

const noMarks: ReadMarks = { room: -1 as Position, threads: new Map(), version: 0 as Position }

/** Applies marks that moved. false: into the middle of what was counted, so it must be counted again. */
function moveMarks(entry: Entry, marks: ReadMarks): boolean {
  for (const thread of entry.counts.keys()) {
    const mark = markOf(marks, thread)
    if (mark >= entry.upTo) entry.counts.delete(thread)
    else if (mark !== markOf(entry.marks, thread)) return false
  }
  entry.marks = marks
  return true
}

function markOf(marks: ReadMarks, thread: ThreadId): number {
  return Math.max(marks.room, marks.threads.get(thread) ?? 0)
}

function count(
  entry: Entry,
  userId: UserId,
  event: RoomEvent,
  thread: ThreadId,
  evaluate: () => { notify: boolean; highlight: boolean },
) {
  if (event.sender === userId) {
    // Coming (back) into the room starts anew: what happened before was for others.
    if (event.type === 'm.room.member' && event.stateKey === userId) {
      if (event.replacesState?.content['membership'] !== 'join') entry.counts.clear()
      return
    }
    entry.counts.delete(thread)
    return
  }
  if (event.redactedBecause || event.position <= markOf(entry.marks, thread)) return
  const { notify, highlight } = evaluate()
  if (!notify) return
  const tally = entry.counts.get(thread)
  if (tally) {
    tally.notifications++
    if (highlight) tally.highlights++
  } else entry.counts.set(thread, { notifications: 1, highlights: highlight ? 1 : 0 })
}

function countsOf(entry: Entry): UnreadCounts {
  let notifications = 0
  let highlights = 0
  const threads = new Map<EventId, Tally>()
  for (const [thread, tally] of entry.counts) {
    notifications += tally.notifications
    highlights += tally.highlights
    if (thread !== 'main') threads.set(thread, { ...tally })
  }
  const main = entry.counts.get('main')
  return { room: { notifications, highlights }, main: main ? { ...main } : none, threads }
}

/** The room as conditions ask for it: as it is now. */
export function contextOf(view: RoomView, userId: UserId): PushContext {
  return {
    get joinedMembers() {
      return view.memberCount('join')
    },
    get displayName() {
      const name = view.state('m.room.member', userId)?.content['displayname']
      return typeof name === 'string' ? name : undefined
    },
    powerLevel: sender => view.powerLevel(sender),
    work: { left: maxComparisons },
    notificationLevel: key => {
      const levels = view.state('m.room.power_levels')?.content['notifications']
      const level = isObject(levels) ? levels[key] : undefined
      return typeof level === 'number' ? level : 50
    },
  }
}
