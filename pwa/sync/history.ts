/**
 * What the server has of a room and we have not: gaps are filled as somebody scrolls into them, islands made where they jump.
 *
 * Spec: client-server-api#get_matrixclientv3roomsroomidmessages, #get_matrixclientv3roomsroomidcontexteventid,
 * #get_matrixclientv1roomsroomidtimestamp_to_event
 */
import type { JsonObject } from '#protocol/json.ts'
import { type Http, inPath, v1, v3 } from '../api/http.ts'
import type { Machine } from '../e2ee/machine.ts'
import { indexed, isKept, redactionsOf } from './apply-sync.ts'
import type { Search } from './ports.ts'
import { readEvents } from './reading.ts'
import { RelationBatch } from './relations.ts'
import type { RoomStore } from './room-store.ts'
import type { StoredEvent } from './stored-event.ts'
import { type ClientEvent, parseClientEvent, parseClientEvents } from './sync-answer.ts'
import type { Timeline } from './timeline.ts'

const chunk = 100
const aroundEvent = 40

export interface HistoryDeps {
  readonly http: Http
  readonly store: RoomStore
  readonly machine: Machine
  readonly search: Search
}

export class History {
  readonly #deps: HistoryDeps
  /** One at a time a room: two who scroll ask for the same gap. */
  readonly #running = new Map<string, Promise<unknown>>()

  constructor(deps: HistoryDeps) {
    this.#deps = deps
  }

  /** Fills some of what lies before this pack. @throws ApiError */
  older(roomId: string, timeline: Timeline, number: number): Promise<void> {
    return this.alone(roomId, async () => {
      const { gap } = await timeline.pack(number)
      if (gap === null) return
      const answer = await this.#messages(roomId, gap, 'b')
      const events = parseClientEvents(answer['chunk']).toReversed()
      const kept = await this.#take(roomId, events)
      const end = typeof answer['end'] === 'string' && answer['end'] !== gap ? answer['end'] : null
      await timeline.prepend(number, kept, end)
      await this.#store(timeline)
    })
  }

  /** Fills some of what lies after the island that ends with this pack. @throws ApiError */
  newer(roomId: string, timeline: Timeline, number: number): Promise<void> {
    return this.alone(roomId, async () => {
      const { after } = await timeline.pack(number)
      if (after === null) return
      const answer = await this.#messages(roomId, after, 'f')
      const kept = await this.#take(roomId, parseClientEvents(answer['chunk']))
      const end = typeof answer['end'] === 'string' && answer['end'] !== after ? answer['end'] : null
      await timeline.extend(number, kept, end)
      await this.#store(timeline)
    })
  }

  /** Brings an event that is not here, with what stands around it. False: the server does not have it, or not for us. @throws ApiError */
  around(roomId: string, timeline: Timeline, eventId: string): Promise<boolean> {
    return this.alone(roomId, async () => {
      if (await timeline.find(eventId)) return true
      const { http } = this.#deps
      const path = `${v3}/rooms/${inPath(roomId)}/context/${inPath(eventId)}`
      const answer = await http.request('GET', path, { query: { limit: aroundEvent } })
      const middle = parseClientEvent(answer['event'])
      if (!middle) return false
      const events = [
        ...parseClientEvents(answer['events_before']).toReversed(),
        middle,
        ...parseClientEvents(answer['events_after']),
      ]
      const known = await knownAmong(timeline, events)
      const kept = (await this.#take(roomId, events)).filter(event => !known.has(event.eventId))
      await timeline.island(kept, textAt(answer, 'start'), textAt(answer, 'end'))
      await this.#store(timeline)
      return true
    })
  }

  /** The event nearest to a time, from it on. @throws ApiError */
  async eventAt(roomId: string, ts: number): Promise<string | null> {
    const path = `${v1}/rooms/${inPath(roomId)}/timestamp_to_event`
    const answer = await this.#deps.http.request('GET', path, {
      query: { ts: Math.max(0, Math.floor(ts)), dir: 'f' },
    })
    return textAt(answer, 'event_id')
  }

  #messages(roomId: string, from: string, dir: 'b' | 'f'): Promise<JsonObject> {
    return this.#deps.http.request('GET', `${v3}/rooms/${inPath(roomId)}/messages`, {
      query: { from, dir, limit: chunk },
    })
  }

  /** Opens, relates and indexes events from the past; gives those that stand in the timeline. */
  async #take(roomId: string, events: readonly ClientEvent[]): Promise<StoredEvent[]> {
    const { store, machine, search } = this.#deps
    const shown = events.filter(({ sender }) => !store.isIgnored(sender))
    const read = await readEvents(machine, roomId, shown)
    const relations = new RelationBatch(store.records, roomId)
    await relations.take(read, redactionsOf(shown))
    const sessions = new Set(read.flatMap(({ unreadable }) => unreadable?.sessionId ?? []))
    await store.records.commit([
      ...relations.writes(),
      ...[...sessions].map(sessionId => ({
        collection: 'unread-session',
        id: `${roomId}|${sessionId}`,
        value: {},
      })),
    ])
    await search.index(read.flatMap(event => indexed(roomId, event)))
    return read.filter(isKept)
  }

  async #store(timeline: Timeline): Promise<void> {
    await this.#deps.store.records.commit(timeline.writes())
    timeline.written()
  }

  /**
   * One after the other in a room. Whoever opens events there once their key is here asks by this too: a key that comes while
   * history is being fetched finds it stored.
   */
  alone<T>(roomId: string, act: () => Promise<T>): Promise<T> {
    const running = (this.#running.get(roomId) ?? Promise.resolve()).then(act)
    this.#running.set(
      roomId,
      running.catch(() => {}),
    )
    return running
  }
}

/** What is here of these must not be there twice: an island ends where it meets what we have. */
async function knownAmong(timeline: Timeline, events: readonly ClientEvent[]): Promise<ReadonlySet<string>> {
  const known = new Set<string>()
  for (const { eventId } of events) if (await timeline.find(eventId, 20)) known.add(eventId)
  return known
}

function textAt(object: JsonObject, name: string): string | null {
  const value = object[name]
  return typeof value === 'string' ? value : null
}
