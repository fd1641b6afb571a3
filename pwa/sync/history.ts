/**
 * What the server has of a room and we have not: gaps are filled as somebody scrolls into them, islands made where they jump.
 *
 * Spec: client-server-api#get_matrixclientv3roomsroomidmessages, #get_matrixclientv3roomsroomidcontexteventid,
 * #get_matrixclientv1roomsroomidtimestamp_to_event
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { type Http, inPath, v1, v3 } from '../api/http.ts'
import type { Machine } from '../e2ee/machine.ts'
import { indexed, isKept, redactionsOf, sessionMarks } from './kept-events.ts'
import type { Search } from './ports.ts'
import { readEvents } from './reading.ts'
import { RelationBatch } from './relations.ts'
import type { RoomStore } from './room-store.ts'
import type { StoredEvent } from './stored-event.ts'
import { type ClientEvent, parseClientEvent, parseClientEvents } from './sync-answer.ts'
import type { Pack, Timeline } from './timeline.ts'

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
  /** One at a time a room: two who scroll ask for the same gap once. */
  readonly #asking = new Map<string, Promise<unknown>>()
  #isStopped = false

  constructor(deps: HistoryDeps) {
    this.#deps = deps
  }

  /** What is asked for still is stored no more: whoever opens these records next has timelines of their own. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#deps.store.alone(async () => {})
  }

  /** Fills some of what lies before this pack. @throws ApiError */
  older(roomId: string, timeline: Timeline, number: number): Promise<void> {
    return this.#ask(roomId, async () => {
      const { gap } = await timeline.pack(number)
      if (gap === null) return
      const answer = await this.#messages(roomId, gap, 'b')
      const events = parseClientEvents(answer['chunk']).toReversed()
      const end = endOf(answer, gap)
      await this.#put(roomId, events, (to, kept) => to.prepend(number, kept, end))
    })
  }

  /** Fills some of what lies after a pack that nothing follows on. @throws ApiError */
  newer(roomId: string, timeline: Timeline, number: number): Promise<void> {
    return this.#ask(roomId, async () => {
      const pack = await timeline.pack(number)
      const after = pack.after ?? (await this.#endOf(roomId, pack))
      if (after === null) return
      const answer = await this.#messages(roomId, after, 'f')
      const end = endOf(answer, after)
      await this.#put(roomId, parseClientEvents(answer['chunk']), (to, kept) => to.extend(number, kept, end))
    })
  }

  /** Brings an event that is not here, with what stands around it. False: the server does not have it, or not for us. @throws ApiError */
  around(roomId: string, timeline: Timeline, eventId: string): Promise<boolean> {
    return this.#ask(roomId, async () => {
      if (await timeline.find(eventId)) return true
      const answer = await this.#context(roomId, eventId, aroundEvent)
      const middle = parseClientEvent(answer['event'])
      if (!middle) return false
      const events = [
        ...parseClientEvents(answer['events_before']).toReversed(),
        middle,
        ...parseClientEvents(answer['events_after']),
      ]
      return this.#put(roomId, events, (to, kept) =>
        to.island(kept, textAt(answer, 'start'), textAt(answer, 'end')),
      )
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

  #context(roomId: string, eventId: string, limit: number): Promise<JsonObject> {
    const path = `${v3}/rooms/${inPath(roomId)}/context/${inPath(eventId)}`
    return this.#deps.http.request('GET', path, { query: { limit } })
  }

  /** Where to ask for what follows on a pack: of a live one no sync said it. */
  async #endOf(roomId: string, { events }: Pack): Promise<string | null> {
    const last = events.at(-1)
    return last ? textAt(await this.#context(roomId, last.eventId, 0), 'end') : null
  }

  /** Opens, relates, stores and indexes events from the past; `place` puts those that stand in the timeline into it. */
  #put<T>(
    roomId: string,
    events: readonly ClientEvent[],
    place: (timeline: Timeline, kept: readonly StoredEvent[]) => Promise<T>,
  ): Promise<T> {
    const { store, machine, search } = this.#deps
    return store.alone(async () => {
      if (this.#isStopped) throw new ApiError('OFFLINE', 'the session is being closed')
      const read = await readEvents(machine, roomId, events)
      const relations = new RelationBatch(store.records, roomId)
      await relations.load(read.map(({ eventId }) => eventId))
      await relations.take(read, redactionsOf(events))
      const timeline = await store.timeline(roomId)
      try {
        const placed = await place(timeline, read.filter(isKept))
        await search.commit([...timeline.writes(), ...relations.writes(), ...sessionMarks(roomId, read)], {
          // A jump may have brought some of it before.
          reindex: read.flatMap(event => indexed(roomId, event, relations)),
        })
        timeline.written()
        return placed
      } catch (error) {
        store.distrust([roomId])
        throw error
      }
    })
  }

  #ask<T>(roomId: string, act: () => Promise<T>): Promise<T> {
    const asking = (this.#asking.get(roomId) ?? Promise.resolve()).then(act)
    this.#asking.set(
      roomId,
      asking.catch(() => {}),
    )
    return asking
  }
}

/** Null: there is no more. */
function endOf(answer: JsonObject, from: string): string | null {
  const end = textAt(answer, 'end')
  return end === from ? null : end
}

function textAt(object: JsonObject, name: string): string | null {
  const value = object[name]
  return typeof value === 'string' ? value : null
}
