/**
 * What the engine keeps between two inputs: records of JSON in named collections.
 *
 * The vault implements `Records` and seals each record; the engine never sees IndexedDB. One input is one
 * `Step`: it reads the records as they were, gathers what to write, what to send and what to tell, and all of it takes
 * effect in one commit or not at all. No crypto may be left to do when the commit begins.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Notice } from './notices.ts'
import type { OutgoingRequest } from './requests.ts'

/**
 * A collection's records have one owner, the file that reads and writes them. A record carries the algorithm it
 * belongs to wherever there could be another one some day, and members that a reader does not know are kept.
 */
export type Collection =
  /** Our identity keys, one-time and fallback keys: one record. */
  | 'account'
  | 'olm-session'
  | 'inbound-group-session'
  | 'outbound-group-session'
  /** (session, index) → event id: what was decrypted already. */
  | 'message-index'
  /** A user's devices as last answered, and whether that answer is out of date. */
  | 'device-list'
  /** A user's cross-signing keys, which of them we pinned, and what we think of them. */
  | 'identity'
  /** A room's encryption settings, members, and what was decided about them. */
  | 'room'
  /** Private cross-signing keys and the backup key, as this device holds them. */
  | 'secret'
  | 'verification'
  | 'key-backup'
  /** Keys asked for and keys that others asked of us. */
  | 'key-request'
  /** What was made and not yet answered: it is sent again after a crash, under the same transaction id. */
  | 'request'
  /** The host's own queue of messages: what was encrypted is kept there by the commit that moved the ratchet. */
  | 'outbox'
  /** The rollback counter and the engine's own bookkeeping. */
  | 'engine'

export interface Write {
  readonly collection: Collection
  readonly id: string
  /** Null deletes. */
  readonly value: JsonObject | null
}

export interface Records {
  get(collection: Collection, id: string): Promise<JsonObject | undefined>
  /** In the order of the ids; undefined where there is none. */
  getMany(collection: Collection, ids: readonly string[]): Promise<(JsonObject | undefined)[]>
  /** All of a collection whose id begins with the prefix, by id. Quick where the prefix ends with the first `|` of the ids. */
  entries(collection: Collection, prefix?: string): Promise<[id: string, value: JsonObject][]>
  /** All or none, durable on return. */
  commit(writes: readonly Write[]): Promise<void>
}

/** What handling one input may do. Reads see the writes of the same step. */
export interface Step extends Omit<Records, 'commit'> {
  put(collection: Collection, id: string, value: JsonObject): void
  delete(collection: Collection, id: string): void
  /** Leaves after the commit, and again after a restart until it is answered. */
  send(request: OutgoingRequest): void
  /** Told after the commit. */
  tell(notice: Notice): void
}
