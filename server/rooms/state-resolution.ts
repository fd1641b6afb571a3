/**
 * State resolution, versions 2 and 2.1: one room state out of several.
 *
 * Spec: rooms/v10#state-resolution (2), rooms/v12#state-resolution (2.1, MSC4297). The parts follow the order in which the
 * specification defines them. Pure and synchronous: the caller has loaded the events of all states and their
 * auth chains; for one that is not there this throws instead of answering wrongly.
 */
import { isStateEvent } from '../protocol/event.ts'
import type { EventId } from '../protocol/ids.ts'
import { memberOf } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { authChainOf, eventIn, pathsBetween } from './auth-chain.ts'
import { authorise } from './event-auth.ts'
import { type EventLookup, type GraphEvent, type StateMap, stateKeyOf } from './graph-event.ts'
import { createEventOf, mainlineOrder, reverseTopologicalPowerOrder } from './state-ordering.ts'

export function resolveState(
  states: readonly StateMap[],
  rules: RoomRules,
  events: EventLookup,
  verify: Verify,
): StateMap {
  const { unconflicted, conflicted } = separate(states)
  if (conflicted.size === 0) return unconflicted

  const fullConflicted = fullConflictedSet(states, unconflicted, conflicted, rules, events)

  // Spec: rooms/v12#algorithm (1)
  const powerEvents = powerEventsOf(fullConflicted, events)
  const ordered = reverseTopologicalPowerOrder(powerEvents, rules, events)

  // Spec: rooms/v12#algorithm (2)
  const state = new Map(rules.startsResolutionFromEmptyState ? [] : unconflicted)
  applyAllowed(ordered, state, rules, events, verify)

  // Spec: rooms/v12#algorithm (3)
  const remaining = fullConflicted.difference(powerEvents)
  const mainline = mainlineOrder(remaining, state.get(stateKeyOf('m.room.power_levels', '')), events)

  // Spec: rooms/v12#algorithm (4)
  applyAllowed(mainline, state, rules, events, verify)

  // Spec: rooms/v12#algorithm (5)
  for (const [key, eventId] of unconflicted) state.set(key, eventId)
  return state
}

/** Spec: rooms/v12#definitions, *unconflicted state map and conflicted state set* */
export function separate(states: readonly StateMap[]): {
  readonly unconflicted: Map<string, EventId>
  readonly conflicted: Set<EventId>
} {
  const unconflicted = new Map<string, EventId>()
  const conflicted = new Set<EventId>()
  const decided = new Set<string>()
  for (const state of states) {
    for (const [key, eventId] of state) {
      if (decided.has(key)) continue
      decided.add(key)
      if (states.every(other => other.get(key) === eventId)) {
        unconflicted.set(key, eventId)
        continue
      }
      for (const other of states) {
        const theirs = other.get(key)
        if (theirs !== undefined) conflicted.add(theirs)
      }
    }
  }
  return { unconflicted, conflicted }
}

/** Spec: rooms/v12#definitions, *full conflicted set* */
function fullConflictedSet(
  states: readonly StateMap[],
  unconflicted: ReadonlyMap<string, EventId>,
  conflicted: ReadonlySet<EventId>,
  rules: RoomRules,
  events: EventLookup,
): Set<EventId> {
  const full = new Set(conflicted)
  for (const id of authDifference(states, unconflicted, conflicted, events)) full.add(id)
  if (rules.resolvesConflictedStateSubgraph) for (const id of pathsBetween(conflicted, events)) full.add(id)
  return full
}

/**
 * The events that are in some states' auth chains and not in all. The unconflicted state and what authorises it is in
 * all of them: that large common part is walked once, and each state's walk stops where it begins.
 *
 * Deviation: rooms/v12#definitions, *auth difference*, does not count a state's own events as part of its auth chain.
 * Synapse does, so that unconflicted state never comes up for decision again; we must decide alike.
 */
function* authDifference(
  states: readonly StateMap[],
  unconflicted: ReadonlyMap<string, EventId>,
  conflicted: ReadonlySet<EventId>,
  events: EventLookup,
): Iterable<EventId> {
  const common = authChainOf(unconflicted.values(), events)
  for (const id of unconflicted.values()) common.add(id)
  const chains = states.map(state => {
    const own: EventId[] = []
    for (const id of state.values()) if (conflicted.has(id)) own.push(id)
    return authChainOf(own, events, common)
  })
  const counts = new Map<EventId, number>()
  for (const chain of chains) for (const id of chain) counts.set(id, (counts.get(id) ?? 0) + 1)
  for (const [id, count] of counts) if (count < states.length) yield id
}

/**
 * The power events of the set, and what of the set authorises them.
 *
 * Deviation: rooms/v12#algorithm (1) takes the whole auth chain of a power event; this walks it only through
 * members of the set, and counts the create event as a power event. Synapse and ruma do both, and a
 * server that orders events differently from its peers ends up in another room state.
 */
function powerEventsOf(fullConflicted: ReadonlySet<EventId>, events: EventLookup): Set<EventId> {
  const selected = new Set<EventId>()
  const toVisit: EventId[] = []
  for (const id of fullConflicted) if (isPowerEvent(eventIn(events, id))) toVisit.push(id)
  for (let id = toVisit.pop(); id !== undefined; id = toVisit.pop()) {
    if (selected.has(id)) continue
    selected.add(id)
    for (const authId of eventIn(events, id).pdu.auth_events) {
      if (fullConflicted.has(authId)) toVisit.push(authId)
    }
  }
  return selected
}

/** Spec: rooms/v12#definitions, *power events* */
function isPowerEvent({ pdu }: GraphEvent): boolean {
  switch (pdu.type) {
    case 'm.room.power_levels':
    case 'm.room.join_rules':
    case 'm.room.create':
      return pdu.state_key === ''
    case 'm.room.member': {
      const membership = memberOf(pdu.content, 'membership')
      return (membership === 'leave' || membership === 'ban') && pdu.sender !== pdu.state_key
    }
    default:
      return false
  }
}

/** Spec: rooms/v12#definitions, *iterative auth checks*. Changes `state`. */
function applyAllowed(
  ordered: readonly EventId[],
  state: Map<string, EventId>,
  rules: RoomRules,
  events: EventLookup,
  verify: Verify,
): void {
  for (const id of ordered) {
    const event = eventIn(events, id)
    if (!isStateEvent(event.pdu)) continue
    const listed = acceptedAuthEvents(event, rules, events)
    const verdict = authorise(
      event.pdu,
      rules,
      (type, stateKey) => {
        const key = stateKeyOf(type, stateKey)
        const current = state.get(key)
        return current === undefined ? listed.get(key) : eventIn(events, current)
      },
      verify,
    )
    if (verdict.kind === 'accept') state.set(stateKeyOf(event.pdu.type, event.pdu.state_key), id)
  }
}

/** What stands in for state that is not there: the event's auth events, unless rejected, and the create event. */
function acceptedAuthEvents(
  event: GraphEvent,
  rules: RoomRules,
  events: EventLookup,
): ReadonlyMap<string, GraphEvent> {
  const accepted = new Map<string, GraphEvent>()
  const create = createEventOf(event, rules, events)
  if (create) accepted.set(stateKeyOf('m.room.create', ''), create)
  for (const authId of event.pdu.auth_events) {
    const listed = eventIn(events, authId)
    if (listed.rejected || !isStateEvent(listed.pdu)) continue
    accepted.set(stateKeyOf(listed.pdu.type, listed.pdu.state_key), listed)
  }
  return accepted
}
