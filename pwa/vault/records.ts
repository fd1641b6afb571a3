/**
 * What the vault keeps: records in named stores, each JSON or bytes. The engine's collections are among the stores.
 *
 * Two implementations hold to it, and run the same conformance suite: sealed in IndexedDB, and in memory only.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Records } from '../e2ee/records.ts'

export type VaultValue = JsonObject | Uint8Array

export interface VaultWrite {
  readonly collection: string
  readonly id: string
  /** Null deletes. */
  readonly value: VaultValue | null
}

export interface VaultRecords extends Records {
  get(store: string, id: string): Promise<JsonObject | undefined>
  getMany(store: string, ids: readonly string[]): Promise<(JsonObject | undefined)[]>
  getBytes(store: string, id: string): Promise<Uint8Array | undefined>
  /** JSON records whose id begins with the prefix, by id. Cheap where the prefix holds a `|`, `/` or `:`. */
  entries(store: string, prefix?: string): Promise<[id: string, value: JsonObject][]>
  /** All of a store, JSON and bytes, in no order and a few at a time. What is written meanwhile may or may not come. */
  scan(store: string): AsyncGenerator<[id: string, value: VaultValue]>
  /** All or none, across stores, on the disk when it returns. */
  commit(writes: readonly VaultWrite[]): Promise<void>
}
