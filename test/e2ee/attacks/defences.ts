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
    defence: 'if (!identity || !isKeyOf(identity, admission.masterKey!)) return false',
    without: '',
  },
  {
    attack: 6,
    file: 'pwa/e2ee/backup-restore.ts',
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
    defence: 'raw.HEAPU8.set(signature, address)',
    // As libolm had it: whatever is the same modulo L is the same signature.
    without: `const scalar = sodium.crypto_core_ed25519_scalar_reduce(
      Uint8Array.from({ length: 64 }, (_, i) => (i < 32 ? signature[32 + i]! : 0)))
    raw.HEAPU8.set(Uint8Array.from([...signature.subarray(0, 32), ...scalar]), address)`,
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
  {
    attack: 2,
    file: 'pwa/e2ee/cross-signing.ts',
    defence: "  return trust === 'own' || trust === 'verified' || trust === 'cross-signed'",
    without: "  return trust !== 'unknown'",
  },
  {
    attack: 3,
    file: 'pwa/e2ee/device-keys.ts',
    defence: 'if (isCrossSigningKey(deviceId)) {',
    without: "if (deviceId === '') {",
  },
  {
    attack: 4,
    file: 'pwa/e2ee/key-requests.ts',
    defence: "if (!open || context.clock() - Number(open['ts']) >= requestLifetimeMs) {",
    without: "if (open && context.clock() - Number(open['ts']) >= requestLifetimeMs) {",
  },
  {
    attack: 4,
    file: 'pwa/e2ee/key-requests.ts',
    defence: 'if (!device || !isVerifiedOwnDevice(context, sender, trust)) {',
    without: "if (!device || trust === 'own') {",
  },
  {
    attack: 4,
    file: 'pwa/e2ee/received-room-keys.ts',
    defence:
      '    each.curve25519Key === payload.senderCurve25519Key && each.ed25519Key === payload.senderEd25519Key',
    without: '    each.deviceId === payload.senderDeviceKeys?.deviceId',
  },
  {
    attack: 5,
    file: 'pwa/e2ee/room-decryption.ts',
    defence: 'if (deviceTypes.has(type)) {',
    without: "if (deviceTypes.has('')) {",
  },
  {
    attack: 5,
    file: 'pwa/e2ee/to-device.ts',
    defence: "throw new E2eeError('NOT_ENCRYPTED', 'a message that has to be encrypted came in the clear')",
    without: 'return handleEncrypted(step, context, { type, content, sender } as OlmPayload)',
  },
  {
    attack: 9,
    file: 'pwa/e2ee/room-decryption.ts',
    defence: 'if (record.senderUserId !== null && record.senderUserId !== sender) {',
    without: "if (record.senderUserId === '') {",
  },
  {
    attack: 10,
    file: 'pwa/e2ee/olm-channel.ts',
    defence: 'const keys = parseDeviceKeys(value, sender, deviceId, () => false)',
    without:
      "const keys = parseDeviceKeys(value, String((value as JsonObject)['user_id']), deviceId, () => false)",
  },
  {
    attack: 10,
    file: 'pwa/e2ee/olm-channel.ts',
    defence: 'if (keys.curve25519Key === curve25519Key && keys.ed25519Key === ed25519Key) return keys',
    without: "if (keys.userId !== '') return keys",
  },
  {
    attack: 11,
    file: 'pwa/e2ee/edits.ts',
    defence: '    edit.sender === original.sender &&\n',
    without: '',
  },
  {
    attack: 11,
    file: 'pwa/e2ee/edits.ts',
    defence: '    edit.type === original.type &&\n',
    without: '',
  },
  {
    attack: 13,
    file: 'pwa/e2ee/room-decryption.ts',
    defence: 'if (before !== undefined) throw',
    without: "if (before === '') throw",
  },
  {
    attack: 14,
    file: 'pwa/e2ee/olm-channel.ts',
    defence: "if (payload['sender'] !== sender)",
    without: "if (payload['sender'] === undefined)",
  },
  {
    attack: 14,
    file: 'pwa/e2ee/olm-channel.ts',
    defence: "    payload['recipient'] !== context.userId ||\n",
    without: '',
  },
  {
    attack: 14,
    file: 'pwa/e2ee/olm-channel.ts',
    defence: "    recipientKeys['ed25519'] !== context.account.ed25519Key\n",
    without: "    recipientKeys['ed25519'] === undefined\n",
  },
  {
    attack: 16,
    file: 'pwa/e2ee/room-settings.ts',
    defence: 'if (somebodyLeft || isOtherRule)',
    without: 'if (isOtherRule)',
  },
  {
    attack: 16,
    file: 'pwa/e2ee/room-settings.ts',
    defence: 'if (somebodyLeft || isOtherRule)',
    without: 'if (somebodyLeft)',
  },
  {
    attack: 16,
    file: 'pwa/e2ee/history-sharing.ts',
    defence: "if (room_id !== roomId || typeof session_id !== 'string') continue",
    without: "if (typeof session_id !== 'string') continue",
  },
  {
    attack: 16,
    file: 'pwa/e2ee/history-sharing.ts',
    defence: 'return mayReceiveKeys(trust) && isObject',
    without: 'return isObject',
  },
  {
    attack: 16,
    file: 'pwa/e2ee/room-decryption.ts',
    defence: "if (record.source !== 'owner') return 'not-authentic'",
    without: "if (record.source === 'file') return 'not-authentic'",
  },
  {
    attack: 17,
    file: 'pwa/e2ee/olm-channel.ts',
    defence: '    sender_device_keys: await publishedDeviceKeys(step, context),\n',
    without: '',
  },
  {
    attack: 19,
    file: 'pwa/e2ee/room-settings.ts',
    defence: "if (content['algorithm'] !== megolmAlgorithm) {",
    without:
      "if (content['algorithm'] !== megolmAlgorithm) return { algorithm: content['algorithm']! }\n  if (content['algorithm'] === '') {",
  },
  {
    attack: 19,
    file: 'pwa/e2ee/room-settings.ts',
    defence: 'Math.min(value, limit)',
    without: 'value',
  },
  {
    attack: 20,
    file: 'pwa/e2ee/one-time-keys.ts',
    defence: "  step.delete('account', oneTime + encodeBase64(publicKey))",
    without: '  encodeBase64(publicKey)',
  },
  {
    attack: 20,
    file: 'pwa/e2ee/olm-channel.ts',
    defence: "if (last && context.clock() - Number(last['ts']) < unwedgeIntervalMs) return",
    without: "if (last && context.clock() < Number(last['ts'])) return",
  },
  {
    attack: 21,
    file: 'pwa/e2ee/machine.ts',
    defence: 'if (machine.generation < lastGeneration) {',
    without: 'if (lastGeneration < 0) {',
  },
  {
    attack: 21,
    file: 'pwa/e2ee/one-time-keys.ts',
    defence: 'next: next + missed * (wantedOnServer + 1)',
    without: 'next',
  },
]
