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

/** One a commit group, in the group's own batch: the highest position, how many rows, the chain before and after. */
export type JournalRow = readonly [position: number, rows: number, chainBefore: number, chain: number]
export const journal = jsonTable<JournalRow>()('_j', 'journal of commit groups', ['position'])

/** Up to this group the journal was walked without a finding; earlier journal rows are removed. */
export const journalBase = jsonTable<{ sequence: number; chain: number }>()('_b', 'base of the journal', [])

/** When the last scrub without a finding ended, in ms. */
export const cleanScrub = jsonTable<{ at: number; rows: number }>()('_c', 'last clean scrub', [])

export interface Schema {
  /** The schema of the release that wrote last, and the oldest one that can read and write this data. */
  readonly writer: number
  readonly oldestReader: number
}
export const schemaRow = jsonTable<Schema>()('_v', 'schema', [])

/** What was found, lost and done, by the epoch that it began. */
export const repairs = jsonTable<{ at: number; reason: 'repair' | 'restore'; report: unknown }>()(
  '_r',
  'repairs',
  ['u32'],
)

/**
 * What a repair or a restore leaves to do, because deleted rows may have come back. The area that owns the
 * thing looks at its row when it opens, does it, and deletes the row in the same transaction.
 */
export type FollowUp = 'access-tokens' | 'links' | 'one-time-keys' | 'pins'
export const followUps = jsonTable<{ reason: 'repair' | 'restore'; epoch: number }>()('_f', 'follow-ups', [
  'text',
])

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
