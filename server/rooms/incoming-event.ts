/**
 * An event of another server on its way in: parsed, cut where its hash is wrong, and judged by the auth events that
 * it names. What is costly (its signatures) and what needs the room's state comes elsewhere.
 *
 * Spec: server-server-api#checks-performed-on-receipt-of-a-pdu (1, 3, 4)
 */
import { type Pdu, parsePdu } from '../protocol/event.ts'
import { eventIdOfText, hasExpectedContentHash, roomIdOf, signedText } from '../protocol/event-hash.ts'
import type { EventId, RoomId } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import { redact, redactedEventId } from '../protocol/redaction.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { checkAuthEvents } from './auth-events.ts'
import { authorise } from './event-auth.ts'
import { type GraphEvent, type StateLookup, stateKeyOf } from './graph-event.ts'
import { sha256, verify } from './primitives.ts'
import { keptContentOf } from './room-actor.ts'
import { type EventFlags, StoredEvent } from './stored-event.ts'
import type { Verdict } from './verdict.ts'

export interface Incoming {
  readonly pdu: Pdu
  readonly eventId: EventId
  readonly roomId: RoomId
  readonly essential: string
  /** Members that redaction drops, without content. */
  readonly extras: JsonObject | undefined
  readonly isCut: boolean
}

/** The event as it came, in form. */
export function parseReceived(json: Json, rules: RoomRules): Pdu | { readonly refused: string } {
  if (!isObject(json)) return { refused: 'the event is not an object' }
  // What is unsigned is the sender's word alone, and not part of the event.
  const { unsigned: _unsigned, ...event } = json
  const parsed = parsePdu(event, rules)
  return parsed.kind === 'refused' ? { refused: `${parsed.field} ${parsed.reason}` } : parsed.pdu
}

export function incomingOf(received: Pdu, rules: RoomRules): Incoming {
  // Spec: server-server-api#checks-performed-on-receipt-of-a-pdu (3): a wrong hash redacts the event.
  const isCut = !hasExpectedContentHash(received, sha256)
  const pdu = isCut ? redact(received, rules) : received
  const essential = signedText(pdu, rules)
  const eventId = eventIdOfText(essential, sha256)
  const kept = redact(pdu, rules)
  const extras = Object.entries(pdu).filter(([name]) => !Object.hasOwn(kept, name))
  return {
    pdu,
    eventId,
    roomId: roomIdOf(pdu, eventId),
    essential,
    extras: extras.length > 0 ? Object.fromEntries(extras) : undefined,
    isCut,
  }
}

/** `create`: the room's, which version 12 does not list. `listed`: all events of `auth_events`. */
export function judgeByAuthEvents(
  pdu: Pdu,
  rules: RoomRules,
  listed: readonly GraphEvent[],
  create: GraphEvent | undefined,
): Verdict {
  const verdict = checkAuthEvents(pdu, rules, listed)
  if (verdict.kind !== 'accept') return verdict
  const state = new Map(listed.map(event => [stateKeyOf(event.pdu.type, event.pdu.state_key!), event]))
  const lookup: StateLookup = (type, key) =>
    state.get(stateKeyOf(type, key)) ??
    (type === 'm.room.create' && rules.roomIdIsCreateEventHash ? create : undefined)
  return authorise(pdu, rules, lookup, verify)
}

export function storedEventOf(
  { pdu, eventId }: Incoming,
  rules: RoomRules,
  flags: EventFlags,
  links: {
    readonly replaced?: StoredEvent | undefined
    readonly redactedBecause?: StoredEvent | undefined
  } = {},
): StoredEvent {
  const { signatures, ...unsigned } = pdu
  const { replaced, redactedBecause } = links
  const redacts = pdu.type === 'm.room.redaction' ? (redactedEventId(pdu, rules) ?? undefined) : undefined
  const content = redactedBecause ? keptContentOf(pdu, rules) : pdu.content
  return new StoredEvent(
    { ...unsigned, content },
    { eventId, flags, signatures, redacts, replaced: replaced?.position },
    { replaced: replaced?.asReplaced(), redactedBecause },
  )
}
