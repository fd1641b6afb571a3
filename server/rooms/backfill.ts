/**
 * History from before what is here, fetched when somebody reads that far.
 *
 * One page at a time: what is fetched is stored before the next is asked for, so that a history of 100,000 events needs
 * the memory of one page. A room that gave nothing is left alone for a while.
 *
 * Spec: server-server-api#backfilling-and-retrieving-missing-events
 */
import type { EventId, RoomId, ServerName } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'
import { parseReceived } from './incoming-event.ts'
import { Budget, type MissingEvents } from './missing-events.ts'
import type { Outgoing } from './outgoing.ts'
import { RemoteError } from './remote-rooms.ts'
import type { RoomActor } from './room-actor.ts'
import type { RoomsContext } from './rooms-context.ts'

const pageSize = 100
const maxServersAsked = 3
/** Beside the page itself: the state before its oldest event, and auth events that are missing. */
const maxRequests = 30
const leftAloneMs = 60_000

export class Backfill {
  readonly #context: RoomsContext
  readonly #outgoing: Outgoing
  readonly #missing: MissingEvents
  readonly #underway = new Map<RoomId, Promise<boolean>>()
  readonly #leftAloneUntil = new Map<RoomId, number>()

  constructor(context: RoomsContext, outgoing: Outgoing, missing: MissingEvents) {
    this.#context = context
    this.#outgoing = outgoing
    this.#missing = missing
  }

  /** Resolves with whether anything older is here now. */
  fetchOlder(roomId: RoomId): Promise<boolean> {
    const underway = this.#underway.get(roomId)
    if (underway) return underway
    const fetching = this.#fetch(roomId).finally(() => this.#underway.delete(roomId))
    this.#underway.set(roomId, fetching)
    return fetching
  }

  async #fetch(roomId: RoomId): Promise<boolean> {
    const { actors, clock } = this.#context
    // Longer than that it is never left alone: then the clock was set back.
    const leftMs = (this.#leftAloneUntil.get(roomId) ?? 0) - clock()
    if (leftMs > 0 && leftMs <= leftAloneMs) return false
    const actor = await actors.hold(roomId)
    if (!actor) return false
    try {
      const edge = await this.#edge(roomId)
      if (edge.length === 0 || actor.frozen) return false
      for (const server of this.#serversOf(actor)) {
        if (await this.#page(actor, server, edge)) return true
      }
      if (this.#leftAloneUntil.size > 1_000) this.#leftAloneUntil.clear()
      this.#leftAloneUntil.set(roomId, clock() + leftAloneMs)
      return false
    } finally {
      actors.release(actor)
    }
  }

  /** The newest of what is missing. */
  async #edge(roomId: RoomId): Promise<EventId[]> {
    const missing = await this.#outgoing.backwardExtremities(roomId)
    const newestFirst = [...missing].sort(([, a], [, b]) => b - a)
    return newestFirst.slice(0, 20).map(([eventId]) => eventId)
  }

  #serversOf({ view }: RoomActor): ServerName[] {
    const { serverName, peers } = this.#context
    const others = [...view.joinedServers.keys()].filter(
      server => server !== serverName && (peers?.maySendTo(server) ?? true),
    )
    return others.slice(0, maxServersAsked)
  }

  async #page(actor: RoomActor, server: ServerName, edge: readonly EventId[]): Promise<boolean> {
    const { remote } = this.#context
    const { roomId } = actor
    let events: readonly Json[]
    try {
      events = await remote.backfill(server, roomId, edge, pageSize)
    } catch (error) {
      if (error instanceof RemoteError) return false
      throw error
    }
    const oldestFirst = events
      .slice(0, pageSize * 2)
      .flatMap(json => {
        const pdu = parseReceived(json, actor.rules)
        return 'refused' in pdu ? [] : [{ json, depth: pdu.depth }]
      })
      .sort((a, b) => a.depth - b.depth)
    // Reserved in memory, made durable by the first event's batch. A gap in the order is nothing.
    actor.lowest -= oldestFirst.length
    const from = actor.lowest
    const source = { server, budget: new Budget(maxRequests), onStranger: async () => {} }
    const inOrder = oldestFirst.map(({ json }) => json)
    await this.#missing.receiveOld(roomId, inOrder, source, from)
    return (await this.#edge(roomId)).join() !== edge.join()
  }
}
