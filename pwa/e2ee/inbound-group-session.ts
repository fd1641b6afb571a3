/**
 * A Megolm session with which we read what one device writes into a room. A value, opened at the earliest index that we
 * have. Decrypting changes nothing: what was read before, `message-index` records know.
 *
 * Spec: olm-megolm/megolm. Whose session it is and how we got it stands beside it, in the record of room-keys.ts.
 */
import { encodeBase64 } from '#protocol/base64.ts'
import { cipherKeysOf } from './chain-key.ts'
import { E2eeError } from './errors.ts'
import {
  decodeExportedKey,
  decodeMegolmMessage,
  decodeSharedKey,
  encodeExportedKey,
  type SessionKey,
} from './megolm-message.ts'
import { advanceTo, type MegolmRatchet } from './megolm-ratchet.ts'
import { macBytes } from './olm-message.ts'
import { aesCbcDecrypt, decodeSecret, ed25519Verify, encodeSecret, equal, hmacSha256 } from './primitives.ts'

export class InboundGroupSession {
  /** At the first index that we can read. */
  readonly #first: MegolmRatchet
  /** Where the last message was: the next one is near. Only saves hashes. */
  #latest: MegolmRatchet
  readonly #signingKey: Uint8Array

  private constructor({ ratchet, signingKey }: SessionKey) {
    this.#first = ratchet
    this.#latest = ratchet
    this.#signingKey = signingKey
  }

  /** From `session_key` of `m.room_key`. @throws E2eeError BAD_SESSION_KEY */
  static fromSessionKey(text: string): InboundGroupSession {
    return new InboundGroupSession(decodeSharedKey(bytesOf(text)))
  }

  /** From an export, a backup or a forwarded key: nobody vouches that the session's owner made it. @throws E2eeError BAD_SESSION_KEY */
  static fromExport(text: string): InboundGroupSession {
    return new InboundGroupSession(decodeExportedKey(bytesOf(text)))
  }

  get id(): string {
    return encodeBase64(this.#signingKey)
  }

  get firstKnownIndex(): number {
    return this.#first.index
  }

  /** The session from `index` on, or from the first that we have. */
  exportFrom(index: number): string {
    const ratchet = advanceTo(this.#first, Math.max(index, this.#first.index))
    return encodeSecret(encodeExportedKey({ ratchet, signingKey: this.#signingKey }))
  }

  /** All of it: what is stored. */
  export(): string {
    return this.exportFrom(0)
  }

  /**
   * Are these two copies of one session, perhaps from different indices? Another session under the same id could only be
   * made by who has its private key, and must not take its place.
   */
  isSameAs(other: InboundGroupSession): boolean {
    if (!equal(this.#signingKey, other.#signingKey)) return false
    const index = Math.max(this.#first.index, other.#first.index)
    return equal(advanceTo(this.#first, index).bytes, advanceTo(other.#first, index).bytes)
  }

  /**
   * @throws E2eeError BAD_MESSAGE_FORMAT, BAD_MESSAGE_VERSION, MEGOLM_UNKNOWN_INDEX (before the first one that we have),
   * MEGOLM_BAD_SIGNATURE, MEGOLM_BAD_MAC, BAD_PADDING
   */
  async decrypt(bytes: Uint8Array): Promise<{ plaintext: Uint8Array; index: number }> {
    const message = decodeMegolmMessage(bytes)
    if (message.index < this.#first.index) {
      throw new E2eeError(
        'MEGOLM_UNKNOWN_INDEX',
        `message ${message.index} was sent before ${this.#first.index}, where our key begins`,
      )
    }
    // The signature first: without it, any reader of the session could make us turn its ratchet.
    if (!ed25519Verify(message.signed, message.signature, this.#signingKey)) {
      throw new E2eeError('MEGOLM_BAD_SIGNATURE', 'a message was not signed by the owner of its session')
    }
    const near = this.#latest.index <= message.index ? this.#latest : this.#first
    const ratchet = advanceTo(near, message.index)
    const { aesKey, hmacKey, iv } = cipherKeysOf(ratchet.bytes, 'MEGOLM_KEYS')
    if (!equal(hmacSha256(hmacKey, message.authenticated).subarray(0, macBytes), message.mac)) {
      throw new E2eeError('MEGOLM_BAD_MAC', 'a message was not made with this session')
    }
    this.#latest = ratchet
    return { plaintext: await aesCbcDecrypt(aesKey, iv, message.ciphertext), index: message.index }
  }
}

function bytesOf(text: string): Uint8Array {
  const bytes = decodeSecret(text)
  if (!bytes) throw new E2eeError('BAD_SESSION_KEY', 'a Megolm session key is not base64')
  return bytes
}
