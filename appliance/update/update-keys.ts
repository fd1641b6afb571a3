/**
 * The keys that sign updates. A key's name is taken from the key itself, so that no file name can pass one off as another.
 *
 * An image trusts the current key and the next one; a file bears signatures of one or more keys. So a key can be retired
 * without a machine that was away for years being left out: the release before the change is signed by both.
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { UpdateError } from './update-error.ts'

/** By name. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>
/** Base64 by the key's name. */
export type UpdateSignatures = Readonly<Record<string, string>>

/** The first 16 hex digits of SHA-256 over the public key (SPKI, DER). */
export function keyName(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)
}

export function signUpdate(bytes: Uint8Array, keys: readonly KeyObject[]): UpdateSignatures {
  return Object.fromEntries(
    keys.map(key => [keyName(requireEd25519(key)), encodeBase64(sign(null, bytes, key))]),
  )
}

/** Every signature by a key that is trusted must hold, and there must be one. */
export function requireSigned(bytes: Uint8Array, signatures: UpdateSignatures, trusted: TrustedKeys): void {
  let held = 0
  for (const [name, text] of Object.entries(signatures)) {
    const key = trusted.get(name)
    if (!key) continue
    const signature = decodeBase64(text)
    if (!signature || !verify(null, bytes, key, signature)) {
      throw new UpdateError(
        'UPDATE_FORGED',
        'The update file was changed after it was signed, or never signed by us. Nothing was changed. Fetch it again, and compare its checksum.',
      )
    }
    held++
  }
  if (held > 0) return
  throw new UpdateError(
    'UPDATE_UNKNOWN_KEY',
    `The update file is signed by a key that this machine does not know (${Object.keys(signatures).join(', ') || 'none'}; known: ${[...trusted.keys()].join(', ') || 'none'}). It is of another maker, or of a release far from this one. Nothing was changed.`,
  )
}

/** All `update-*.pem` of a folder. A file there that is no Ed25519 key is a broken image, and throws. */
export async function readTrustedKeys(folder: string): Promise<TrustedKeys> {
  const names = (await readdir(folder)).filter(name => /^update-.*\.pem$/.test(name)).sort()
  const keys = await Promise.all(
    names.map(async name => requireEd25519(createPublicKey(await readFile(join(folder, name), 'utf8')))),
  )
  return new Map(keys.map(key => [keyName(key), key]))
}

function requireEd25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new TypeError(`updates are signed with Ed25519, not with ${key.asymmetricKeyType}`)
}
