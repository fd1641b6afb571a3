/**
 * What can be done with pins: the interface of the book (pins.ts).
 *
 * `by` is a user id, `token` or `local`; it goes into the audit. Everything that alters a pin rejects with PeerError.
 */
import type { AuditAct } from '../protocol/audit-chain.ts'
import type { Card } from '../protocol/card.ts'
import type { ServerName } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import type { KeyId } from '../protocol/signing.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { PeerKey, Peers } from './peer.ts'
import type { HomeserverTerms, Pin, PinTerms } from './pin.ts'

export interface PeersDeps {
  readonly store: Store
  readonly serverName: ServerName
  /** Our own jurisdiction, as in our card. */
  readonly residency?: string | undefined
  readonly clock: () => number
  readonly verify: Verify
  /** Joins the transaction (`Audit.record` of accounts). */
  readonly audit: (tx: Transaction, act: AuditAct) => Promise<void>
  /** All administrators must hear of it: `action` as in the audit. */
  readonly alarm: (action: string, serverName: ServerName) => void
  /** Server names and codes only. */
  readonly report: (message: string, fields?: Readonly<Record<string, string>>) => void
}

export interface PeerBook extends Peers {
  pin(serverName: ServerName): Pin | undefined
  pins(): Iterable<Pin>
  /** What `pinSite` would do, without doing it: a card that is no good is refused here already. */
  checkCard(card: Json): Promise<{ readonly card: Card; readonly held: Pin | undefined }>
  /** A site, by its card; for one that is pinned this is its newer card, brought by hand. */
  pinSite(by: string, card: Json, terms?: PinTerms): Promise<Pin>
  pinHomeserver(by: string, serverName: string, terms: HomeserverTerms): Promise<Pin>
  /** A homeserver's new key, compared by people. The old one stays good for events until now. */
  rotate(by: string, serverName: ServerName, key: string, seen?: string): Promise<Pin>
  /** `seen`, here and below: the version of the pin on which it was decided; another one refuses it. */
  change(by: string, serverName: ServerName, terms: PinTerms, seen?: string): Promise<Pin>
  suspend(by: string, serverName: ServerName, seen?: string): Promise<Pin>
  resume(by: string, serverName: ServerName, seen?: string): Promise<Pin>
  /** The serial of its card stays known: no older card comes back. */
  remove(by: string, serverName: ServerName, seen?: string): Promise<void>
  /**
   * A card that came over the network, from whomever: it counts if the pinned root signed it and it is newer. A
   * suspended peer's as well: it may retire a stolen key.
   */
  offerCard(serverName: ServerName, card: Json): Promise<'replaced' | 'same'>
  /**
   * Keys from a homeserver's own key list; the caller has checked that a key of its pin signed it. What a stolen key
   * brought in so ends when a person rotates.
   */
  offerKeys(serverName: ServerName, keys: ReadonlyMap<KeyId, PeerKey>): Promise<'replaced' | 'same'>
}
