/**
 * A further passkey: made, taken by the server, then told to open secret storage and the vault of this device.
 *
 * The worker wipes an opener that it gets, so each use has a copy of its own.
 */
import { call, ownerState } from '../account.ts'
import { confirmed, createPasskey, openerOf, type PasskeyOpener } from '../passkey-gesture.ts'

export async function addPasskey(name: string): Promise<{ readonly opensKeys: boolean }> {
  const options = await confirmed(auth => call('beginPasskey', { auth }))
  const made = await createPasskey(options)
  await call('completePasskey', { attestation: made.attestation, name })
  // Many browsers give the PRF output on `get` alone: a second gesture. Declined or missing, the passkey still signs in.
  const opener = made.opener ?? (await openerOf([made.credentialId]).catch(() => null))
  if (!opener) return { opensKeys: false }
  try {
    if (ownerState.peek()?.inMemory === false) {
      ownerState.value = await call('setWayIn', copyOf(opener))
    }
    const { state } = await call('identity', null)
    if (state !== 'ready') return { opensKeys: false }
    await call('addPasskeyToIdentity', copyOf(opener))
    return { opensKeys: true }
  } finally {
    opener.prfOutput.fill(0)
  }
}

function copyOf(opener: PasskeyOpener): PasskeyOpener {
  return { ...opener, prfOutput: opener.prfOutput.slice() }
}
