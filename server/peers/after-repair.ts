/**
 * Repair and restore raise the store's epoch, and may bring back rows that were deleted: a pin that was removed, a
 * suspension that was lifted, a stolen key that was rotated away. Pins of another epoch stand still until an
 * administrator has looked at each and resumes it.
 *
 * Rows and epoch share a batch: after a crash it is done, or is done again. The audit knows it as the repair itself.
 */
import { peersSettingTable, peerTable } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'

/** How many pins were suspended. */
export async function suspendAfterRepair(store: Store, clock: () => number): Promise<number> {
  const known = await store.read(view => view.get(peersSettingTable.key('epoch')))
  if (known === store.epoch) return 0
  return store.transact('peers', async tx => {
    const rows = await tx.range(peerTable.under())
    for (const { key, value } of rows) {
      tx.put(key, {
        ...value,
        suspended: true,
        afterRepair: true,
        changedBy: 'system',
        changedTs: clock(),
      })
    }
    tx.put(peersSettingTable.key('epoch'), store.epoch)
    return rows.length
  })
}
