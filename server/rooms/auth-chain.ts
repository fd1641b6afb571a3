/**
 * Walks along auth events. Nothing here recurses and nothing is visited twice, so that the cost is the number of
 * events and edges whatever shape a stranger gives the graph (CVE-2024-31208).
 */
import type { EventId } from '../protocol/ids.ts'
import type { EventLookup, GraphEvent } from './graph-event.ts'

/** The caller did not load an event that the walk needs: a fault of ours, for which no result would be right. */
export class MissingEventError extends Error {
  override readonly name = 'MissingEventError'
  readonly code = 'MISSING_EVENT'
  readonly eventId: EventId
  constructor(eventId: EventId) {
    super(`event ${eventId} is needed and was not loaded`)
    this.eventId = eventId
  }
}

export function eventIn(events: EventLookup, eventId: EventId): GraphEvent {
  const event = events(eventId)
  if (!event) throw new MissingEventError(eventId)
  return event
}

/**
 * The auth events of these events, and all of theirs. The events themselves are in it only where one is
 * reached from another. `known` is a set that is closed under auth events: the walk stops at it and leaves it out.
 */
export function authChainOf(
  eventIds: Iterable<EventId>,
  events: EventLookup,
  known?: ReadonlySet<EventId>,
): Set<EventId> {
  const chain = new Set<EventId>()
  const toVisit: EventId[] = [...eventIds]
  for (let id = toVisit.pop(); id !== undefined; id = toVisit.pop()) {
    for (const authId of eventIn(events, id).pdu.auth_events) {
      if (chain.has(authId) || known?.has(authId)) continue
      chain.add(authId)
      toVisit.push(authId)
    }
  }
  return chain
}

/**
 * Every event on a path of auth events from one of these events to another, ends included.
 *
 * Spec: rooms/v12#definitions, *conflicted state subgraph*
 */
export function pathsBetween(ends: ReadonlySet<EventId>, events: EventLookup): Set<EventId> {
  const onPath = new Set<EventId>()
  /** Looked at or being looked at: what leads back to itself, as only a damaged store can have it, is not followed. */
  const entered = new Set<EventId>()
  const walk: { readonly id: EventId; next: number }[] = []
  for (const end of ends) {
    if (entered.has(end)) continue
    entered.add(end)
    walk.push({ id: end, next: 0 })
    for (let step = walk.at(-1); step; step = walk.at(-1)) {
      const { auth_events } = eventIn(events, step.id).pdu
      const authId = auth_events[step.next++]
      if (authId !== undefined) {
        if (entered.has(authId)) continue
        entered.add(authId)
        walk.push({ id: authId, next: 0 })
        continue
      }
      // All that lies below is decided: this event leads to an end if one of its auth events is one, or leads to one.
      walk.pop()
      const leadsToEnd = auth_events.some(id => ends.has(id) || onPath.has(id))
      if (!leadsToEnd) continue
      onPath.add(step.id)
      for (const id of auth_events) if (ends.has(id)) onPath.add(id)
    }
  }
  return onPath
}
