/**
 * What the files about identities need to know of the device they run on. The machine's context has all of it.
 *
 * Clock and randomness come from outside, so that a test can repeat a run.
 */
import { encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { signJson } from '#protocol/signing.ts'
import { signingKeyId } from './signing-key.ts'

export interface OwnDevice {
  readonly userId: string
  readonly deviceId: string
  /** Milliseconds since 1970. */
  clock(): number
  randomBytes(size: number): Uint8Array
  readonly account: {
    /** Unpadded base64. */
    readonly ed25519Key: string
    /** 64 bytes, by the device's Ed25519 key. */
    sign(message: Uint8Array): Uint8Array
  }
}

/** The object with our device's signature. */
export function signAsDevice<O extends JsonObject>(device: OwnDevice, object: O): O {
  return signJson(object, device.userId, signingKeyId(device.deviceId), bytes => device.account.sign(bytes))
}

/** A name that nobody else will make: transaction ids, request ids, key ids. */
export function randomName(device: OwnDevice): string {
  return encodeBase64(device.randomBytes(18)).replaceAll('+', '-').replaceAll('/', '_')
}
