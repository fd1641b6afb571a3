/** A refusal by peers: `code` is a Matrix error code, so that `http` knows its status; `reason` says what was wrong. */
import type { ServerName } from '../protocol/ids.ts'

export type PeerRefusal =
  | 'CARD_UNREADABLE'
  | 'CARD_MALFORMED'
  | 'CARD_FORGED'
  | 'CARD_OLDER'
  /** The serial that is held, over other facts. */
  | 'CARD_CONFLICT'
  /** Another root key than the one that is pinned. */
  | 'CARD_OTHER_ROOT'
  | 'CARD_OTHER_SERVER'
  | 'CARD_OF_OURSELVES'
  | 'PIN_MALFORMED'
  | 'PIN_EXISTS'
  | 'PIN_OF_OTHER_KIND'
  | 'FINGERPRINT_MISMATCH'
  | 'NOT_PINNED'
  /** It is no longer what somebody decided on. */
  | 'CHANGED'

export class PeerError extends Error {
  readonly code: 'M_NOT_FOUND' | 'M_INVALID_PARAM' | 'M_BAD_STATE'
  readonly reason: PeerRefusal
  readonly fields: Readonly<Record<string, unknown>>
  constructor(reason: PeerRefusal, message: string) {
    super(message)
    this.name = 'PeerError'
    this.reason = reason
    this.code =
      reason === 'NOT_PINNED'
        ? 'M_NOT_FOUND'
        : reason === 'PIN_EXISTS' || reason === 'CHANGED'
          ? 'M_BAD_STATE'
          : 'M_INVALID_PARAM'
    this.fields = { 'org.letro.reason': reason }
  }
}

export function notPinned(name: ServerName): PeerError {
  return new PeerError('NOT_PINNED', `${name} is not pinned.`)
}

export function changedMeanwhile(name: ServerName): PeerError {
  return new PeerError(
    'CHANGED',
    `Somebody changed the pin of ${name} since you looked. Look again, then decide.`,
  )
}

export function pinnedByKey(name: ServerName): PeerError {
  return new PeerError(
    'PIN_OF_OTHER_KIND',
    `${name} is pinned as a homeserver, by its signing key. To pin it by a card, remove that pin first.`,
  )
}

export function alreadyPinned(name: ServerName, kind: 'site' | 'homeserver'): PeerError {
  return kind === 'site'
    ? new PeerError('PIN_OF_OTHER_KIND', `${name} is pinned as a site, by its card. Remove that pin first.`)
    : new PeerError(
        'PIN_EXISTS',
        `${name} is pinned already. Give it a new key with rotate, other terms with change.`,
      )
}

export function ofOurselves(): PeerError {
  return new PeerError('CARD_OF_OURSELVES', 'That is this server itself.')
}
