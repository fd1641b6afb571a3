/**
 * The states that an event from elsewhere is judged by: before it, after its neighbours, and resolved ones.
 *
 * Reads through the room's transaction, so that it sees what is accepted and not yet on disk. Whole states are
 * only read where states differ; an event on the room's tip costs nothing here.
 */
import type { Pdu } from '../protocol/event.ts'
import type { EventId } from '../protocol/ids.ts'
import type { Position } from '../store/store.ts'
import { authTypesFor } from './auth-events.ts'
import { type StateLookup, splitStateKey, stateKeyOf } from './graph-event.ts'
import { verify } from './primitives.ts'
import type { RoomTransaction } from './room-transaction.ts'
import type { RoomsContext } from './rooms-context.ts'
import { chainId, emptyState, type StateChain, stateIn, wholeState } from './state-chain.ts'
import type { StateChange } from './state-layer.ts'
import { resolveState } from './state-resolution.ts'
import type { Step } from './step.ts'
import type { StoredEvent } from './stored-event.ts'

/** Keys are made by `stateKeyOf`. */
export type StateEvents = ReadonlyMap<string, StoredEvent>

/** A state before an event: how it is stored, and the events that decide about the event. */
export class FoundState {
  readonly placed: Step['before']
  /** Snapshot of it, where it has one already. */
  readonly id: Position | null
  readonly whole: StateEvents | null
  readonly lookup: StateLookup
  constructor(placed: Step['before'], id: Position | null, whole: StateEvents | null, lookup: StateLookup) {
    this.placed = placed
    this.id = id
    this.whole = whole
    this.lookup = lookup
  }

  replaced({ type, state_key }: Pdu): StoredEvent | undefined {
    return state_key === undefined ? undefined : (this.lookup(type, state_key) as StoredEvent | undefined)
  }
}

export class StateFinder {
  readonly #context: RoomsContext
  readonly #work: RoomTransaction
  #tip: StateEvents | undefined

  constructor(context: RoomsContext, work: RoomTransaction) {
    this.#context = context
    this.#work = work
  }

  /** The state before an event with these previous events. `given`: as another server told it, for those that are missing. */
  async before(
    pdu: Pdu,
    prev: readonly StoredEvent[],
    given: readonly StoredEvent[] | null,
  ): Promise<FoundState> {
    const ids = [...new Set(prev.map(({ after }) => after))]
    if (given === null && ids.length === 0)
      return new FoundState('none', 0 as Position, new Map(), () => undefined)
    if (given === null && ids.length === 1) return this.at(ids[0]!, pdu)
    const states = await this.#statesOf(ids)
    if (given !== null) states.push(asState(given))
    return this.#placed(states.length === 1 ? states[0]! : await this.resolve(states))
  }

  /** The state of a snapshot. */
  async at(id: Position, pdu: Pdu): Promise<FoundState> {
    const { actor, tx, state } = this.#work
    if (id === chainId(actor.chain)) {
      return new FoundState('tip', id, null, (type, key) => state.get(type, key))
    }
    const { reader } = this.#context
    const chain = (await reader.chains(tx, [id])).get(id) ?? emptyState
    const wanted = authTypesFor(pdu, actor.rules).map(([type, key]) => stateKeyOf(type, key))
    wanted.push(stateKeyOf('m.room.create', ''))
    wanted.push(stateKeyOf('m.room.power_levels', ''))
    if (pdu.state_key !== undefined) wanted.push(stateKeyOf(pdu.type, pdu.state_key))
    const positions: Position[] = []
    for (const key of new Set(wanted)) {
      const number = actor.stateKeys.get(key)
      const position = number === undefined ? undefined : stateIn(chain, number)
      if (position !== undefined) positions.push(position)
    }
    const events = asState(
      (await reader.byPositions(tx, positions, false)).filter(event => event !== undefined),
    )
    return new FoundState({ chain, changes: [] }, id, null, lookupIn(events))
  }

  /** A state that has no snapshot of its own becomes the tip's with changes. */
  async #placed(state: StateEvents): Promise<FoundState> {
    const { actor } = this.#work
    const changes = changesBetween(await this.tip(), state)
    const placed: Step['before'] = changes.length === 0 ? 'tip' : { chain: actor.chain, changes }
    return new FoundState(placed, changes.length === 0 ? chainId(actor.chain) : null, state, lookupIn(state))
  }

  /** The room's current state, all of it. */
  async tip(): Promise<StateEvents> {
    this.#tip ??= new Map(
      Array.from(this.#work.state.all(), event => [stateKeyOf(event.type, event.stateKey!), event]),
    )
    return this.#tip
  }

  /** The state before an event, and the event itself where it is state. */
  async after(before: FoundState, event: StoredEvent): Promise<StateEvents> {
    const state = before.whole ?? (await this.#statesOf([before.id!]))[0]!
    if (event.stateKey === undefined) return state
    return new Map(state).set(stateKeyOf(event.type, event.stateKey), event)
  }

  statesAfter(events: readonly StoredEvent[]): Promise<StateEvents[]> {
    return this.#statesOf([...new Set(events.map(({ after }) => after))])
  }

  async #statesOf(ids: readonly Position[]): Promise<StateEvents[]> {
    const { actor, tx } = this.#work
    const chains = await this.#context.reader.chains(tx, ids)
    const states: StateEvents[] = []
    for (const id of ids) {
      const isTip = id === chainId(actor.chain)
      states.push(isTip ? await this.tip() : await this.#eventsOf(chains.get(id) ?? emptyState))
    }
    return states
  }

  async #eventsOf(chain: StateChain): Promise<StateEvents> {
    const { actor, tx } = this.#work
    const events = new Map<string, StoredEvent>()
    const missing: Position[] = []
    for (const [number, position] of wholeState(chain)) {
      const [type, stateKey] = actor.stateKeyNames[number]!
      const present = actor.tip.get(type, stateKey)
      if (present?.position === position) events.set(stateKeyOf(type, stateKey), present)
      else missing.push(position)
    }
    for (const event of await this.#context.reader.byPositions(tx, missing, false)) {
      if (event) events.set(stateKeyOf(event.type, event.stateKey!), event)
    }
    return events
  }

  /** One state out of several, with all auth chains loaded first. */
  async resolve(states: readonly StateEvents[]): Promise<StateEvents> {
    const { actor, tx } = this.#work
    const events = new Map<EventId, StoredEvent>()
    for (const state of states) for (const event of state.values()) events.set(event.eventId, event)
    const create = actor.tip.get('m.room.create', '')
    if (create) events.set(create.eventId, create)

    let wanted = unknownAuthEvents(events.values(), events)
    while (wanted.length > 0) {
      const found = await this.#context.reader.byIds(tx, wanted, false)
      const added = found.filter(event => event !== undefined)
      for (const event of added) events.set(event.eventId, event)
      wanted = unknownAuthEvents(added, events)
    }
    const resolved = resolveState(
      states.map(state => new Map(Array.from(state, ([key, { eventId }]) => [key, eventId]))),
      actor.rules,
      id => events.get(id),
      verify,
    )
    return new Map(Array.from(resolved, ([key, id]) => [key, events.get(id)!]))
  }
}

export function changesBetween(from: StateEvents, to: StateEvents): StateChange[] {
  const changes: StateChange[] = []
  for (const [key, event] of to) {
    if (from.get(key)?.eventId !== event.eventId) changes.push({ ...splitStateKey(key), event })
  }
  for (const key of from.keys()) if (!to.has(key)) changes.push({ ...splitStateKey(key), event: null })
  return changes
}

function unknownAuthEvents(of: Iterable<StoredEvent>, known: ReadonlyMap<EventId, StoredEvent>): EventId[] {
  const unknown = new Set<EventId>()
  for (const { pdu } of of) for (const id of pdu.auth_events) if (!known.has(id)) unknown.add(id)
  return [...unknown]
}

/** Rejected events are in no state. */
function asState(events: readonly StoredEvent[]): StateEvents {
  const state = new Map<string, StoredEvent>()
  for (const event of events) {
    if (event.stateKey !== undefined && !event.rejected) {
      state.set(stateKeyOf(event.type, event.stateKey), event)
    }
  }
  return state
}

function lookupIn(state: StateEvents): StateLookup {
  return (type, stateKey) => state.get(stateKeyOf(type, stateKey))
}
