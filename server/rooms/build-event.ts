/**
 * Makes an event of what a local person sends: content hash, event id and the texts that are stored.
 *
 * The content is written as canonical JSON once; the texts that are hashed are put together around it, with
 * their members in canonical order. `contentHash` and `eventIdOf` in protocol/ give the same for the result.
 *
 * Spec: server-server-api#calculating-the-content-hash-for-an-event, rooms/v4#event-ids,
 * client-server-api#size-limits
 */
import { CanonicalJsonError, canonicalJson } from '../protocol/canonical-json.ts'
import { maxEventBytes, type Pdu } from '../protocol/event.ts'
import type { EventId, RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { redact } from '../protocol/redaction.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { fitsUtf8 } from '../protocol/utf8.ts'
import { sha256Base64, sha256Base64Url } from './primitives.ts'
import { RoomError } from './rooms.ts'

export interface EventParts {
  /** Absent on the create event of a room whose id is that event's hash. */
  readonly roomId: RoomId | undefined
  readonly type: string
  readonly sender: UserId
  readonly stateKey: string | undefined
  readonly content: JsonObject
  readonly redacts: EventId | undefined
  readonly originServerTs: number
  readonly depth: number
  readonly prevEvents: readonly EventId[]
  readonly authEvents: readonly EventId[]
}

export interface BuiltEvent {
  readonly pdu: Pdu
  readonly eventId: EventId
  /** What the event id is the hash of, and what is signed. */
  readonly essential: string
  readonly contentText: string
  /** Top-level members that redaction drops. */
  readonly extras: JsonObject | undefined
}

const maxKeyBytes = 255
/** The signature with its key id and all names around it: room for it is kept in every event. */
const signatureBytes = 192

export function buildEvent(parts: EventParts, rules: RoomRules, serverName: ServerName): BuiltEvent {
  checkParts(parts)
  const content =
    parts.redacts !== undefined && rules.redactsInContent
      ? { ...parts.content, redacts: parts.redacts }
      : parts.content
  const redacts = rules.redactsInContent ? undefined : parts.redacts
  const contentText = canonicalContent(content)
  const { type, sender, stateKey, roomId, depth } = parts

  const beforeContent = `{"auth_events":${listText(parts.authEvents)},"content":`
  const afterContent = `,"depth":${depth},`
  const middle = `"origin_server_ts":${parts.originServerTs},"prev_events":${listText(parts.prevEvents)},`
  const redactsText = redacts === undefined ? '' : `"redacts":${canonicalJson(redacts)},`
  const roomIdText = roomId === undefined ? '' : `"room_id":${canonicalJson(roomId)},`
  const stateKeyText = stateKey === undefined ? '' : `,"state_key":${canonicalJson(stateKey)}`
  const end = `${roomIdText}"sender":${canonicalJson(sender)}${stateKeyText},"type":${canonicalJson(type)}}`

  const hashed = `${beforeContent}${contentText}${afterContent}${middle}${redactsText}${end}`
  const contentHash = sha256Base64(hashed)
  const hashesText = `"hashes":{"sha256":"${contentHash}"},`
  const reservedBytes = hashesText.length + serverName.length + signatureBytes
  if (!fitsUtf8(hashed, maxEventBytes - reservedBytes)) {
    throw new RoomError('M_TOO_LARGE', `the event would be larger than ${maxEventBytes} bytes`)
  }

  const kept = redact<JsonObject>({ type, content }, rules)['content'] as JsonObject
  const keptText = isEmpty(kept) ? '{}' : canonicalJson(kept)
  const essential = `${beforeContent}${keptText}${afterContent}${hashesText}${middle}${end}`

  const pdu: Pdu = {
    type,
    sender,
    ...(roomId !== undefined && { room_id: roomId }),
    ...(stateKey !== undefined && { state_key: stateKey }),
    content,
    origin_server_ts: parts.originServerTs,
    depth,
    prev_events: parts.prevEvents,
    auth_events: parts.authEvents,
    hashes: { sha256: contentHash },
    ...(redacts !== undefined && { redacts }),
  }
  return {
    pdu,
    eventId: `$${sha256Base64Url(essential)}` as EventId,
    essential,
    contentText,
    extras: redacts === undefined ? undefined : { redacts },
  }
}

function checkParts({ type, stateKey, originServerTs }: EventParts): void {
  if (type === '') throw new RoomError('M_INVALID_PARAM', 'type is empty')
  if (!type.isWellFormed() || !fitsUtf8(type, maxKeyBytes)) {
    throw new RoomError('M_TOO_LARGE', `type is not text of at most ${maxKeyBytes} bytes`)
  }
  if (stateKey !== undefined && !(stateKey.isWellFormed() && fitsUtf8(stateKey, maxKeyBytes))) {
    throw new RoomError('M_TOO_LARGE', `state_key is not text of at most ${maxKeyBytes} bytes`)
  }
  if (!Number.isSafeInteger(originServerTs)) {
    throw new RoomError('M_INVALID_PARAM', 'origin_server_ts is not an integer within ±(2^53 − 1)')
  }
}

export function canonicalContent(content: JsonObject): string {
  try {
    return canonicalJson(content)
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error
    throw new RoomError('M_BAD_JSON', `content cannot be in an event: ${error.message}`, { cause: error })
  }
}

/** Event ids need no escaping. */
function listText(ids: readonly EventId[]): string {
  return ids.length === 0 ? '[]' : `["${ids.join('","')}"]`
}

function isEmpty(object: JsonObject): boolean {
  for (const _ in object) return false
  return true
}
