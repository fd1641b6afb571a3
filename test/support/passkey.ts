/** A software authenticator, as the specification has it, for the host letro.test. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { encodeBase64 } from '../../server/protocol/base64.ts'
import type { JsonObject } from '../../server/protocol/json.ts'

export const sha256 = (...parts: (Uint8Array | string)[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

type Algorithm = 'ES256' | 'EdDSA' | 'RS256'

export class Passkey {
  readonly credentialId: string
  readonly publicKey: Uint8Array
  readonly #privateKey: KeyObject
  readonly #algorithm: Algorithm

  constructor(algorithm: Algorithm = 'ES256', credentialId = 'cred') {
    this.credentialId = credentialId
    this.#algorithm = algorithm
    const pair =
      algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : algorithm === 'EdDSA'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#privateKey = pair.privateKey
    const jwk = pair.publicKey.export({ format: 'jwk' }) as Record<string, string>
    const part = (name: string) => Buffer.from(jwk[name]!, 'base64url')
    const bytes = (data: Uint8Array) => [
      ...(data.length < 256 ? [0x58, data.length] : [0x59, data.length >> 8, data.length & 0xff]),
      ...data,
    ]
    this.publicKey = Uint8Array.from(
      algorithm === 'ES256'
        ? [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, ...bytes(part('x')), 0x22, ...bytes(part('y'))]
        : algorithm === 'EdDSA'
          ? [0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, ...bytes(part('x'))]
          : [0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, ...bytes(part('n')), 0x21, 0x43, ...part('e')],
    )
  }

  get listed() {
    return { credentialId: this.credentialId, publicKey: encodeBase64(this.publicKey), name: 'Yubi' }
  }

  assert(
    challenge: Uint8Array,
    { rpId = 'letro.test', flags = 0x05, client = {} as JsonObject, trim = 0 } = {},
  ) {
    const clientDataJson = Buffer.from(
      JSON.stringify({
        type: 'webauthn.get',
        challenge: Buffer.from(challenge).toString('base64url'),
        origin: 'https://letro.test',
        crossOrigin: false,
        ...client,
      }),
    )
    const whole = Buffer.concat([sha256(rpId), Buffer.from([flags, 0, 0, 0, 1])])
    const authenticatorData = whole.subarray(0, whole.length - trim)
    const message = Buffer.concat([authenticatorData, sha256(clientDataJson)])
    const hash = this.#algorithm === 'EdDSA' ? null : 'sha256'
    const signature = sign(hash, message, this.#privateKey)
    return { credentialId: this.credentialId, authenticatorData, clientDataJson, signature }
  }
}
