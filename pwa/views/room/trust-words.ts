/** What has to be said of a message's origin, of one that cannot be read, of one that does not leave: keys of the catalogue. Pure. */
import type { Key } from '../../i18n/i18n.ts'
import type { ItemProblem, TimelineItem } from '../../sync/timeline-item.ts'

/** Null: nothing has to be said. `roomEncrypted`: what is not encrypted there is worth a word. */
export function shieldKey(item: TimelineItem, roomEncrypted: boolean): Key | null {
  if (item.redacted || item.unreadable || item.stateKey !== null || item.eventId === null) return null
  // It says nothing that would be secret, and is believed by what is compared afterwards alone.
  if (item.content['msgtype'] === 'm.key.verification.request') return null
  if (!item.encrypted) return roomEncrypted ? 'room.shieldPlain' : null
  switch (item.shield) {
    case 'none':
      return null
    case 'identity-changed':
      return 'room.shieldIdentity'
    case 'unsigned-device':
      return 'room.shieldUnsigned'
    case 'unknown-device':
      return 'room.shieldUnknown'
    case 'not-authentic':
      return item.keyGivenBy === null ? 'room.shieldNotAuthentic' : 'room.shieldGivenBy'
  }
}

export interface Unreadable {
  readonly key: Key
  /** What the person can do about it. */
  readonly act: 'backup' | 'confirm' | null
}

const withheld: Record<string, Unreadable> = {
  'm.unverified': { key: 'room.unreadableUnverified', act: 'confirm' },
  'm.blacklisted': { key: 'room.unreadableBlocked', act: null },
  'm.unauthorised': { key: 'room.unreadableUnauthorised', act: null },
  'm.no_olm': { key: 'room.unreadableNoSession', act: null },
  'm.unavailable': { key: 'room.unreadableNoKey', act: 'backup' },
}
const refused: Record<string, Key> = {
  REPLAY: 'room.unreadableReplay',
  SENDER_MISMATCH: 'room.unreadableForged',
  ROOM_MISMATCH: 'room.unreadableForged',
  PROTOCOL_CONFUSION: 'room.unreadableForged',
  UNKNOWN_ALGORITHM: 'room.unreadableAlgorithm',
}
const missing = new Set(['NO_SESSION', 'MEGOLM_UNKNOWN_INDEX'])

export function unreadableWords({
  code,
  withheld: said,
}: {
  code: string
  withheld: string | null
}): Unreadable {
  if (said !== null && Object.hasOwn(withheld, said)) return withheld[said]!
  if (missing.has(code) || code === 'WITHHELD') return { key: 'room.unreadableNoKey', act: 'backup' }
  if (Object.hasOwn(refused, code)) return { key: refused[code]!, act: null }
  return { key: 'room.unreadableBroken', act: null }
}

/** Is it a decision that is waited for, and not an error? */
export function isBlocked(problem: ItemProblem): boolean {
  return problem.blockedBy.length > 0
}

/** Its key came another way than from the device that wrote it. */
export function isFromElsewhere(item: TimelineItem): boolean {
  return item.encrypted && item.shield === 'not-authentic' && shieldKey(item, true) !== null
}
