/**
 * The filter of a sync: what a device wants to see of rooms, timelines, state, ephemeral and account data.
 *
 * Spec: client-server-api#filtering. Parsed once, a bad field is refused by its name; unknown fields are kept
 * where a filter is stored and otherwise ignored.
 */
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import { parseRoomEventFilter, type RoomEventFilter } from '../rooms/event-filter.ts'
import { SyncError } from './sync-error.ts'

export interface SyncFilter {
  /** Property paths; undefined: whole events. */
  readonly eventFields: readonly string[] | undefined
  readonly eventFormat: 'client' | 'federation'
  readonly accountData: RoomEventFilter
  readonly presence: RoomEventFilter
  readonly includeLeave: boolean
  readonly timeline: RoomEventFilter
  readonly state: RoomEventFilter
  readonly ephemeral: RoomEventFilter
  readonly roomAccountData: RoomEventFilter
  matchesRoom(roomId: string): boolean
}

export function parseSyncFilter(value: Json): SyncFilter {
  if (!isObject(value)) throw new SyncError('M_BAD_JSON', 'filter must be an object.')
  const room = value['room'] ?? {}
  if (!isObject(room)) throw new SyncError('M_BAD_JSON', 'filter.room must be an object.')
  const part = (name: string) => parseRoomEventFilter(room[name] ?? {}, `filter.room.${name}`)
  const { rooms, not_rooms } = room
  const ofRooms = parseRoomEventFilter(definedOnly({ rooms, not_rooms }), 'filter.room')
  return {
    eventFields: eventFields(value['event_fields']),
    eventFormat: eventFormat(value['event_format']),
    accountData: parseRoomEventFilter(value['account_data'] ?? {}, 'filter.account_data'),
    presence: parseRoomEventFilter(value['presence'] ?? {}, 'filter.presence'),
    includeLeave: includeLeave(room['include_leave']),
    timeline: part('timeline'),
    state: part('state'),
    ephemeral: part('ephemeral'),
    roomAccountData: part('account_data'),
    matchesRoom: ofRooms.matchesRoom,
  }
}

export const everything: SyncFilter = parseSyncFilter({})

function definedOnly(fields: { [name: string]: Json | undefined }): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** Each is looked for in each event. */
const maxFields = 100

function eventFields(value: Json | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || !value.every(each => typeof each === 'string'))
    throw new SyncError('M_BAD_JSON', 'filter.event_fields must be a list of strings.')
  if (value.length > maxFields)
    throw new SyncError('M_INVALID_PARAM', `filter.event_fields may have ${maxFields} entries at most.`)
  return value as readonly string[]
}

function eventFormat(value: Json | undefined): 'client' | 'federation' {
  if (value === undefined || value === 'client' || value === 'federation') return value ?? 'client'
  throw new SyncError('M_BAD_JSON', 'filter.event_format must be "client" or "federation".')
}

function includeLeave(value: Json | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new SyncError('M_BAD_JSON', 'filter.room.include_leave must be true or false.')
}
