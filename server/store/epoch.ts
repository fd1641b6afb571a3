/**
 * Which epoch comes after a loss. Positions of two histories must never be the same number: a device or a peer that has
 * seen the one would take the other for it.
 *
 * The one before plus one is not enough: the same backup may be restored twice, months apart, and what the first
 * restored server gave out is not in it. So an epoch is also at least the number of the four-hour slot that it begins
 * in. 2¹⁶ epochs fit (key.ts, `signed`): until 2055. Where the clock stands before 2026, the one before plus one is all
 * there is.
 */
const firstSlotMs = Date.UTC(2026, 0, 1)
const slotMs = 4 * 60 * 60 * 1000

export function nextEpoch(before: number, now: number): number {
  return Math.max(before + 1, Math.floor((now - firstSlotMs) / slotMs))
}

/** Where nothing says which epoch it was: beyond any that repairs and restores can have reached. */
export function epochAfterUnknown(now: number): number {
  return nextEpoch(1_023, now) + 16
}
