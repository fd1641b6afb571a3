/**
 * Messages that could not be read when they came, once their keys are here.
 *
 * The engine says when keys come; a start, and whoever looks at a message that is still shut, asks once more, for a crash may
 * have swallowed that word.
 */
import type { Machine } from '../e2ee/machine.ts'
import { firstReadableIndex } from '../e2ee/room-sessions.ts'
import { VaultError } from '../vault/errors.ts'
import type { VaultWrite } from '../vault/records.ts'
import { judged, withMentions } from './attention.ts'
import { indexed, indexedEdits, isKept, unreadSession } from './kept-events.ts'
import type { Search, SyncNotice } from './ports.ts'
import { newestPreview } from './preview.ts'
import { readEvents } from './reading.ts'
import { RelationBatch } from './relations.ts'
import { type Room, writesOf } from './room.ts'
import type { RoomEntry } from './room-entry.ts'
import type { RoomStore } from './room-store.ts'
import type { StoredEvent } from './stored-event.ts'
import type { ClientEvent } from './sync-answer.ts'
import type { Timeline } from './timeline.ts'

export interface ReopenDeps {
  readonly store: RoomStore
  readonly machine: Pick<Machine, 'decryptRoomEvents' | 'run'>
  readonly search: Search
  readonly tell: (notice: SyncNotice) => void
}

/** Gathers keys that come one by one, so that a room is gone through once for many. */
export class Reopening {
  readonly #deps: ReopenDeps
  readonly #waiting = new Map<string, Set<string>>()
  /** Those that somebody looked at in vain. */
  readonly #missed = new Set<string>()
  #running: Promise<void> | null = null

  constructor(deps: ReopenDeps) {
    this.#deps = deps
  }

  keysCame(roomId: string, sessionIds: Iterable<string>): void {
    const waiting = this.#waiting.get(roomId) ?? new Set()
    for (const sessionId of sessionIds) waiting.add(sessionId)
    this.#waiting.set(roomId, waiting)
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  /** Somebody looks at what is still shut. */
  missed(roomId: string, sessionIds: readonly string[]): void {
    const fresh = sessionIds.filter(sessionId => !this.#missed.has(`${roomId}|${sessionId}`))
    for (const sessionId of fresh) this.#missed.add(`${roomId}|${sessionId}`)
    if (fresh.length > 0) this.keysCame(roomId, fresh)
  }

  /** After a start: of keys that came, a crash may have swallowed the word. Nobody has to look at a message for it to be found. */
  async resume(): Promise<void> {
    const { store, machine } = this.#deps
    try {
      for (const [id, { tried = null }] of await store.records.entries(unreadSession)) {
        const at = id.lastIndexOf('|')
        const [roomId, sessionId] = [id.slice(0, at), id.slice(at + 1)]
        const index = await machine.run(step => firstReadableIndex(step, roomId, sessionId))
        if (index !== null && index !== tried) this.keysCame(roomId, [sessionId])
      }
    } catch (error) {
      // Locked meanwhile: the next start does it.
      if (!(error instanceof VaultError)) throw error
    }
  }

  /** When nothing waits any more. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    const { store } = this.#deps
    while (this.#waiting.size > 0) {
      // Whoever holds the turn may be about to bring more.
      await store.alone(async () => {
        const [next] = this.#waiting
        if (!next) return
        const [roomId, sessionIds] = next
        this.#waiting.delete(roomId)
        try {
          await reopen(this.#deps, roomId, [...sessionIds])
        } catch (error) {
          store.distrust([roomId])
          // Locked, or full: it is tried again when somebody looks.
          if (!(error instanceof VaultError)) throw error
        }
      })
    }
  }
}

/** Says whether anything became readable. A crash in the middle leaves the mark, and it is tried again. */
async function reopen(deps: ReopenDeps, roomId: string, sessionIds: readonly string[]): Promise<boolean> {
  const { store, machine, search, tell } = deps
  const markIds = sessionIds.map(sessionId => `${roomId}|${sessionId}`)
  const marks = await store.records.getMany(unreadSession, markIds)
  const waiting = new Set(sessionIds.filter((_, i) => marks[i] !== undefined))
  const before = await store.room(roomId)
  if (waiting.size === 0 || !before) return false
  const timeline = await store.timeline(roomId)
  const relations = new RelationBatch(store.records, roomId)
  const opened: StoredEvent[] = []
  const stillShut = new Set<string>()
  for (const number of timeline.packNumbers.toReversed()) {
    const { events } = await timeline.pack(number)
    const shut = events.filter(
      ({ unreadable }) => unreadable?.sessionId != null && waiting.has(unreadable.sessionId),
    )
    if (shut.length === 0) continue
    const read = await readEvents(machine, roomId, shut.map(asItCame))
    const byId = new Map<string, StoredEvent>()
    for (const [i, event] of read.entries()) {
      const { txnId, redactedBecause } = shut[i]!
      if (event.unreadable) stillShut.add(shut[i]!.unreadable!.sessionId!)
      else byId.set(event.eventId, { ...event, txnId, redactedBecause })
    }
    if (byId.size === 0) continue
    await relations.load(byId.keys())
    await relations.take([...byId.values()], [])
    // A reaction or an edit, now that it is known as one, stands with what it belongs to.
    await timeline.replace(number, event => {
      const now = byId.get(event.eventId)
      return now ? (isKept(now) ? now : null) : event
    })
    // In the order of the timeline: what stands above something of ours, we have read.
    opened.unshift(...byId.values())
  }
  const marked = await marksAfter(deps, roomId, waiting, stillShut)
  if (opened.length === 0) {
    await store.records.commit(marked)
    return false
  }
  const { room, entry } = await seenAnew(store, before, timeline, relations, opened)
  await search.commit(
    [
      ...timeline.writes(),
      ...relations.writes(),
      ...writesOf(before, room),
      store.entryWrite(entry),
      ...marked,
    ],
    {
      index: opened.flatMap(event => indexed(roomId, event, relations)),
      reindex: await indexedEdits(roomId, opened, timeline, relations),
    },
  )
  timeline.written()
  store.believe({ rooms: [room], entries: [entry] })
  tell({ kind: 'timeline', roomId })
  tell({ kind: 'rooms', changed: [entry], gone: [] })
  return true
}

/** None is left where all was opened. Of what was tried in vain it says with which key: that one need not be tried again. */
async function marksAfter(
  { machine }: ReopenDeps,
  roomId: string,
  sessionIds: Iterable<string>,
  stillShut: ReadonlySet<string>,
): Promise<VaultWrite[]> {
  const writes: VaultWrite[] = []
  for (const sessionId of sessionIds) {
    const tried = stillShut.has(sessionId)
      ? await machine.run(step => firstReadableIndex(step, roomId, sessionId))
      : null
    const value = stillShut.has(sessionId) ? { tried } : null
    writes.push({ collection: unreadSession, id: `${roomId}|${sessionId}`, value })
  }
  return writes
}

/** What was opened may mention us, and be what the list shows. */
async function seenAnew(
  store: RoomStore,
  before: Room,
  timeline: Timeline,
  relations: RelationBatch,
  opened: readonly StoredEvent[],
): Promise<{ room: Room; entry: RoomEntry }> {
  const receipt = before.receipts.get(store.ourUserId)
  const readTs = receipt ? (receipt.eventTs ?? receipt.ts) : (before.members.get(store.ourUserId)?.ts ?? 0)
  const ourTs = await newestOfOurs(timeline, store.ourUserId)
  const unseen = opened.filter(({ ts }) => ts > Math.max(readTs, ourTs))
  const room = withMentions(before, before, [], judged(store, before, before, unseen), store.ourUserId)
  return { room, entry: store.entryOf(room, await newestPreview(store, room, timeline, relations)) }
}

/** So many packs from the end on: what is older than they are is no news in any case. */
const recentPacks = 3

/** Whoever writes has read what stands above. */
async function newestOfOurs(timeline: Timeline, ourUserId: string): Promise<number> {
  for (const number of timeline.packNumbers.slice(-recentPacks).toReversed()) {
    const { events } = await timeline.pack(number)
    const ours = events.findLast(({ sender, stateKey }) => sender === ourUserId && stateKey === null)
    if (ours) return ours.ts
  }
  return 0
}

function asItCame(event: StoredEvent): ClientEvent {
  const { eventId, sender, type, stateKey, ts, content } = event
  return { eventId, sender, type, stateKey, ts, content, unsigned: {}, redacts: null }
}
