/** A site for tests: a root key, and the cards that it signs. */
import { createHash } from 'node:crypto'
import { encodeBase64 } from '../../server/protocol/base64.ts'
import { buildCard, type Card, type CardFacts, readCard } from '../../server/protocol/card.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { signingKey, verify } from '../support/primitives.ts'

export function seedOf(name: string): Uint8Array {
  return createHash('sha256').update(name).digest()
}

export interface Site {
  readonly facts: CardFacts
  /** The card at this time (ms), with other facts where given, on top of an older one where given. */
  card(atMs: number, changes?: Partial<CardFacts>, before?: JsonObject): JsonObject
}

export function siteOf(name: string, root = `root of ${name}`): Site {
  const rootKey = signingKey(seedOf(root))
  const facts: CardFacts = {
    serverName: name as ServerName,
    rpId: name,
    origins: [`https://${name}`],
    address: { host: name, port: 8448 },
    residency: 'DE',
    eventSigning: [{ id: 'ed25519:a_1' as KeyId, publicKey: signingKey(seedOf(`${name} 1`)).publicKey }],
    tlsSpkiSha256: [encodeBase64(seedOf(`tls of ${name}`))],
  }
  return {
    facts,
    card: (atMs, changes = {}, before) =>
      buildCard({ ...facts, ...changes }, before ? mustRead(before) : null, rootKey, atMs),
  }
}

export function mustRead(json: JsonObject): Card {
  const reading = readCard(json, verify)
  if (reading.kind === 'card') return reading.card
  throw new Error(reading.reason)
}
