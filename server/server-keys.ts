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
import type { PeerKey } from './peers/peer.ts'
import { encodeBase64 } from './protocol/base64.ts'
import { type KeyId, parseKeyId } from './protocol/signing.ts'
import type { EventSigner } from './rooms/rooms-internal.ts'

export interface ServerKeys extends EventSigner {
  /** Unpadded base64, as other servers want it. */
  readonly publicKey: string
  /** All that we ever signed with; retired ones with their end: what `/key/v2/server` and our card show. */
  readonly published: ReadonlyMap<KeyId, PeerKey>
  /**
   * A new key signs from now on. `announce` runs in between, with the keys as they will be: others must be able to learn the
   * new key before they meet it. If it throws, nothing has changed.
   */
  rotate(announce: (published: ReadonlyMap<KeyId, PeerKey>) => Promise<void>): Promise<KeyId>
}

interface KeyFile {
  readonly current: string
  readonly keys: Readonly<
    Record<string, { readonly seed: string; readonly createdTs: number; readonly expiredTs?: number }>
  >
}

/** What was accepted under the old key while the new one was being written keeps a time at which that key was good. */
const graceMs = 60_000

export class KeysMissing extends Error {}

export interface KeyMeans {
  readonly clock: () => number
  readonly randomBytes: (size: number) => Uint8Array
}

export async function openServerKeys(
  dataFolder: string,
  options: KeyMeans & {
    /** There is data already: then the key must be there as well. */
    readonly mustExist: boolean
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
    file = withNewKey({ current: '', keys: {} }, options)
    await writeKeys(path, file)
  }
  return new SigningKeys(path, file, options)
}

class SigningKeys implements ServerKeys {
  readonly #path: string
  readonly #means: KeyMeans
  #file: KeyFile
  #keys: Keys
  #rotating: Promise<unknown> = Promise.resolve()

  constructor(path: string, file: KeyFile, means: KeyMeans) {
    this.#path = path
    this.#means = means
    this.#file = file
    this.#keys = openKeys(path, file)
  }

  get keyId(): KeyId {
    return this.#keys.current
  }

  get publicKey(): string {
    return encodeBase64(this.#keys.published.get(this.#keys.current)!.publicKey)
  }

  get published(): ReadonlyMap<KeyId, PeerKey> {
    return this.#keys.published
  }

  sign(keyId: KeyId, bytes: Uint8Array): Uint8Array {
    const key = this.#keys.secret.get(keyId)
    if (!key) throw new Error(`the signing key ${keyId} is not in the key file`)
    return sign(null, bytes, key)
  }

  rotate(announce: (published: ReadonlyMap<KeyId, PeerKey>) => Promise<void>): Promise<KeyId> {
    const done = this.#rotating.then(() => this.#rotateNow(announce))
    this.#rotating = done.catch(() => {})
    return done
  }

  /** After a crash the file says which key signs; whoever announces it compares at start. */
  async #rotateNow(announce: (published: ReadonlyMap<KeyId, PeerKey>) => Promise<void>): Promise<KeyId> {
    const before = this.#file
    const after = withNewKey(before, this.#means)
    const keys = openKeys(this.#path, after)
    await writeKeys(this.#path, after)
    try {
      await announce(keys.published)
    } catch (error) {
      await writeKeys(this.#path, before)
      throw error
    }
    this.#file = after
    this.#keys = keys
    return keys.current
  }
}

interface Keys {
  readonly current: KeyId
  readonly secret: ReadonlyMap<KeyId, KeyObject>
  readonly published: ReadonlyMap<KeyId, PeerKey>
}

function openKeys(path: string, file: KeyFile): Keys {
  const secret = new Map<KeyId, KeyObject>()
  const published = new Map<KeyId, PeerKey>()
  for (const [id, { seed, expiredTs }] of Object.entries(file.keys)) {
    const keyId = parseKeyId(id)
    const bytes = Buffer.from(seed, 'base64')
    if (!keyId || bytes.length !== 32) throw new KeysMissing(`${path} holds no usable key named ${id}.`)
    const { key, publicKey } = privateKeyOf(bytes)
    secret.set(keyId, key)
    published.set(keyId, { publicKey, ...(id === file.current ? {} : { expiredTs: expiredTs ?? 0 }) })
  }
  const current = parseKeyId(file.current)
  if (!current || !secret.has(current)) throw new KeysMissing(`${path} does not hold its current key.`)
  return { current, secret, published }
}

function withNewKey({ current, keys }: KeyFile, { clock, randomBytes }: KeyMeans): KeyFile {
  const now = clock()
  const keyId = `ed25519:a_${encodeBase64(randomBytes(3)).replaceAll(/[+/]/g, '_')}`
  // 24 bits: the second key in a row with one name is made again.
  if (Object.hasOwn(keys, keyId)) return withNewKey({ current, keys }, { clock, randomBytes })
  const old = keys[current] ? { [current]: { ...keys[current], expiredTs: now + graceMs } } : {}
  const seed = Buffer.from(randomBytes(32)).toString('base64')
  return { current: keyId, keys: { ...keys, ...old, [keyId]: { seed, createdTs: now } } }
}

/** An Ed25519 key from its seed. */
export function privateKeyOf(seed: Uint8Array): { readonly key: KeyObject; readonly publicKey: Uint8Array } {
  // RFC 8410's frame around the seed is what node:crypto reads.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { key, publicKey: new Uint8Array(spki.subarray(-32)) }
}

const writeKeys = (path: string, file: KeyFile) => writeDurably(path, `${JSON.stringify(file, null, 2)}\n`)

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
