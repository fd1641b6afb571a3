/** Medians, percentiles and spreads of what a scenario measured. */

/** The value below which this part (0 to 1) of the values lies. Sorts in place. */
export function percentile(values: number[] | Float64Array, part: number): number {
  if (values.length === 0) return Number.NaN
  values.sort((one, other) => one - other)
  return values[Math.min(values.length - 1, Math.floor(values.length * part))]!
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Three digits that matter, and thousands as people write them. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}
