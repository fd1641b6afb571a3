/**
 * Cards and key lists over the network: asking a peer for its own, and bringing ours to peers when it changes.
 *
 * What comes is offered to the pins, which take nothing that is not signed by what people compared.
 */

import type { Peer, PeerKey } from '../peers/peer.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import { decodeBase64 } from '../protocol/base64.ts'
import type { Card } from '../protocol/card.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import { checkSignature, type KeyId, parseKeyId } from '../protocol/signing.ts'
import { type FederationClient, isOtherCertificate } from './client.ts'

export const cardPath = '/_letro/federation/v1/card'

export interface CardExchangeDeps {
  readonly client: Pick<FederationClient, 'json'>
  readonly peers: Pick<PeerBook, 'get' | 'all' | 'maySendTo' | 'offerCard' | 'offerKeys'>
  readonly verify: Verify
  readonly clock: () => number
  /** Resolves after so long, or when the signal says so. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  readonly report: (message: string, fields?: Readonly<Record<string, string>>) => void
}

/**
 * Between attempts to bring a card; the last one again and again. A peer that was away while our certificate changed
 * cannot ask us for the card: it would not believe the connection.
 */
const pausesMs = [1_000, 3_000, 10_000, 30_000, 60_000, 600_000]

const renewEveryMs = 60_000

export class CardExchange {
  readonly #deps: CardExchangeDeps
  readonly #closing = new AbortController()
  #card: Card | null = null
  readonly #renewedTs = new Map<ServerName, number>()
  /** The card that each site is being brought. */
  readonly #underWay = new Map<ServerName, Card>()

  constructor(deps: CardExchangeDeps) {
    this.#deps = deps
  }

  /** For the key ring: the peer's keys of now, from itself. */
  async learn(server: ServerName): Promise<void> {
    const { peers, client, report } = this.#deps
    const peer = peers.get(server)
    if (!peer) return
    try {
      if (peer.kind === 'site') {
        await peers.offerCard(
          server,
          await client.json(server, { method: 'GET', path: cardPath, timeoutMs: 10_000 }),
        )
      } else {
        const list = await client.json(server, {
          method: 'GET',
          path: '/_matrix/key/v2/server',
          timeoutMs: 10_000,
        })
        const keys = this.#vouchedFor(peer, list)
        if (keys) await peers.offerKeys(server, keys)
        else report('a peer showed a key list that no pinned key signs', { peer: server })
      }
    } catch {
      report('a peer’s keys could not be asked for', { peer: server })
    }
  }

  /**
   * A site showed another certificate than its card names. Where it cannot bring us its new card, we ask for it, whoever
   * it is that answers: a card is believed by its root key's signature alone. Once a minute, for it may be an impostor.
   */
  async renew(server: ServerName): Promise<void> {
    const { peers, client, clock } = this.#deps
    const now = clock()
    if (peers.get(server)?.kind !== 'site' || now - (this.#renewedTs.get(server) ?? 0) < renewEveryMs) return
    this.#renewedTs.set(server, now)
    try {
      const ask = { method: 'GET', path: cardPath, timeoutMs: 10_000, toAnybody: true } as const
      await peers.offerCard(server, await client.json(server, ask))
    } catch {
      // The request that met the certificate has said that the peer cannot be reached.
    }
  }

  /** To every site, at start and after each change, until it has it. */
  async bring(card: Card): Promise<void> {
    this.#card = card
    await Promise.all([...this.#deps.peers.all()].map(({ serverName }) => this.bringTo(serverName)))
  }

  /** To one that was pinned or resumed, or whose address is another one now. */
  async bringTo(server: ServerName): Promise<void> {
    const card = this.#card
    if (!card || this.#deps.peers.get(server)?.kind !== 'site' || this.#underWay.get(server) === card) return
    this.#underWay.set(server, card)
    try {
      await this.#bringUntilThere(server, card)
    } finally {
      if (this.#underWay.get(server) === card) this.#underWay.delete(server)
    }
  }

  close(): void {
    this.#closing.abort()
  }

  async #bringUntilThere(server: ServerName, card: Card): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      if (this.#closing.signal.aborted || !this.#deps.peers.maySendTo(server)) return
      if (this.#underWay.get(server) !== card) return
      const ask = { method: 'PUT', path: cardPath, body: card.json, timeoutMs: 10_000 } as const
      try {
        await this.#deps.client.json(server, ask)
        return
      } catch (error) {
        // It may have changed its certificate as we did ours, and neither believes the other's. Whoever else it is reads
        // a card, which is no secret; what is answered counts for nothing, so the attempts go on.
        if (error instanceof Error && isOtherCertificate(error.cause))
          await this.#deps.client.json(server, { ...ask, toAnybody: true }).catch(() => {})
        await this.#deps.pause(pausesMs[Math.min(attempt, pausesMs.length - 1)]!, this.#closing.signal)
      }
    }
  }

  /** Spec: server-server-api#get_matrixkeyv2server. null: not signed by a key that is pinned and good now. */
  #vouchedFor(peer: Peer, list: JsonObject): Map<KeyId, PeerKey> | null {
    const { verify, clock } = this.#deps
    if (list['server_name'] !== peer.serverName) return null
    const pinned = (keyId: KeyId) => {
      const key = peer.signingKeys.get(keyId)
      return key && (key.expiredTs === undefined || key.expiredTs > clock()) ? key.publicKey : undefined
    }
    if (checkSignature(list, peer.serverName, pinned, verify).kind !== 'valid') return null
    const keys = new Map<KeyId, PeerKey>()
    for (const [name, value] of entriesOf(list['old_verify_keys'])) {
      const expiredTs = value['expired_ts']
      if (Number.isSafeInteger(expiredTs)) add(keys, name, value, expiredTs as number)
    }
    for (const [name, value] of entriesOf(list['verify_keys'])) add(keys, name, value)
    return keys
  }
}

function entriesOf(value: unknown): [string, JsonObject][] {
  return isObject(value)
    ? Object.entries(value).filter((entry): entry is [string, JsonObject] => isObject(entry[1]))
    : []
}

function add(keys: Map<KeyId, PeerKey>, name: string, value: JsonObject, expiredTs?: number): void {
  const keyId = parseKeyId(name)
  const publicKey = typeof value['key'] === 'string' ? decodeBase64(value['key']) : null
  if (!keyId || publicKey?.length !== 32) return
  keys.set(keyId, { publicKey, ...(expiredTs === undefined ? {} : { expiredTs }) })
}
