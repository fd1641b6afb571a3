/**
 * What a sync answered, as far as it is what it should be: parsed once, trusted from here on.
 *
 * This is the interface behind which a way to synchronise stands: `/sync` now, simplified sliding sync later. What is
 * malformed is left out, event by event: one bad event costs itself, never the rest.
 *
 * Spec: client-server-api#get_matrixclientv3sync
 */
import { isObject, type Json, type JsonObject, memberOf } from '#protocol/json.ts'
import type { SyncChanges } from '../e2ee/machine.ts'
import type { Membership } from './room-entry.ts'

export interface ClientEvent {
  readonly eventId: string
  readonly sender: string
  readonly type: string
  /** Null: no state event. */
  readonly stateKey: string | null
  readonly ts: number
  readonly content: JsonObject
  readonly unsigned: JsonObject
  /** Of `m.room.redaction`. */
  readonly redacts: string | null
}

/** An event of account data, of typing or of receipts: a type and a content. */
export interface BareEvent {
  readonly type: string
  readonly content: JsonObject
}

export interface RoomUpdate {
  readonly roomId: string
  readonly membership: Membership
  readonly timeline: readonly ClientEvent[]
  /** Something lies between what we had and `timeline`; `prevBatch` is where to ask for it. */
  readonly limited: boolean
  readonly prevBatch: string | null
  /** What the state is after the timeline, as far as it changed (state_after), or of an invite or knock what it shows. */
  readonly state: readonly StateEvent[]
  readonly accountData: readonly BareEvent[]
  readonly ephemeral: readonly BareEvent[]
  readonly unread: { readonly notifications: number; readonly highlights: number } | null
  readonly joinedCount: number | null
  readonly invitedCount: number | null
}

export interface StateEvent {
  readonly type: string
  readonly stateKey: string
  readonly sender: string
  readonly content: JsonObject
  /** Null of stripped state. */
  readonly eventId: string | null
  readonly ts: number
}

/** `m.presence`. */
export interface PresenceUpdate {
  readonly userId: string
  readonly content: JsonObject
}

export interface SyncAnswer {
  readonly nextBatch: string
  readonly engine: SyncChanges
  readonly presence: readonly PresenceUpdate[]
  readonly accountData: readonly BareEvent[]
  readonly rooms: readonly RoomUpdate[]
}

/** Null: not the answer of a sync at all. */
export function parseSyncAnswer(answer: JsonObject): SyncAnswer | null {
  const { next_batch: nextBatch } = answer
  if (typeof nextBatch !== 'string' || nextBatch === '') return null
  const lists = objectAt(answer, 'device_lists')
  const rooms = objectAt(answer, 'rooms')
  return {
    nextBatch,
    engine: {
      toDevice: arrayAt(objectAt(answer, 'to_device'), 'events'),
      deviceLists: { changed: lists['changed'], left: lists['left'] },
      oneTimeKeyCounts: answer['device_one_time_keys_count'],
      unusedFallbackKeyTypes: answer['device_unused_fallback_key_types'],
    },
    presence: arrayAt(objectAt(answer, 'presence'), 'events').flatMap(presenceUpdate),
    accountData: bareEvents(answer['account_data']),
    rooms: [
      ...updates(rooms, 'join', roomOf('join')),
      ...updates(rooms, 'leave', roomOf('leave')),
      ...updates(rooms, 'invite', strippedRoomOf('invite', 'invite_state')),
      ...updates(rooms, 'knock', strippedRoomOf('knock', 'knock_state')),
    ],
  }
}

/** Null: not an event that anything could be done with. */
export function parseClientEvent(event: unknown): ClientEvent | null {
  if (!isObject(event)) return null
  const { event_id: eventId, sender, type, origin_server_ts: ts, state_key: stateKey } = event
  if (typeof eventId !== 'string' || typeof sender !== 'string' || typeof type !== 'string') return null
  if (!isObject(event['content'])) return null
  const redacts = event['content']['redacts'] ?? event['redacts']
  return {
    eventId,
    sender,
    type,
    stateKey: typeof stateKey === 'string' ? stateKey : null,
    ts: timeOf(ts),
    content: event['content'],
    unsigned: objectAt(event, 'unsigned'),
    redacts: type === 'm.room.redaction' && typeof redacts === 'string' ? redacts : null,
  }
}

export function parseClientEvents(events: Json | undefined): ClientEvent[] {
  if (!Array.isArray(events)) return []
  return events.flatMap(event => parseClientEvent(event) ?? [])
}

/** As the timeline writes them. */
export function stateOf({ type, stateKey, sender, content, eventId, ts }: ClientEvent): StateEvent {
  return { type, stateKey: stateKey ?? '', sender, content, eventId, ts }
}

function updates(
  rooms: JsonObject,
  name: string,
  read: (roomId: string, room: JsonObject) => RoomUpdate,
): RoomUpdate[] {
  return Object.entries(objectAt(rooms, name)).flatMap(([roomId, room]) =>
    isObject(room) ? read(roomId, room) : [],
  )
}

function roomOf(membership: 'join' | 'leave') {
  return (roomId: string, room: JsonObject): RoomUpdate => {
    const timeline = objectAt(room, 'timeline')
    const unread = objectAt(room, 'unread_notifications')
    const summary = objectAt(room, 'summary')
    const { prev_batch: prevBatch } = timeline
    const events = parseClientEvents(timeline['events'])
    const after = room['state_after'] ?? room['org.matrix.msc4222.state_after']
    // A server without MSC4222 tells the state before the timeline, and the timeline's own comes on top.
    const state = isObject(after)
      ? parseClientEvents(after['events'])
      : [...parseClientEvents(objectAt(room, 'state')['events']), ...events]
    return {
      roomId,
      membership,
      timeline: events,
      limited: timeline['limited'] === true,
      prevBatch: typeof prevBatch === 'string' ? prevBatch : null,
      state: state.filter(({ stateKey }) => stateKey !== null).map(stateOf),
      accountData: bareEvents(room['account_data']),
      ephemeral: bareEvents(room['ephemeral']),
      unread: {
        notifications: count(unread['notification_count']) ?? 0,
        highlights: count(unread['highlight_count']) ?? 0,
      },
      joinedCount: count(summary['m.joined_member_count']),
      invitedCount: count(summary['m.invited_member_count']),
    }
  }
}

function strippedRoomOf(membership: 'invite' | 'knock', name: string) {
  return (roomId: string, room: JsonObject): RoomUpdate => ({
    roomId,
    membership,
    timeline: [],
    limited: false,
    prevBatch: null,
    state: arrayAt(objectAt(room, name), 'events').flatMap(event => strippedEvent(event) ?? []),
    accountData: [],
    ephemeral: [],
    unread: null,
    joinedCount: null,
    invitedCount: null,
  })
}

/** Spec: client-server-api#stripped-state; a server may put whole events there. */
function strippedEvent(event: unknown): StateEvent | null {
  if (!isObject(event)) return null
  const { type, state_key: stateKey, sender, content, event_id: eventId, origin_server_ts: ts } = event
  if (typeof type !== 'string' || typeof stateKey !== 'string' || typeof sender !== 'string') return null
  if (!isObject(content)) return null
  return {
    type,
    stateKey,
    sender,
    content,
    eventId: typeof eventId === 'string' ? eventId : null,
    ts: timeOf(ts),
  }
}

function presenceUpdate(event: Json): PresenceUpdate[] {
  if (!isObject(event) || event['type'] !== 'm.presence' || typeof event['sender'] !== 'string') return []
  return isObject(event['content']) ? [{ userId: event['sender'], content: event['content'] }] : []
}

function bareEvents(section: Json | undefined): BareEvent[] {
  return arrayAt(isObject(section) ? section : {}, 'events').flatMap(event => {
    if (!isObject(event) || typeof event['type'] !== 'string' || !isObject(event['content'])) return []
    return { type: event['type'], content: event['content'] }
  })
}

/** The last moment that a Date can be: what is beyond it has no words. */
const latestTs = 8.64e15

function timeOf(ts: Json | undefined): number {
  return typeof ts === 'number' && ts >= 0 && ts <= latestTs ? ts : 0
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = memberOf(object, name)
  return isObject(value) ? value : {}
}

function arrayAt(object: JsonObject, name: string): readonly Json[] {
  const value = memberOf(object, name)
  return Array.isArray(value) ? value : []
}

function count(value: Json | undefined): number | null {
  return typeof value === 'number' && value >= 0 ? Math.floor(value) : null
}
