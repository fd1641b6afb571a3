/** A disk that gives back something else than was written: one record of a vault, found by its format (pwa/vault/README.md). */
import type { Page } from 'playwright-core'
import { hmacSha256, ready } from '../../pwa/e2ee/primitives.ts'
import { parseRecoveryKey } from '../../pwa/e2ee/secret-storage.ts'
import { VaultKey, type Wrap } from '../../pwa/vault/vault-key.ts'

/** Whoever opens the vault meanwhile reads it broken from now on. */
export async function damageRecord(
  page: Page,
  vault: { readonly userId: string; readonly recoveryKey: string },
  { store, id }: { readonly store: string; readonly id: string },
): Promise<void> {
  await ready
  const name = JSON.stringify(`org.letro.vault ${vault.userId}`)
  const wraps = (await page.evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open(${name})
    opening.onerror = reject
    opening.onsuccess = () => {
      const asked = opening.result.transaction('header').objectStore('header').getAll()
      asked.onsuccess = () => {
        opening.result.close()
        resolve(asked.result[0].wraps)
      }
    }
  })`)) as Wrap[]
  const key = VaultKey.unwrap(wraps, {
    kind: 'recovery-key',
    recoveryKey: parseRecoveryKey(vault.recoveryKey),
  })
  const row = JSON.stringify(indexKeyOf(key, store, id))
  const found = await page.evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open(${name})
    opening.onerror = reject
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('records', 'readwrite')
      const records = transaction.objectStore('records')
      const row = new Uint8Array(${row})
      const asked = records.get(row)
      asked.onsuccess = () => {
        if (asked.result) records.put(asked.result.map(byte => byte ^ 1), row)
      }
      transaction.oncomplete = () => {
        opening.result.close()
        resolve(asked.result !== undefined)
      }
    }
  })`)
  if (found !== true) throw new Error(`the vault has no record ${store} ${id}`)
}

function indexKeyOf(key: VaultKey, store: string, id: string): number[] {
  const indexKey = key.subkey(`index ${store}`)
  const group = id.slice(0, id.search(/[|/:]/) + 1)
  return [
    ...hmacSha256(indexKey, 'store').subarray(0, 8),
    ...hmacSha256(indexKey, `group ${group}`).subarray(0, 12),
    ...hmacSha256(indexKey, `record ${id}`).subarray(0, 20),
  ]
}
