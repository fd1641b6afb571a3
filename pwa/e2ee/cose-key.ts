/**
 * The public key of a passkey, and signatures by it: ES256, EdDSA and RS256.
 *
 * RFC 9052 and 9053 (COSE), RFC 8949 (CBOR), in the canonical form that WebAuthn asks for: a map of small integers
 * to small integers and byte strings. Anything else is refused.
 */
import { encodeBase64Url } from '#protocol/base64.ts'
import { E2eeError } from './errors.ts'
import { type Bytes, ed25519Verify } from './primitives.ts'

export type CoseAlgorithm = 'ES256' | 'EdDSA' | 'RS256'

export type CoseKey =
  | { readonly algorithm: 'ES256'; readonly x: Uint8Array; readonly y: Uint8Array }
  | { readonly algorithm: 'EdDSA'; readonly x: Uint8Array }
  | { readonly algorithm: 'RS256'; readonly n: Uint8Array; readonly e: Uint8Array }

/** 2,048 to 4,096 bits: smaller ones are broken, larger ones only slow. */
const minModulusBytes = 256
const maxModulusBytes = 512

/** @throws E2eeError COSE_KEY_MALFORMED, COSE_KEY_UNKNOWN_ALGORITHM */
export function parseCoseKey(bytes: Uint8Array): CoseKey {
  const map = parseMap(bytes)
  const sized = (label: number, min: number, max = min) => {
    const value = map.get(label)
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
      throw new E2eeError('COSE_KEY_MALFORMED', `member ${label} has a wrong type or length`)
    }
    return value
  }
  // RFC 9053: 1 = kty (1 OKP, 2 EC2, 3 RSA), 3 = alg, -1 = crv or n, -2 = x or e, -3 = y
  const [type, algorithm, curve] = [map.get(1), map.get(3), map.get(-1)]
  if (type === 2 && algorithm === -7 && curve === 1) {
    return { algorithm: 'ES256', x: sized(-2, 32), y: sized(-3, 32) }
  }
  if (type === 1 && algorithm === -8 && curve === 6) return { algorithm: 'EdDSA', x: sized(-2, 32) }
  if (type === 3 && algorithm === -257) {
    return { algorithm: 'RS256', n: sized(-1, minModulusBytes, maxModulusBytes), e: sized(-2, 1, 8) }
  }
  throw new E2eeError('COSE_KEY_UNKNOWN_ALGORITHM', 'a passkey of a kind that we cannot check')
}

/** False for anything that does not verify, a key that is none included. */
export async function verifyWithCoseKey(
  key: CoseKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (key.algorithm === 'EdDSA') return ed25519Verify(message, signature, key.x)
  try {
    if (key.algorithm === 'RS256') {
      const jwk = { kty: 'RSA', n: encodeBase64Url(key.n), e: encodeBase64Url(key.e) }
      return await verify(jwk, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, signature, message)
    }
    const raw = rawEcdsaSignature(signature)
    const jwk = { kty: 'EC', crv: 'P-256', x: encodeBase64Url(key.x), y: encodeBase64Url(key.y) }
    return raw !== null && (await verify(jwk, { name: 'ECDSA', namedCurve: 'P-256' }, raw, message))
  } catch {
    // WebCrypto throws for a point that is not on the curve.
    return false
  }
}

async function verify(
  jwk: Record<string, string>,
  algorithm: { name: string; hash?: string; namedCurve?: string },
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify'])
  const scheme = { name: algorithm.name, hash: 'SHA-256' }
  return crypto.subtle.verify(scheme, key, signature as Bytes, message as Bytes)
}

/** r ‖ s out of DER (X.690): SEQUENCE of two INTEGERs, nothing behind them. Null where it is not that. */
export function rawEcdsaSignature(der: Uint8Array): Uint8Array | null {
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 72) return null
  const raw = new Uint8Array(64)
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0
    const integer = der.subarray(at + 2, at + 2 + length)
    if (der[at] !== 0x02 || length === 0 || integer.length !== length) return null
    if (integer[0]! >= 0x80) return null // negative
    if (length > 1 && integer[0] === 0 && integer[1]! < 0x80) return null // not the shortest form
    const digits = integer[0] === 0 ? integer.subarray(1) : integer
    if (digits.length > 32) return null
    raw.set(digits, end - digits.length)
    at += 2 + length
  }
  return at === der.length ? raw : null
}

/** One CBOR map whose keys are integers and whose values are integers or byte strings; nothing behind it. */
function parseMap(bytes: Uint8Array): Map<number, number | Uint8Array> {
  const malformed = () => new E2eeError('COSE_KEY_MALFORMED', 'this is not a COSE key')
  let at = 0
  const head = (): [major: number, value: number] => {
    const first = bytes[at++]
    if (first === undefined) throw malformed()
    const small = first & 0x1f
    if (small < 24) return [first >> 5, small]
    const size = small === 24 ? 1 : small === 25 ? 2 : 0
    if (size === 0 || at + size > bytes.length) throw malformed()
    const value = size === 1 ? bytes[at]! : (bytes[at]! << 8) | bytes[at + 1]!
    at += size
    return [first >> 5, value]
  }
  const integer = ([major, value]: [number, number]): number => {
    if (major > 1) throw malformed()
    return major === 0 ? value : -1 - value
  }
  const [major, size] = head()
  if (major !== 5 || size > 8) throw malformed()
  const map = new Map<number, number | Uint8Array>()
  for (let i = 0; i < size; i++) {
    const label = integer(head())
    const value = head()
    if (map.has(label)) throw malformed()
    if (value[0] !== 2) {
      map.set(label, integer(value))
      continue
    }
    const end = at + value[1]
    if (end > bytes.length) throw malformed()
    map.set(label, bytes.slice(at, end))
    at = end
  }
  if (at !== bytes.length) throw malformed()
  return map
}
