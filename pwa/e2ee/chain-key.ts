/**
 * A chain of an Olm ratchet: each step gives one message key, and nobody gets from a step to the one before.
 *
 * Spec: olm-megolm/olm#advancing-the-chain-key, #creating-message-keys
 */
import { hkdfSha256, hmacSha256 } from './primitives.ts'

const messageKeySeed = Uint8Array.of(0x01)
const chainKeySeed = Uint8Array.of(0x02)
const noSalt = new Uint8Array(0)

export interface ChainKey {
  readonly key: Uint8Array
  readonly index: number
}

/** What encrypts exactly one message. */
export interface MessageKey {
  readonly key: Uint8Array
  readonly index: number
}

export interface CipherKeys {
  readonly aesKey: Uint8Array
  readonly hmacKey: Uint8Array
  readonly iv: Uint8Array
}

export function nextChainKey({ key, index }: ChainKey): ChainKey {
  return { key: hmacSha256(key, chainKeySeed), index: index + 1 }
}

export function messageKeyOf({ key, index }: ChainKey): MessageKey {
  return { key: hmacSha256(key, messageKeySeed), index }
}

/** Spec: olm-megolm/olm#the-olm-message-encryption-algorithms, olm-megolm/megolm#message-encryption */
export function cipherKeysOf(key: Uint8Array, info: 'OLM_KEYS' | 'MEGOLM_KEYS'): CipherKeys {
  const keys = hkdfSha256(key, noSalt, info, 80)
  return { aesKey: keys.subarray(0, 32), hmacKey: keys.subarray(32, 64), iv: keys.subarray(64, 80) }
}
