/**
 * All rows that exist, one line each: prefix, key parts, value. A prefix is two letters, the first its
 * area's; a removed one stays listed, so that it is never given a second meaning.
 *
 * The value's type stands beside its table. What several versions must read is a plain JSON value: fields
 * may be added, never changed in meaning (see DESIGN, *Schema*).
 */
import type { EventId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { jsonTable } from './key.ts'
import type { Position } from './store.ts'

// ── store: _ ─────────────────────────────────────────────────────────────────────────────────────────

// ── rooms: r ─────────────────────────────────────────────────────────────────────────────────────────

export interface ReceiptRow {
  readonly eventId: EventId
  readonly eventPosition: Position
  readonly position: Position
  readonly ts: number
}
/** room, user, receipt type, thread (empty: the room as a whole). */
export const receiptTable = jsonTable<ReceiptRow>()('rx', 'receipt', ['text', 'text', 'text', 'text'])

// ── accounts: a ──────────────────────────────────────────────────────────────────────────────────────

// ── keys: k ──────────────────────────────────────────────────────────────────────────────────────────

// ── media: m ─────────────────────────────────────────────────────────────────────────────────────────

// ── push: p ──────────────────────────────────────────────────────────────────────────────────────────

/** user → what this person changed in the default push rules. */
export interface PushRulesRow {
  readonly changes: JsonObject
  readonly position: Position
}
export const pushRulesTable = jsonTable<PushRulesRow>()('pr', 'push rules', ['text'])

/** Unread counts as far as they were evaluated, now and then: a restart need not begin at the last receipt. */
export interface UnreadCheckpointRow {
  readonly upTo: Position
  /** Version of the read marks that the counts stand on. */
  readonly marks: Position
  /** thread → [notifications, highlights] */
  readonly counts: { readonly [thread: string]: readonly [number, number] }
}
/** user, room. */
export const unreadCheckpointTable = jsonTable<UnreadCheckpointRow>()('pc', 'unread checkpoint', [
  'text',
  'text',
])

// ── sync: s ──────────────────────────────────────────────────────────────────────────────────────────

/** user, filter id (a hash of the filter, so that the same filter is stored once). */
export const filterTable = jsonTable<JsonObject>()('sf', 'filter', ['text', 'text'])
