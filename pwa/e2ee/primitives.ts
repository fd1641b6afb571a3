/**
 * The cryptographic primitives of the client: libsodium (sumo), and WebCrypto for what libsodium does not have
 * (AES-CBC, AES-CTR, PBKDF2, SHA-512). Nothing else in the client calls either of them for a Matrix algorithm.
 *
 * Never here: a table-driven AES, a comparison of secrets that ends early, a shared secret with a point of
 * small order. `await ready` once before anything else.
 */

import sodium from 'libsodium-wrappers-sumo'
import { utf8Bytes } from '#protocol/utf8.ts'
import { E2eeError } from './errors.ts'

export const ready: Promise<void> = sodium.ready

/** Bytes that WebCrypto takes: never over shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>

export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly privateKey: Uint8Array
}

/** From where libsodium has its randomness too, but at once: its wrapper asks for every four bytes anew. */
export function randomBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  // More than 64 KiB at a time a browser refuses.
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

/** Overwrites a secret that is no longer needed, as far as a garbage-collected language can. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) sodium.memzero(secret)
}

/** In a time that depends on the length alone: no branch looks at a byte. libsodium's own costs two allocations. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

export function sha256(message: Uint8Array | string): Uint8Array {
  return sodium.crypto_hash_sha256(message)
}

/** The key may have any length: RFC 2104. */
export function hmacSha256(key: Uint8Array, message: Uint8Array | string): Uint8Array {
  const bytes = typeof message === 'string' ? utf8Bytes(message) : message
  const { raw, address } = scratchFor(hmacStateBytes + 32 + key.length + bytes.length)
  const mac = address + hmacStateBytes
  const keyAt = mac + 32
  const messageAt = keyAt + key.length
  raw.HEAPU8.set(key, keyAt)
  raw.HEAPU8.set(bytes, messageAt)
  raw._crypto_auth_hmacsha256_init(address, keyAt, key.length)
  raw._crypto_auth_hmacsha256_update(address, messageAt, bytes.length, 0)
  raw._crypto_auth_hmacsha256_final(address, mac)
  return takeFrom(raw, mac, 32, address, messageAt + bytes.length)
}

/** RFC 5869 with SHA-256. An empty salt is 32 zero bytes. */
export function hkdfSha256(
  inputKey: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array | string,
  length: number,
): Uint8Array {
  if (length > 255 * 32) throw new RangeError('HKDF-SHA-256 makes at most 8,160 bytes')
  const infoBytes = typeof info === 'string' ? utf8Bytes(info) : info
  const blocks = Math.ceil(length / 32)
  const inputBytes = inputKey.length + salt.length + infoBytes.length + 1
  const { raw, address } = scratchFor(2 * hmacStateBytes + 32 + blocks * 32 + inputBytes)
  const keyed = address + hmacStateBytes
  const pseudoRandomKey = keyed + hmacStateBytes
  const output = pseudoRandomKey + 32
  const inputAt = output + blocks * 32
  const saltAt = inputAt + inputKey.length
  const infoAt = saltAt + salt.length
  const counterAt = infoAt + infoBytes.length
  raw.HEAPU8.set(inputKey, inputAt)
  raw.HEAPU8.set(salt, saltAt)
  raw.HEAPU8.set(infoBytes, infoAt)
  if (salt.length === 0) raw.HEAPU8.set(unsaltedState(raw, address), address)
  else raw._crypto_auth_hmacsha256_init(address, saltAt, salt.length)
  raw._crypto_auth_hmacsha256_update(address, inputAt, inputKey.length, 0)
  raw._crypto_auth_hmacsha256_final(address, pseudoRandomKey)
  // The same key begins every block: libsodium's own HKDF hashes it anew for each.
  raw._crypto_auth_hmacsha256_init(keyed, pseudoRandomKey, 32)
  for (let block = 0; block < blocks; block++) {
    const at = output + block * 32
    raw.HEAPU8.copyWithin(address, keyed, pseudoRandomKey)
    if (block > 0) raw._crypto_auth_hmacsha256_update(address, at - 32, 32, 0)
    raw.HEAPU8[counterAt] = block + 1
    raw._crypto_auth_hmacsha256_update(address, infoAt, infoBytes.length + 1, 0)
    raw._crypto_auth_hmacsha256_final(address, at)
  }
  return takeFrom(raw, output, length, address, counterAt + 1)
}

/** An HMAC that has taken in the empty key and nothing else: how every unsalted HKDF begins. */
let unsalted: Uint8Array | undefined

function unsaltedState(raw: Libsodium, address: number): Uint8Array {
  if (!unsalted) {
    raw._crypto_auth_hmacsha256_init(address, address, 0)
    unsalted = raw.HEAPU8.slice(address, address + hmacStateBytes)
  }
  return unsalted
}

export function curve25519KeyPair(privateKey: Uint8Array = randomBytes(32)): KeyPair {
  return { publicKey: sodium.crypto_scalarmult_base(privateKey), privateKey }
}

/** @throws E2eeError NON_CONTRIBUTORY_KEY for a point of small order: everyone would know the secret (attack 8) */
export function curve25519SharedSecret(ourPrivateKey: Uint8Array, theirPublicKey: Uint8Array): Uint8Array {
  if (theirPublicKey.length !== 32) throw new E2eeError('BAD_KEY', 'a Curve25519 key has 32 bytes')
  let secret: Uint8Array
  try {
    secret = sodium.crypto_scalarmult(ourPrivateKey, theirPublicKey)
  } catch (cause) {
    // libsodium refuses an all-zero result by itself.
    throw new E2eeError('NON_CONTRIBUTORY_KEY', 'a Curve25519 key of small order', { cause })
  }
  return secret
}

/** The private key is libsodium's 64 bytes: seed, then public key. */
export function ed25519KeyPair(seed: Uint8Array = randomBytes(32)): KeyPair {
  const { publicKey, privateKey } = sodium.crypto_sign_seed_keypair(seed)
  return { publicKey, privateKey }
}

export function ed25519Sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  return sodium.crypto_sign_detached(message, privateKey)
}

/** libsodium refuses malleable signatures and small-order keys (attack 7). Any lengths may come in. */
export function ed25519Verify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  const { raw, address } = scratchFor(64 + 32 + message.length)
  raw.HEAPU8.set(signature, address)
  raw.HEAPU8.set(publicKey, address + 64)
  raw.HEAPU8.set(message, address + 96)
  return raw._crypto_sign_verify_detached(address, address + 96, message.length, 0, address + 64) === 0
}

/** AES-256-CBC with PKCS#7 padding. */
export async function aesCbcEncrypt(
  key: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey('raw', key as Bytes, 'AES-CBC', false, ['encrypt'])
  return new Uint8Array(
    await crypto.subtle.encrypt({ name: 'AES-CBC', iv: iv as Bytes }, imported, plaintext as Bytes),
  )
}

/** @throws E2eeError BAD_PADDING. Check the MAC first: then this says only that the sender erred. */
export async function aesCbcDecrypt(
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey('raw', key as Bytes, 'AES-CBC', false, ['decrypt'])
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt({ name: 'AES-CBC', iv: iv as Bytes }, imported, ciphertext as Bytes),
    )
  } catch (cause) {
    throw new E2eeError('BAD_PADDING', 'the ciphertext does not end in PKCS#7 padding', { cause })
  }
}

/** AES-256-CTR; the same call encrypts and decrypts. The whole 16 bytes count where `counterBits` is 128. */
export async function aesCtr(
  key: Uint8Array,
  counter: Uint8Array,
  counterBits: 64 | 128,
  input: Uint8Array,
): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey('raw', key as Bytes, 'AES-CTR', false, ['encrypt'])
  const algorithm = { name: 'AES-CTR', counter: counter as Bytes, length: counterBits }
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, imported, input as Bytes))
}

/** PBKDF2-HMAC-SHA-512, as 4S passphrases and key export files use it. */
export async function pbkdf2Sha512(
  passphrase: string,
  salt: Uint8Array,
  iterations: number,
  lengthBytes: number,
): Promise<Uint8Array> {
  const input = utf8Bytes(passphrase) as Bytes
  const key = await crypto.subtle.importKey('raw', input, 'PBKDF2', false, ['deriveBits'])
  const algorithm = { name: 'PBKDF2', hash: 'SHA-512', salt: salt as Bytes, iterations }
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, lengthBytes * 8))
}

/** Argon2id; blocks for as long as it takes: only in a worker. */
export function argon2id(
  passphrase: string,
  salt: Uint8Array,
  operations: number,
  memoryBytes: number,
): Uint8Array {
  return sodium.crypto_pwhash(
    32,
    passphrase,
    salt,
    operations,
    memoryBytes,
    sodium.crypto_pwhash_ALG_ARGON2ID13,
  )
}

/** XChaCha20-Poly1305 under a random nonce: nonce ‖ ciphertext ‖ tag. */
export function seal(
  key: Uint8Array,
  plaintext: Uint8Array | string,
  associatedData: Uint8Array,
): Uint8Array {
  const nonce = randomBytes(24)
  const sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
    plaintext,
    associatedData,
    null,
    nonce,
    key,
  )
  const output = new Uint8Array(nonce.length + sealed.length)
  output.set(nonce, 0)
  output.set(sealed, nonce.length)
  return output
}

/** Null where it is not what was sealed under this key with this associated data. */
export function open(key: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array | null {
  if (sealed.length < 24 + 16) return null
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      null,
      sealed.subarray(24),
      associatedData,
      sealed.subarray(0, 24),
      key,
    )
  } catch {
    return null
  }
}

/** Unpadded base64 in constant time: for secrets (attack 7). What is public may go through #protocol/base64.ts. */
export function encodeSecret(secret: Uint8Array): string {
  const length = Math.ceil((secret.length * 4) / 3)
  // libsodium ends the text with a zero byte.
  const { raw, address } = scratchFor(length + 1 + secret.length)
  const secretAt = address + length + 1
  raw.HEAPU8.set(secret, secretAt)
  raw._sodium_bin2base64(address, length + 1, secretAt, secret.length, base64WithoutPadding)
  const text = utf8.decode(raw.HEAPU8.subarray(address, address + length))
  raw.HEAPU8.fill(0, address, secretAt + secret.length)
  return text
}

/** Null where the text is not base64. With or without padding. */
export function decodeSecret(text: string): Uint8Array | null {
  const characters = utf8Bytes(text.endsWith('=') ? text.replace(/=+$/, '') : text)
  const size = Math.ceil((characters.length * 3) / 4)
  const { raw, address } = scratchFor(lengthBytes + size + characters.length)
  const secretAt = address + lengthBytes
  const textAt = secretAt + size
  raw.HEAPU8.set(characters, textAt)
  const refused = raw._sodium_base642bin(
    secretAt,
    size,
    textAt,
    characters.length,
    0,
    address,
    0,
    base64WithoutPadding,
  )
  const length = new DataView(raw.HEAPU8.buffer).getUint32(address, true)
  const secret = takeFrom(raw, secretAt, refused === 0 ? length : 0, address, textAt + characters.length)
  return refused === 0 ? secret : null
}

/** SHA-256 of what comes in pieces. */
export function sha256Hasher(): { update(piece: Uint8Array): void; digest(): Uint8Array } {
  const state = sodium.crypto_hash_sha256_init()
  return {
    update: piece => sodium.crypto_hash_sha256_update(state, piece),
    digest: () => sodium.crypto_hash_sha256_final(state),
  }
}

/**
 * What libsodium's wrapper calls. The wrapper allocates and copies for every argument, which costs more than a short
 * HMAC itself, and frees without overwriting; these functions are called a dozen times a message.
 */
interface Libsodium {
  /** Another array once the memory has grown: never kept. */
  readonly HEAPU8: Uint8Array
  _malloc(size: number): number
  _free(address: number): void
  _crypto_auth_hmacsha256_init(state: number, key: number, keyLength: number): number
  _crypto_auth_hmacsha256_update(state: number, message: number, low: number, high: number): number
  _crypto_auth_hmacsha256_final(state: number, mac: number): number
  _crypto_sign_verify_detached(
    signature: number,
    message: number,
    low: number,
    high: number,
    publicKey: number,
  ): number
  _sodium_bin2base64(text: number, maxLength: number, bytes: number, length: number, variant: number): number
  /** Without an address for the end of what was read, anything left over is refused. */
  _sodium_base642bin(
    bytes: number,
    maxLength: number,
    text: number,
    textLength: number,
    ignored: number,
    lengthAt: number,
    endAt: number,
    variant: number,
  ): number
}

const utf8 = new TextDecoder()
const hmacStateBytes = 208
/** A `size_t`, and room to keep what follows aligned. */
const lengthBytes = 8
/** `sodium_base64_VARIANT_ORIGINAL_NO_PADDING` */
const base64WithoutPadding = 3
const scratch = { address: 0, size: 0 }

/** Memory of libsodium for one call, at least so large. Holds nothing secret between calls: see takeFrom. */
function scratchFor(size: number): { raw: Libsodium; address: number } {
  const raw = (sodium as unknown as { libsodium: Libsodium }).libsodium
  if (scratch.size < size) {
    if (scratch.size > 0) raw._free(scratch.address)
    scratch.size = Math.max(size, 4096)
    scratch.address = raw._malloc(scratch.size)
    if (scratch.address === 0) {
      scratch.size = 0
      throw new RangeError('no memory for libsodium')
    }
  }
  return { raw, address: scratch.address }
}

/** A copy of the result; everything secret on the way to it, from `start` to `end`, is overwritten. */
function takeFrom(raw: Libsodium, at: number, length: number, start: number, end: number): Uint8Array {
  const result = raw.HEAPU8.slice(at, at + length)
  raw.HEAPU8.fill(0, start, end)
  return result
}
