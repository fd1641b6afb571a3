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
    attack: 1,
    file: 'pwa/e2ee/room-keys.ts',
    defence: 'if (newcomers.length > 0) return blocked(step, roomId, newcomers)',
    without: '',
  },
  {
    attack: 1,
    file: 'pwa/e2ee/signed-invite.ts',
    defence: 'if (!(await isWordOf(step, own, inviter, admission.word))) return false',
    without: '',
  },
  {
    attack: 1,
    file: 'pwa/e2ee/signed-invite.ts',
    defence: 'if (!(await isLetIn(step, own, roomId, inviter, new Set([...asking, userId])))) return false',
    without: '',
  },
  {
    attack: 1,
    file: 'pwa/e2ee/signed-invite.ts',
    defence: 'if ((await readIdentity(step, userId))?.masterKey !== admission.masterKey) return false',
    without: '',
  },
  {
    attack: 6,
    file: 'pwa/e2ee/key-backup.ts',
    defence: "source: 'backup',",
    without: "source: 'owner',",
  },
  {
    attack: 12,
    file: 'pwa/e2ee/identity.ts',
    defence: 'return ours.verifiedKey === ours.masterKey && isUserSigned(ours, identity.master)',
    without: 'return isUserSigned(ours, identity.master)',
  },
  {
    attack: 12,
    file: 'pwa/e2ee/cross-signing.ts',
    defence: "return standing === 'pinned' && userId !== own.userId ? 'cross-signed' : 'identity-unaccepted'",
    without: "return standing === 'pinned' ? 'cross-signed' : 'identity-unaccepted'",
  },
  {
    attack: 18,
    file: 'pwa/e2ee/identity.ts',
    defence: "return pinnedKey === masterKey ? 'pinned' : 'changed'",
    without: "return 'pinned'",
  },
  {
    attack: 18,
    file: 'pwa/e2ee/identity.ts',
    defence: "if (verifiedKey !== null && verifiedKey !== masterKey) return 'verification-lost'",
    without: '',
  },
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
    defence: 'return sodium.to_base64(secret, sodium.base64_variants.ORIGINAL_NO_PADDING)',
    without: 'return secret.toBase64({ omitPadding: true })',
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
