/**
 * What makes this device itself: its Ed25519 key, which signs, and its Curve25519 key, with which sessions begin.
 *
 * Made once; only the vault sees the private halves, through `toRecord`. Keys that others use up or that are replaced
 * are in one-time-keys.ts. Spec: client-server-api#device-keys
 */
import { encodeBase64 } from '#protocol/base64.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { E2eeError } from './errors.ts'
import {
  curve25519KeyPair,
  decodeSecret,
  ed25519KeyPair,
  ed25519Sign,
  encodeSecret,
  type KeyPair,
} from './primitives.ts'

export const olmAlgorithm = 'm.olm.v1.curve25519-aes-sha2'
export const megolmAlgorithm = 'm.megolm.v1.aes-sha2'

export class Account {
  readonly #seed: Uint8Array
  readonly #signingKey: KeyPair
  readonly #identityKey: KeyPair

  private constructor(seed: Uint8Array, identityKey: KeyPair) {
    this.#seed = seed
    this.#signingKey = ed25519KeyPair(seed)
    this.#identityKey = identityKey
  }

  static create(randomBytes: (size: number) => Uint8Array): Account {
    return new Account(randomBytes(32), curve25519KeyPair(randomBytes(32)))
  }

  /** Unpadded base64, as `device_keys` has it. */
  get ed25519Key(): string {
    return encodeBase64(this.#signingKey.publicKey)
  }

  /** Unpadded base64, as `device_keys` and `sender_key` have it. */
  get curve25519Key(): string {
    return encodeBase64(this.#identityKey.publicKey)
  }

  /** For Olm sessions alone. */
  get identityKey(): KeyPair {
    return this.#identityKey
  }

  sign(message: Uint8Array): Uint8Array {
    return ed25519Sign(this.#signingKey.privateKey, message)
  }

  toRecord(): JsonObject {
    return {
      version: 1,
      algorithm: olmAlgorithm,
      signingSeed: encodeSecret(this.#seed),
      identityKey: encodeSecret(this.#identityKey.privateKey),
    }
  }

  /** @throws E2eeError BAD_RECORD */
  static fromRecord(record: unknown): Account {
    const seed = isObject(record) ? secretOf(record['signingSeed']) : null
    const identityKey = isObject(record) ? secretOf(record['identityKey']) : null
    if (!seed || !identityKey) throw new E2eeError('BAD_RECORD', 'the stored account is not one')
    return new Account(seed, curve25519KeyPair(identityKey))
  }
}

function secretOf(text: unknown): Uint8Array | null {
  const secret = typeof text === 'string' ? decodeSecret(text) : null
  return secret?.length === 32 ? secret : null
}
