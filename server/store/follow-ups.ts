/** What a repair or a restore leaves to the areas, because deleted rows may have come back. */
import { type FollowUp, followUps } from './catalogue.ts'
import type { Store, Transaction } from './store.ts'

/**
 * For an area's opening, before it serves: does the follow-up if there is one, in the transaction that
 * removes it, so that it is done exactly once. True if there was one. Nobody else writes yet,
 * so it owns what it changes.
 */
export async function doFollowUp(
  store: Store,
  name: FollowUp,
  act: (tx: Transaction) => Promise<void> | void,
): Promise<boolean> {
  // Mostly there is none, and then nothing is written.
  if ((await store.read(view => view.get(followUps.key(name)))) === undefined) return false
  return store.transact(`follow-up ${name}`, async tx => {
    await act(tx)
    tx.delete(followUps.key(name))
    return true
  })
}
