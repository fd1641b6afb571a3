/**
 * An event as the room's rules see it: a node of the event graph. Rules never load one themselves;
 * they are handed lookups over what the caller has in memory.
 */
import type { Pdu } from '../protocol/event.ts'
import type { EventId } from '../protocol/ids.ts'

export type GraphEvent = {
  readonly eventId: EventId
  readonly pdu: Pdu
  /** Refused by the auth rules when it arrived. It may still be referred to. */
  readonly rejected: boolean
}

/** The event at this place in a room state. Undefined where the state has none. */
export type StateLookup = (type: string, stateKey: string) => GraphEvent | undefined

/** The event of this id, among those that the caller has loaded. */
export type EventLookup = (eventId: EventId) => GraphEvent | undefined

/** A room state: from `stateKeyOf(type, stateKey)` to the event that holds there. */
export type StateMap = ReadonlyMap<string, EventId>

/**
 * One string for a type and a state key. The length in front keeps two different pairs apart whatever
 * characters they hold: both are chosen by strangers.
 */
export function stateKeyOf(type: string, stateKey: string): string {
  return `${type.length}:${type}${stateKey}`
}

export function splitStateKey(key: string): { type: string; stateKey: string } {
  const colon = key.indexOf(':')
  const start = colon + 1
  const end = start + Number(key.slice(0, colon))
  return { type: key.slice(start, end), stateKey: key.slice(end) }
}
