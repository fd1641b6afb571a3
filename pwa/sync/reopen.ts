/** Messages that could not be read when they came, once their keys are here. */
import type { Machine } from '../e2ee/machine.ts'
import { countsAsNews, indexed, isKept, previewOf } from './apply-sync.ts'
import type { Search, SyncNotice } from './ports.ts'
import { readEvents } from './reading.ts'
import { RelationBatch } from './relations.ts'
import type { RoomEntry } from './room-entry.ts'
import type { RoomStore } from './room-store.ts'
import type { StoredEvent } from './stored-event.ts'
import type { ClientEvent } from './sync-answer.ts'
import type { Timeline } from './timeline.ts'

/** Says whether anything became readable. A crash in the middle leaves the mark, and it is tried again. */
export async function reopen(
  {
    store,
    machine,
    search,
    tell,
  }: { store: RoomStore; machine: Machine; search: Search; tell: (notice: SyncNotice) => void },
  roomId: string,
  sessionIds: readonly string[],
): Promise<boolean> {
  const marks = await store.records.getMany(
    'unread-session',
    sessionIds.map(sessionId => `${roomId}|${sessionId}`),
  )
  const waiting = new Set(sessionIds.filter((_, i) => marks[i] !== undefined))
  if (waiting.size === 0) return false
  const timeline = await store.timeline(roomId)
  const relations = new RelationBatch(store.records, roomId)
  const opened: StoredEvent[] = []
  for (const number of timeline.packNumbers.toReversed()) {
    const { events } = await timeline.pack(number)
    const unread = events.filter(
      ({ unreadable }) => unreadable?.sessionId != null && waiting.has(unreadable.sessionId),
    )
    if (unread.length === 0) continue
    const read = (await readEvents(machine, roomId, unread.map(asItCame))).filter(
      ({ unreadable }) => unreadable === null,
    )
    if (read.length === 0) continue
    await relations.take(read, [])
    const byId = new Map(
      read.map((event, i) => [event.eventId, { ...event, txnId: unread[i]?.txnId ?? null }]),
    )
    // A reaction or an edit, now that it is known as one, stands with what it belongs to.
    timeline.replace(number, event => {
      const now = byId.get(event.eventId)
      return now ? (isKept(now) ? now : null) : event
    })
    opened.push(...byId.values())
  }
  const entry = opened.length > 0 ? await entryNow(store, roomId, timeline, relations) : null
  await store.records.commit([
    ...timeline.writes(),
    ...(entry ? [store.entryWrite(entry)] : []),
    ...relations.writes(),
    ...[...waiting].map(sessionId => ({
      collection: 'unread-session',
      id: `${roomId}|${sessionId}`,
      value: null,
    })),
  ])
  timeline.written()
  await search.index(opened.flatMap(event => indexed(roomId, event)))
  if (entry) {
    store.believe({ entries: [entry] })
    tell({ kind: 'rooms', changed: [entry], gone: [] })
  }
  if (opened.length > 0) tell({ kind: 'timeline', roomId })
  return opened.length > 0
}

/** With the line under the room's name in words: what looked like a message may have been a reaction. */
async function entryNow(
  store: RoomStore,
  roomId: string,
  timeline: Timeline,
  relations: RelationBatch,
): Promise<RoomEntry | null> {
  const room = await store.room(roomId)
  if (!room) return null
  for (const number of timeline.packNumbers.toReversed()) {
    const newest = (await timeline.pack(number)).events.findLast(countsAsNews)
    if (!newest) continue
    await relations.load([newest.eventId])
    return store.entryOf(room, await previewOf(store, room, timeline, relations, new Set(), newest))
  }
  return store.entryOf(room, null)
}

function asItCame(event: StoredEvent): ClientEvent {
  const { eventId, sender, type, stateKey, ts, content } = event
  return { eventId, sender, type, stateKey, ts, content, unsigned: {}, redacts: null }
}
