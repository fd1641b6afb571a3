/**
 * Requests between servers, signed: what is covered, and the header that carries the signature.
 *
 * Spec: server-server-api#request-authentication. The method, the path with its query exactly as it is sent, both
 * servers and the body are covered; time and order are not, so whoever acts on a request makes repeating it harmless.
 */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { canonicalJson } from './canonical-json.ts'
import { parseServerName, type ServerName } from './ids.ts'
import type { JsonObject } from './json.ts'
import type { Sign } from './primitives.ts'
import { type KeyId, parseKeyId } from './signing.ts'
import { utf8Bytes } from './utf8.ts'

export interface FederationRequest {
  readonly method: string
  /** Path and query, percent-encoded as on the wire. */
  readonly uri: string
  readonly origin: ServerName
  readonly destination: ServerName
  /** The body: a value, or the text on the wire. Absent where the request has none. */
  readonly content?: JsonObject | string
}

export interface RequestSignature {
  readonly origin: ServerName
  /** Absent from servers that speak a version before 1.3. */
  readonly destination?: ServerName
  readonly keyId: KeyId
  readonly signature: Uint8Array
}

/**
 * The bytes that the signature covers. Servers send bodies in canonical form: the text as it came is then what was
 * signed, also where it holds what has no canonical form (a fraction in a message between devices).
 */
export function requestBytes({ method, uri, origin, destination, content }: FederationRequest): Uint8Array {
  const rest = canonicalJson({ destination, method, origin, uri })
  if (content === undefined) return utf8Bytes(rest)
  const text = typeof content === 'string' ? content : canonicalJson(content)
  return utf8Bytes(`{"content":${text},${rest.slice(1)}`)
}

/** The value of the `Authorization` header. */
export function signRequest(request: FederationRequest, keyId: KeyId, sign: Sign): string {
  const signature = encodeBase64(sign(requestBytes(request)))
  const { origin, destination } = request
  return `X-Matrix origin="${origin}",destination="${destination}",key="${keyId}",sig="${signature}"`
}

/** Longer than any that names two servers, a key and a signature. */
const maxHeaderLength = 2_048

/**
 * Null for what is no such header. Spec: server-server-api#request-authentication (the grammar is RFC 9110 section 11.4's:
 * values in quotes or as tokens, names in any case, unknown ones passed over).
 */
export function parseRequestSignature(header: string): RequestSignature | null {
  if (header.length > maxHeaderLength) return null
  const scheme = /^X-Matrix[ \t]+/i.exec(header)
  if (!scheme) return null
  const values = new Map<string, string>()
  const parameter =
    /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))[ \t]*(?:,|$)/y
  parameter.lastIndex = scheme[0].length
  while (parameter.lastIndex < header.length) {
    const match = parameter.exec(header)
    if (!match) return null
    const name = match[1]!.toLowerCase()
    if (values.has(name)) return null
    values.set(name, match[2] === undefined ? match[3]! : match[2].replaceAll(/\\(.)/g, '$1'))
  }
  const origin = parseServerName(values.get('origin'))
  const keyId = parseKeyId(values.get('key'))
  const signature = decodeBase64(values.get('sig') ?? '')
  const named = values.get('destination')
  const destination = named === undefined ? undefined : parseServerName(named)
  if (!origin || !keyId || signature?.length !== 64 || destination === null) return null
  return { origin, keyId, signature, ...(destination === undefined ? {} : { destination }) }
}
