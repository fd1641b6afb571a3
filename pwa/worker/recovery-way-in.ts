/** The recovery key opens the vault as well: one sheet of paper, not two. */
import type { TrustCalls } from './calls.ts'

/** `keep`: the newest key that this device has shown or was given becomes a way in. */
export function withRecoveryWayIn(calls: TrustCalls, keep: (text: string) => Promise<void>): TrustCalls {
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
