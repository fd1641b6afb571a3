/**
 * Short authentication strings: what two people compare, and the MACs over the keys that they thereby verify.
 *
 * Pure. Spec: client-server-api#short-authentication-string-sas-verification. Only `curve25519-hkdf-sha256`, `sha256` and
 * `hkdf-hmac-sha256.v2`: the older ones are deprecated and weaker.
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { CanonicalJsonError, canonicalJson } from '#protocol/canonical-json.ts'
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { curve25519SharedSecret, equal, hkdfSha256, hmacSha256, sha256, wipe } from '../primitives.ts'

/** One end of a verification. */
export interface Party {
  readonly userId: string
  readonly deviceId: string
}

/** An end with the ephemeral key that it sent in `m.key.verification.key`: unpadded base64, as it was sent. */
export interface KeyedParty extends Party {
  readonly publicKey: string
}

export interface ShortAuthenticationString {
  /** Seven numbers below 64: rows of the table in the specification. */
  readonly emoji: readonly number[]
  readonly decimals: readonly [number, number, number]
}

/** What we offer in `m.key.verification.start`, and all that we take. */
export const sasOffer = {
  method: 'm.sas.v1',
  key_agreement_protocols: ['curve25519-hkdf-sha256'],
  hashes: ['sha256'],
  message_authentication_codes: ['hkdf-hmac-sha256.v2'],
  short_authentication_string: ['decimal', 'emoji'],
} as const

/** Our choice among what a start offers; null where it has nothing that we take, or no commitment can be made to it. */
export function chooseFrom(start: JsonObject): JsonObject | null {
  if (!hasCanonicalForm(start)) return null
  const offers = (name: string, value: string) => {
    const offered = start[name]
    return Array.isArray(offered) && offered.includes(value)
  }
  const strings = sasOffer.short_authentication_string.filter(name =>
    offers('short_authentication_string', name),
  )
  const fits =
    offers('key_agreement_protocols', 'curve25519-hkdf-sha256') &&
    offers('hashes', 'sha256') &&
    offers('message_authentication_codes', 'hkdf-hmac-sha256.v2') &&
    // Everybody has to have it: spec, m.key.verification.start
    strings.includes('decimal')
  if (!fits) return null
  return {
    method: 'm.sas.v1',
    key_agreement_protocol: 'curve25519-hkdf-sha256',
    hash: 'sha256',
    message_authentication_code: 'hkdf-hmac-sha256.v2',
    short_authentication_string: strings,
  }
}

function hasCanonicalForm(start: JsonObject): boolean {
  try {
    canonicalJson(start)
    return true
  } catch (error) {
    if (error instanceof CanonicalJsonError) return false
    throw error
  }
}

/** Did the other end choose from what we offered? */
export function isOurOffer(accept: JsonObject): boolean {
  const strings = accept['short_authentication_string']
  return (
    accept['key_agreement_protocol'] === 'curve25519-hkdf-sha256' &&
    accept['hash'] === 'sha256' &&
    accept['message_authentication_code'] === 'hkdf-hmac-sha256.v2' &&
    Array.isArray(strings) &&
    strings.length > 0 &&
    strings.every(name => name === 'decimal' || name === 'emoji') &&
    typeof accept['commitment'] === 'string'
  )
}

/** The promise of the accepting end's key, made before it sees the other's: it gets one guess, not 2^40. */
export function commitmentOf(publicKey: string, startContent: JsonObject): string {
  return encodeBase64(sha256(publicKey + canonicalJson(startContent)))
}

/** @throws E2eeError BAD_KEY, NON_CONTRIBUTORY_KEY */
export function sharedSecret(privateKey: Uint8Array, theirPublicKey: string): Uint8Array {
  return curve25519SharedSecret(privateKey, decodeBase64(theirPublicKey) ?? new Uint8Array(0))
}

/** Spec: client-server-api#sas-hkdf-calculation */
export function shortAuthenticationString(
  secret: Uint8Array,
  starter: KeyedParty,
  accepter: KeyedParty,
  transactionId: string,
): ShortAuthenticationString {
  const parties = [starter, accepter].flatMap(({ userId, deviceId, publicKey }) => [
    userId,
    deviceId,
    publicKey,
  ])
  const info = ['MATRIX_KEY_VERIFICATION_SAS', ...parties, transactionId].join('|')
  const bytes = hkdfSha256(secret, new Uint8Array(0), info, 6)
  return { emoji: emojiOf(bytes), decimals: decimalsOf(bytes) }
}

/** Spec: client-server-api#sas-method-emoji: the first 42 bits in groups of 6. */
export function emojiOf(bytes: Uint8Array): number[] {
  const bits = bytes.subarray(0, 6).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
  return Array.from({ length: 7 }, (_, i) => Number((bits >> BigInt(42 - 6 * i)) & 63n))
}

/** Spec: client-server-api#sas-method-decimal: the first 39 bits in groups of 13. */
export function decimalsOf(bytes: Uint8Array): [number, number, number] {
  const [b0, b1, b2, b3, b4] = bytes as unknown as [number, number, number, number, number]
  return [
    ((b0 << 5) | (b1 >> 3)) + 1000,
    (((b1 & 0x7) << 10) | (b2 << 2) | (b3 >> 6)) + 1000,
    (((b3 & 0x3f) << 7) | (b4 >> 1)) + 1000,
  ]
}

/** The content of `m.key.verification.mac`: the keys, by their ids, that the sender wants to be verified by. */
export function macContent(
  secret: Uint8Array,
  sender: Party,
  receiver: Party,
  transactionId: string,
  keys: Readonly<Record<string, string>>,
): JsonObject {
  const macOf = (keyId: string, text: string) =>
    encodeBase64(mac(secret, sender, receiver, transactionId, keyId, text))
  return {
    mac: Object.fromEntries(Object.entries(keys).map(([keyId, key]) => [keyId, macOf(keyId, key)])),
    keys: macOf('KEY_IDS', keyIdList(Object.keys(keys))),
  }
}

/**
 * Holds the MACs against the keys that we know. The ids among them that were right, or null where anything is wrong;
 * keys that we do not know are passed over, but their ids are under the MAC of the list.
 */
export function checkMacs(
  secret: Uint8Array,
  sender: Party,
  receiver: Party,
  transactionId: string,
  content: JsonObject,
  knownKeys: Readonly<Record<string, string>>,
): Set<string> | null {
  const macs = content['mac']
  if (!isObject(macs)) return null
  const matches = (keyId: string, text: string, value: Json | undefined) => {
    const received = typeof value === 'string' ? decodeBase64(value) : null
    return received !== null && equal(received, mac(secret, sender, receiver, transactionId, keyId, text))
  }
  if (!matches('KEY_IDS', keyIdList(Object.keys(macs)), content['keys'])) return null
  const right = new Set<string>()
  for (const [keyId, value] of Object.entries(macs)) {
    if (!Object.hasOwn(knownKeys, keyId)) continue
    if (!matches(keyId, knownKeys[keyId]!, value)) return null
    right.add(keyId)
  }
  return right
}

/** Spec: client-server-api#mac-calculation */
function mac(
  secret: Uint8Array,
  sender: Party,
  receiver: Party,
  transactionId: string,
  keyId: string,
  text: string,
): Uint8Array {
  const ends = sender.userId + sender.deviceId + receiver.userId + receiver.deviceId
  const info = `MATRIX_KEY_VERIFICATION_MAC${ends}${transactionId}${keyId}`
  const key = hkdfSha256(secret, new Uint8Array(0), info, 32)
  const result = hmacSha256(key, utf8Bytes(text))
  wipe(key)
  return result
}

function keyIdList(keyIds: readonly string[]): string {
  return [...keyIds].sort().join(',')
}
