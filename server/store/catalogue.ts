/**
 * All rows that exist, one line each: prefix, key parts, value. A prefix is two letters, the first its
 * area's; a removed one stays listed, so that it is never given a second meaning.
 *
 * The value's type stands beside its table. What several versions must read is a plain JSON value: fields
 * may be added, never changed in meaning (see DESIGN, *Schema*).
 */
import { jsonTable } from './key.ts'

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

// ── accounts: a ──────────────────────────────────────────────────────────────────────────────────────

// ── keys: k ──────────────────────────────────────────────────────────────────────────────────────────

// ── media: m ─────────────────────────────────────────────────────────────────────────────────────────

// ── push: p ──────────────────────────────────────────────────────────────────────────────────────────

// ── sync: s ──────────────────────────────────────────────────────────────────────────────────────────

void jsonTable
