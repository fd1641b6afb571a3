/** Device keys of somebody at a server that runs as a process. */
import { encodeBase64 } from '../../server/protocol/base64.ts'
import { type KeyId, signJson } from '../../server/protocol/signing.ts'
import type { Person } from './person.ts'
import { signingKey } from './primitives.ts'

/** As a client does when it begins. */
export async function uploadKeys(who: Person): Promise<void> {
  const { userId, session } = who
  const { deviceId } = session
  const device = signingKey(new Uint8Array(32).fill(8))
  const keys = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2'],
    keys: {
      [`ed25519:${deviceId}`]: encodeBase64(device.publicKey),
      [`curve25519:${deviceId}`]: encodeBase64(new Uint8Array(32).fill(9)),
    },
  }
  const signed = signJson(keys, userId as never, `ed25519:${deviceId}` as KeyId, device.sign)
  await who.ask('POST', '/keys/upload', { device_keys: signed })
}
