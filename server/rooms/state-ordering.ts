/**
 * The two orders in which state resolution tries events.
 *
 * Spec: rooms/v12#definitions, rooms/v10#state-resolution: *reverse topological power ordering*, *mainline ordering*
 */
import { createEventIdOf, type EventId } from '../protocol/ids.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { eventIn } from './auth-chain.ts'
import type { EventLookup, GraphEvent } from './graph-event.ts'
import { powerLevelsFrom } from './power-levels.ts'
import { PriorityQueue } from './priority-queue.ts'

/** Auth events before what they authorise; among what is free to come next, more power first, then age, then id. */
export function reverseTopologicalPowerOrder(
  eventIds: ReadonlySet<EventId>,
  rules: RoomRules,
  events: EventLookup,
): EventId[] {
  const waitingFor = new Map<EventId, number>()
  const authorisedBy = new Map<EventId, EventId[]>()
  for (const id of eventIds) {
    let waiting = 0
    for (const authId of new Set(eventIn(events, id).pdu.auth_events)) {
      if (!eventIds.has(authId)) continue
      waiting++
      const followers = authorisedBy.get(authId)
      if (followers) followers.push(id)
      else authorisedBy.set(authId, [id])
    }
    waitingFor.set(id, waiting)
  }

  // Kahn's algorithm.
  const free = new PriorityQueue<Ranked>((a, b) => b.power - a.power || byAgeAndId(a, b))
  const release = (id: EventId) => {
    const event = eventIn(events, id)
    free.push({ id, ts: event.pdu.origin_server_ts, power: senderPowerOf(event, rules, events) })
  }
  for (const [id, waiting] of waitingFor) if (waiting === 0) release(id)
  const order: EventId[] = []
  for (let first = free.pop(); first; first = free.pop()) {
    order.push(first.id)
    for (const follower of authorisedBy.get(first.id) ?? []) {
      const waiting = waitingFor.get(follower)! - 1
      waitingFor.set(follower, waiting)
      if (waiting === 0) release(follower)
    }
  }
  return order
}

type Ranked = { readonly id: EventId; readonly ts: number; readonly power: number }

function byAgeAndId(a: { id: EventId; ts: number }, b: { id: EventId; ts: number }): number {
  return a.ts - b.ts || (a.id < b.id ? -1 : 1)
}

/** The sender's power level as the event's own auth events have it. */
function senderPowerOf({ eventId, pdu }: GraphEvent, rules: RoomRules, events: EventLookup): number {
  let create = createEventOf({ eventId, pdu }, rules, events)
  let powerLevels: GraphEvent | undefined
  for (const authId of pdu.auth_events) {
    const event = eventIn(events, authId)
    if (event.pdu.state_key !== '') continue
    if (event.pdu.type === 'm.room.create') create ??= event
    else if (event.pdu.type === 'm.room.power_levels') powerLevels ??= event
  }
  const power = powerLevelsFrom(create?.pdu, powerLevels?.pdu.content, rules).ofUser(pdu.sender)
  return Math.min(power, Number.MAX_VALUE) // two creators compare as equal: ∞ − ∞ is no number
}

/** Where the room's id is its create event's hash, that event; it is not among the auth events. */
export function createEventOf(
  { eventId, pdu }: Pick<GraphEvent, 'eventId' | 'pdu'>,
  rules: RoomRules,
  events: EventLookup,
): GraphEvent | undefined {
  if (!rules.roomIdIsCreateEventHash) return undefined
  return eventIn(events, pdu.room_id === undefined ? eventId : createEventIdOf(pdu.room_id))
}

/**
 * By the place in the line of power levels events that each event goes back to, oldest first, then age, then id.
 *
 * `powerLevels` is where the mainline starts; undefined if the state has none, and then age and id alone decide.
 */
export function mainlineOrder(
  eventIds: Iterable<EventId>,
  powerLevels: EventId | undefined,
  events: EventLookup,
): EventId[] {
  /** Position of each power levels event that was met; Infinity for those that never reach the mainline. */
  const positions = new Map<EventId, number>()
  let position = 0
  for (let id = powerLevels; id !== undefined && !positions.has(id); id = powerLevelsBefore(id, events)) {
    positions.set(id, position++)
  }

  const ranked = [...eventIds].map(id => ({
    id,
    ts: eventIn(events, id).pdu.origin_server_ts,
    position: mainlinePosition(id, positions, events),
  }))
  // Positions may both be infinite, whose difference is no number.
  ranked.sort((a, b) => (a.position === b.position ? byAgeAndId(a, b) : a.position > b.position ? -1 : 1))
  return ranked.map(({ id }) => id)
}

/** Remembers what it finds for every power levels event on the way: the next event that comes by stops there. */
function mainlinePosition(eventId: EventId, positions: Map<EventId, number>, events: EventLookup): number {
  const passed: EventId[] = []
  let id = powerLevelsBefore(eventId, events)
  while (id !== undefined && !positions.has(id)) {
    passed.push(id)
    // Until it is known; and for good where they lead back to themselves, as only a damaged store can have it.
    positions.set(id, Infinity)
    id = powerLevelsBefore(id, events)
  }
  const position = id === undefined ? Infinity : positions.get(id)!
  for (const passedId of passed) positions.set(passedId, position)
  return position
}

function powerLevelsBefore(eventId: EventId, events: EventLookup): EventId | undefined {
  return eventIn(events, eventId).pdu.auth_events.find(authId => {
    const { pdu } = eventIn(events, authId)
    return pdu.type === 'm.room.power_levels' && pdu.state_key === ''
  })
}
