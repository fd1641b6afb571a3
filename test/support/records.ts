/** Records in memory, as the vault keeps them: copies go in and out, a commit is all or nothing. */

import type { Collection, Records, Write } from '../../pwa/e2ee/records.ts'
import type { JsonObject } from '../../server/protocol/json.ts'

export class MemoryRecords implements Records {
  rows = new Map<string, string>()
  /** Thrown by the next commit, which then changes nothing. */
  failure: Error | null = null

  async get(collection: Collection, id: string): Promise<JsonObject | undefined> {
    const text = this.rows.get(`${collection}\n${id}`)
    return text === undefined ? undefined : JSON.parse(text)
  }

  getMany(collection: Collection, ids: readonly string[]): Promise<(JsonObject | undefined)[]> {
    return Promise.all(ids.map(id => this.get(collection, id)))
  }

  async entries(collection: Collection, prefix = ''): Promise<[string, JsonObject][]> {
    const start = `${collection}\n`
    return [...this.rows]
      .filter(([key]) => key.startsWith(start + prefix))
      .map(([key, text]): [string, JsonObject] => [key.slice(start.length), JSON.parse(text)])
      .sort(([a], [b]) => (a < b ? -1 : 1))
  }

  async commit(writes: readonly Write[]): Promise<void> {
    const { failure } = this
    this.failure = null
    if (failure) throw failure
    for (const { collection, id, value } of writes) {
      if (value === null) this.rows.delete(`${collection}\n${id}`)
      else this.rows.set(`${collection}\n${id}`, JSON.stringify(value))
    }
  }

  copy(): MemoryRecords {
    const copy = new MemoryRecords()
    copy.rows = new Map(this.rows)
    return copy
  }
}
