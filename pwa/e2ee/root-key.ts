/**
 * The root key of an Olm session: each new ratchet key of either side turns it on, and begins a chain.
 *
 * Spec: olm-megolm/olm#initial-setup, #advancing-the-root-key
 */
import type { ChainKey } from './chain-key.ts'
import { curve25519SharedSecret, hkdfSha256, wipe } from './primitives.ts'

const noSalt = new Uint8Array(0)

export interface Advanced {
  readonly rootKey: Uint8Array
  readonly chain: ChainKey
}

/** From the three shared secrets of the triple Diffie-Hellman, in the order of the specification. */
export function firstRootKey(sharedSecrets: readonly [Uint8Array, Uint8Array, Uint8Array]): Advanced {
  const secret = new Uint8Array(96)
  for (const [i, each] of sharedSecrets.entries()) secret.set(each, i * 32)
  const output = hkdfSha256(secret, noSalt, 'OLM_ROOT', 64)
  wipe(secret, ...sharedSecrets)
  return split(output)
}

/** @throws E2eeError NON_CONTRIBUTORY_KEY */
export function advanceRootKey(
  rootKey: Uint8Array,
  ourRatchetKey: Uint8Array,
  remoteRatchetKey: Uint8Array,
): Advanced {
  const secret = curve25519SharedSecret(ourRatchetKey, remoteRatchetKey)
  const output = hkdfSha256(secret, rootKey, 'OLM_RATCHET', 64)
  wipe(secret)
  return split(output)
}

function split(output: Uint8Array): Advanced {
  return { rootKey: output.slice(0, 32), chain: { key: output.slice(32), index: 0 } }
}
