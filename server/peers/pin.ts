/**
 * A pin: the row as an administrator's acts and newer cards have left it, and the `Peer` that follows from it.
 *
 * Pure. Rows are whole: a site has a card that was good when it was taken, a homeserver has keys and an address.
 */
import { X509Certificate } from 'node:crypto'
import { decodeBase64, encodeBase64 } from '../protocol/base64.ts'
import { type Card, isResidency, key32, parseAddress, parseSpkiSha256, readCard } from '../protocol/card.ts'
import type { ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import { type KeyId, parseKeyId } from '../protocol/signing.ts'
import type { PeerRow } from '../store/catalogue.ts'
import { rowVersion } from '../store/row-version.ts'
import type { Peer, PeerKey } from './peer.ts'
import { PeerError } from './peer-error.ts'

/** A pin with its newest card read: what the book holds in memory. */
export interface Pin {
  readonly row: PeerRow
  readonly peer: Peer
  /** Of a site. */
  readonly card: Card | null
}

/** Throws where the row's card is not what it was: a store that changed it is not believed. */
export function pinOf(serverName: ServerName, row: PeerRow, verify: Verify): Pin {
  const common = {
    serverName,
    suspended: row.suspended === true,
    direction: row.direction,
    transport: row.transport,
  }
  if (row.kind === 'homeserver') {
    const peer: Peer = {
      ...common,
      kind: 'homeserver',
      ...(row.address ?? nowhere),
      tls: {
        spkiSha256: row.tls?.spkiSha256 ?? [],
        ...(row.tls?.ca === undefined ? {} : { ca: row.tls.ca }),
      },
      signingKeys: new Map(
        (row.signingKeys ?? []).map(({ id, publicKey, expiredTs }) => [
          id as KeyId,
          { publicKey: decodeBase64(publicKey)!, ...(expiredTs === undefined ? {} : { expiredTs }) },
        ]),
      ),
      ...(row.residency === undefined ? {} : { residency: row.residency }),
    }
    return { row, peer, card: null }
  }
  const reading = readCard(row.card ?? null, verify)
  if (reading.kind !== 'card' || reading.card.serverName !== serverName) {
    throw new TypeError('the card of a pinned site is damaged')
  }
  const { card } = reading
  const peer: Peer = {
    ...common,
    kind: 'site',
    ...(row.address ?? card.address),
    tls: {
      spkiSha256: [...new Set([...card.tlsSpkiSha256, ...(row.tls?.spkiSha256 ?? [])])],
      ...(row.tls?.ca === undefined ? {} : { ca: row.tls.ca }),
    },
    signingKeys: new Map<KeyId, PeerKey>(
      card.eventSigning.map(({ id, publicKey, expiredTs }) => [
        id,
        { publicKey, ...(expiredTs === undefined ? {} : { expiredTs }) },
      ]),
    ),
    ...(card.residency === undefined ? {} : { residency: card.residency }),
  }
  return { row, peer, card }
}

/** Where nothing is dialled: no such name exists (RFC 6761). */
const nowhere = { host: 'nowhere.invalid', port: 8448 }

/** Known, so that its rooms do not freeze, and good for nothing else. */
export function damagedPin(serverName: ServerName, row: PeerRow): Pin {
  const peer: Peer = {
    serverName,
    kind: row.kind,
    suspended: true,
    direction: 'verify-only',
    transport: row.transport,
    ...nowhere,
    tls: { spkiSha256: [] },
    signingKeys: new Map(),
  }
  return { row, peer, card: null }
}

const maxKeys = 100

/**
 * What a homeserver's own key list, signed by a key that is pinned, adds: keys that were not known, and the end of those
 * that are. It never takes an end back and never changes a key. null: nothing new.
 */
export function withOfferedKeys(row: PeerRow, offered: ReadonlyMap<KeyId, PeerKey>): PeerRow | null {
  const known = row.signingKeys ?? []
  const ended = known.map(key => {
    const end = offered.get(key.id as KeyId)?.expiredTs
    return end !== undefined && (key.expiredTs === undefined || end < key.expiredTs)
      ? { ...key, expiredTs: end }
      : key
  })
  const added = [...offered]
    .filter(([id]) => !known.some(key => key.id === id))
    .slice(0, maxKeys - known.length)
    .map(([id, { publicKey, expiredTs }]) => ({
      id,
      publicKey: encodeBase64(publicKey),
      ...(expiredTs === undefined ? {} : { expiredTs }),
    }))
  const changed = added.length > 0 || ended.some((key, at) => key !== known[at])
  return changed ? { ...row, signingKeys: [...ended, ...added] } : null
}

/** Which state of a pin it is that somebody looks at. */
export function versionOf(row: PeerRow): string {
  return rowVersion(row)
}

export function firstRow(kind: PeerRow['kind'], by: string, now: number): PeerRow {
  return {
    kind,
    direction: 'both',
    transport: 'https',
    pinnedBy: by,
    pinnedTs: now,
    changedBy: by,
    changedTs: now,
  }
}

export function allows(peer: Peer | undefined, way: 'inbound' | 'outbound'): boolean {
  return peer !== undefined && !peer.suspended && (peer.direction === 'both' || peer.direction === way)
}

// ── what administrators give ─────────────────────────────────────────────────────────────────────────

export interface PinTerms {
  readonly direction?: Peer['direction'] | undefined
  readonly transport?: Peer['transport'] | undefined
  readonly address?: { readonly host: string; readonly port: number } | undefined
  readonly spkiSha256?: readonly string[] | undefined
  /** PEM, one or several. */
  readonly ca?: string | undefined
  readonly residency?: string | undefined
  readonly note?: string | undefined
}

export interface HomeserverTerms extends PinTerms {
  /** `ed25519:ID=BASE64` */
  readonly key: string
}

const directions = new Set(['both', 'inbound', 'outbound', 'verify-only'])
const transports = new Set(['https', 'bundle'])

/** The members of a row that the terms set; throws PeerError with a sentence for the administrator. */
export function readTerms(terms: PinTerms): Partial<PeerRow> {
  const { direction, transport, address, spkiSha256, ca, residency, note } = terms
  if (direction !== undefined && !directions.has(direction))
    throw malformed('direction is both, inbound, outbound or verify-only.')
  if (transport !== undefined && !transports.has(transport)) throw malformed('transport is https or bundle.')
  if (address !== undefined && !parseAddress(address))
    throw malformed('address is a host name or IP address, and a port.')
  if (residency !== undefined && !isResidency(residency))
    throw malformed('residency is a jurisdiction in capitals, such as DE or CH-ZH.')
  if (note !== undefined && note.length > 1000) throw malformed('note is longer than 1000 characters.')
  const hashes = spkiSha256?.map(parseSpkiSha256)
  if (hashes?.some(hash => hash === null))
    throw malformed('A certificate key (--spki) is the SHA-256 of its SubjectPublicKeyInfo in base64.')
  if (ca !== undefined) checkAuthorities(ca)
  const tls = {
    ...(hashes === undefined ? {} : { spkiSha256: hashes as string[] }),
    ...(ca === undefined ? {} : { ca }),
  }
  return {
    ...(direction === undefined ? {} : { direction }),
    ...(transport === undefined ? {} : { transport }),
    ...(address === undefined ? {} : { address: { host: address.host, port: address.port } }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(residency === undefined ? {} : { residency }),
    ...(note === undefined ? {} : { note }),
  }
}

/** `ed25519:ID=BASE64`, as `letro peer pin --key` takes it. */
export function readSigningKey(text: string): { readonly id: KeyId; readonly publicKey: Uint8Array } {
  const equals = text.indexOf('=')
  const id = parseKeyId(text.slice(0, equals))
  const publicKey = key32(text.slice(equals + 1))
  if (equals < 0 || !id || !publicKey)
    throw malformed(
      'A signing key is written ed25519:ID=BASE64, as in ed25519:a_AbCd=Noi6WqcDj0QmPxCNQqgezwTlBKrfqehY1u2FyWP9uYw',
    )
  return { id, publicKey }
}

/** Who is only verified, or reached by bundles, is not dialled; anybody else needs an address and a certificate that can be known. */
export function mustBeReachable({ kind, direction, transport, host, tls }: Peer): void {
  if (direction === 'verify-only' || transport !== 'https') return
  if (host === nowhere.host)
    throw malformed('Where is the homeserver dialled? Give its address (host and port).')
  if (tls.ca !== undefined || tls.spkiSha256.length > 0) return
  throw malformed(
    kind === 'site'
      ? 'This card names no certificate: its site does not answer other servers yet. Ask for its card again once it does.'
      : 'Whom does its TLS certificate come from? Give the authority (ca) or the hash of its key (spki_sha256).',
  )
}

function checkAuthorities(pem: string): void {
  const parts = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (parts.length === 0 || pem.length > 32_768) throw malformed('ca holds no certificate in PEM form.')
  for (const part of parts) {
    let certificate: X509Certificate
    try {
      certificate = new X509Certificate(part)
    } catch {
      throw malformed('ca holds a certificate that cannot be read.')
    }
    if (!certificate.ca)
      throw malformed(
        'ca holds a certificate that is not of an authority. To pin a server by its own certificate, give the hash of its key (--spki).',
      )
  }
}

/** What the audit keeps of terms: all but the note, which is people's own words. */
export function auditable({ direction, transport, address, tls, residency }: Partial<PeerRow>): JsonObject {
  return {
    ...(direction === undefined ? {} : { direction }),
    ...(transport === undefined ? {} : { transport }),
    ...(address === undefined ? {} : { address: { ...address } }),
    ...(tls?.spkiSha256 === undefined ? {} : { spki_sha256: tls.spkiSha256 }),
    ...(tls?.ca === undefined ? {} : { ca: true }),
    ...(residency === undefined ? {} : { residency }),
  }
}

export function malformed(message: string): PeerError {
  return new PeerError('PIN_MALFORMED', message)
}
