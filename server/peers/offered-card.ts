/**
 * What becomes of a card that somebody offers: the rules by which a newer card takes the place of an older one.
 *
 * Pure. `held` is the pin's card; `newest` is what was ever taken from this root key, which outlives the pin.
 */
import { hash } from 'node:crypto'
import { encodeBase64 } from '../protocol/base64.ts'
import { type Card, cardBytes, readCard } from '../protocol/card.ts'
import type { Json } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import type { CardSerialRow } from '../store/catalogue.ts'
import { PeerError } from './peer-error.ts'

/** Throws PeerError for what is no card, or not signed by the root that it names. */
export function openCard(json: Json, verify: Verify): Card {
  const reading = readCard(json, verify)
  if (reading.kind === 'card') return reading.card
  throw new PeerError(reading.code, `This card cannot be used: ${reading.reason}.`)
}

/** `newer` or `same`; throws PeerError for anything that must change nothing. */
export function judgeCard(
  offered: Card,
  held: Card | null,
  newest: CardSerialRow | undefined,
): 'newer' | 'same' {
  const name = offered.serverName
  if (held && rootOf(held) !== rootOf(offered)) {
    throw new PeerError(
      'CARD_OTHER_ROOT',
      `${name} is pinned by another root key. If the site was really set up anew, remove the pin and compare the words of the new card.`,
    )
  }
  if ((held && held.serverName !== name) || (newest && newest.serverName !== name)) {
    throw new PeerError(
      'CARD_OTHER_SERVER',
      `The root key of this card belongs to ${held?.serverName ?? newest?.serverName}. A site never changes its name.`,
    )
  }
  const serial = Math.max(held?.serial ?? 0, newest?.serial ?? 0)
  if (offered.serial < serial) {
    throw new PeerError(
      'CARD_OLDER',
      `This card is older (serial ${offered.serial}) than the one that is known (serial ${serial}). Ask for the present one.`,
    )
  }
  const digest = newest?.digest ?? (held && digestOf(held))
  if (offered.serial === serial) {
    if (digest === digestOf(offered)) return 'same'
    throw new PeerError(
      'CARD_CONFLICT',
      `There are two different cards of ${name} with the serial ${serial}, both signed by its root key. Somebody else may have that key: suspend ${name} and call its administrator.`,
    )
  }
  for (const key of offered.eventSigning) {
    const known = held?.eventSigning.find(({ id }) => id === key.id)
    if (known && encodeBase64(known.publicKey) !== encodeBase64(key.publicKey)) {
      throw new PeerError(
        'CARD_MALFORMED',
        `This card gives another key the name ${key.id}: what was signed under it could no longer be checked.`,
      )
    }
  }
  return 'newer'
}

export function rootOf(card: Card): string {
  return encodeBase64(card.rootKey)
}

export function digestOf(card: Card): string {
  return hash('sha256', cardBytes(card.json), 'base64url')
}
