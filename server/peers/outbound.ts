/**
 * What waits to go to peers, as the areas that make it see it. The queue behind it is durable and transport-neutral:
 * what it holds can leave by https or fill a bundle.
 */
import type { EventId, RoomId, ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { RowWriter } from '../store/store.ts'

export interface Edu {
  readonly edu_type: string
  readonly content: JsonObject
}

/** In this order of urgency for what is equally old: messages between devices before device lists. */
export type OutboundItem =
  | { readonly kind: 'pdu'; readonly roomId: RoomId; readonly eventId: EventId }
  /** `m.direct_to_device` */
  | { readonly kind: 'to-device'; readonly edu: Edu }
  /** Last word wins: a later one with the same key takes its place (device lists, receipts). */
  | { readonly kind: 'latest'; readonly key: string; readonly edu: Edu }

export interface Outbound {
  /**
   * Called where the position is known (`Transaction.sequence`, or a projection's `rows`): the item is in the batch that
   * makes it true. Dropped without a word for whom we may not send to.
   */
  put(rows: RowWriter, destination: ServerName, item: OutboundItem): void
  /** Not kept over a restart, replaced by the next with the same key, never retried for long: typing, presence. */
  ephemeral(destination: ServerName, key: string, edu: Edu): void
}

/** What waits for a peer, for people who look after it. */
export interface OutboundStatus {
  readonly length: number
  /** When the oldest item that waits was queued. */
  readonly oldestTs?: number
  /** A code or a short sentence without ids or content; absent: the last attempt went well. */
  readonly lastError?: string
  readonly nextTryTs?: number
}
