/**
 * An Ed25519 key that belongs to a person and not to a device: master, self-signing, user-signing.
 *
 * Spec: client-server-api#cross-signing. Its name is its public key. The private half leaves this class only
 * through `toSecret`, for secret storage and for another device of the same person.
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { CanonicalJsonError } from '#protocol/canonical-json.ts'
import type { JsonObject } from '#protocol/json.ts'
import { checkSignature, type KeyId, signJson } from '#protocol/signing.ts'
import { E2eeError } from './errors.ts'
import { decodeSecret, ed25519KeyPair, ed25519Sign, ed25519Verify, encodeSecret } from './primitives.ts'

/** The same as unpadded base64 of 32 bytes: 43 characters. */
export type PublicKeyText = string

export class SigningKey {
  readonly publicKey: PublicKeyText
  readonly #privateKey: Uint8Array
  readonly #seed: Uint8Array

  constructor(seed: Uint8Array) {
    if (seed.length !== 32) throw new E2eeError('SECRET_BAD_LENGTH', 'an Ed25519 seed has 32 bytes')
    const { publicKey, privateKey } = ed25519KeyPair(seed)
    this.publicKey = encodeBase64(publicKey)
    this.#privateKey = privateKey
    this.#seed = seed.slice()
  }

  /** @throws E2eeError SECRET_BAD_LENGTH, also for what is not base64 */
  static fromSecret(secret: string): SigningKey {
    return new SigningKey(decodeSecret(secret) ?? new Uint8Array(0))
  }

  sign<O extends JsonObject>(object: O, userId: string): O {
    return signJson(object, userId, signingKeyId(this.publicKey), bytes =>
      ed25519Sign(this.#privateKey, bytes),
    )
  }

  /** Unpadded base64 of the seed, as `m.cross_signing.*` secrets have it. */
  toSecret(): string {
    return encodeSecret(this.#seed)
  }
}

export function signingKeyId(name: string): KeyId {
  return `ed25519:${name}` as KeyId
}

/** Did this person sign the object with the key of this name and value? Signatures by other keys do not count. */
export function isSignedBy(
  object: JsonObject,
  userId: string,
  publicKey: PublicKeyText,
  keyName: string = publicKey,
): boolean {
  const bytes = decodeBase64(publicKey)
  if (!bytes) return false
  const keys = (keyId: KeyId) => (keyId === signingKeyId(keyName) ? bytes : undefined)
  try {
    return checkSignature(object, userId, keys, ed25519Verify).kind === 'valid'
  } catch (error) {
    // Nobody can have signed what has no canonical text.
    if (error instanceof CanonicalJsonError) return false
    throw error
  }
}
