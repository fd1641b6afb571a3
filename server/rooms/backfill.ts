/**
 * History from before what is here, fetched when somebody reads that far.
 *
 * One page at a time: what is fetched is stored before the next is asked for, so that a history of 100,000 events needs
 * the memory of one page. A room that gave nothing is left alone for a while. An event from far back can be fetched by
 * itself; what is missing above it is filled when somebody reads there (timeline-gap.ts).
 *
 * Spec: server-server-api#backfilling-and-retrieving-missing-events
 */
import type { EventId, RoomId, ServerName } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'
import { incomingOf, parseReceived } from './incoming-event.ts'
import { Budget, type FetchSource, type MissingEvents } from './missing-events.ts'
import type { Outgoing } from './outgoing.ts'
import { RemoteError } from './remote-rooms.ts'
import type { RoomActor } from './room-actor.ts'
import type { RoomsContext } from './rooms-context.ts'
import {
  closeIsland,
  depthsOf,
  fillGap,
  gapBetween,
  gapUnder,
  openIsland,
  type TimelineGap,
  withoutGap,
} from './timeline-gap.ts'

const pageSize = 100
const maxServersAsked = 3
/** Beside the page itself: the state before its oldest event, and auth events that are missing. */
const maxRequests = 30
const leftAloneMs = 60_000

export class Backfill {
  readonly #context: RoomsContext
  readonly #outgoing: Outgoing
  readonly #missing: MissingEvents
  /** By room and part of it. */
  readonly #underway = new Map<string, Promise<boolean>>()
  /** By room: one after the other, for each takes places in the room's order. */
  readonly #turns = new Map<RoomId, Promise<unknown>>()
  readonly #leftAloneUntil = new Map<string, number>()

  constructor(context: RoomsContext, outgoing: Outgoing, missing: MissingEvents) {
    this.#context = context
    this.#outgoing = outgoing
    this.#missing = missing
  }

  /** From this place of the timeline, or from the oldest event on. Resolves with whether anything older is here now. */
  async fetchOlder(roomId: RoomId, from?: number): Promise<boolean> {
    const actor = await this.#context.actors.get(roomId)
    return this.#once(roomId, actor && gapUnder(actor.gaps, from === undefined ? from : from + 1))
  }

  /** The newest of what is missing between these places. */
  async fetchBetween(roomId: RoomId, low: number, high: number): Promise<boolean> {
    const { actors } = this.#context
    const actor = actors.loaded(roomId) ?? (await actors.get(roomId))
    const gap = actor && gapBetween(actor.gaps, low, high)
    return gap ? this.#once(roomId, gap) : false
  }

  /**
   * One event by its id, to a place of its own with a hole above it. Resolves with whether it is in the timeline now; a
   * crash leaves the event and its hole, or neither.
   */
  fetchEvent(roomId: RoomId, server: ServerName, eventId: EventId): Promise<boolean> {
    return this.#inTurn(roomId, () => this.#fetchEvent(roomId, server, eventId))
  }

  async #fetchEvent(roomId: RoomId, server: ServerName, eventId: EventId): Promise<boolean> {
    const { actors, remote } = this.#context
    const actor = await actors.hold(roomId)
    if (!actor) return false
    try {
      if (await this.#isPlaced(eventId)) return true
      if (actor.frozen) return false
      const json = await remote.event(server, eventId)
      const pdu = parseReceived(json, actor.rules)
      if ('refused' in pdu || incomingOf(pdu, actor.rules).eventId !== eventId) return false
      const edges = [...(await this.#outgoing.backwardExtremities(roomId)).values()]
      const island = openIsland(actor.gaps, pdu.depth, edges, actor.lowest)
      if (!island) return false
      // In memory; the event's own batch makes it durable.
      actor.gaps = island.gaps
      actor.lowest = Math.min(actor.lowest, island.order)
      await this.#missing.receiveOld(roomId, [json], sourceOf(server), island.order)
      const isPlaced = await this.#isPlaced(eventId)
      if (!isPlaced) actor.gaps = closeIsland(actor.gaps, island.order)
      return isPlaced
    } catch (error) {
      if (error instanceof RemoteError) return false
      throw error
    } finally {
      actors.release(actor)
    }
  }

  async #isPlaced(eventId: EventId): Promise<boolean> {
    const { store, reader } = this.#context
    const [event] = await store.read(view => reader.byIds(view, [eventId]))
    return event?.isShown ?? false
  }

  /** Whoever waits for the same part of the room waits together. */
  #once(roomId: RoomId, gap: TimelineGap | undefined | null): Promise<boolean> {
    const part = `${roomId} ${gap?.below ?? ''}`
    const underway = this.#underway.get(part)
    if (underway) return underway
    const fetching = this.#inTurn(roomId, () => this.#fetch(roomId, part, gap?.below)).finally(() =>
      this.#underway.delete(part),
    )
    this.#underway.set(part, fetching)
    return fetching
  }

  #inTurn<T>(roomId: RoomId, act: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(roomId) ?? Promise.resolve()).then(act, act)
    this.#turns.set(roomId, turn)
    const end = () => {
      if (this.#turns.get(roomId) === turn) this.#turns.delete(roomId)
    }
    turn.then(end, end)
    return turn
  }

  async #fetch(roomId: RoomId, part: string, below: number | undefined): Promise<boolean> {
    const { actors, clock } = this.#context
    // Longer than that it is never left alone: then the clock was set back.
    const leftMs = (this.#leftAloneUntil.get(part) ?? 0) - clock()
    if (leftMs > 0 && leftMs <= leftAloneMs) return false
    const actor = await actors.hold(roomId)
    if (!actor) return false
    try {
      if (actor.frozen) return false
      // Closed while we waited: reading goes on.
      if (below !== undefined && !gapAt(actor, below)) return true
      const edge = await this.#edge(actor, below)
      if (edge.length === 0) return closeGap(actor, below)
      for (const server of this.#serversOf(actor)) {
        if (await this.#page(actor, server, edge, below)) return true
      }
      if (this.#leftAloneUntil.size > 1_000) this.#leftAloneUntil.clear()
      this.#leftAloneUntil.set(part, clock() + leftAloneMs)
      return false
    } finally {
      actors.release(actor)
    }
  }

  /** The newest of what is missing from the hole above this order, or from below everything. */
  async #edge(actor: RoomActor, below: number | undefined): Promise<EventId[]> {
    const { above, upTo } = depthsOf(actor.gaps, gapAt(actor, below))
    const missing = await this.#outgoing.backwardExtremities(actor.roomId)
    const newestFirst = [...missing]
      .filter(([, depth]) => depth > above && depth <= upTo)
      .sort(([, a], [, b]) => b - a)
    return newestFirst.slice(0, 20).map(([eventId]) => eventId)
  }

  #serversOf({ view }: RoomActor): ServerName[] {
    const { serverName, peers } = this.#context
    const others = [...view.joinedServers.keys()].filter(
      server => server !== serverName && (peers?.maySendTo(server) ?? true),
    )
    return others.slice(0, maxServersAsked)
  }

  async #page(
    actor: RoomActor,
    server: ServerName,
    edge: readonly EventId[],
    below: number | undefined,
  ): Promise<boolean> {
    const { remote } = this.#context
    const { roomId } = actor
    let events: readonly Json[]
    try {
      events = await remote.backfill(server, roomId, edge, pageSize)
    } catch (error) {
      if (error instanceof RemoteError) return false
      throw error
    }
    // What the other end of the hole leads to is asked for by whoever reads on from there.
    const deeperThan = gapAt(actor, below)?.depth ?? -1
    const oldestFirst = events
      .slice(0, pageSize * 2)
      .flatMap(json => {
        const pdu = parseReceived(json, actor.rules)
        return 'refused' in pdu || pdu.depth <= deeperThan ? [] : [{ json, depth: pdu.depth }]
      })
      .sort((a, b) => a.depth - b.depth)
    const from = reserve(actor, below, oldestFirst.length)
    const inOrder = oldestFirst.map(({ json }) => json)
    await this.#missing.receiveOld(roomId, inOrder, sourceOf(server), from)
    return (await this.#edge(actor, below)).join() !== edge.join()
  }
}

function sourceOf(server: ServerName): FetchSource {
  return { server, budget: new Budget(maxRequests), onStranger: async () => {} }
}

function gapAt({ gaps }: RoomActor, below: number | undefined): TimelineGap | undefined {
  return gaps.find(gap => gap.below === below)
}

/** Nothing is missing there: both ends meet, and reading goes on. */
function closeGap(actor: RoomActor, below: number | undefined): boolean {
  const gap = gapAt(actor, below)
  if (gap) actor.gaps = withoutGap(actor.gaps, gap)
  return gap !== undefined
}

/** So many places, the lowest first. In memory; the first event's batch makes it durable. A place that stays empty is nothing. */
function reserve(actor: RoomActor, below: number | undefined, count: number): number {
  const gap = gapAt(actor, below)
  const filled = gap && fillGap(actor.gaps, gap, count)
  if (gap && filled) {
    actor.gaps = filled
    return gap.above - count
  }
  actor.lowest -= count
  return actor.lowest
}
