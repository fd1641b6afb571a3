/**
 * The encryption of one session in a key backup: `m.megolm_backup.v1.curve25519-aes-sha2`.
 *
 * Spec: client-server-api#backup-algorithm-mmegolm_backupv1curve25519-aes-sha2. The MAC covers nothing (a bug of the
 * first implementation that all have kept), and whoever knows the public key can encrypt: what comes out
 * is never authentic, whatever this says (attack 6).
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { E2eeError } from './errors.ts'
import {
  aesCbcDecrypt,
  aesCbcEncrypt,
  curve25519KeyPair,
  curve25519SharedSecret,
  equal,
  hkdfSha256,
  hmacSha256,
  wipe,
} from './primitives.ts'

/** An exported session has about 600 bytes; the rest is room for what later versions add. */
const maxCiphertextBytes = 16 * 1024

export async function encryptForBackup(
  backupPublicKey: Uint8Array,
  ephemeralPrivateKey: Uint8Array,
  plaintext: Uint8Array,
): Promise<JsonObject> {
  const ephemeral = curve25519KeyPair(ephemeralPrivateKey)
  const keys = derive(curve25519SharedSecret(ephemeral.privateKey, backupPublicKey))
  const ciphertext = await aesCbcEncrypt(keys.aesKey, keys.iv, plaintext)
  const mac = hmacSha256(keys.macKey, new Uint8Array(0)).subarray(0, 8)
  wipe(keys.aesKey, keys.macKey)
  return {
    ephemeral: encodeBase64(ephemeral.publicKey),
    ciphertext: encodeBase64(ciphertext),
    mac: encodeBase64(mac),
  }
}

/** @throws E2eeError BACKUP_MALFORMED, BACKUP_BAD_MAC, BAD_PADDING, NON_CONTRIBUTORY_KEY */
export async function decryptFromBackup(
  backupPrivateKey: Uint8Array,
  sessionData: JsonObject,
): Promise<Uint8Array> {
  const [ephemeral, ciphertext, mac] = ['ephemeral', 'ciphertext', 'mac'].map(name => {
    const text = sessionData[name]
    return typeof text === 'string' ? decodeBase64(text) : null
  })
  if (!ephemeral || !ciphertext || !mac || ciphertext.length > maxCiphertextBytes) {
    throw new E2eeError('BACKUP_MALFORMED', 'session_data is not ephemeral, ciphertext and mac')
  }
  const keys = derive(curve25519SharedSecret(backupPrivateKey, ephemeral))
  if (!equal(mac, hmacSha256(keys.macKey, new Uint8Array(0)).subarray(0, 8))) {
    throw new E2eeError('BACKUP_BAD_MAC', 'the session was backed up under another key')
  }
  const plaintext = await aesCbcDecrypt(keys.aesKey, keys.iv, ciphertext)
  wipe(keys.aesKey, keys.macKey)
  return plaintext
}

function derive(secret: Uint8Array) {
  const bytes = hkdfSha256(secret, new Uint8Array(32), '', 80)
  wipe(secret)
  return { aesKey: bytes.subarray(0, 32), macKey: bytes.subarray(32, 64), iv: bytes.subarray(64) }
}
