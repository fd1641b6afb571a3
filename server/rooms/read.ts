/**
 * Reading rooms: timelines, events, states of the past. Only what is durable, only what may be shown.
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import { currentStates, roomNumbers, timelines } from '../store/catalogue.ts'
import type { Position, View } from '../store/store.ts'
import { stateKeyOf } from './graph-event.ts'
import type { RoomActor } from './room-actor.ts'
import { RoomError, type RoomEvent, type RoomView, type StateAt, type TimelineOptions } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import { chainId, emptyState, type StateChain, stateIn, wholeState } from './state-chain.ts'
import type { StoredEvent } from './stored-event.ts'
import { gapUnder } from './timeline-gap.ts'

/** Events on each side of the place found by time that are looked at: clocks of different people disagree. */
const clockDisorder = 50

export class RoomReader {
  readonly #context: RoomsContext

  constructor(context: RoomsContext) {
    this.#context = context
  }

  async view(roomId: RoomId): Promise<RoomView | null> {
    return (await this.actor(roomId))?.view ?? null
  }

  /** The room, once it is durable that there is one. */
  async actor(roomId: RoomId): Promise<RoomActor | null> {
    const { actors } = this.#context
    const actor = actors.loaded(roomId) ?? (await actors.get(roomId))
    return actor?.exists ? actor : null
  }

  async roomIds(): Promise<RoomId[]> {
    const rows = await this.#context.store.read(view => view.range(roomNumbers.under()))
    return rows.map(({ parts }) => parts[0] as RoomId)
  }

  async sharesRoomWith(userId: UserId): Promise<Set<UserId>> {
    const shared = new Set<UserId>()
    for (const { roomId, membership } of (await this.#context.memberships.of(userId)).values()) {
      if (membership !== 'join') continue
      const view = await this.view(roomId)
      for (const { stateKey } of view?.members('join') ?? []) shared.add(stateKey)
    }
    shared.delete(userId)
    return shared
  }

  // ── timelines ────────────────────────────────────────────────────────────────────────────────────

  async timeline(roomId: RoomId, options: TimelineOptions): Promise<RoomEvent[]> {
    const actor = await this.actor(roomId)
    if (!actor || options.limit <= 0) return []
    const { after = Number.NEGATIVE_INFINITY, before, reverse } = options
    const gap = reverse ? gapUnder(actor.gaps, before) : undefined
    const asked = gap ? { ...options, after: Math.max(after, gap.below) } : options
    return fromTail(actor, asked) ?? this.#timelineRows(actor, asked)
  }

  #timelineRows(actor: RoomActor, { after, before, reverse, limit }: TimelineOptions): Promise<RoomEvent[]> {
    const { store, reader } = this.#context
    return store.read(async view => {
      const rows = await view.range(timelines.under(actor.number), {
        ...(after !== undefined && { after: timelines.key(actor.number, after) }),
        ...(before !== undefined && { before: timelines.key(actor.number, before) }),
        ...(reverse !== undefined && { reverse }),
        limit,
      })
      const events = await reader.byPositions(
        view,
        rows.map(({ value }) => value),
      )
      return events.filter(event => event !== undefined)
    })
  }

  async event(eventId: EventId): Promise<RoomEvent | null> {
    return (await this.events([eventId]))[0]!
  }

  async events(eventIds: readonly EventId[]): Promise<(RoomEvent | null)[]> {
    const { store, reader } = this.#context
    const events = await store.read(view => reader.byIds(view, eventIds))
    return events.map(event => (event?.isShown ? event : null))
  }

  /** Spec: client-server-api#get_matrixclientv1roomsroomidtimestamp_to_event */
  async eventNear(
    roomId: RoomId,
    timestamp: number,
    direction: 'forwards' | 'backwards',
  ): Promise<RoomEvent | null> {
    const actor = await this.actor(roomId)
    if (!actor) return null
    // Times mostly rise along the timeline, so the place is found by halving; then its surroundings are compared.
    // All events at or below `low` are earlier, the first one at or above `high` is not.
    let low = actor.lowest - 1
    let high = actor.durableLast + 1
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      const [event] = await this.#timelineRows(actor, { after: middle - 1, before: high, limit: 1 })
      if (event && event.originServerTs < timestamp) low = event.order
      else high = middle
    }
    const around = [
      ...(await this.#timelineRows(actor, { before: high, reverse: true, limit: clockDisorder })),
      ...(await this.#timelineRows(actor, { after: high - 1, limit: clockDisorder })),
    ]
    return nearest(around, timestamp, direction)
  }

  // ── states of the past ───────────────────────────────────────────────────────────────────────────

  async stateAt(roomId: RoomId, at: Position, side: 'before' | 'after'): Promise<StateAt> {
    const actor = await this.#existing(roomId)
    const { store, reader } = this.#context
    return store.read(async view => {
      const [event] = await reader.byPositions(view, [at])
      if (!event || event.roomId !== roomId) throw new RoomError('M_NOT_FOUND', 'there is no such event')
      return this.#stateOf(view, actor, side === 'before' ? event.before : event.after)
    })
  }

  async currentStateAsOf(roomId: RoomId, position: Position): Promise<StateAt> {
    const actor = await this.#existing(roomId)
    if (actor.durableState <= position) {
      const { store } = this.#context
      return store.read(view => this.#stateOf(view, actor, actor.durableState))
    }
    return this.#context.store.read(async view => {
      const [row] = await view.range(currentStates.under(actor.number), {
        before: currentStates.key(actor.number, position + 1),
        reverse: true,
        limit: 1,
      })
      return this.#stateOf(view, actor, row?.value ?? (0 as Position))
    })
  }

  async #stateOf(view: View, actor: RoomActor, snapshot: Position): Promise<StateAt> {
    const chains = snapshot === 0 ? undefined : await this.#context.reader.chains(view, [snapshot])
    return new PastState(this.#context, actor, chains?.get(snapshot) ?? emptyState)
  }

  async #existing(roomId: RoomId): Promise<RoomActor> {
    const actor = await this.actor(roomId)
    if (!actor) throw new RoomError('M_NOT_FOUND', 'there is no such room')
    return actor
  }
}

/** What of the timeline is in memory; null: not all that is asked for. */
function fromTail(
  { tail, tailFrom, lowest }: RoomActor,
  { after, before, reverse, limit }: TimelineOptions,
): RoomEvent[] | null {
  const holdsAll = tailFrom === 0 && lowest === 0
  if (!reverse && !holdsAll && (after === undefined || after < tailFrom)) return null
  let from = 0
  let to = tail.length
  if (after !== undefined) from = placeAfter(tail, after)
  if (before !== undefined) to = placeAfter(tail, before - 1)
  if (!reverse) return tail.slice(from, Math.min(to, from + limit))
  const reachesAfter = holdsAll || (after !== undefined && after >= tailFrom)
  if (!reachesAfter && to - from < limit) return null
  return tail.slice(Math.max(from, to - limit), Math.max(from, to)).reverse()
}

/** Index of the first event of the tail above this order; most questions are about its end. */
function placeAfter(tail: readonly StoredEvent[], order: number): number {
  let place = tail.length
  while (place > 0 && tail[place - 1]!.order > order) place--
  return place
}

function nearest(
  events: readonly RoomEvent[],
  timestamp: number,
  direction: 'forwards' | 'backwards',
): RoomEvent | null {
  const sign = direction === 'forwards' ? 1 : -1
  let best: RoomEvent | null = null
  for (const event of events) {
    const distance = (event.originServerTs - timestamp) * sign
    if (distance < 0) continue
    if (best === null || distance < (best.originServerTs - timestamp) * sign) best = event
  }
  return best
}

class PastState implements StateAt {
  readonly #context: RoomsContext
  readonly #actor: RoomActor
  readonly #chain: StateChain
  #ids: ReadonlyMap<string, Position> | undefined

  constructor(context: RoomsContext, actor: RoomActor, chain: StateChain) {
    this.#context = context
    this.#actor = actor
    this.#chain = chain
  }

  get ids(): ReadonlyMap<string, Position> {
    this.#ids ??= new Map(
      Array.from(wholeState(this.#chain), ([number, position]) => [
        stateKeyOf(...this.#actor.stateKeyNames[number]!),
        position,
      ]),
    )
    return this.#ids
  }

  async get(type: string, stateKey = ''): Promise<RoomEvent | undefined> {
    const number = this.#actor.stateKeys.get(stateKeyOf(type, stateKey))
    const position = number === undefined ? undefined : stateIn(this.#chain, number)
    if (position === undefined) return undefined
    return (await this.#load([position]))[0]
  }

  async getAll(): Promise<RoomEvent[]> {
    const present = chainId(this.#chain) === this.#actor.durableState
    if (present) return [...this.#actor.durable.all()]
    const events = await this.#load([...wholeState(this.#chain).values()])
    return events.filter(event => event !== undefined)
  }

  #load(positions: readonly Position[]): Promise<(RoomEvent | undefined)[]> {
    const { store, reader } = this.#context
    return store.read(view => reader.byPositions(view, positions))
  }
}
