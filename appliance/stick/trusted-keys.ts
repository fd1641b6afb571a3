/** The keys whose signature makes a stick good without anybody's approval: of the image, and of the site that runs here. */
import { createHash, createPublicKey, verify as edVerify } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { key32 } from '#protocol/card.ts'
import { isObject } from '#protocol/json.ts'
import type { Sha256, Verify } from '#protocol/primitives.ts'
import type { Machine } from '../program.ts'

/** By whom, for the screen; null: a stranger. */
export function trustedBy({ paths }: Pick<Machine, 'paths'>, key: Uint8Array): string | null {
  for (const name of namesIn(paths.keys)) {
    if (isSame(pemKey(join(paths.keys, name)), key)) return `the image (${name})`
  }
  return isSame(siteCard({ paths })?.rootKey ?? null, key) ? 'this site' : null
}

/** What the card of the site that runs here says; null: there is none yet. */
export function siteCard({
  paths,
}: Pick<Machine, 'paths'>): { serverName: string; rootKey: Uint8Array | null } | null {
  try {
    const json: unknown = JSON.parse(readFileSync(join(paths.site, 'data/keys/site-card.json'), 'utf8'))
    if (!isObject(json) || typeof json['server_name'] !== 'string') return null
    return { serverName: json['server_name'], rootKey: key32(json['root_key']) }
  } catch {
    return null
  }
}

export const sha256: Sha256 = bytes => new Uint8Array(createHash('sha256').update(bytes).digest())

export const verify: Verify = (bytes, signature, publicKey) => {
  const x = Buffer.from(publicKey).toString('base64url')
  return edVerify(
    null,
    bytes,
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    signature,
  )
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => /^stick-.*\.pem$/.test(name))
  } catch {
    return []
  }
}

/** null: no Ed25519 key. */
function pemKey(file: string): Uint8Array | null {
  try {
    const { kty, crv, x } = createPublicKey(readFileSync(file)).export({ format: 'jwk' })
    return kty === 'OKP' && crv === 'Ed25519' && x ? new Uint8Array(Buffer.from(x, 'base64url')) : null
  } catch {
    return null
  }
}

function isSame(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && Buffer.compare(a, b) === 0
}
