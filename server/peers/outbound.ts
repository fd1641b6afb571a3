/**
 * What waits to go to peers, as the areas that make it see it, and as whoever carries it takes it. What is in the queue can
 * leave by https or fill a bundle: it knows of neither.
 */
import type { EventId, RoomId, ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { RowWriter } from '../store/store.ts'

export interface Edu {
  readonly edu_type: string
  readonly content: JsonObject
}

export type OutboundItem =
  | { readonly kind: 'pdu'; readonly roomId: RoomId; readonly eventId: EventId }
  /** `m.direct_to_device`: each one counts, and they go before all other EDUs. */
  | { readonly kind: 'to-device'; readonly edu: Edu }
  /** Last word wins: a later one with the same key takes its place (device lists, receipts). */
  | { readonly kind: 'latest'; readonly key: string; readonly edu: Edu }

export interface Outbound {
  /**
   * Called while a transaction is sequenced (`Transaction.sequence`, or a projection's `rows`): the item is in the batch
   * that makes it true. Dropped without a word for whom we may not send to.
   */
  put(rows: RowWriter, destination: ServerName, item: OutboundItem): void
  /** Not kept over a restart, replaced by the next with the same key, never retried for long: typing, presence. */
  ephemeral(destination: ServerName, key: string, edu: Edu): void
}

/** What goes next to one peer. The rows stay until it is said that the peer has them. */
export interface OutboundBatch {
  readonly destination: ServerName
  readonly pdus: readonly { readonly roomId: RoomId; readonly eventId: EventId }[]
  /** Messages between devices, then what only the last word of counts, then what is not kept. */
  readonly edus: readonly Edu[]
}

export type OutboundLength = Pick<OutboundStatus, 'length' | 'oldestTs'>

/** What waits for a peer, for people who look after it. */
export interface OutboundStatus {
  readonly length: number
  /** When the oldest item that waits was queued. */
  readonly oldestTs?: number
  /** A code or a short sentence without ids or content; absent: the last attempt went well. */
  readonly lastError?: string
  readonly nextTryTs?: number
}

export interface OutboundQueue extends Outbound {
  /** null: nothing waits. The same items come again until a batch with them is done. */
  take(destination: ServerName, maxPdus: number, maxEdus: number): Promise<OutboundBatch | null>
  /** The peer has it: durable when this resolves. After a crash before that the same items go once more. */
  done(batch: OutboundBatch): Promise<void>
  waiting(destination: ServerName): Promise<OutboundLength>
  /** A removed peer: nothing of what waited is kept. */
  clear(destination: ServerName): Promise<void>
  /** Something durable waits for this peer, or something that is not kept came. */
  onItem(listener: (destination: ServerName) => void): void
}
