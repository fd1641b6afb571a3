/**
 * The key with which this server signs events: `keys/event-signing.json` in the data folder, readable by the server
 * alone (0600), written whole or not at all. Retired keys stay in it: what was accepted under them may still have
 * to be signed.
 *
 * Losing it loses the server's word: it is made once, with the data folder, and never again in silence.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodeBase64 } from './protocol/base64.ts'
import { type KeyId, parseKeyId } from './protocol/signing.ts'
import type { EventSigner } from './rooms/rooms-internal.ts'

export interface ServerKeys extends EventSigner {
  /** Unpadded base64, as other servers want it. */
  readonly publicKey: string
}

interface KeyFile {
  readonly current: string
  readonly keys: Readonly<Record<string, { readonly seed: string; readonly createdTs: number }>>
}

export class KeysMissing extends Error {}

export async function openServerKeys(
  dataFolder: string,
  options: {
    /** There is data already: then the key must be there as well. */
    readonly mustExist: boolean
    readonly clock: () => number
    readonly randomBytes: (size: number) => Uint8Array
  },
): Promise<ServerKeys> {
  const path = join(dataFolder, 'keys', 'event-signing.json')
  let file = await readKeys(path)
  if (!file) {
    if (options.mustExist) {
      throw new KeysMissing(
        `${path} is missing, but there is data that was signed with it. Put the file back from a backup: with a new key other servers would no longer believe this one.`,
      )
    }
    const keyId = `ed25519:a_${encodeBase64(options.randomBytes(3)).replaceAll(/[+/]/g, '_')}`
    const seed = Buffer.from(options.randomBytes(32)).toString('base64')
    file = { current: keyId, keys: { [keyId]: { seed, createdTs: options.clock() } } }
    await writeDurably(path, `${JSON.stringify(file, null, 2)}\n`)
  }
  return new SigningKeys(path, file)
}

class SigningKeys implements ServerKeys {
  readonly keyId: KeyId
  readonly publicKey: string
  readonly #keys = new Map<KeyId, KeyObject>()

  constructor(path: string, file: KeyFile) {
    for (const [id, { seed }] of Object.entries(file.keys)) {
      const keyId = parseKeyId(id)
      const bytes = Buffer.from(seed, 'base64')
      if (!keyId || bytes.length !== 32) throw new KeysMissing(`${path} holds no usable key named ${id}.`)
      // RFC 8410's frame around the seed is what node:crypto reads.
      const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), bytes])
      this.#keys.set(keyId, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
    }
    const current = parseKeyId(file.current)
    if (!current || !this.#keys.has(current)) throw new KeysMissing(`${path} does not hold its current key.`)
    this.keyId = current
    const spki = createPublicKey(this.#keys.get(current)!).export({ format: 'der', type: 'spki' })
    this.publicKey = encodeBase64(spki.subarray(-32))
  }

  sign(keyId: KeyId, bytes: Uint8Array): Uint8Array {
    const key = this.#keys.get(keyId)
    if (!key) throw new Error(`the signing key ${keyId} is not in the key file`)
    return sign(null, bytes, key)
  }
}

async function readKeys(path: string): Promise<KeyFile | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as KeyFile
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    if (error instanceof SyntaxError) throw new KeysMissing(`${path} is damaged: put it back from a backup.`)
    throw error
  }
}

/** Whole or not at all, and there after a power cut; readable by nobody else. */
export async function writeDurably(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
