/**
 * The hashes of an event, and the ids made from them.
 *
 * Spec: server-server-api#calculating-the-content-hash-for-an-event,
 * server-server-api#calculating-the-reference-hash-for-an-event, rooms/v4#event-ids
 */
import { decodeBase64, encodeBase64, encodeBase64Url } from './base64.ts'
import { canonicalJson } from './canonical-json.ts'
import type { Pdu } from './event.ts'
import { type EventId, type RoomId, roomIdOfCreateEvent } from './ids.ts'
import { isObject, type JsonObject } from './json.ts'
import type { Sha256 } from './primitives.ts'
import { redact } from './redaction.ts'
import type { RoomRules } from './room-versions.ts'

/** Unpadded base64, as `hashes.sha256` holds it. It covers everything but what is added later. */
export function contentHash(event: JsonObject, sha256: Sha256): string {
  const { unsigned: _unsigned, signatures: _signatures, hashes: _hashes, ...hashed } = event
  return encodeBase64(sha256(canonicalJson(hashed)))
}

/** Is the content the one that was hashed? If not, only the redacted event may be used. */
export function hasExpectedContentHash(event: JsonObject, sha256: Sha256): boolean {
  const { hashes } = event
  return isObject(hashes) && typeof hashes['sha256'] === 'string' && sameHash(hashes['sha256'], event, sha256)
}

/**
 * What nobody can take from the event: its redacted form, without signatures, as canonical JSON.
 *
 * The event id is the hash of exactly this text and signatures are made over it: who needs both makes it once.
 */
export function signedText(event: JsonObject, rules: RoomRules): string {
  const { unsigned: _unsigned, signatures: _signatures, ...essential } = redact(event, rules)
  return canonicalJson(essential)
}

export function eventIdOf(event: JsonObject, rules: RoomRules, sha256: Sha256): EventId {
  return eventIdOfText(signedText(event, rules), sha256)
}

/** The id of the event whose `signedText` this is. */
export function eventIdOfText(text: string, sha256: Sha256): EventId {
  return `$${encodeBase64Url(sha256(text))}` as EventId
}

/** The room that the event belongs to: for a create event without `room_id`, the one that it makes. */
export function roomIdOf(pdu: Pdu, id: EventId): RoomId {
  return pdu.room_id ?? roomIdOfCreateEvent(id)
}

/** Hashes are compared as bytes: the same bytes have several base64 spellings. */
function sameHash(claimed: string, event: JsonObject, sha256: Sha256): boolean {
  const bytes = decodeBase64(claimed)
  return bytes !== null && encodeBase64(bytes) === contentHash(event, sha256)
}
