/**
 * A further passkey: made, taken by the server, then told to open secret storage and the vault of this device.
 *
 * The worker wipes an opener that it gets, so each use has a copy of its own.
 */
import { call, ownerState } from '../account.ts'
import { confirmed, createPasskey, openerOf, type PasskeyOpener } from '../passkey-gesture.ts'

export async function addPasskey(
  name: string,
): Promise<{ readonly id: string; readonly opensKeys: boolean }> {
  const options = await confirmed(auth => call('beginPasskey', { auth }))
  const made = await createPasskey(options)
  const id = made.credentialId
  await call('completePasskey', { attestation: made.attestation, name })
  // Many browsers give the PRF output on `get` alone: a second gesture. Declined or missing, the passkey still signs in.
  const opener = made.opener ?? (await openerOf([id]).catch(() => null))
  if (!opener) return { id, opensKeys: false }
  try {
    if (ownerState.peek()?.inMemory === false) {
      ownerState.value = await call('setWayIn', copyOf(opener))
    }
    const { state } = await call('identity', null)
    if (state !== 'ready') return { id, opensKeys: false }
    await call('addPasskeyToIdentity', copyOf(opener))
    return { id, opensKeys: true }
  } finally {
    opener.prfOutput.fill(0)
  }
}

function copyOf(opener: PasskeyOpener): PasskeyOpener {
  return { ...opener, prfOutput: opener.prfOutput.slice() }
}
