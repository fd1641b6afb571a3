/**
 * One step over records: reads see its own writes, and all that it does is in its hands until the machine commits it.
 *
 * A handler that throws has changed nothing. Values are handed out as they were read: nobody changes them in place.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Notice } from './notices.ts'
import type { Collection, Records, Step, Write } from './records.ts'
import type { OutgoingRequest } from './requests.ts'

export interface OpenStep extends Step {
  /** Everything to commit but the requests, which the machine puts in order. */
  writes(): Write[]
  readonly requests: readonly OutgoingRequest[]
  readonly notices: readonly Notice[]
}

export function openStep(records: Pick<Records, 'get' | 'getMany' | 'entries'>): OpenStep {
  const written = new Map<Collection, Map<string, JsonObject | null>>()
  const requests: OutgoingRequest[] = []
  const notices: Notice[] = []

  const own = (collection: Collection, id: string) => written.get(collection)?.get(id)
  const write = (collection: Collection, id: string, value: JsonObject | null) => {
    const rows = written.get(collection) ?? new Map<string, JsonObject | null>()
    rows.set(id, value)
    written.set(collection, rows)
  }

  const getMany: Step['getMany'] = async (collection, ids) => {
    const missing = ids.filter(id => own(collection, id) === undefined)
    const found = missing.length === 0 ? [] : await records.getMany(collection, missing)
    const read = new Map(missing.map((id, i) => [id, found[i]]))
    return ids.map(id => {
      const value = own(collection, id)
      return value === undefined ? read.get(id) : (value ?? undefined)
    })
  }

  return {
    get: async (collection, id) => {
      const value = own(collection, id)
      return value === undefined ? records.get(collection, id) : (value ?? undefined)
    },
    getMany,
    entries: async (collection, prefix = '') => {
      const rows = new Map(await records.entries(collection, prefix))
      for (const [id, value] of written.get(collection) ?? []) {
        if (!id.startsWith(prefix)) continue
        if (value === null) rows.delete(id)
        else rows.set(id, value)
      }
      return [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
    },
    put: write,
    delete: (collection, id) => write(collection, id, null),
    send: request => void requests.push(request),
    tell: notice => void notices.push(notice),
    writes: () =>
      [...written].flatMap(([collection, rows]) =>
        [...rows].map(([id, value]): Write => ({ collection, id, value })),
      ),
    requests,
    notices,
  }
}
