/**
 * Fetching what an event stands on and is not here: first the events in between, then the state and auth events that
 * nobody in between can tell.
 *
 * Asked is who sent the event; where that one is away or does not know, others that are in the room. Whoever answers is
 * believed alike: each event has to bear its signatures and stand on its auth events.
 *
 * One transaction has one budget of requests: a peer that names events which lead to ever more events costs us so
 * many requests and no more, few of them to others, and only its own transaction waits for them. What could not be
 * fetched stays missing; the next event that stands on it asks again.
 *
 * Spec: server-server-api#backfilling-and-retrieving-missing-events
 */
import { requiredSigners } from '../protocol/event-signing.ts'
import type { EventId, RoomId, ServerName } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'
import { roomVersion } from '../protocol/room-versions.ts'
import { StoreError } from '../store/store.ts'
import { eventsBetween, gapSize } from './gap.ts'
import type { Circumstances, Receiver } from './receive.ts'
import { RemoteError } from './remote-rooms.ts'
import { RoomCopy } from './room-copy.ts'
import type { RoomsContext } from './rooms-context.ts'
import type { Received } from './rooms-internal.ts'

/** Above this many missing state events the whole state is one request. */
const maxSingleEvents = 50
const besideEachOther = 8
/** Beside who sent the event: servers that one question goes to, and questions to them for one transaction. */
const maxOthers = 2
const maxAskedOfOthers = 20
/** What a long gap leaves of each for the state before it: without that nothing of the gap could be taken. */
const keptForState = 40
const keptForStateOfOthers = 10

export class Budget {
  #left: number
  #leftForOthers = maxAskedOfOthers
  /** Who did not answer, or may not be asked, is not asked again. */
  readonly #away = new Map<ServerName, RemoteError['kind']>()

  constructor(requests: number) {
    this.#left = requests
  }

  /** May this server be asked at all? */
  isOpen(server: ServerName, isOther: boolean): boolean {
    return !this.#away.has(server) && (!isOther || this.#leftForOthers > 0)
  }

  get isAmple(): boolean {
    return this.#left > keptForState && this.#leftForOthers > keptForStateOfOthers
  }

  spend(isOther: boolean): void {
    if (this.#left-- <= 0) throw new RemoteError('unreachable', 'too many events are missing')
    if (isOther) this.#leftForOthers--
  }

  failed(server: ServerName, { kind }: RemoteError): void {
    if (kind !== 'refused') this.#away.set(server, kind)
  }

  didNotAnswer(server: ServerName): boolean {
    return this.#away.get(server) === 'unreachable'
  }
}

export interface FetchSource {
  /** Who is asked first. */
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
      // What nobody tells of the gap is bridged by the state before the event.
      if (first.missingPrevEvents.length > 0)
        await this.#fillGap(roomId, first.eventId, source).catch(unlessRefused)
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
    const earliest = actor.durableForward.slice(0, 20)
    const events = await eventsBetween(this.#context, actor.rules, eventId, async latest => {
      const isFirst = latest[0] === eventId
      if (!isFirst && !source.budget.isAmple) throw new RemoteError('unreachable', 'the gap is too long')
      const question = { earliest, latest, limit: gapSize, minDepth: 0 }
      return this.#ask(roomId, source, server => remote.missingEvents(server, roomId, question))
    })
    for (const event of events) {
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
    const chain = await this.#ask(roomId, source, server => remote.eventAuth(server, roomId, eventId)).catch(
      unlessRefused,
    )
    const copy = await this.#copy(roomId)
    if (!copy) return
    const ids = chain ? await copy.take(chain) : []
    const left = missing.filter(id => !ids.includes(id))
    if (left.length > 0) await copy.take(await this.#single(roomId, left, source))
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
    const { stateIds, authChainIds } = await this.#ask(roomId, source, server =>
      remote.stateIds(server, roomId, eventId),
    )
    const wanted = [...new Set([...stateIds, ...authChainIds])]
    const missing = await store.read(async view => {
      const events = await reader.byIds(view, wanted)
      return wanted.filter((_, i) => !events[i] || events[i].facts.flags.unjudged)
    })
    const areMany = missing.length > maxSingleEvents
    const singles = areMany ? [] : await this.#single(roomId, missing, source)
    await copy.take(singles)
    if (singles.length < missing.length) {
      const whole = await this.#ask(roomId, source, server => remote.state(server, roomId, eventId)).catch(
        error => {
          if (areMany) throw error
          return unlessRefused(error)
        },
      )
      if (whole) await copy.take([...whole.pdus, ...whole.authChain])
    }

    const inState = new Set(stateIds)
    for (const { eventId: id, server, event } of copy.strangers) {
      if (inState.has(id)) await source.onStranger(server, event, id)
    }
    const here = await store.read(view => reader.byIds(view, stateIds))
    const held = stateIds.filter((_, i) => here[i] && !here[i].facts.flags.unjudged)
    return held.length > 0 ? held : null
  }

  /** Those of these events that anybody has. */
  async #single(roomId: RoomId, eventIds: readonly EventId[], source: FetchSource): Promise<Json[]> {
    const events: Json[] = []
    for (let i = 0; i < eventIds.length; i += besideEachOther) {
      let left: readonly EventId[] = eventIds.slice(i, i + besideEachOther)
      await this.#ask(roomId, source, async server => {
        const answers = await this.#singleFrom(server, left)
        for (const event of answers) if (event !== null) events.push(event)
        left = left.filter((_, n) => answers[n] === null)
        if (left.length > 0) throw new RemoteError('refused', `${server} does not have all of them`)
      }).catch(unlessRefused)
    }
    return events
  }

  #singleFrom(server: ServerName, eventIds: readonly EventId[]): Promise<(Json | null)[]> {
    const { remote } = this.#context
    return Promise.all(eventIds.map(eventId => remote.event(server, eventId).catch(unlessRefused)))
  }

  /** Who sent the event, then others of the room, until one of them answers. Throws what the last one said. */
  async #ask<T>(
    roomId: RoomId,
    { server: first, budget }: FetchSource,
    question: (server: ServerName) => Promise<T>,
  ): Promise<T> {
    let last = new RemoteError('unreachable', 'nobody who may know is left to be asked')
    for (const server of [first, ...(await this.#others(roomId, first))]) {
      const isOther = server !== first
      if (!budget.isOpen(server, isOther)) continue
      budget.spend(isOther)
      try {
        return await question(server)
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error
        budget.failed(server, error)
        last = error
      }
    }
    throw last
  }

  /** Those with the most people first: they are the likeliest to have what is missing. */
  async #others(roomId: RoomId, first: ServerName): Promise<ServerName[]> {
    const { actors, peers, serverName } = this.#context
    const joined = (await actors.get(roomId))?.view.joinedServers ?? []
    return [...joined]
      .filter(([server]) => server !== first && server !== serverName && (peers?.maySendTo(server) ?? true))
      .sort(([, a], [, b]) => b - a)
      .slice(0, maxOthers)
      .map(([server]) => server)
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
