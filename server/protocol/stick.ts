/**
 * What lies on a provisioning stick, and who says so.
 *
 * A stick is any FAT, exFAT or ISO 9660 medium with the label LETROCONF and a file `letro.json` (provisioning/site-answers.ts). Files
 * that it names lie beside it, in no folder. `letro.json.sig` is there where somebody signed it:
 *
 *     {"type": "org.letro.stick", "version": 1,
 *      "files": [{"name": "chain.pem", "sha256": "…"}, {"name": "letro.json", "sha256": "…"}],
 *      "key": "…", "signature": "…"}
 *
 * Signature: Ed25519 over `org.letro.stick/1`, a zero byte, and the canonical JSON of {"files": …}, sorted by name. It covers
 * every file that is taken from the stick. The fingerprint that people compare is the words of the SHA-256 of the same
 * bytes. Keys, hashes and signatures are unpadded base64.
 */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { canonicalJson } from './canonical-json.ts'
import { fingerprintWords } from './fingerprint-words.ts'
import { isObject, type JsonObject, memberOf } from './json.ts'
import type { Sha256, Sign, Verify } from './primitives.ts'
import { utf8Bytes } from './utf8.ts'

export const stickLabel = 'LETROCONF'
export const stickFile = 'letro.json'
export const stickSignatureFile = 'letro.json.sig'

export interface StickFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** A plain name that every file system keeps as it is: no folder, no dot in front. */
export function isStickFileName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(name)
}

/** The files that letro.json names, as it names them; what it means, site-answers.ts says. */
export function namedFiles(json: unknown): string[] {
  const certificate = isObject(json) ? json['certificate'] : undefined
  if (!isObject(certificate)) return []
  const names = ['file', 'key', 'passphrase_file', 'certificate'].map(member => memberOf(certificate, member))
  return [...new Set(names.filter(name => typeof name === 'string'))]
}

export function stickFingerprint(files: readonly StickFile[], sha256: Sha256): readonly string[] {
  return fingerprintWords(sha256(signedBytes(files, sha256)), sha256)
}

export function signStick(
  files: readonly StickFile[],
  key: { readonly publicKey: Uint8Array; readonly sign: Sign },
  sha256: Sha256,
): JsonObject {
  return {
    type: 'org.letro.stick',
    version: 1,
    files: fileList(files, sha256),
    key: encodeBase64(key.publicKey),
    signature: encodeBase64(key.sign(signedBytes(files, sha256))),
  }
}

export type StickSignature =
  /** Signed by that key; whether it is trusted, whoever knows keys says. */
  { readonly kind: 'good'; readonly key: Uint8Array } | { readonly kind: 'bad'; readonly reason: string }

export function checkStickSignature(
  json: unknown,
  files: readonly StickFile[],
  verify: Verify,
  sha256: Sha256,
): StickSignature {
  if (!isObject(json) || json['type'] !== 'org.letro.stick' || json['version'] !== 1) {
    return { kind: 'bad', reason: 'it is no signature of a stick that this release can read' }
  }
  const key = bytesOf(json['key'], 32)
  const signature = bytesOf(json['signature'], 64)
  if (!key || !signature) return { kind: 'bad', reason: 'it holds no key or no signature' }
  // Told before the signature is looked at, because it says which file it is.
  const listed = Array.isArray(json['files']) ? json['files'].filter(isObject) : []
  const changed = fileList(files, sha256).find(
    ({ name, sha256 }) => !listed.some(each => each['name'] === name && each['sha256'] === sha256),
  )
  if (changed)
    return { kind: 'bad', reason: `${changed['name']} was changed after it was signed, or never was` }
  return verify(signedBytes(files, sha256), signature, key)
    ? { kind: 'good', key }
    : { kind: 'bad', reason: 'it belongs to other files' }
}

function signedBytes(files: readonly StickFile[], sha256: Sha256): Uint8Array {
  return utf8Bytes(`org.letro.stick/1\0${canonicalJson({ files: fileList(files, sha256) })}`)
}

function fileList(files: readonly StickFile[], sha256: Sha256): { name: string; sha256: string }[] {
  return [...files]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, bytes }) => ({ name, sha256: encodeBase64(sha256(bytes)) }))
}

function bytesOf(text: unknown, length: number): Uint8Array | null {
  const bytes = typeof text === 'string' ? decodeBase64(text) : null
  return bytes?.length === length ? bytes : null
}
