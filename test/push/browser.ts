/** A browser that can be rung: a push subscription with its private half. Written from RFC 8188 and RFC 8291. */
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto'
import type { PushRequest } from '../../server/push/web-push.ts'

export class PushBrowser {
  readonly subscription: { endpoint: string; keys: { p256dh: string; auth: string } }
  readonly #ecdh = createECDH('prime256v1')
  readonly #auth = randomBytes(16)

  constructor(endpoint: string) {
    const p256dh = this.#ecdh.generateKeys().toString('base64url')
    this.subscription = { endpoint, keys: { p256dh, auth: this.#auth.toString('base64url') } }
  }

  /** What the request says to this browser. */
  open({ body, headers }: PushRequest): unknown {
    if (headers['Content-Encoding'] !== 'aes128gcm') throw new Error('not aes128gcm')
    const bytes = Buffer.from(body)
    const salt = bytes.subarray(0, 16)
    const theirs = bytes.subarray(21, 21 + bytes[20]!)
    const sealed = bytes.subarray(21 + bytes[20]!)
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#ecdh.getPublicKey(), theirs])
    const secret = hkdfSync('sha256', this.#ecdh.computeSecret(theirs), this.#auth, info, 32)
    const derived = (name: string, size: number) =>
      Buffer.from(
        hkdfSync('sha256', Buffer.from(secret), salt, `Content-Encoding: ${name}\0`, size) as ArrayBuffer,
      )
    const decipher = createDecipheriv('aes-128-gcm', derived('aes128gcm', 16), derived('nonce', 12))
    decipher.setAuthTag(sealed.subarray(-16))
    const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
    // The last record ends with 2, and then padding.
    return JSON.parse(plain.subarray(0, plain.lastIndexOf(2)).toString())
  }
}

/** RFC 8292: who asks, for whom, until when; null where the signature is not that key's. */
export function vapidClaims({
  headers,
}: PushRequest): { key: string; claims: Record<string, unknown> } | null {
  const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(headers['Authorization'] ?? '') ?? []
  const [head, claims, signature] = token?.split('.') ?? []
  const point = Buffer.from(key ?? '', 'base64url')
  const publicKey = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  })
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature ?? '', 'base64url'),
  )
  return isSigned ? { key: key!, claims: JSON.parse(Buffer.from(claims!, 'base64url').toString()) } : null
}
