/**
 * Signed JSON objects: server keys, events' redacted forms, device keys, third-party invites.
 *
 * Spec: appendices#signing-json. `signatures` and `unsigned` are never covered. Whose key it is and for how
 * long it is good, the caller knows; here is only what the bytes say.
 */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { canonicalJson } from './canonical-json.ts'
import type { Signatures } from './event.ts'
import { isObject, type Json, type JsonObject, memberOf } from './json.ts'
import type { Sign, Verify } from './primitives.ts'
import { utf8Bytes } from './utf8.ts'

declare const tag: unique symbol
/** A signing key identifier: the algorithm, ':', and the key's own name, such as `ed25519:a_1`. */
export type KeyId = string & { readonly [tag]: 'KeyId' }

/** Spec: appendices#signing-details. Null for an algorithm other than ed25519 or an empty name. */
export function parseKeyId(text: unknown): KeyId | null {
  return typeof text === 'string' && /^ed25519:[^\p{Cc}\p{Cs}]{1,247}$/u.test(text) ? (text as KeyId) : null
}

/** The bytes that a signature of the object covers. */
export function signedBytes(object: JsonObject): Uint8Array {
  const { signatures: _signatures, unsigned: _unsigned, ...signed } = object
  return utf8Bytes(canonicalJson(signed))
}

/** The object with one more signature; those of others, and our own under other keys, stay. */
export function signJson<O extends JsonObject>(
  object: O,
  entity: string,
  keyId: KeyId,
  sign: Sign,
): O & { readonly signatures: Signatures } {
  return withSignature(object, entity, keyId, sign(signedBytes(object)))
}

/** The object with a signature that was made elsewhere, over `signedBytes` or, for an event, its `signedText`. */
export function withSignature<O extends JsonObject>(
  object: O,
  entity: string,
  keyId: KeyId,
  signature: Uint8Array,
): O & { readonly signatures: Signatures } {
  const signatures = isObject(object['signatures']) ? (object['signatures'] as Signatures) : {}
  const ours = Object.hasOwn(signatures, entity) ? signatures[entity] : {}
  return {
    ...object,
    signatures: { ...signatures, [entity]: { ...ours, [keyId]: encodeBase64(signature) } },
  }
}

/** The public key of that name if the entity has it and it counts here; undefined for unknown and expired ones. */
export type PublicKeys = (keyId: KeyId) => Uint8Array | undefined

export type SignatureCheck =
  | { readonly kind: 'valid' }
  /** The entity has not signed in an algorithm that we know. */
  | { readonly kind: 'unsigned' }
  /** Signed, but with none of the keys that count. Fetching these may help. */
  | { readonly kind: 'unknown-keys'; readonly keyIds: readonly KeyId[] }
  /** The object is not what was signed, or the signature is not one. */
  | { readonly kind: 'invalid'; readonly keyId: KeyId }

/** Spec: appendices#checking-for-a-signature */
export function checkSignature(
  object: JsonObject,
  entity: string,
  keys: PublicKeys,
  verify: Verify,
): SignatureCheck {
  return checkSignedBytes(() => signedBytes(object), object['signatures'], entity, keys, verify)
}

/**
 * As `checkSignature`, over bytes that the caller makes, and only if there is a key to check them with.
 *
 * Every signature under a key that counts must hold, so that a server's good signature under one key cannot cover
 * for a bad one under another. Spec: server-server-api#validating-hashes-and-signatures-on-received-events
 */
export function checkSignedBytes(
  bytesSigned: () => Uint8Array,
  signatures: Json | undefined,
  entity: string,
  keys: PublicKeys,
  verify: Verify,
): SignatureCheck {
  const theirs = isObject(signatures) ? memberOf(signatures, entity) : undefined
  if (!isObject(theirs)) return { kind: 'unsigned' }
  const unknown: KeyId[] = []
  let bytes: Uint8Array | undefined
  for (const [name, value] of Object.entries(theirs)) {
    const keyId = parseKeyId(name)
    if (!keyId) continue
    const publicKey = keys(keyId)
    if (!publicKey) {
      unknown.push(keyId)
      continue
    }
    const signature = typeof value === 'string' ? decodeBase64(value) : null
    bytes ??= bytesSigned()
    if (!signature || !verify(bytes, signature, publicKey)) return { kind: 'invalid', keyId }
  }
  if (bytes) return { kind: 'valid' }
  return unknown.length > 0 ? { kind: 'unknown-keys', keyIds: unknown } : { kind: 'unsigned' }
}
