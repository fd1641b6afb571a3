/**
 * What the vault keeps: records in named stores, each JSON or bytes. The engine's collections are among the stores.
 *
 * Two implementations hold to it, and run the same conformance suite: sealed in IndexedDB, and in memory only.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Records } from '../e2ee/records.ts'

export interface VaultWrite {
  readonly collection: string
  readonly id: string
  /** Null deletes. */
  readonly value: JsonObject | Uint8Array | null
}

export interface VaultRecords extends Records {
  get(store: string, id: string): Promise<JsonObject | undefined>
  getMany(store: string, ids: readonly string[]): Promise<(JsonObject | undefined)[]>
  getBytes(store: string, id: string): Promise<Uint8Array | undefined>
  /** JSON records whose id begins with the prefix, by id. Cheap where the prefix holds a `|`: see README. */
  entries(store: string, prefix?: string): Promise<[id: string, value: JsonObject][]>
  /** All or none, across stores, on the disk when it returns. */
  commit(writes: readonly VaultWrite[]): Promise<void>
  /** How many commits there were: grows with each, never falls but in a copy that was put back. */
  readonly generation: number
}
