/**
 * All rows that exist, one line each: prefix, key parts, value. A prefix is two letters, the first its
 * area's; a removed one stays listed, so that it is never given a second meaning.
 *
 * The value's type stands beside its table. What several versions must read is a plain JSON value: fields
 * may be added, never changed in meaning (see DESIGN, *Schema*).
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { RoomVersion } from '../protocol/room-versions.ts'
import { jsonTable, textTable } from './key.ts'
import type { Position } from './store.ts'

// ── store: _ ─────────────────────────────────────────────────────────────────────────────────────────

// ── rooms: r ─────────────────────────────────────────────────────────────────────────────────────────

export interface RoomNumberRow {
  readonly number: number
  readonly version: RoomVersion
}

export interface RoomHeadRow {
  readonly roomId: RoomId
  /** Forward extremities, newest first. */
  readonly forward: readonly Position[]
  /** Snapshot of the current state. */
  readonly state: Position
  readonly last: Position
  /** Place of the oldest event: the next one that is fetched from before goes below it. */
  readonly lowest: number
  readonly joined: number
  /** 1: each event stood on all before it, so positions alone say which state was when. */
  readonly linear: 0 | 1
}

/** A state as what changed since an older one: `stateKeyNames` number, position, number, position …; 0 = no longer there. */
export interface StateSnapshotRow {
  readonly depth: number
  /** The snapshots to read after this one, nearest first. */
  readonly chain: readonly Position[]
  readonly changes: readonly number[]
}

export interface SentRow {
  readonly eventId: EventId
  readonly position: Position
}

export interface RoomMembershipRow {
  readonly roomId: RoomId
  readonly membership: 'join' | 'invite' | 'knock' | 'leave' | 'ban'
  readonly eventId: EventId
  readonly position: Position
  readonly sender: UserId
  readonly forgotten: boolean
  readonly everJoined: boolean
  readonly joinedUntil?: Position
  readonly strippedState?: readonly JsonObject[]
}

/** Interned ids: a room is a u32 in all keys below. */
export const roomNumbers = jsonTable<RoomNumberRow>()('ri', 'room id → number', ['text'])
export const nextRoomNumber = jsonTable<number>()('rn', 'the number of the next room', [])
export const roomHeads = jsonTable<RoomHeadRow>()('rh', 'a room as its writer left it', ['u32'])
/** What no redaction and no purge takes away; the key is the event's short id everywhere else. */
export const eventSkeletons = textTable('rs', 'event skeletons', ['position'])
export const eventContents = textTable('rc', 'event contents', ['position'])
export const eventPositions = jsonTable<Position>()('re', 'event id → position', ['text'])
export const timelines = jsonTable<Position>()('rt', 'room, order → position', ['u32', 'signed'])
export const stateSnapshots = jsonTable<StateSnapshotRow>()('rd', 'room states as deltas', ['position'])
export const currentStates = jsonTable<Position>()('rz', 'room, position → current state from then on', [
  'u32',
  'position',
])
export const stateKeyNames = jsonTable<readonly [type: string, stateKey: string]>()(
  'rk',
  'room, number → type and state key',
  ['u32', 'u32'],
)
export const backwardExtremities = jsonTable<number>()('rb', 'room, missing event → depth of who needs it', [
  'u32',
  'text',
])
/** Redactions of events that are not here yet. */
export const waitingRedactions = jsonTable<readonly Position[]>()('rr', 'room, event id → redactions', [
  'u32',
  'text',
])
export const roomMemberships = jsonTable<RoomMembershipRow>()('rm', 'user, room → membership', ['text', 'u32'])
/** Week, room, user, device, event type, transaction id. Rows are removed by the week. */
export const sentTransactions = jsonTable<SentRow>()('rx', 'what a transaction id has sent', [
  'u32',
  'u32',
  'text',
  'text',
  'text',
  'text',
])

// ── accounts: a ──────────────────────────────────────────────────────────────────────────────────────

// ── keys: k ──────────────────────────────────────────────────────────────────────────────────────────

// ── media: m ─────────────────────────────────────────────────────────────────────────────────────────

// ── push: p ──────────────────────────────────────────────────────────────────────────────────────────

// ── sync: s ──────────────────────────────────────────────────────────────────────────────────────────
