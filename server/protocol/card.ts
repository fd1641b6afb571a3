/**
 * A site's card: what a site says about itself, signed by its root key and by nothing else.
 *
 * Peers pin the root key. A card with a higher serial from the same root takes the place of the older one, so keys
 * rotate without people comparing fingerprints again. This file builds and reads cards; it is pure, and
 * what to do about a card is the business of whoever holds the pin.
 *
 *     {
 *       "type": "org.letro.card", "version": 1,
 *       "serial": 1795262000123, "issued_ts": 1795262000123,
 *       "server_name": "clinic.example", "rp_id": "clinic.example", "origins": ["https://clinic.example"],
 *       "address": {"host": "clinic.example", "port": 8448}, "residency": "DE",
 *       "root_key": "…",
 *       "keys": {
 *         "event-signing": [{"id": "ed25519:a_x", "public_key": "…"}, {…, "expired_ts": 1795260000000}],
 *         "tls": [{"spki_sha256": "…"}], "log": […], "bundle-seal": […]
 *       },
 *       "signature": "…"
 *     }
 *
 * Signature: Ed25519 over `org.letro.card/1`, a zero byte, and the canonical JSON of the card without `signature`:
 * what is signed as a card can never be taken for an event or a request. Keys and hashes are unpadded base64.
 * Members that this release does not know are covered by the signature and kept.
 */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { canonicalJson } from './canonical-json.ts'
import { parseServerName, type ServerName } from './ids.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import type { Sign, Verify } from './primitives.ts'
import { type KeyId, parseKeyId } from './signing.ts'
import { fitsUtf8, utf8Bytes } from './utf8.ts'

export const maxCardBytes = 32_768
const maxKeys = 100
const domain = 'org.letro.card/1\0'

export interface SigningCardKey {
  readonly id: KeyId
  readonly publicKey: Uint8Array
  /** Milliseconds: not good for events after that. Absent: a key of now. */
  readonly expiredTs?: number
}

/** What a site says; `Card` adds what makes it a card. */
export interface CardFacts {
  readonly serverName: ServerName
  readonly rpId: string
  readonly origins: readonly string[]
  /** Where other servers dial. */
  readonly address: { readonly host: string; readonly port: number }
  /** The jurisdiction in which the site keeps what it is sent, such as `DE`. */
  readonly residency?: string
  readonly eventSigning: readonly SigningCardKey[]
  /** SHA-256 of the SubjectPublicKeyInfo of every certificate that may answer at `address`. */
  readonly tlsSpkiSha256: readonly string[]
}

export interface Card extends CardFacts {
  readonly serial: number
  readonly issuedTs: number
  readonly rootKey: Uint8Array
  /** The whole card as it was signed, with what this release does not know. */
  readonly json: JsonObject
}

export type CardRefusal =
  /** No JSON, cut off, or far too long. */
  | 'CARD_UNREADABLE'
  /** A member is missing or is not what it should be. */
  | 'CARD_MALFORMED'
  /** Not signed by the root key that it names. */
  | 'CARD_FORGED'

export type CardReading =
  | { readonly kind: 'card'; readonly card: Card }
  | { readonly kind: 'refused'; readonly code: CardRefusal; readonly reason: string }

// ── building ─────────────────────────────────────────────────────────────────────────────────────────

/**
 * The next card. It stands on the one before, so that members of a newer release survive an older one.
 *
 * The serial is the time in milliseconds, or one more than the last where that is later: a site that was restored from an old
 * backup issues cards that its peers take for newer all the same.
 */
export function buildCard(
  facts: CardFacts,
  before: Card | null,
  root: { readonly publicKey: Uint8Array; readonly sign: Sign },
  nowMs: number,
): JsonObject {
  const { signature: _signature, residency: _residency, ...kept } = before?.json ?? {}
  const keptKeys = isObject(kept['keys']) ? kept['keys'] : {}
  const card: JsonObject = {
    ...kept,
    type: 'org.letro.card',
    version: 1,
    serial: Math.max(nowMs, (before?.serial ?? 0) + 1),
    issued_ts: nowMs,
    server_name: facts.serverName,
    rp_id: facts.rpId,
    origins: facts.origins,
    address: { host: facts.address.host, port: facts.address.port },
    ...(facts.residency === undefined ? {} : { residency: facts.residency }),
    root_key: encodeBase64(root.publicKey),
    keys: {
      ...keptKeys,
      'event-signing': facts.eventSigning.map(key => ({
        id: key.id,
        public_key: encodeBase64(key.publicKey),
        ...(key.expiredTs === undefined ? {} : { expired_ts: key.expiredTs }),
      })),
      tls: facts.tlsSpkiSha256.map(hash => ({ spki_sha256: hash })),
    },
  }
  return { ...card, signature: encodeBase64(root.sign(cardBytes(card))) }
}

/** Does the card say just this? Then there is no need for another one. */
export function cardSays(card: Card, facts: CardFacts): boolean {
  return canonicalJson(factsJson(card)) === canonicalJson(factsJson(facts))
}

function factsJson(facts: CardFacts): JsonObject {
  return {
    serverName: facts.serverName,
    rpId: facts.rpId,
    origins: facts.origins,
    address: { ...facts.address },
    residency: facts.residency,
    eventSigning: facts.eventSigning
      .map(key => ({ ...key, publicKey: encodeBase64(key.publicKey) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    tls: facts.tlsSpkiSha256,
  }
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────

/** From a file or a scanned code. */
export function readCardText(text: string, verify: Verify): CardReading {
  if (!fitsUtf8(text, maxCardBytes)) return refuse('CARD_UNREADABLE', 'it is far too long for a card')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return refuse('CARD_UNREADABLE', 'it is not whole: it ends too early, or is no card at all')
  }
  return readCard(json as Json, verify)
}

/** The signature is good under the root key that the card names. Whose root key that is, the pin knows. */
export function readCard(json: Json, verify: Verify): CardReading {
  if (!isObject(json) || json['type'] !== 'org.letro.card')
    return refuse('CARD_MALFORMED', 'it is no site card')
  if (json['version'] !== 1) {
    return refuse('CARD_MALFORMED', `its version is ${show(json['version'])}; this release reads version 1`)
  }
  const rootKey = key32(json['root_key'])
  if (!rootKey) return refuse('CARD_MALFORMED', 'root_key is not an Ed25519 key')
  const signature = typeof json['signature'] === 'string' ? decodeBase64(json['signature']) : null
  if (!signature) return refuse('CARD_FORGED', 'it is not signed')
  let bytes: Uint8Array
  try {
    bytes = cardBytes(json)
  } catch {
    return refuse('CARD_MALFORMED', 'it holds a value that cannot be signed')
  }
  if (bytes.length > maxCardBytes) return refuse('CARD_UNREADABLE', 'it is far too long for a card')
  // Before anything else in it is believed.
  if (!verify(bytes, signature, rootKey)) {
    return refuse('CARD_FORGED', 'its signature is wrong: it was changed after it was signed')
  }
  const facts = factsOf(json)
  if (typeof facts === 'string') return refuse('CARD_MALFORMED', facts)
  const serial = positive(json['serial'])
  const issuedTs = positive(json['issued_ts'])
  if (serial === null || issuedTs === null) {
    return refuse('CARD_MALFORMED', 'serial or issued_ts is no positive integer')
  }
  return { kind: 'card', card: { ...facts, serial, issuedTs, rootKey, json } }
}

/** The facts, or what is wrong with them. */
function factsOf(json: JsonObject): CardFacts | string {
  const serverName = parseServerName(json['server_name'])
  if (!serverName) return 'server_name is no server name'
  const { rp_id: rpId, origins, address, residency, keys } = json
  if (typeof rpId !== 'string' || rpId.length > 255) return 'rp_id is no host name'
  if (!isStrings(origins) || origins.length > maxKeys) return 'origins is no list of addresses'
  const place = parseAddress(address)
  if (!place) return 'address is no host and port'
  if (residency !== undefined && !isResidency(residency)) return 'residency is no jurisdiction'
  const eventSigning = isObject(keys) ? signingKeys(keys['event-signing']) : null
  if (!eventSigning) return 'keys.event-signing is no list of keys, each with an id of its own'
  if (eventSigning.every(key => key.expiredTs !== undefined))
    return 'every event-signing key in it is retired'
  const tlsSpkiSha256 = isObject(keys) ? spkiHashes(keys['tls']) : null
  if (!tlsSpkiSha256) return 'keys.tls is no list of certificate keys'
  return {
    serverName,
    rpId,
    origins,
    address: place,
    ...(residency === undefined ? {} : { residency: residency as string }),
    eventSigning,
    tlsSpkiSha256,
  }
}

function signingKeys(list: Json | undefined): SigningCardKey[] | null {
  if (!Array.isArray(list) || list.length > maxKeys) return null
  const keys: SigningCardKey[] = []
  const ids = new Set<string>()
  for (const entry of list as readonly Json[]) {
    if (!isObject(entry)) return null
    const id = parseKeyId(entry['id'])
    const publicKey = key32(entry['public_key'])
    const { expired_ts: expired } = entry
    const expiredTs = expired === undefined ? undefined : positive(expired)
    if (!id || !publicKey || expiredTs === null || ids.has(id)) return null
    ids.add(id)
    keys.push({ id, publicKey, ...(expiredTs === undefined ? {} : { expiredTs }) })
  }
  return keys
}

function spkiHashes(list: Json | undefined): string[] | null {
  if (!Array.isArray(list) || list.length > maxKeys) return null
  const hashes = (list as readonly Json[]).map(entry =>
    isObject(entry) ? parseSpkiSha256(entry['spki_sha256']) : null,
  )
  return hashes.every(hash => hash !== null) ? hashes : null
}

// ── parts that pins share ────────────────────────────────────────────────────────────────────────────

/** SHA-256 in unpadded base64; padding and curl's `sha256//` in front are taken off. */
export function parseSpkiSha256(text: unknown): string | null {
  if (typeof text !== 'string') return null
  const bytes = decodeBase64(text.replace(/^sha256\/\//, ''))
  return bytes?.length === 32 ? encodeBase64(bytes) : null
}

/** An Ed25519 public key in base64. */
export function key32(text: unknown): Uint8Array | null {
  const bytes = typeof text === 'string' ? decodeBase64(text) : null
  return bytes?.length === 32 ? bytes : null
}

export function parseAddress(json: unknown): { readonly host: string; readonly port: number } | null {
  if (!isObject(json)) return null
  const { host, port } = json
  if (
    typeof host !== 'string' ||
    !/^(?:[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?|[0-9A-Fa-f:.]{2,45})$/.test(host)
  )
    return null
  if (host.length > 253 || typeof port !== 'number' || !Number.isInteger(port)) return null
  return port >= 1 && port <= 65_535 ? { host, port } : null
}

/** A jurisdiction: letters, digits and dashes, such as `DE`, `EU` or `CH-ZH`. */
export function isResidency(text: unknown): text is string {
  return typeof text === 'string' && /^[A-Z0-9](?:[A-Z0-9-]{0,30}[A-Z0-9])?$/.test(text)
}

/** What the signature covers: two cards are the same if this is. */
export function cardBytes(card: JsonObject): Uint8Array {
  const { signature: _signature, ...signed } = card
  return utf8Bytes(domain + canonicalJson(signed))
}

function refuse(code: CardRefusal, reason: string): CardReading {
  return { kind: 'refused', code, reason }
}

function positive(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null
}

function isStrings(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string' && item.length <= 2048)
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 40)
}
