/** The recovery key opens the vault too: whoever loses every passkey, and has the paper, is not locked out of this device. */

import { wipe } from '../e2ee/primitives.ts'
import { parseRecoveryKey } from '../e2ee/secret-storage.ts'
import type { Vault } from '../vault/vault.ts'
import type { TrustCalls } from './calls.ts'

/** The newest recovery key that this device was shown or given is the one that counts. */
export function withRecoveryWayIn(
  calls: TrustCalls,
  vault: () => Pick<Vault, 'setWayIn' | 'isInMemory'>,
): TrustCalls {
  const keep = async (text: string) => {
    if (vault().isInMemory) return
    const recoveryKey = parseRecoveryKey(text)
    try {
      await vault().setWayIn({ kind: 'recovery-key', recoveryKey })
    } finally {
      wipe(recoveryKey)
    }
  }
  const kept =
    <A>(make: (argument: A) => Promise<{ recoveryKey: string }>) =>
    async (argument: A) => {
      const made = await make(argument)
      await keep(made.recoveryKey)
      return made
    }
  return {
    ...calls,
    setUpIdentity: kept(calls.setUpIdentity),
    resetIdentity: kept(calls.resetIdentity),
    newRecoveryKey: kept(calls.newRecoveryKey),
    openIdentity: async opener => {
      await calls.openIdentity(opener)
      if (opener.kind === 'recovery-text') await keep(opener.text)
    },
  }
}
