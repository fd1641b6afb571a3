/**
 * Filters that clients upload once and name afterwards.
 *
 * A filter's id is a hash of what it says, so that a client which uploads its filter at every start gets the
 * same id and leaves one row. Spec: client-server-api#filtering.
 */
import { hash } from 'node:crypto'
import type { UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { filterTable } from '../store/catalogue.ts'
import type { Store, Transaction } from '../store/store.ts'
import { parseSyncFilter, type SyncFilter } from './filter.ts'
import { SyncError } from './sync-error.ts'

export interface StoredFilters {
  /** Refuses what is no filter. */
  add(userId: UserId, filter: JsonObject): Promise<string>
  get(userId: UserId, filterId: string): Promise<JsonObject | null>
  /** Parsed; an unknown id is refused. */
  read(userId: UserId, filterId: string): Promise<SyncFilter>
  /** The account goes. The transaction owns the user id. */
  removeAllIn(tx: Transaction, userId: UserId): Promise<void>
  /** The filter that a query gives in full. */
  inline(text: string, parse: (text: string) => JsonObject): SyncFilter
}

const maxBytes = 64 * 1024
const maxFilters = 500
/** Of the texts of all parsed filters; in memory each byte of a list of short names becomes some twenty. */
const maxParsedBytes = 8 * 1024 * 1024

export function openStoredFilters({ store }: { store: Store }): StoredFilters {
  /** Long polls come with the same filter again and again: by its text, or by its owner and id. */
  const parsed = new Map<string, { filter: SyncFilter; size: number }>()
  let parsedBytes = 0

  function remember(name: string, filter: SyncFilter, textLength: number): SyncFilter {
    forget(name)
    // The filter itself has a floor, however short its text.
    const size = textLength + 1_000
    parsed.set(name, { filter, size })
    parsedBytes += size
    for (const oldest of parsed.keys()) {
      if (parsedBytes <= maxParsedBytes) break
      forget(oldest)
    }
    return filter
  }

  function forget(name: string) {
    parsedBytes -= parsed.get(name)?.size ?? 0
    parsed.delete(name)
  }

  const get: StoredFilters['get'] = async (userId, filterId) =>
    (await store.read(view => view.get(filterTable.key(userId, filterId)))) ?? null

  return {
    get,
    async add(userId, filter) {
      parseSyncFilter(filter)
      const text = JSON.stringify(filter)
      if (Buffer.byteLength(text) > maxBytes)
        throw new SyncError('M_TOO_LARGE', `A filter may have ${maxBytes} bytes at most.`)
      const filterId = hash('sha256', text, 'base64url').slice(0, 22)
      if (await get(userId, filterId)) return filterId
      await store.transact(userId, async tx => {
        const stored = await tx.range(filterTable.under(userId), { limit: maxFilters })
        if (stored.length >= maxFilters)
          throw new SyncError('M_TOO_LARGE', `A person may have ${maxFilters} stored filters at most.`)
        tx.put(filterTable.key(userId, filterId), filter)
      })
      return filterId
    },
    async read(userId, filterId) {
      const name = `${userId} ${filterId}`
      const known = parsed.get(name)
      if (known) return known.filter
      const filter = await get(userId, filterId)
      if (!filter) throw new SyncError('M_INVALID_PARAM', `filter: there is no filter ${filterId}.`)
      return remember(name, parseSyncFilter(filter), JSON.stringify(filter).length)
    },
    async removeAllIn(tx, userId) {
      for (const { key } of await tx.range(filterTable.under(userId))) tx.delete(key)
    },
    inline(text, parse) {
      const known = parsed.get(text)
      if (known) return known.filter
      if (text.length > maxBytes)
        throw new SyncError('M_TOO_LARGE', `filter may have ${maxBytes} bytes at most.`)
      return remember(text, parseSyncFilter(parse(text)), 2 * text.length)
    },
  }
}
