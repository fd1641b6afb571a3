/**
 * A Megolm session with which we write into a room. A value: `encrypt` gives the session that follows.
 *
 * Spec: olm-megolm/megolm. Who may read it, and when it ends, room-keys.ts decides.
 */
import { encodeBase64 } from '#protocol/base64.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { cipherKeysOf } from './chain-key.ts'
import { E2eeError } from './errors.ts'
import { encodeMegolmMessage, encodeSharedKey } from './megolm-message.ts'
import { advanceTo, type MegolmRatchet, ratchetBytes } from './megolm-ratchet.ts'
import { macBytes } from './olm-message.ts'
import {
  aesCbcEncrypt,
  decodeSecret,
  ed25519KeyPair,
  ed25519Sign,
  encodeSecret,
  hmacSha256,
  type KeyPair,
} from './primitives.ts'

export class OutboundGroupSession {
  readonly #ratchet: MegolmRatchet
  readonly #signingSeed: Uint8Array
  readonly #signingKey: KeyPair

  private constructor(
    ratchet: MegolmRatchet,
    signingSeed: Uint8Array,
    signingKey = ed25519KeyPair(signingSeed),
  ) {
    this.#ratchet = ratchet
    this.#signingSeed = signingSeed
    this.#signingKey = signingKey
  }

  static create(randomBytes: (size: number) => Uint8Array): OutboundGroupSession {
    return new OutboundGroupSession({ bytes: randomBytes(ratchetBytes), index: 0 }, randomBytes(32))
  }

  /** The session's public key, in unpadded base64: its name everywhere. */
  get id(): string {
    return encodeBase64(this.#signingKey.publicKey)
  }

  /** The index of the next message. */
  get index(): number {
    return this.#ratchet.index
  }

  /** What `m.room_key` carries: opens messages from the next one on, never earlier ones. */
  sessionKey(): string {
    const key = { ratchet: this.#ratchet, signingKey: this.#signingKey.publicKey }
    return encodeSecret(encodeSharedKey(key, signed => ed25519Sign(this.#signingKey.privateKey, signed)))
  }

  async encrypt(plaintext: Uint8Array): Promise<{ message: Uint8Array; session: OutboundGroupSession }> {
    const { aesKey, hmacKey, iv } = cipherKeysOf(this.#ratchet.bytes, 'MEGOLM_KEYS')
    const ciphertext = await aesCbcEncrypt(aesKey, iv, plaintext)
    const message = encodeMegolmMessage(
      this.#ratchet.index,
      ciphertext,
      authenticated => hmacSha256(hmacKey, authenticated).slice(0, macBytes),
      signed => ed25519Sign(this.#signingKey.privateKey, signed),
    )
    const next = advanceTo(this.#ratchet, this.#ratchet.index + 1)
    return { message, session: new OutboundGroupSession(next, this.#signingSeed, this.#signingKey) }
  }

  toRecord(): JsonObject {
    return {
      algorithm: 'm.megolm.v1.aes-sha2',
      version: 1,
      ratchet: encodeSecret(this.#ratchet.bytes),
      index: this.#ratchet.index,
      signingSeed: encodeSecret(this.#signingSeed),
    }
  }

  /** @throws E2eeError BAD_RECORD */
  static fromRecord(record: unknown): OutboundGroupSession {
    if (!isObject(record) || record['algorithm'] !== 'm.megolm.v1.aes-sha2') throw badRecord()
    const { index, ratchet, signingSeed } = record
    const bytes = typeof ratchet === 'string' ? decodeSecret(ratchet) : null
    const seed = typeof signingSeed === 'string' ? decodeSecret(signingSeed) : null
    if (typeof index !== 'number' || bytes?.length !== ratchetBytes || seed?.length !== 32) throw badRecord()
    return new OutboundGroupSession({ bytes, index }, seed)
  }
}

function badRecord(): E2eeError {
  return new E2eeError('BAD_RECORD', 'a stored Megolm session is not one')
}
