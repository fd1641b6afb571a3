/**
 * Records sealed one by one in IndexedDB. The format is the README's; a store's keys are made from the vault key.
 *
 * All crypto of a commit is done before its transaction opens: an await inside would let it end by itself. Who opens
 * two of these on one database loses updates: the worker's lock sees to it that there is one.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { hmacSha256, open, seal, wipe } from '../e2ee/primitives.ts'
import { type Database, isQuotaExceeded } from './database.ts'
import { VaultError, type VaultWarning } from './errors.ts'
import { type Framed, frame, unframe } from './record-frame.ts'
import type { VaultRecords, VaultValue, VaultWrite } from './records.ts'
import type { VaultKey } from './vault-key.ts'

/** Lengths within an index key: which store, which group, which record. */
const storeTagBytes = 8
const groupTagBytes = 12
const recordTagBytes = 20

/** Rows in memory at a time while a whole store is read. */
const scannedAtOnce = 100

/**
 * Where a broken record must not read as absent: without its account the engine would make new keys for a device that has
 * some, without a room's record it would send in the clear, without an identity it would pin the next one that comes.
 */
export const closedStores: ReadonlySet<string> = new Set(['account', 'room', 'identity'])

type Row = Uint8Array<ArrayBuffer>

interface Store {
  readonly name: string
  readonly sealingKey: Uint8Array
  readonly indexKey: Uint8Array
  readonly tag: Uint8Array
}

export class SealedRecords implements VaultRecords {
  readonly #database: Database
  readonly #key: VaultKey
  readonly #warn: (warning: VaultWarning) => void
  readonly #stores = new Map<string, Store>()
  #full = false
  #locked = false

  /** Key and database stay the caller's, to wipe and to close. */
  constructor(database: Database, key: VaultKey, warn: (warning: VaultWarning) => void) {
    this.#database = database
    this.#key = key
    this.#warn = warn
  }

  /** The browser gave no more room; see `resume`. */
  get full(): boolean {
    return this.#full
  }

  async get(store: string, id: string): Promise<JsonObject | undefined> {
    return jsonOf(await this.#read(store, id))
  }

  async getBytes(store: string, id: string): Promise<Uint8Array | undefined> {
    const value = await this.#read(store, id)
    return value instanceof Uint8Array ? value : undefined
  }

  async getMany(store: string, ids: readonly string[]): Promise<(JsonObject | undefined)[]> {
    if (ids.length === 0) return []
    const from = this.#store(store)
    const rows = ids.map(id => rowOf(from, id))
    const { store: objects, done } = this.#database.transaction('records')
    const found = await Promise.all(rows.map(row => objects.get(row)))
    await done
    const values: (JsonObject | undefined)[] = []
    for (const [i, sealed] of found.entries())
      values.push(jsonOf(sealed && (await this.#open(from, rows[i]!, sealed, ids[i]))?.value))
    return values
  }

  async entries(store: string, prefix = ''): Promise<[id: string, value: JsonObject][]> {
    const from = this.#store(store)
    const range = rangeOf(from, prefix)
    const { store: objects, done } = this.#database.transaction('records')
    const [keys, found] = await Promise.all([objects.getAllKeys(range), objects.getAll(range)])
    await done
    const entries: [string, JsonObject][] = []
    for (const [i, sealed] of found.entries()) {
      const opened = await this.#open(from, rowFrom(keys[i]!), sealed)
      if (opened?.id.startsWith(prefix) && isObject(opened.value) && !(opened.value instanceof Uint8Array))
        entries.push([opened.id, opened.value])
    }
    return entries.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  async *scan(store: string): AsyncGenerator<[id: string, value: VaultValue]> {
    const from = this.#store(store)
    const { lower, upper } = rangeOf(from, '')
    let after: IDBValidKey | null = null
    for (;;) {
      const range: IDBKeyRange = IDBKeyRange.bound(after ?? lower, upper, after !== null)
      const { store: objects, done } = this.#database.transaction('records')
      const [keys, found] = await Promise.all([
        objects.getAllKeys(range, scannedAtOnce),
        objects.getAll(range, scannedAtOnce),
      ])
      await done
      for (const [i, sealed] of found.entries()) {
        const opened = await this.#open(from, rowFrom(keys[i]!), sealed)
        if (opened) yield [opened.id, opened.value]
      }
      after = keys.at(-1) ?? null
      if (keys.length < scannedAtOnce) return
    }
  }

  /** @throws VaultError VAULT_FULL, STORAGE_FAILED: then nothing was written */
  async commit(writes: readonly VaultWrite[]): Promise<void> {
    const changes = writes.map(write => this.#seal(write))
    // What only takes away may always: it is how there comes to be room again.
    if (this.#full && changes.some(({ sealed }) => sealed))
      throw new VaultError('VAULT_FULL', 'the browser gives the vault no more room; nothing was written')
    if (changes.length > 0) await this.#write(changes)
  }

  /** Tries whether there is room again, and if so takes writes again. */
  async resume(): Promise<boolean> {
    const probe: VaultWrite = { collection: 'vault', id: 'probe', value: new Uint8Array(64 * 1024) }
    try {
      await this.#write([this.#seal(probe)])
      await this.#write([this.#seal({ ...probe, value: null })])
      this.#full = false
    } catch (error) {
      if (!(error instanceof VaultError && error.code === 'VAULT_FULL')) throw error
    }
    return !this.#full
  }

  /** Forgets the keys: from here on everything throws VAULT_LOCKED. */
  lock(): void {
    this.#locked = true
    for (const { sealingKey, indexKey } of this.#stores.values()) wipe(sealingKey, indexKey)
    this.#stores.clear()
  }

  #seal({ collection, id, value }: VaultWrite): Change {
    const store = this.#store(collection)
    const row = rowOf(store, id)
    if (value === null) return { row, sealed: null }
    return { row, sealed: seal(store.sealingKey, frame(id, value), associatedData(store, row)) }
  }

  async #write(changes: readonly Change[]): Promise<void> {
    // Strict: the engine sends what depends on these writes as soon as they are done, and a ratchet that a power cut
    // winds back would use a key twice.
    const transaction = this.#database.transaction('records', 'readwrite', { durability: 'strict' })
    try {
      const written = changes.map(async ({ row, sealed }) => {
        await (sealed ? transaction.store.put(sealed, row) : transaction.store.delete(row))
      })
      await Promise.all([...written, transaction.done])
    } catch (cause) {
      await transaction.done.catch(() => {})
      if (!isQuotaExceeded(cause))
        throw new VaultError('STORAGE_FAILED', 'the browser did not store what was written', { cause })
      if (!this.#full) this.#warn({ kind: 'full' })
      this.#full = true
      throw new VaultError('VAULT_FULL', 'the browser gives the vault no more room; nothing was written', {
        cause,
      })
    }
  }

  async #read(name: string, id: string): Promise<JsonObject | Uint8Array | undefined> {
    const store = this.#store(name)
    const row = rowOf(store, id)
    const sealed = await this.#database.get('records', row)
    return sealed && (await this.#open(store, row, sealed, id))?.value
  }

  async #open(store: Store, row: Row, sealed: Uint8Array, id?: string): Promise<Framed | undefined> {
    const plaintext =
      sealed instanceof Uint8Array ? open(store.sealingKey, sealed, associatedData(store, row)) : null
    const opened = plaintext && unframe(plaintext)
    if (opened) return opened
    this.#warn({ kind: 'broken-record', store: store.name, ...(id !== undefined && { id }) })
    if (!closedStores.has(store.name)) await this.#setAside(store, row)
    else if (id !== undefined)
      throw new VaultError('RECORD_BROKEN', `a record of the store ${store.name} is not what was sealed`)
    return undefined
  }

  /** A copy of what is broken, for something is about to be written in its place. */
  async keepBroken(name: string, id: string): Promise<void> {
    const store = this.#store(name)
    await this.#setAside(store, rowOf(store, id), true)
  }

  /** Out of the way, but kept: what is broken here may be whole in a backup, or say what broke it. */
  async #setAside(store: Store, row: Row, stays = false): Promise<void> {
    const transaction = this.#database.transaction(['records', 'broken'], 'readwrite')
    const records = transaction.objectStore('records')
    const sealed: unknown = await records.get(row)
    // It may have been written anew since it was read.
    const isWhole =
      sealed instanceof Uint8Array && open(store.sealingKey, sealed, associatedData(store, row)) !== null
    if (sealed !== undefined && !isWhole) {
      transaction.objectStore('broken').put({ key: row, sealed, store: store.name })
      if (!stays) records.delete(row)
    }
    await transaction.done.catch(() => {
      // A full or failing disk: it stays where it is, and is reported again.
    })
  }

  #store(name: string): Store {
    if (this.#locked) throw new VaultError('VAULT_LOCKED', 'the vault is locked')
    let store = this.#stores.get(name)
    if (!store) {
      const indexKey = this.#key.subkey(`index ${name}`)
      const tag = hmacSha256(indexKey, 'store').subarray(0, storeTagBytes)
      store = { name, indexKey, tag, sealingKey: this.#key.subkey(`seal ${name}`) }
      this.#stores.set(name, store)
    }
    return store
  }
}

interface Change {
  readonly row: Row
  readonly sealed: Uint8Array | null
}

/** HMAC'd, so that the disk does not show which rooms and people there are. */
function rowOf(store: Store, id: string): Row {
  const row = new Uint8Array(storeTagBytes + groupTagBytes + recordTagBytes)
  row.set(store.tag)
  row.set(groupTag(store, groupOf(id)), storeTagBytes)
  row.set(
    hmacSha256(store.indexKey, `record ${id}`).subarray(0, recordTagBytes),
    storeTagBytes + groupTagBytes,
  )
  return row
}

/** All rows whose id may begin with the prefix: those of its group, or of the whole store where it has none. */
function rangeOf(store: Store, prefix: string): IDBKeyRange {
  const group = groupOf(prefix)
  const lower = new Uint8Array(storeTagBytes + (group ? groupTagBytes : 0))
  lower.set(store.tag)
  if (group) lower.set(groupTag(store, group), storeTagBytes)
  const upper = new Uint8Array(storeTagBytes + groupTagBytes + recordTagBytes + 1).fill(0xff)
  upper.set(lower)
  return IDBKeyRange.bound(lower, upper)
}

/** What stands before the first `|`, `/` or `:`, with it; empty where there is none. */
function groupOf(id: string): string {
  return id.slice(0, id.search(/[|/:]/) + 1)
}

function groupTag(store: Store, group: string): Uint8Array {
  return hmacSha256(store.indexKey, `group ${group}`).subarray(0, groupTagBytes)
}

function rowFrom(key: IDBValidKey): Row {
  return new Uint8Array(key as ArrayBuffer)
}

/** Store and record (its row is an HMAC of its id), under the version of this format. */
function associatedData(store: Store, row: Row): Uint8Array {
  const label = utf8Bytes(`org.letro.vault.v1 record ${store.name} `)
  const data = new Uint8Array(label.length + row.length)
  data.set(label)
  data.set(row, label.length)
  return data
}

function jsonOf(value: JsonObject | Uint8Array | undefined): JsonObject | undefined {
  return value instanceof Uint8Array ? undefined : value
}
