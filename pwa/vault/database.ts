/**
 * The IndexedDB database of one vault. Nothing in it is readable but the header: which ways in there are.
 *
 * `records`  index key → sealed bytes (sealed-records.ts)
 * `broken`   what did not open, as it was found, for whoever can mend it
 * `header`   one entry: format version, wraps
 */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import { isObject } from '#protocol/json.ts'
import { VaultError, type VaultWarning } from './errors.ts'
import { parseWrap, type Wrap } from './vault-key.ts'

export interface Header {
  /** Of everything in the database. A newer one is not touched. */
  readonly version: 1
  readonly wraps: readonly Wrap[]
}

interface Schema extends DBSchema {
  header: { key: 'header'; value: Header }
  records: { key: IDBValidKey; value: Uint8Array }
  broken: {
    key: number
    value: { readonly key: IDBValidKey; readonly sealed: unknown; readonly store: string }
  }
}

export type Database = IDBPDatabase<Schema>

/** @throws VaultError STORAGE_FAILED: private mode, a full or failing disk, or a newer release was here */
export async function openDatabase(name: string, warn: (warning: VaultWarning) => void): Promise<Database> {
  try {
    const database = await openDB<Schema>(name, 1, {
      upgrade(db) {
        db.createObjectStore('header')
        db.createObjectStore('records')
        db.createObjectStore('broken', { autoIncrement: true })
      },
      // Another tab wipes the vault or brings a newer release: let it.
      blocking: () => {
        database.close()
        warn({ kind: 'closed' })
      },
      terminated: () => warn({ kind: 'closed' }),
    })
    return database
  } catch (cause) {
    throw new VaultError('STORAGE_FAILED', 'the browser does not open the storage of the vault', { cause })
  }
}

/** Undefined where no vault was made yet. @throws VaultError HEADER_BROKEN, VAULT_NEWER */
export async function readHeader(database: Database): Promise<Header | undefined> {
  return parseHeader(await database.get('header', 'header'))
}

/** Read and written in one transaction: two changes at once lose neither. */
export async function changeHeader(
  database: Database,
  change: (header: Header | undefined) => Header,
): Promise<void> {
  const transaction = database.transaction('header', 'readwrite', { durability: 'strict' })
  // Whatever ends it is thrown below.
  transaction.done.catch(() => {})
  const changed = change(parseHeader(await transaction.store.get('header')))
  try {
    await transaction.store.put(changed, 'header')
    await transaction.done
  } catch (cause) {
    throw new VaultError('STORAGE_FAILED', 'the browser did not store the ways in', { cause })
  }
}

function parseHeader(stored: unknown): Header | undefined {
  if (stored === undefined) return undefined
  const { version, wraps } = isObject(stored) ? stored : {}
  if (typeof version === 'number' && version > 1)
    throw new VaultError('VAULT_NEWER', 'the vault was written by a newer release')
  if (version !== 1 || !Array.isArray(wraps))
    throw new VaultError('HEADER_BROKEN', 'the vault has no valid header')
  // One wrap that is damaged must not take the others with it.
  const valid = wraps.map(parseWrap).filter(wrap => wrap !== null)
  if (valid.length === 0) throw new VaultError('HEADER_BROKEN', 'the vault has no valid way in')
  return { version, wraps: valid }
}

export function isQuotaExceeded(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'QuotaExceededError'
}
