/** What the scrub of a store of any kind finds about events. */
import { checkEvents } from '../../server/rooms/scrub.ts'
import { eventSkeletons } from '../../server/store/catalogue.ts'
import type { Key } from '../../server/store/key.ts'
import type { Finding, Store } from '../../server/store/store.ts'

export function scrubEvents(store: Store): Promise<readonly Finding[]> {
  return store.read(async view => {
    const rows = await view.range(eventSkeletons.under())
    const table = eventSkeletons.name
    // The check asks twice, for keys that depend on the first answer: it is run again until all are known.
    const known = new Map<string, unknown>()
    for (;;) {
      const missing: string[] = []
      const findings = await checkEvents(
        rows.map(({ key, value }) => ({ table, key, value })),
        keys => {
          missing.push(...keys.filter(key => !known.has(key)))
          return keys.map(key => known.get(key))
        },
      )
      if (missing.length === 0) return findings
      const values = await view.getMany(missing as Key<unknown>[])
      for (const [i, key] of missing.entries()) known.set(key, values[i])
    }
  })
}
