/**
 * All rows that exist, one line each: prefix, key parts, value. A prefix is two letters, the first its
 * area's; a removed one stays listed, so that it is never given a second meaning.
 *
 * The value's type stands beside its table. What several versions must read is a plain JSON value: fields
 * may be added, never changed in meaning (see DESIGN, *Schema*).
 */
import { jsonTable } from './key.ts'

// ── store: _ ─────────────────────────────────────────────────────────────────────────────────────────

// ── rooms: r ─────────────────────────────────────────────────────────────────────────────────────────

/** Children of an event by age (room, parent, position): the index of relations. */
export interface RelationRow {
  readonly eventId: string
  readonly type: string
  readonly sender: string
  readonly relType: string
  /** originServerTs: the newest edit is the one with the highest. */
  readonly ts: number
}
export const relationChildren = jsonTable<RelationRow>()('rc', 'relation children', [
  'text',
  'text',
  'position',
])
/** (room, child): where its row stands, for the redaction that breaks the relation. */
export interface RelationOfChildRow {
  readonly parent: string
  readonly position: number
  readonly relType: string
  readonly sender: string
  readonly type: string
  readonly key?: string
}
export const relationsByChild = jsonTable<RelationOfChildRow>()('rl', 'relations by child', ['text', 'text'])
/** (room, parent): this event has children, so that a page of events asks once and not once an event. */
export const relationParents = jsonTable<1>()('rp', 'relation parents', ['text', 'text'])
/** (room, parent, sender, type, key): the annotation that stands, so that nobody makes the same one twice. */
export const annotations = jsonTable<{ readonly eventId: string }>()('rk', 'annotations', [
  'text',
  'text',
  'text',
  'text',
  'text',
])
/** (room, root): its newest reply and how many there are; (room, newest reply): a room's threads by latest reply. */
export interface ThreadRow {
  readonly latest: number
  readonly count: number
}
export const threadRoots = jsonTable<ThreadRow>()('ro', 'thread roots', ['text', 'text'])
export const threadsByLatest = jsonTable<{ readonly root: string }>()('rh', 'threads by latest reply', [
  'text',
  'position',
])

/** (alias) → room; (room, alias): the local aliases of a room. */
export interface AliasRow {
  readonly roomId: string
  readonly creator: string
  readonly createdTs: number
}
export const roomAliases = jsonTable<AliasRow>()('ra', 'room aliases', ['text'])
export const aliasesOfRoom = jsonTable<1>()('rb', 'aliases of a room', ['text', 'text'])
/** (room): published in this server's room directory. */
export const publishedRooms = jsonTable<{ readonly by: string; readonly ts: number }>()(
  'rd',
  'published rooms',
  ['text'],
)

/** (position): what people reported to the administrators. */
export interface ReportRow {
  readonly reporter: string
  readonly ts: number
  readonly kind: 'room' | 'event' | 'user'
  readonly roomId?: string
  readonly eventId?: string
  readonly userId?: string
  readonly reason: string
}
export const contentReports = jsonTable<ReportRow>()('rr', 'content reports', ['position'])

// ── accounts: a ──────────────────────────────────────────────────────────────────────────────────────

// ── keys: k ──────────────────────────────────────────────────────────────────────────────────────────

// ── media: m ─────────────────────────────────────────────────────────────────────────────────────────

// ── push: p ──────────────────────────────────────────────────────────────────────────────────────────

// ── sync: s ──────────────────────────────────────────────────────────────────────────────────────────

void jsonTable
