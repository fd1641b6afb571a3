/**
 * A peer: a server that an administrator has pinned by key. All others are strangers, who get nothing and are
 * believed nothing.
 *
 * What is here is answered from memory and is always the newest: a pin that was suspended a moment ago counts as
 * suspended for whatever is asked next.
 */
import type { ServerName } from '../protocol/ids.ts'
import type { KeyId } from '../protocol/signing.ts'

/** How a peer is reached. Bundles on media come to stand beside https. */
export type PeerTransport = 'https' | 'bundle'

/** Which way traffic goes. `verify-only`: its old events can be checked; nothing is sent, accepted or served. */
export type PeerDirection = 'both' | 'inbound' | 'outbound' | 'verify-only'

export interface PeerKey {
  readonly publicKey: Uint8Array
  /** Milliseconds: not good for events after that. Absent: a key of now. */
  readonly expiredTs?: number
}

/** Who may stand at the other end of a TLS connection to the peer. */
export interface PeerTls {
  /** Unpadded base64 of SHA-256 over the certificate's SubjectPublicKeyInfo: any of these. */
  readonly spkiSha256: readonly string[]
  /** PEM: a certificate of this authority with the peer's name in it is good as well. */
  readonly ca?: string
}

export interface Peer {
  readonly serverName: ServerName
  /** A site with a card is pinned by its root key, any other homeserver by its signing key. */
  readonly kind: 'site' | 'homeserver'
  readonly suspended: boolean
  readonly direction: PeerDirection
  readonly transport: PeerTransport
  /** Where to dial. Never looked up: no well-known, no SRV. */
  readonly host: string
  readonly port: number
  readonly tls: PeerTls
  readonly signingKeys: ReadonlyMap<KeyId, PeerKey>
  /** The jurisdiction that its card names; for a homeserver the administrator's word. */
  readonly residency?: string
}

export interface Peers {
  /** Ours and those of `Peer`s alike; undefined: a stranger, or removed. */
  get(serverName: ServerName): Peer | undefined
  all(): Iterable<Peer>
  /** May this server's requests be answered, its events and messages be taken? Never for ourselves. */
  mayReceiveFrom(serverName: ServerName): boolean
  /** May anything be sent to this server? Never for ourselves. */
  maySendTo(serverName: ServerName): boolean
  /** Is it ours, or pinned in whatever way, suspended and verify-only included? Others freeze a room. */
  isKnown(serverName: ServerName): boolean
  /** Ours included; undefined: not said. */
  residencyOf(serverName: ServerName): string | undefined
  /** After each change that is durable, with whom it concerns. */
  onChange(listener: (serverName: ServerName) => void): void
}
