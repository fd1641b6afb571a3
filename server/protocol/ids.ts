/**
 * Matrix identifiers, parsed once at the edge and branded, so that the inside never asks again.
 *
 * Spec: appendices#common-identifier-format. A parser returns null for what is not an identifier
 * of its kind; the caller knows which field to name.
 */
import { fitsUtf8 } from './utf8.ts'

declare const tag: unique symbol
export type ServerName = string & { readonly [tag]: 'ServerName' }
export type UserId = string & { readonly [tag]: 'UserId' }
export type RoomId = string & { readonly [tag]: 'RoomId' }
export type EventId = string & { readonly [tag]: 'EventId' }
export type RoomAlias = string & { readonly [tag]: 'RoomAlias' }
export type DeviceId = string & { readonly [tag]: 'DeviceId' }

/** Spec: appendices#user-identifiers and neighbours: 255 bytes at most, sigil and server name included. */
const maxIdBytes = 255

// Spec: appendices#server-name. DNS name, IPv4, or bracketed IPv6; optional port.
const serverName = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,255})(?::[0-9]{1,5})?$/

export function parseServerName(text: unknown): ServerName | null {
  return typeof text === 'string' && text.length <= maxIdBytes && serverName.test(text)
    ? (text as ServerName)
    : null
}

/**
 * Spec: appendices#historical-user-ids. Room history carries localparts of any characters but ':' and NUL, even
 * empty ones, and other servers accept them: a stricter parser here would split rooms.
 */
export function parseUserId(text: unknown): UserId | null {
  return split(text, '@') ? (text as UserId) : null
}

// Spec: appendices#historical-user-ids. Others are not shown to clients outside the events that carry them.
const compliantLocalpart = /^[\x21-\x39\x3b-\x7e]+$/

/** May this user id stand outside an event, in a device list or a directory? */
export function isCompliantUserId(id: UserId): boolean {
  return compliantLocalpart.test(localpartOf(id))
}

// Spec: appendices#user-identifiers
const strictLocalpart = /^[a-z0-9._=/+-]+$/

/** Is this localpart one that a new account may have? */
export function isNewLocalpart(localpart: string): boolean {
  return strictLocalpart.test(localpart)
}

export function userIdOf(localpart: string, server: ServerName): UserId | null {
  return parseUserId(`@${localpart}:${server}`)
}

/** Spec: rooms/v12#room-ids: from version 12 on a room id is '!' and the create event's hash, no server. */
const hashRoomId = /^![0-9A-Za-z_-]{43}$/

export function parseRoomId(text: unknown): RoomId | null {
  if (typeof text !== 'string') return null
  if (hashRoomId.test(text)) return text as RoomId
  return split(text, '!') ? (text as RoomId) : null
}

/** Spec: rooms/v4#event-ids: '$' and the URL-safe unpadded base64 of the reference hash. Versions 10 to 12 know no other. */
const hashEventId = /^\$[0-9A-Za-z_-]{43}$/

export function parseEventId(text: unknown): EventId | null {
  return typeof text === 'string' && hashEventId.test(text) ? (text as EventId) : null
}

/** Spec: rooms/v12#room-ids: the room's id is its create event's id under the other sigil. */
export function roomIdOfCreateEvent(id: EventId): RoomId {
  return `!${id.slice(1)}` as RoomId
}

/** The other way round. Only where the room's version makes its id from the create event. */
export function createEventIdOf(room: RoomId): EventId {
  return `$${room.slice(1)}` as EventId
}

export function parseRoomAlias(text: unknown): RoomAlias | null {
  return split(text, '#') ? (text as RoomAlias) : null
}

// Device ids are opaque (spec: appendices#opaque-identifiers); we bound them and keep control characters out.
const deviceId = /^[^\p{Cc}\p{Cs}]{1,255}$/u

export function parseDeviceId(text: unknown): DeviceId | null {
  return typeof text === 'string' && deviceId.test(text) ? (text as DeviceId) : null
}

export function serverOf(id: UserId | RoomAlias): ServerName {
  return id.slice(id.indexOf(':') + 1) as ServerName
}

export function localpartOf(id: UserId | RoomAlias): string {
  return id.slice(1, id.indexOf(':'))
}

function split(text: unknown, sigil: string): { localpart: string; server: ServerName } | null {
  if (typeof text !== 'string' || text[0] !== sigil || !fitsUtf8(text, maxIdBytes)) return null
  if (text.includes('\0') || !text.isWellFormed()) return null
  const colon = text.indexOf(':')
  if (colon < 0) return null
  const server = parseServerName(text.slice(colon + 1))
  return server ? { localpart: text.slice(1, colon), server } : null
}
