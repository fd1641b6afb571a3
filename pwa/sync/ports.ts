/** What the sync side needs of others, and what it tells. Wired in pwa/worker. */
import type { VaultWrite } from '../vault/records.ts'
import type { RoomEntry } from './room-entry.ts'
import type { StoredEvent } from './stored-event.ts'
import type { ItemProblem, SendState } from './timeline-item.ts'

/** What we wrote and no sync brought back yet, as a timeline shows it. */
export interface QueuedItem {
  readonly txnId: string
  /** Where it was sent already. */
  readonly eventId: string | null
  /** As it will be once it was sent. */
  readonly event: StoredEvent
  /** Of a redaction: its target. */
  readonly redacts: string | null
  readonly state: Exclude<SendState, 'read'>
  readonly problem: ItemProblem | null
}

export interface Outbox {
  /** In the order in which they leave. */
  queued(roomId: string): readonly QueuedItem[]
  hasDraft(roomId: string): boolean
  /** After every sync: these came back with it, the server has them. */
  echoed(txnIds: readonly string[]): void
}

export interface Indexed {
  readonly roomId: string
  readonly eventId: string
  readonly timestamp: number
  readonly text: string
}

export interface SearchChange {
  readonly index?: readonly Indexed[]
  /** Edited, or perhaps indexed before. */
  readonly reindex?: readonly Indexed[]
  /** Event ids of what was redacted. */
  readonly unindex?: readonly string[]
}

export interface Search {
  /** Messages and their words in one commit: after a crash there are both or neither. */
  commit(writes: readonly VaultWrite[], change: SearchChange): Promise<void>
}

export type SyncNotice =
  | { readonly kind: 'rooms'; readonly changed: readonly RoomEntry[]; readonly gone: readonly string[] }
  | { readonly kind: 'timeline'; readonly roomId: string }
  | { readonly kind: 'members'; readonly roomId: string }
  | { readonly kind: 'typing'; readonly roomId: string; readonly userIds: readonly string[] }
  | { readonly kind: 'presence'; readonly userIds: readonly string[] }
  | { readonly kind: 'account-data'; readonly type: string }
  | {
      readonly kind: 'notify'
      readonly roomId: string
      readonly eventId: string
      readonly title: string
      readonly body: string
      readonly sound: boolean
      readonly highlight: boolean
    }
