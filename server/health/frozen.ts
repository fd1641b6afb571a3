/** How many rooms stand still because a server came in that nobody here has pinned. Which ones: their people are told. */
import { frozenRooms } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { HealthSource, Reading } from './finding.ts'

export function openFrozenRooms(store: Store): { source: HealthSource; reading: Reading } {
  const count = async () => (await store.read(view => view.range(frozenRooms.under()))).length
  return {
    source: async () => {
      const rooms = await count()
      return rooms === 0 ? [] : [{ code: 'rooms.frozen', severity: 'warning', facts: { rooms } }]
    },
    reading: async () => ({ frozen: await count() }),
  }
}
