/**
 * How a disk grows, and when it is full at that rate.
 *
 * The rate is the median of the slopes between all pairs of days (Theil–Sen): one day on which somebody copied an image, or
 * cleaned up, does not move it.
 */
export interface DaySample {
  readonly day: number
  readonly usedBytes: number
}

/** Fewer days say nothing about a rate. */
const fewestDays = 3

/** Bytes a day; null: not enough days yet. */
export function growthPerDay(samples: readonly DaySample[]): number | null {
  if (samples.length < fewestDays) return null
  const slopes: number[] = []
  for (const [i, a] of samples.entries()) {
    for (const b of samples.slice(i + 1)) {
      if (b.day !== a.day) slopes.push((b.usedBytes - a.usedBytes) / (b.day - a.day))
    }
  }
  return median(slopes)
}

/** Whole days until nothing is left; null: it does not grow, or not within ten years. */
export function daysUntilFull(availableBytes: number, bytesPerDay: number | null): number | null {
  if (bytesPerDay === null || bytesPerDay <= 0) return null
  const days = Math.floor(availableBytes / bytesPerDay)
  return days <= 3650 ? days : null
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
