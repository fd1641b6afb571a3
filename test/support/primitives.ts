/** The cryptographic primitives of protocol code, from node:crypto, for tests. */
import {
  createPrivateKey,
  createPublicKey,
  sign as edSign,
  verify as edVerify,
  hash,
  type KeyObject,
} from 'node:crypto'
import type { Sha256, Sign, Verify } from '../../server/protocol/primitives.ts'

export const sha256: Sha256 = message => hash('sha256', message, 'buffer')

/** A signing key from its 32-byte seed: RFC 8410's frame around it is what node:crypto reads. */
export function signingKey(seed: Uint8Array): { readonly sign: Sign; readonly publicKey: Uint8Array } {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { sign: bytes => edSign(null, bytes, key), publicKey: spki.subarray(-32) }
}

export const verify: Verify = (bytes, signature, publicKey) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  return edVerify(null, bytes, publicKeyObject(publicKey), signature)
}

function publicKeyObject(raw: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}
