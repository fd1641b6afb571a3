/**
 * Secret storage (4S): a person's secrets in their account data, under a key that only they can bring.
 *
 * Spec: client-server-api#storage, `m.secret_storage.v1.aes-hmac-sha2`. The key comes as a recovery key, from a
 * passphrase, or out of a passkey: our description of a key holds, beside what the specification wants, the key
 * itself sealed under each passkey's PRF output, so that there is nothing to type.
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { isObject, type Json, type JsonObject, memberOf } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { importCrossSigningSecret } from './cross-signing.ts'
import { E2eeError } from './errors.ts'
import { importBackupSecret } from './key-backup.ts'
import { type OwnDevice, randomName } from './own-device.ts'
import { aesCtr, equal, hkdfSha256, hmacSha256, open, pbkdf2Sha512, seal, wipe } from './primitives.ts'
import type { Step } from './records.ts'
import { backupSecret, crossSigningSecrets, readSecret, type SecretName } from './secrets.ts'

const algorithm = 'm.secret_storage.v1.aes-hmac-sha2'
/** In the key's description: passkey's credential id → the key, sealed under that passkey's PRF output. */
export const prfMember = 'org.letro.prf'
export const defaultKeyType = 'm.secret_storage.default_key'
export const keyType = (keyId: string) => `m.secret_storage.key.${keyId}`

/** For passphrases that we set; OWASP's figure for PBKDF2-HMAC-SHA-512 is 210,000. */
const passphraseIterations = 500_000
/** A server could make us count for hours. */
const maxPassphraseIterations = 10_000_000
/** No secret that we know is longer than 60 characters. */
const maxSecretBytes = 64 * 1024

export class StorageKey {
  readonly keyId: string
  readonly #key: Uint8Array

  constructor(keyId: string, key: Uint8Array) {
    if (key.length !== 32) throw new E2eeError('STORAGE_KEY_BAD_LENGTH', 'a secret storage key has 32 bytes')
    this.keyId = keyId
    this.#key = key.slice()
  }

  static random(own: OwnDevice): StorageKey {
    return new StorageKey(randomName(own), own.randomBytes(32))
  }

  /** What the person writes down. Spec: appendices#cryptographic-key-representation */
  toRecoveryKey(): string {
    return encodeRecoveryKey(this.#key)
  }

  /** Spec: client-server-api#msecret_storagev1aes-hmac-sha2: how others can tell that they have the right key. */
  async describe(own: OwnDevice, more: JsonObject = {}): Promise<JsonObject> {
    const iv = newIv(own)
    const mac = await this.#check(iv)
    return { ...more, algorithm, iv: encodeBase64(iv), mac: encodeBase64(mac) }
  }

  /** Is this the key that the description is of? A description without a check is believed, as the spec says. */
  async matches(description: JsonObject): Promise<boolean> {
    const { iv, mac } = description
    if (iv === undefined && mac === undefined) return true
    const ivBytes = base64Of(iv)
    const macBytes = base64Of(mac)
    if (ivBytes?.length !== 16 || !macBytes) return false
    return equal(macBytes, await this.#check(ivBytes))
  }

  /** The event content under which the secret is stored; other keys' copies of it stay. */
  async encrypt(own: OwnDevice, name: string, secret: string, content: JsonObject = {}): Promise<JsonObject> {
    const iv = newIv(own)
    const { aesKey, macKey } = this.#derive(name)
    const ciphertext = await aesCtr(aesKey, iv, 128, utf8Bytes(secret))
    const mac = hmacSha256(macKey, ciphertext)
    wipe(aesKey, macKey)
    const encrypted = isObject(content['encrypted']) ? content['encrypted'] : {}
    const ours = {
      iv: encodeBase64(iv),
      ciphertext: encodeBase64(ciphertext),
      mac: encodeBase64(mac),
    }
    return { ...content, encrypted: { ...encrypted, [this.keyId]: ours } }
  }

  /** Null where it is not stored under this key. @throws E2eeError STORED_SECRET_MALFORMED, STORED_SECRET_BAD_MAC */
  async decrypt(name: string, content: JsonObject): Promise<string | null> {
    const encrypted = isObject(content['encrypted']) ? memberOf(content['encrypted'], this.keyId) : undefined
    if (encrypted === undefined) return null
    const [iv, ciphertext, mac] = isObject(encrypted)
      ? [base64Of(encrypted['iv']), base64Of(encrypted['ciphertext']), base64Of(encrypted['mac'])]
      : []
    if (iv?.length !== 16 || mac?.length !== 32 || !ciphertext || ciphertext.length > maxSecretBytes) {
      throw new E2eeError('STORED_SECRET_MALFORMED', `${name} is not stored as ${algorithm} has it`)
    }
    const { aesKey, macKey } = this.#derive(name)
    if (!equal(mac, hmacSha256(macKey, ciphertext))) {
      throw new E2eeError('STORED_SECRET_BAD_MAC', `${name} was not stored under this key`)
    }
    const plaintext = await aesCtr(aesKey, iv, 128, ciphertext)
    wipe(aesKey, macKey)
    return new TextDecoder().decode(plaintext)
  }

  /** The description, from now on openable by this passkey too. The PRF output stays the caller's to wipe. */
  addPasskey(description: JsonObject, credentialId: string, prfOutput: Uint8Array): JsonObject {
    const wrapKey = wrapKeyOf(prfOutput)
    const sealed = seal(wrapKey, this.#key, associatedData(this.keyId, credentialId))
    wipe(wrapKey)
    const others = isObject(description[prfMember]) ? description[prfMember] : {}
    return { ...description, [prfMember]: { ...others, [credentialId]: encodeBase64(sealed) } }
  }

  #derive(name: string): { aesKey: Uint8Array; macKey: Uint8Array } {
    const bytes = hkdfSha256(this.#key, new Uint8Array(32), name, 64)
    return { aesKey: bytes.subarray(0, 32), macKey: bytes.subarray(32) }
  }

  async #check(iv: Uint8Array): Promise<Uint8Array> {
    const { aesKey, macKey } = this.#derive('')
    const ciphertext = await aesCtr(aesKey, iv, 128, new Uint8Array(32))
    return hmacSha256(macKey, ciphertext)
  }
}

/** A passkey that is gone no longer opens the key; to be sure of it, make a new key as well. */
export function removePasskey(description: JsonObject, credentialId: string): JsonObject {
  const all = description[prfMember]
  if (!isObject(all)) return description
  const { [credentialId]: _gone, ...others } = all
  return { ...description, [prfMember]: others }
}

/** @throws E2eeError STORAGE_KEY_WRONG, RECOVERY_KEY_MALFORMED, STORAGE_KEY_UNKNOWN_ALGORITHM */
export async function keyFromRecoveryKey(
  keyId: string,
  description: JsonObject,
  recoveryKey: string,
): Promise<StorageKey> {
  return checked(new StorageKey(keyId, parseRecoveryKey(recoveryKey)), description)
}

/** Spec: client-server-api#deriving-keys-from-passphrases. @throws E2eeError STORAGE_KEY_WRONG, … */
export async function keyFromPassphrase(
  keyId: string,
  description: JsonObject,
  passphrase: string,
): Promise<StorageKey> {
  const info = description['passphrase']
  const { algorithm: derivation, salt, iterations, bits = 256 } = isObject(info) ? info : {}
  const fits =
    derivation === 'm.pbkdf2' && typeof salt === 'string' && Number.isInteger(iterations) && bits === 256
  if (!fits) throw new E2eeError('STORAGE_KEY_NO_PASSPHRASE', 'this key was not made from a passphrase')
  if (Number(iterations) < 1 || Number(iterations) > maxPassphraseIterations) {
    throw new E2eeError('STORAGE_KEY_NO_PASSPHRASE', 'the number of iterations is beyond reason')
  }
  const key = await pbkdf2Sha512(passphrase, utf8Bytes(salt), Number(iterations), 32)
  return checked(new StorageKey(keyId, key), description)
}

/** A new key from a passphrase, with the description that says how. */
export async function newKeyFromPassphrase(
  own: OwnDevice,
  passphrase: string,
): Promise<{ key: StorageKey; description: JsonObject }> {
  const salt = randomName(own)
  const info = { algorithm: 'm.pbkdf2', salt, iterations: passphraseIterations, bits: 256 }
  const bytes = await pbkdf2Sha512(passphrase, utf8Bytes(salt), passphraseIterations, 32)
  const key = new StorageKey(randomName(own), bytes)
  return { key, description: await key.describe(own, { passphrase: info }) }
}

/** Nothing to type: the passkey's PRF output opens the key. @throws E2eeError STORAGE_KEY_NO_PASSKEY, STORAGE_KEY_WRONG */
export async function keyFromPasskey(
  keyId: string,
  description: JsonObject,
  credentialId: string,
  prfOutput: Uint8Array,
): Promise<StorageKey> {
  const all = description[prfMember]
  const sealed = isObject(all) ? base64Of(memberOf(all, credentialId)) : null
  if (!sealed) throw new E2eeError('STORAGE_KEY_NO_PASSKEY', 'this passkey does not open secret storage')
  const wrapKey = wrapKeyOf(prfOutput)
  const key = open(wrapKey, sealed, associatedData(keyId, credentialId))
  wipe(wrapKey)
  if (!key) throw new E2eeError('STORAGE_KEY_WRONG', 'the passkey gave another output than it did before')
  return checked(new StorageKey(keyId, key), description)
}

/** Stores every secret that is here, and makes this key the one that clients use. */
export async function storeSecrets(
  step: Step,
  own: OwnDevice,
  key: StorageKey,
  description: JsonObject,
): Promise<void> {
  const put = (type: string, body: JsonObject) =>
    step.send({ id: randomName(own), kind: 'account-data', type, body })
  put(keyType(key.keyId), description)
  for (const name of [...crossSigningSecrets, backupSecret]) {
    const secret = await readSecret(step, name as SecretName)
    if (secret !== null) put(name, await key.encrypt(own, name, secret))
  }
  // Last: a client that sees the default key finds its description and the secrets.
  put(defaultKeyType, { key: key.keyId })
}

/**
 * Takes the secrets out of account data (type → content). The names of those taken; what is not stored is passed
 * over. The secrets have to make our public keys, so fetch identity and backup first.
 *
 * @throws E2eeError STORED_SECRET_MALFORMED, STORED_SECRET_BAD_MAC, SECRET_MISMATCH: then none is taken
 */
export async function openSecrets(
  step: Step,
  own: OwnDevice,
  key: StorageKey,
  accountData: JsonObject,
): Promise<SecretName[]> {
  const taken: SecretName[] = []
  for (const name of [...crossSigningSecrets, backupSecret] as const) {
    const content = memberOf(accountData, name)
    const secret = isObject(content) ? await key.decrypt(name, content) : null
    if (secret === null) continue
    if (name === backupSecret) await importBackupSecret(step, secret)
    else await importCrossSigningSecret(step, own, { name, secret })
    taken.push(name)
  }
  return taken
}

/** The default key's id and description out of account data; null where secret storage was never set up. */
export function defaultKeyOf(accountData: JsonObject): { keyId: string; description: JsonObject } | null {
  const content = memberOf(accountData, defaultKeyType)
  const keyId = isObject(content) ? content['key'] : undefined
  const description = typeof keyId === 'string' ? memberOf(accountData, keyType(keyId)) : undefined
  return isObject(description) ? { keyId: keyId as string, description } : null
}

/** Spec: appendices#cryptographic-key-representation: 0x8B 0x01, the key, a parity byte, in base58, in groups of 4. */
export function encodeRecoveryKey(key: Uint8Array): string {
  const bytes = new Uint8Array(35)
  bytes.set(recoveryKeyPrefix)
  bytes.set(key, 2)
  bytes[34] = parity(bytes.subarray(0, 34))
  return encodeBase58(bytes).replace(/.{4}(?=.)/g, '$& ')
}

/** White space does not count. @throws E2eeError RECOVERY_KEY_MALFORMED */
export function parseRecoveryKey(text: string): Uint8Array {
  const bytes = decodeBase58(text.replace(/\s/g, ''), 35)
  if (
    !bytes ||
    bytes[0] !== recoveryKeyPrefix[0] ||
    bytes[1] !== recoveryKeyPrefix[1] ||
    parity(bytes) !== 0
  ) {
    throw new E2eeError('RECOVERY_KEY_MALFORMED', 'this is not a recovery key: a letter is missing or wrong')
  }
  return bytes.slice(2, 34)
}

const recoveryKeyPrefix = [0x8b, 0x01]

function parity(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum ^ byte, 0)
}

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

function encodeBase58(bytes: Uint8Array): string {
  let number = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  let text = ''
  for (; number > 0n; number /= 58n) text = base58[Number(number % 58n)]! + text
  const zeros = bytes.findIndex(byte => byte !== 0)
  return '1'.repeat(Math.max(zeros, 0)) + text
}

/** Null where it is not base58 of this many bytes, the first of them not zero. */
function decodeBase58(text: string, length: number): Uint8Array | null {
  if (text.length > length * 2) return null
  let number = 0n
  for (const letter of text) {
    const digit = base58.indexOf(letter)
    if (digit < 0) return null
    number = number * 58n + BigInt(digit)
  }
  if (number >> BigInt(8 * length) !== 0n) return null
  return Uint8Array.from({ length }, (_, i) => Number((number >> BigInt(8 * (length - 1 - i))) & 0xffn))
}

async function checked(key: StorageKey, description: JsonObject): Promise<StorageKey> {
  if (description['algorithm'] !== algorithm) {
    throw new E2eeError('STORAGE_KEY_UNKNOWN_ALGORITHM', 'secret storage by an algorithm that we do not have')
  }
  if (!(await key.matches(description))) {
    throw new E2eeError('STORAGE_KEY_WRONG', 'this does not open secret storage')
  }
  return key
}

function wrapKeyOf(prfOutput: Uint8Array): Uint8Array {
  if (prfOutput.length !== 32) throw new E2eeError('PRF_BAD_LENGTH', 'a PRF output has 32 bytes')
  return hkdfSha256(prfOutput, new Uint8Array(0), 'org.letro.secret-storage', 32)
}

function associatedData(keyId: string, credentialId: string): Uint8Array {
  return utf8Bytes(JSON.stringify(['org.letro.secret-storage', keyId, credentialId]))
}

/** Bit 63 is zero, to get by the differences between AES-CTR implementations. */
function newIv(own: OwnDevice): Uint8Array {
  const iv = own.randomBytes(16)
  iv[8]! &= 0x7f
  return iv
}

/** With or without padding. */
function base64Of(text: Json | undefined): Uint8Array | null {
  return typeof text === 'string' ? decodeBase64(text) : null
}
