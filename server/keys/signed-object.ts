/**
 * Signed objects that devices upload: what they must look like, and who really signed them.
 *
 * Everything here is pure. An object is kept as it was uploaded: fields that we do not know are covered by the
 * signature, and without them nobody could verify it.
 * Spec: appendices#signing-json, client-server-api#key-algorithms
 */
import { decodeBase64 } from '../protocol/base64.ts'
import { CanonicalJsonError, canonicalJson } from '../protocol/canonical-json.ts'
import type { UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject, memberOf } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import { signedBytes } from '../protocol/signing.ts'
import { utf8Length } from '../protocol/utf8.ts'
import { KeysError } from './keys-error.ts'

/** One object may not fill the store: device keys have some 600 bytes, a key with a post-quantum part some 3,000. */
const maxObjectBytes = 32_768

/** 32 bytes in unpadded base64: the form in which ed25519 and curve25519 keys stand everywhere. */
const publicKey = /^[A-Za-z0-9+/]{43}$/

export function isPublicKey(text: unknown): text is string {
  return typeof text === 'string' && publicKey.test(text)
}

/** What the signatures cover, as text: two objects are the same if this is. Refuses what has no canonical form. */
export function signedText(object: JsonObject, name: string): string {
  const { signatures: _signatures, unsigned: _unsigned, ...signed } = object
  try {
    const text = canonicalJson(signed)
    if (utf8Length(text) > maxObjectBytes) {
      throw new KeysError('M_TOO_LARGE', `${name} is larger than ${maxObjectBytes} bytes.`)
    }
    return text
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error
    throw new KeysError('M_BAD_JSON', `${name} cannot be signed: ${error.message}.`, {}, { cause: error })
  }
}

/** The signatures that one user is said to have made; nothing about whether they hold. */
export function signaturesOf(object: JsonObject, userId: UserId): Readonly<Record<string, string>> {
  const all = object['signatures']
  const theirs = isObject(all) ? memberOf(all, userId) : undefined
  if (!isObject(theirs)) return {}
  return Object.fromEntries(
    Object.entries(theirs).filter((entry): entry is [string, string] => isSignature(entry[1])),
  )
}

/** 64 bytes in base64. */
function isSignature(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 88 && decodeBase64(value)?.length === 64
}

/** The object with exactly these signatures, all by one user, and without what is not signed. */
export function withSignatures(
  object: JsonObject,
  userId: UserId,
  signatures: Readonly<Record<string, string>>,
): JsonObject {
  const { signatures: _signatures, unsigned: _unsigned, ...signed } = object
  return Object.keys(signatures).length > 0 ? { ...signed, signatures: { [userId]: signatures } } : signed
}

/** Does this key's signature of the object hold? */
export function isSignedBy(
  object: JsonObject,
  signature: string | undefined,
  publicKey: string,
  verify: Verify,
): boolean {
  const bytes = signature === undefined ? null : decodeBase64(signature)
  const key = decodeBase64(publicKey)
  return bytes !== null && key !== null && verify(signedBytes(object), bytes, key)
}
