/** The primitives that protocol code is handed, from node:crypto. */
import { createPublicKey, verify as edVerify, hash, type KeyObject } from 'node:crypto'
import type { Sha256, Verify } from '../protocol/primitives.ts'

export const sha256: Sha256 = message => hash('sha256', message, 'buffer')

/** SHA-256 of the text, in unpadded base64. */
export function sha256Base64(text: string): string {
  // 32 bytes are 43 characters and one of padding.
  return hash('sha256', text, 'base64').slice(0, 43)
}

export function sha256Base64Url(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** RFC 8410's frame around a raw Ed25519 key is what node:crypto reads. */
const spkiFrame = Buffer.from('302a300506032b6570032100', 'hex')

export const verify: Verify = (bytes, signature, publicKey) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  return edVerify(null, bytes, publicKeyOf(publicKey), signature)
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([spkiFrame, raw]), format: 'der', type: 'spki' })
}
