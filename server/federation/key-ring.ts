/**
 * Whose signature is it? Keys of peers come from their pins, ours from the key file; there is no notary.
 *
 * A key that a pin does not have yet is asked for once, from the peer itself (`learn`): a site's next card or a
 * homeserver's key list, either of which must bear a signature that the pin vouches for. Whoever floods us with names of
 * keys makes us ask each peer once a minute, no more.
 *
 * Spec: server-server-api#validating-hashes-and-signatures-on-received-events, rooms/v5#signing-key-validity-period
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { PeerKey, Peers } from '../peers/peer.ts'
import { decodeBase64, encodeBase64Url } from '../protocol/base64.ts'
import type { Pdu } from '../protocol/event.ts'
import { signedText } from '../protocol/event-hash.ts'
import { requiredSigners } from '../protocol/event-signing.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isObject, memberOf } from '../protocol/json.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { type KeyId, parseKeyId } from '../protocol/signing.ts'
import { utf8Bytes } from '../protocol/utf8.ts'

export interface KeyRingDeps {
  readonly serverName: ServerName
  readonly peers: Pick<Peers, 'get'>
  /** Our own event-signing keys, retired ones with their end. */
  readonly ownKeys: () => ReadonlyMap<KeyId, PeerKey>
  /** Asks the peer for its keys of now and has them written to its pin. Throws nothing. */
  readonly learn: (server: ServerName) => Promise<void>
  readonly clock: () => number
}

const learnAgainMs = 60_000
const maxKeyObjects = 1_000

interface Check {
  readonly key: PeerKey
  readonly signature: Uint8Array
}

export class KeyRing {
  readonly #deps: KeyRingDeps
  readonly #learning = new Map<ServerName, { readonly sinceMs: number; readonly done: Promise<void> }>()
  /** By public key: making one costs as much as a verification. */
  readonly #objects = new Map<string, KeyObject>()

  constructor(deps: KeyRingDeps) {
    this.#deps = deps
  }

  /** A key that requests may be signed with now. */
  async requestKey(server: ServerName, keyId: KeyId): Promise<Uint8Array | undefined> {
    const usable = () => {
      const key = this.#keysOf(server)?.get(keyId)
      return key && (key.expiredTs === undefined || key.expiredTs > this.#deps.clock())
        ? key.publicKey
        : undefined
    }
    const known = usable()
    if (known || this.#keysOf(server)?.has(keyId)) return known
    await this.#learn(server)
    return usable()
  }

  /** For rooms: does the event bear every signature that it must? */
  async checkSignatures(pdu: Pdu, rules: RoomRules): Promise<boolean> {
    const bytes = utf8Bytes(signedText(pdu, rules))
    for (const server of requiredSigners(pdu)) {
      if (!(await this.#isSignedBy(server, pdu, bytes))) return false
    }
    return true
  }

  async #isSignedBy(server: ServerName, pdu: Pdu, bytes: Uint8Array): Promise<boolean> {
    const signatures = memberOf(pdu.signatures ?? {}, server)
    if (!isObject(signatures)) return false
    let checks = this.#checks(server, signatures, pdu.origin_server_ts)
    if (checks.length === 0) {
      await this.#learn(server)
      checks = this.#checks(server, signatures, pdu.origin_server_ts)
    }
    // A good signature under one key does not cover for a bad one under another.
    const held = await Promise.all(
      checks.map(({ key, signature }) => this.#verify(bytes, signature, key.publicKey)),
    )
    return held.length > 0 && held.every(Boolean)
  }

  /** Those of the signatures that are under keys which were good when the event says that it was made. */
  #checks(server: ServerName, signatures: Readonly<Record<string, unknown>>, madeTs: number): Check[] {
    const keys = this.#keysOf(server)
    return Object.entries(signatures).flatMap(([name, value]) => {
      const keyId = parseKeyId(name)
      const key = keyId && keys?.get(keyId)
      const signature = typeof value === 'string' ? decodeBase64(value) : null
      if (!key || !signature) return []
      return key.expiredTs === undefined || madeTs <= key.expiredTs ? [{ key, signature }] : []
    })
  }

  #keysOf(server: ServerName): ReadonlyMap<KeyId, PeerKey> | undefined {
    return server === this.#deps.serverName ? this.#deps.ownKeys() : this.#deps.peers.get(server)?.signingKeys
  }

  /** On the thread pool: 50 events of a transaction are checked side by side, and the event loop goes on. */
  #verify(bytes: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
    if (signature.length !== 64 || publicKey.length !== 32) return Promise.resolve(false)
    return new Promise(resolve => {
      verify(null, bytes, this.#objectOf(publicKey), signature, (error, holds) => resolve(!error && holds))
    })
  }

  #objectOf(publicKey: Uint8Array): KeyObject {
    const x = encodeBase64Url(publicKey)
    const known = this.#objects.get(x)
    if (known) return known
    const made = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    if (this.#objects.size >= maxKeyObjects) this.#objects.clear()
    this.#objects.set(x, made)
    return made
  }

  #learn(server: ServerName): Promise<void> {
    const { peers, clock, learn } = this.#deps
    if (!peers.get(server)) return Promise.resolve()
    const last = this.#learning.get(server)
    if (last && Math.abs(clock() - last.sinceMs) < learnAgainMs) return last.done
    const done = learn(server)
    this.#learning.set(server, { sinceMs: clock(), done })
    return done
  }
}
