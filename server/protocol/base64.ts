/**
 * Unpadded base64, in the standard and in the URL-safe alphabet.
 *
 * Spec: appendices#unpadded-base64. Decoding takes text with or without padding, as the specification
 * recommends, and refuses anything else that is not base64: white space, the other alphabet, a
 * length that no encoder makes. Unused bits in the last character are ignored: the specification's own
 * signing key has some set, and a signature that other servers accept must not fail here alone.
 */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true })
}

export function encodeBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** Null where the text is not base64. */
export function decodeBase64(text: string): Uint8Array | null {
  return standard.test(text) ? decode(text, 'base64') : null
}

/** Null where the text is not URL-safe base64. */
export function decodeBase64Url(text: string): Uint8Array | null {
  return urlSafe.test(text) ? decode(text, 'base64url') : null
}

const standard = /^[A-Za-z0-9+/]*={0,2}$/
const urlSafe = /^[A-Za-z0-9_-]*={0,2}$/

function decode(text: string, alphabet: 'base64' | 'base64url'): Uint8Array | null {
  const bare = text.replace(/=+$/, '')
  const remainder = bare.length % 4
  if (remainder === 1) return null
  if (bare.length !== text.length && text.length % 4 !== 0) return null
  return Uint8Array.fromBase64(bare, { alphabet })
}
