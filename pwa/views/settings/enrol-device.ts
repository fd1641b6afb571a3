/** A passkey signs the keys of this device: see e2ee/passkey-device.ts. */
import { VaultError } from '../../vault/errors.ts'
import { call } from '../account.ts'
import { signWithPasskey } from '../passkey-gesture.ts'

export async function enrolThisDevice(): Promise<void> {
  const passkeys = (await call('passkeys', null)).filter(({ publicKey }) => publicKey !== '')
  if (passkeys.length === 0) throw new VaultError('NO_PASSKEY', 'the account has no passkey')
  const { nonce, challenge } = await call(
    'beginDeviceEnrolment',
    passkeys.map(({ id, publicKey, name }) => ({ credentialId: id, publicKey, name })),
  )
  const signed = await signWithPasskey(
    passkeys.map(({ id }) => id),
    challenge,
  )
  const origin = { rpId: location.hostname, origins: [location.origin] }
  await call('completeDeviceEnrolment', { nonce, ...signed, origin })
}
