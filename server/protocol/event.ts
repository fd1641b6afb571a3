/**
 * A persistent data unit, and the check that a JSON object is one.
 *
 * Spec: server-server-api#checks-performed-on-receipt-of-a-pdu (1), rooms/v12#event-format, rooms/v11#event-format,
 * rooms/v10#event-format-1, client-server-api#size-limits. What is refused here is dropped: it has no place in
 * the room's graph and no event id that anybody would agree on.
 *
 * A `Pdu` is the very object that came in, members that we do not know included: hashes cover them.
 */
import { CanonicalJsonError, canonicalJson } from './canonical-json.ts'
import { type EventId, parseEventId, parseRoomId, parseUserId, type RoomId, type UserId } from './ids.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import type { RoomRules } from './room-versions.ts'
import { fitsUtf8 } from './utf8.ts'

export type Signatures = { readonly [entity: string]: { readonly [keyId: string]: string } }

export type Pdu = {
  readonly type: string
  readonly sender: UserId
  /** Absent on a create event whose hash is the room's id; `roomIdOf` knows. */
  readonly room_id?: RoomId
  readonly state_key?: string
  readonly content: JsonObject
  readonly origin_server_ts: number
  readonly depth: number
  readonly prev_events: readonly EventId[]
  readonly auth_events: readonly EventId[]
  readonly hashes: { readonly sha256: string }
  /** Absent only on an event of ours that is not yet signed. */
  readonly signatures?: Signatures
  readonly unsigned?: JsonObject
  /** Version 10. Unchecked: ask `redactedEventId`, which knows where each version keeps it. */
  readonly redacts?: string
}

/** The event's place in the room state: an event with a `state_key` is a state event. */
export type StatePdu = Pdu & { readonly state_key: string }

export function isStateEvent(pdu: Pdu): pdu is StatePdu {
  return pdu.state_key !== undefined
}

export type ParsedPdu =
  | { readonly kind: 'pdu'; readonly pdu: Pdu }
  | { readonly kind: 'refused'; readonly field: string; readonly reason: string }

// Spec: client-server-api#size-limits
export const maxEventBytes = 65_536
const maxKeyBytes = 255
// Spec: rooms/v12#event-format
const maxAuthEvents = 10
const maxPrevEvents = 20
export const maxDepth = Number.MAX_SAFE_INTEGER

/** Checks the form alone: signatures, hashes and authorisation come after. */
export function parsePdu(json: Json, rules: RoomRules): ParsedPdu {
  if (!isObject(json)) return refuse('event', 'is not an object')
  for (const [field, check] of fieldChecks) {
    const reason = check(json[field], json, rules)
    if (reason) return refuse(field, reason)
  }
  const reason = checkWhole(json)
  return reason ? refuse('event', reason) : { kind: 'pdu', pdu: json as Pdu }
}

/** Why the whole event cannot be sent, or null. Spec: client-server-api#size-limits, rooms/v10#canonical-json */
export function checkWhole(event: JsonObject): string | null {
  try {
    return fitsUtf8(canonicalJson(event), maxEventBytes)
      ? null
      : `is larger than ${maxEventBytes} bytes as canonical JSON`
  } catch (error) {
    if (error instanceof CanonicalJsonError) return `has no canonical JSON: ${error.message}`
    throw error
  }
}

type FieldCheck = (value: Json | undefined, event: JsonObject, rules: RoomRules) => string | null

const fieldChecks: readonly (readonly [string, FieldCheck])[] = [
  ['type', value => boundedString(value)],
  ['sender', value => (parseUserId(value) ? null : 'is not a user id')],
  ['room_id', checkRoomId],
  ['state_key', value => (value === undefined ? null : boundedString(value))],
  ['content', value => (isObject(value) ? null : 'is not an object')],
  [
    'origin_server_ts',
    value => (Number.isSafeInteger(value) ? null : 'is not an integer within ±(2^53 − 1)'),
  ],
  ['depth', value => (isDepth(value) ? null : 'is not an integer from 0 to 2^53 − 1')],
  ['prev_events', value => eventIds(value, maxPrevEvents)],
  ['auth_events', value => eventIds(value, maxAuthEvents)],
  [
    'hashes',
    value => (isObject(value) && typeof value['sha256'] === 'string' ? null : 'has no sha256 string'),
  ],
  ['signatures', checkSignatures],
  ['unsigned', value => (value === undefined || isObject(value) ? null : 'is not an object')],
]

function checkRoomId(value: Json | undefined, event: JsonObject, rules: RoomRules): string | null {
  if (value === undefined) {
    return rules.roomIdIsCreateEventHash && event['type'] === 'm.room.create' ? null : 'is missing'
  }
  // A create event that carries a room id all the same is rejected by rooms/v12#authorization-rules (1.2).
  const id = parseRoomId(value)
  return id !== null && id.includes(':') !== rules.roomIdIsCreateEventHash
    ? null
    : `is not a room id of room version ${rules.version}`
}

function boundedString(value: Json | undefined): string | null {
  if (typeof value !== 'string') return value === undefined ? 'is missing' : 'is not a string'
  return fitsUtf8(value, maxKeyBytes) ? null : `is longer than ${maxKeyBytes} bytes`
}

function isDepth(value: Json | undefined): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function eventIds(value: Json | undefined, atMost: number): string | null {
  if (!Array.isArray(value)) return 'is not an array'
  if (value.length > atMost) return `has more than ${atMost} entries`
  return value.every(id => parseEventId(id)) ? null : 'has an entry that is not an event id'
}

function checkSignatures(value: Json | undefined): string | null {
  if (!isObject(value)) return 'is not an object'
  for (const byKey of Object.values(value)) {
    if (!isObject(byKey)) return 'has a server whose entry is not an object'
    if (!Object.values(byKey).every(signature => typeof signature === 'string')) {
      return 'has a signature that is not a string'
    }
  }
  return null
}

function refuse(field: string, reason: string): ParsedPdu {
  return { kind: 'refused', field, reason }
}
