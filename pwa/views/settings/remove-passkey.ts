/** A passkey that is gone: at the server first, then it opens neither secret storage nor the vault of this device any more. */
import { VaultError } from '../../vault/errors.ts'
import { call, ownerState } from '../account.ts'
import { confirmed } from '../passkey-gesture.ts'

export async function removePasskey(id: string): Promise<void> {
  await confirmed(auth => call('removePasskey', { id, auth }))
  await call('removePasskeyFromIdentity', id)
  const ways = ownerState.peek()?.waysIn ?? []
  for (const way of ways) if (way.kind === 'passkey' && way.credentialId === id) await removeWayIn(way.id)
}

/** The last way in stays: without it, what is stored here could not be opened. */
async function removeWayIn(id: string): Promise<void> {
  try {
    ownerState.value = await call('removeWayIn', id)
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'LAST_WAY_IN') throw error
  }
}
