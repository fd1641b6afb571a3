/**
 * Sync tokens: what a device has seen, as a string that only we read.
 *
 * `s<position>_<typing>_<inbox>` (and `_p<presence>` where presence is on): everything durable up to `position`; the serial of the newest typing
 * change, with `t` where someone was shown typing; and the position up to which to-device messages were
 * handed out, which lags behind where more were waiting than one response carries. A position carries the
 * store's epoch, so a token from before a repair or from a future that a restore undid is recognised.
 *
 * `/messages`, `/members` and `/keys/changes` take the same string and read its first number.
 */
import type { Position } from '../store/store.ts'

export interface SyncToken {
  readonly position: Position
  readonly typing: number
  /** Did the response of this token say that someone is typing? */
  readonly someoneTyped: boolean
  readonly inbox: Position
  /** The serial of the newest presence that was looked at; absent where presence is off. */
  readonly presence?: number | undefined
}

export function writeSyncToken({ position, typing, someoneTyped, inbox, presence }: SyncToken): string {
  const seen = presence === undefined ? '' : `_p${presence}`
  return `s${position}_${typing}${someoneTyped ? 't' : ''}_${inbox}${seen}`
}

const pattern = /^s([0-9]{1,16})_([0-9]{1,16})(t?)_([0-9]{1,16})(?:_p([0-9]{1,16}))?$/

/** null: this is no sync token of ours. */
export function parseSyncToken(text: string): SyncToken | null {
  const match = pattern.exec(text)
  if (!match) return null
  const [position, typing, inbox] = [Number(match[1]), Number(match[2]), Number(match[4])]
  const presence = match[5] === undefined ? undefined : Number(match[5])
  if (![position, typing, inbox, presence ?? 0].every(Number.isSafeInteger)) return null
  return {
    position: position as Position,
    typing,
    someoneTyped: match[3] === 't',
    inbox: inbox as Position,
    ...(presence === undefined ? {} : { presence }),
  }
}

/** Positions of one epoch. See DESIGN, *Order and durability*. */
const positionsOfEpoch = 2 ** 36

/**
 * Can this token be continued? If not, the device gets everything anew: that is always right, and an error
 * would leave a client stuck.
 */
export function isOfThisHistory(
  token: SyncToken,
  store: { readonly epoch: number; readonly durablePosition: Position },
): boolean {
  return (
    Math.floor(token.position / positionsOfEpoch) === store.epoch &&
    token.position <= store.durablePosition &&
    token.inbox <= token.position
  )
}
