/**
 * Fetching what an event stands on and is not here: first the events in between, then the state and auth events that
 * nobody in between can tell.
 *
 * One transaction has one budget of requests: a peer that names events which lead to ever more events costs us so
 * many requests and no more, and only its own transaction waits for them. What could not be fetched stays missing;
 * the next event that stands on it asks again.
 *
 * Spec: server-server-api#backfilling-and-retrieving-missing-events
 */
import type { Pdu } from '../protocol/event.ts'
import { requiredSigners } from '../protocol/event-signing.ts'
import type { EventId, RoomId, ServerName } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'
import { type RoomRules, roomVersion } from '../protocol/room-versions.ts'
import { StoreError } from '../store/store.ts'
import { incomingOf, parseReceived } from './incoming-event.ts'
import type { Circumstances, Receiver } from './receive.ts'
import { RemoteError } from './remote-rooms.ts'
import { RoomCopy } from './room-copy.ts'
import type { RoomsContext } from './rooms-context.ts'
import type { Received } from './rooms-internal.ts'

/** Events in between that are asked for at once; other servers give 20 or fewer. */
const gapSize = 100
/** Above this many missing state events the whole state is one request. */
const maxSingleEvents = 50
const besideEachOther = 8

export class Budget {
  #left: number
  constructor(requests: number) {
    this.#left = requests
  }
  spend(): void {
    if (this.#left-- <= 0) throw new RemoteError('unreachable', 'too many events are missing')
  }
}

export interface FetchSource {
  readonly server: ServerName
  readonly budget: Budget
  /** Told of each event of the gap, or of the state after it, whose signature nobody here can check. */
  readonly onStranger: (server: ServerName, event: Json, eventId: EventId) => Promise<void>
}

export class MissingEvents {
  readonly #context: RoomsContext
  readonly #receiver: Receiver

  constructor(context: RoomsContext, receiver: Receiver) {
    this.#context = context
    this.#receiver = receiver
  }

  /** Receives an event, with whatever it needs from the server that sent it. */
  async receive(roomId: RoomId, json: Json, source: FetchSource): Promise<Received> {
    const first = await this.#receiver.receive(roomId, json)
    if (first.kind !== 'incomplete') return first
    try {
      if (first.missingPrevEvents.length > 0) await this.#fillGap(roomId, first.eventId, source)
      return await this.#withState(roomId, json, source)
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error
      return first
    }
  }

  /**
   * Events of the past, oldest first, from this place of the timeline on. What comes before the oldest is not here, so it
   * goes ahead with the state that the other server tells; the rest mostly stands on it. What cannot be had stays missing.
   */
  async receiveOld(
    roomId: RoomId,
    events: readonly Json[],
    source: FetchSource,
    order: number,
  ): Promise<void> {
    if (events.length === 0) return
    await this.#receiveOne(roomId, events[0]!, source, order)
    const received = await this.#receiver.receiveAll(roomId, events.slice(1), order + 1)
    for (const [i, { kind }] of received.entries()) {
      if (kind === 'incomplete') await this.#receiveOne(roomId, events[i + 1]!, source, order + i + 1)
    }
  }

  async #receiveOne(roomId: RoomId, json: Json, source: FetchSource, order: number): Promise<void> {
    try {
      await this.#withState(roomId, json, source, { order })
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error
    }
  }

  /** Between what we have and the event. Each is received by itself: a bad one is not there, and nothing more. */
  async #fillGap(roomId: RoomId, eventId: EventId, source: FetchSource): Promise<void> {
    const { remote, actors, peers } = this.#context
    const actor = await actors.get(roomId)
    if (!actor) return
    source.budget.spend()
    const events = await remote.missingEvents(source.server, roomId, {
      earliest: actor.durableForward.slice(0, 20),
      latest: [eventId],
      limit: gapSize,
      minDepth: 0,
    })
    const known = new Set<EventId>()
    for (const event of byDepth(events, actor.rules).slice(0, gapSize)) {
      if (event.eventId === eventId || known.has(event.eventId)) continue
      known.add(event.eventId)
      const stranger = requiredSigners(event.pdu).find(server => peers && !peers.isKnown(server))
      // Whoever spoke in between was in the room, whatever its state says by now.
      if (stranger) return await source.onStranger(stranger, event.json, event.eventId)
      await this.#withState(roomId, event.json, source).catch(unlessOwnFault)
    }
  }

  /** Receives it on the state that the other server tells, where its previous events cannot be had. */
  async #withState(
    roomId: RoomId,
    json: Json,
    source: FetchSource,
    how: Circumstances = {},
  ): Promise<Received> {
    let received = await this.#receiver.receive(roomId, json, {}, how)
    if (received.kind === 'incomplete' && received.missingAuthEvents.length > 0) {
      await this.#fetchAuth(roomId, received.eventId, received.missingAuthEvents, source)
      received = await this.#receiver.receive(roomId, json, {}, how)
    }
    if (received.kind !== 'incomplete' || received.missingAuthEvents.length > 0) return received
    const stateBefore = await this.#fetchState(roomId, received.eventId, source)
    return stateBefore ? this.#receiver.receive(roomId, json, { stateBefore }, how) : received
  }

  async #fetchAuth(
    roomId: RoomId,
    eventId: EventId,
    missing: readonly EventId[],
    source: FetchSource,
  ): Promise<void> {
    const { remote } = this.#context
    source.budget.spend()
    const chain = await remote.eventAuth(source.server, roomId, eventId).catch(unlessRefused)
    const copy = await this.#copy(roomId)
    if (!copy) return
    const ids = chain ? await copy.take(chain) : []
    const left = missing.filter(id => !ids.includes(id))
    if (left.length > 0) await copy.take(await this.#single(left, source))
  }

  /** The ids of the state before the event, all of them here; null: not all could be had. */
  async #fetchState(
    roomId: RoomId,
    eventId: EventId,
    source: FetchSource,
  ): Promise<readonly EventId[] | null> {
    const { remote, store, reader } = this.#context
    const copy = await this.#copy(roomId)
    if (!copy) return null
    source.budget.spend()
    const { stateIds, authChainIds } = await remote.stateIds(source.server, roomId, eventId)
    const wanted = [...new Set([...stateIds, ...authChainIds])]
    const missing = await store.read(async view => {
      const events = await reader.byIds(view, wanted)
      return wanted.filter((_, i) => !events[i] || events[i].facts.flags.unjudged)
    })
    if (missing.length > maxSingleEvents) {
      source.budget.spend()
      const { pdus, authChain } = await remote.state(source.server, roomId, eventId)
      await copy.take([...pdus, ...authChain])
    } else await copy.take(await this.#single(missing, source))

    const inState = new Set(stateIds)
    for (const { eventId: id, server, event } of copy.strangers) {
      if (inState.has(id)) await source.onStranger(server, event, id)
    }
    const here = await store.read(view => reader.byIds(view, stateIds))
    const held = stateIds.filter((_, i) => here[i] && !here[i].facts.flags.unjudged)
    return held.length > 0 ? held : null
  }

  async #single(eventIds: readonly EventId[], source: FetchSource): Promise<Json[]> {
    const { remote } = this.#context
    const events: Json[] = []
    for (let i = 0; i < eventIds.length; i += besideEachOther) {
      const slice = eventIds.slice(i, i + besideEachOther)
      source.budget.spend()
      const answers = await Promise.all(
        slice.map(eventId => remote.event(source.server, eventId).catch(unlessRefused)),
      )
      for (const event of answers) if (event !== null) events.push(event)
    }
    return events
  }

  async #copy(roomId: RoomId): Promise<RoomCopy | null> {
    const actor = await this.#context.actors.get(roomId)
    return actor && new RoomCopy(this.#context, roomId, roomVersion(actor.rules.version)!)
  }
}

/** What one event in between sets off is that one's: the next ones stand on the state that the other server tells. */
function unlessOwnFault(error: unknown): void {
  if (error instanceof StoreError || error instanceof RemoteError) throw error
}

/** One event that the other server does not have is no reason to stop. */
function unlessRefused(error: unknown): null {
  if (error instanceof RemoteError && error.kind === 'refused') return null
  throw error
}

/** Oldest first, whatever order they came in. */
function byDepth(
  events: readonly Json[],
  rules: RoomRules,
): { readonly json: Json; readonly pdu: Pdu; readonly eventId: EventId }[] {
  const parsed = events.flatMap(json => {
    const pdu = parseReceived(json, rules)
    return 'refused' in pdu ? [] : [{ json, pdu, eventId: incomingOf(pdu, rules).eventId }]
  })
  return parsed.sort((a, b) => a.pdu.depth - b.pdu.depth)
}
