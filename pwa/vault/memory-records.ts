/**
 * The vault of a shared computer: everything in memory, gone with the worker. Nothing touches the disk.
 *
 * Values are kept as text, so that nobody holds a reference into what is stored.
 */
import type { JsonObject } from '#protocol/json.ts'
import { VaultError } from './errors.ts'
import type { VaultRecords, VaultValue, VaultWrite } from './records.ts'

export class MemoryRecords implements VaultRecords {
  readonly #stores = new Map<string, Map<string, string | Uint8Array>>()
  #locked = false

  async get(store: string, id: string): Promise<JsonObject | undefined> {
    const value = this.#store(store).get(id)
    return typeof value === 'string' ? JSON.parse(value) : undefined
  }

  async getMany(store: string, ids: readonly string[]): Promise<(JsonObject | undefined)[]> {
    return Promise.all(ids.map(id => this.get(store, id)))
  }

  async getBytes(store: string, id: string): Promise<Uint8Array | undefined> {
    const value = this.#store(store).get(id)
    return value instanceof Uint8Array ? value.slice() : undefined
  }

  async entries(store: string, prefix = ''): Promise<[id: string, value: JsonObject][]> {
    const entries: [string, JsonObject][] = []
    for (const [id, value] of this.#store(store))
      if (id.startsWith(prefix) && typeof value === 'string') entries.push([id, JSON.parse(value)])
    return entries.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  async *scan(store: string): AsyncGenerator<[id: string, value: VaultValue]> {
    for (const [id, value] of [...this.#store(store)])
      yield [id, typeof value === 'string' ? JSON.parse(value) : value.slice()]
  }

  async commit(writes: readonly VaultWrite[]): Promise<void> {
    // Made before anything is put: a value that has no JSON changes nothing.
    const changes = writes.map(({ collection, id, value }) => ({
      store: this.#store(collection),
      id,
      value: value instanceof Uint8Array ? value.slice() : value && JSON.stringify(value),
    }))
    for (const { store, id, value } of changes) {
      if (value === null) store.delete(id)
      else store.set(id, value)
    }
  }

  lock(): void {
    this.#locked = true
    this.#stores.clear()
  }

  #store(name: string): Map<string, string | Uint8Array> {
    if (this.#locked) throw new VaultError('VAULT_LOCKED', 'the vault is locked')
    let store = this.#stores.get(name)
    if (!store) {
      store = new Map()
      this.#stores.set(name, store)
    }
    return store
  }
}
