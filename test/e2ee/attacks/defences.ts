/**
 * The line that stands against each attack, and what the code would be without it: `npm run attacks` takes one
 * after the other out and expects the test of that attack to fail. A test that passes without its defence
 * proves nothing.
 */
export interface Defence {
  /** The number in the name of the test: "attack 8: …". */
  readonly attack: number
  readonly file: string
  /** Exactly one place of the file. */
  readonly defence: string
  readonly without: string
}

export const defences: readonly Defence[] = [
  {
    attack: 7,
    file: 'pwa/e2ee/primitives.ts',
    defence: 'return sodium.crypto_sign_verify_detached(signature, message, publicKey)',
    // As libolm had it: whatever is the same modulo L is the same signature.
    without: `const scalar = sodium.crypto_core_ed25519_scalar_reduce(
      Uint8Array.from({ length: 64 }, (_, i) => (i < 32 ? signature[32 + i]! : 0)))
    return sodium.crypto_sign_verify_detached(
      Uint8Array.from([...signature.subarray(0, 32), ...scalar]), message, publicKey)`,
  },
  {
    attack: 7,
    file: 'pwa/e2ee/primitives.ts',
    defence: 'const text = utf8.decode(raw.HEAPU8.subarray(address, address + length))',
    without: 'const text = secret.toBase64({ omitPadding: true })',
  },
  {
    attack: 8,
    file: 'pwa/e2ee/primitives.ts',
    defence: "throw new E2eeError('NON_CONTRIBUTORY_KEY', 'a Curve25519 key of small order', { cause })",
    without: 'secret = new Uint8Array(32)',
  },
  {
    attack: 15,
    file: 'pwa/e2ee/olm-session.ts',
    defence: 'if (index - chain.index > maxGap) {',
    without: 'if (index - chain.index > 70_000) {',
  },
  {
    attack: 15,
    file: 'pwa/e2ee/olm-session.ts',
    defence: 'if (!equal(hmacSha256(hmacKey, normal.authenticated).subarray(0, macBytes), normal.mac)) {',
    without: 'if (normal.mac.length === 0) {',
  },
]
