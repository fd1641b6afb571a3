/**
 * The store: one ordered set of rows, and what it promises.
 *
 * - **Atomic**: the rows of one transaction are there all or none, after a crash as well.
 * - **Durable on return**: when `transact` resolves, its rows survive a power cut (fsync has returned).
 * - **Ordered**: commits leave in the order in which transactions finished (one FIFO). Positions are taken
 *   at that moment, so position order is commit order, and `durablePosition` only moves forward.
 * - **Reads see what is durable**: `read` works on one snapshot of durable rows. Only a transaction sees
 *   rows that are finished but not yet durable, so that writers build on their own pending tip.
 * - **One writer an owner**: the functions of two transactions that share an owner never overlap.
 * - **A failed write is ambiguous**: every pending transaction is rejected with `STORE_UNCERTAIN`, `onReset`
 *   tells all who hold rows in memory to drop them, and the store reopens before it takes more work.
 *
 * Rule: never await per key. Collect keys and ask once with `getMany`.
 */
import type { Key, KeyRange } from './key.ts'

declare const tag: unique symbol

/** Where something stands in the one order of this server: epoch · 2³⁶ + counter. */
export type Position = number & { readonly [tag]: 'Position' }

export interface Entry<P extends readonly unknown[], V> {
  readonly key: Key<V>
  readonly parts: P
  readonly value: V
}

export interface RangeOptions {
  /** Only keys above this one, and only keys below that one (both excluded). */
  readonly after?: string
  readonly before?: string
  readonly reverse?: boolean
  readonly limit?: number
}

export interface View {
  get<V>(key: Key<V>): Promise<V | undefined>
  /** The values in the order of the keys; undefined where there is none. */
  getMany<const K extends readonly Key<unknown>[]>(
    keys: K,
  ): Promise<{ -readonly [I in keyof K]: K[I] extends Key<infer V> ? V | undefined : never }>
  range<P extends readonly unknown[], V>(
    range: KeyRange<P, V>,
    options?: RangeOptions,
  ): Promise<Entry<P, V>[]>
}

export interface Transaction extends View {
  put<V>(key: Key<V>, value: V): void
  delete(key: Key<unknown>): void
  /**
   * Runs `fill` when the transaction is queued, without anything in between: the place for rows that
   * carry a position, for chains (audit) and for moving in-memory state to the new pending tip.
   * `next()` takes one position; positions of one transaction follow each other. Reads are over by then.
   * `fill` must not throw: half-moved memory is treated like a failed write.
   */
  sequence(fill: (next: () => Position, rows: RowWriter) => void): void
  /** Told to `onDurable` listeners once this transaction is durable; a topic names who should look again. */
  announce(topic: Topic): void
}

export interface RowWriter {
  put<V>(key: Key<V>, value: V): void
  delete(key: Key<unknown>): void
  announce(topic: Topic): void
}

/** `room:!id` new events · `ephemeral:!id` receipts, typing · `user:@id` account data, membership · `device:@id/ID` to-device, keys · `devices:@id` this person's device list changed · `devices:!id` someone joined or left the room · `joined:!id @id` that person came into that room · `peer:name` something waits for this server. */
export type Topic = `${'room' | 'ephemeral' | 'user' | 'device' | 'devices' | 'joined' | 'peer'}:${string}`

export interface Commit {
  readonly durablePosition: Position
  readonly topics: ReadonlySet<Topic>
}

export interface Store {
  /** `position`: what the view shows, exactly; the `durablePosition` of the moment when `fn` is called. */
  read<T>(fn: (view: View, position: Position) => Promise<T>): Promise<T>
  /**
   * Runs `fn` as the only writer of `owner` (several owners: all queues are joined in one step, so there is
   * no circle), then queues what it wrote. Resolves with fn's result when that is durable, and so does one
   * that only reads, because it may have seen pending rows. If fn throws, nothing is written. `fn` is called
   * at once where nobody else works on the owner. A transaction inside another of the same owner waits for
   * ever: don't.
   */
  transact<T>(owner: string | readonly string[], fn: (tx: Transaction) => Promise<T> | T): Promise<T>
  /** Everything at or below is durable and may be shown; nothing above may. */
  readonly durablePosition: Position
  readonly epoch: number
  onDurable(listener: (commit: Commit) => void): () => void
  /** Called after a failed write, when all that was pending has been rejected: drop what came from the store. */
  onReset(listener: () => void): () => void
  /** Waits for what is queued, writes the head, closes. */
  close(): Promise<void>
}

export type StoreErrorCode =
  /** A write failed, or was pending when one failed: it may or may not be there. */
  | 'STORE_UNCERTAIN'
  | 'STORE_CLOSED'
  /** Data is not what was written, or is missing: maintenance. */
  | 'STORE_DAMAGED'
  /** No space left: reads go on; writes too, by themselves, once there is space. */
  | 'STORE_FULL'
  /** Another process has the folder. */
  | 'STORE_LOCKED'
  /** A newer release wrote the data, and says that this one cannot read it. */
  | 'STORE_NEWER'

/** One thing that is wrong. Names files and tables, never a key or a value: those may tell who somebody is. */
export interface Finding {
  readonly kind: 'head' | 'journal' | 'log' | 'manifest' | 'table-file' | 'row' | 'event' | 'open'
  readonly message: string
}

export class StoreError extends Error {
  readonly code: StoreErrorCode
  /** With STORE_DAMAGED: what was found. */
  readonly findings: readonly Finding[]
  constructor(
    code: StoreErrorCode,
    message: string,
    options?: ErrorOptions & { findings?: readonly Finding[] },
  ) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
    this.findings = options?.findings ?? []
  }
}
