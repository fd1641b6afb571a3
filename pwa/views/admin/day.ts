/** Days as date fields have them (`2026-11-21`), by the clock and calendar of this browser. */

/** The last moment of that day; null where it is none, or over. */
export function dayEnd(text: string, now = Date.now()): number | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!parts) return null
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number]
  const end = new Date(year, month - 1, day, 23, 59, 59, 999)
  // The 31st of a month of thirty days is none.
  return end.getDate() === day && end.getTime() > now ? end.getTime() : null
}

export function earliestDay(now = Date.now()): string {
  return dayOf(now)
}

export function dayOf(ts: number): string {
  const date = new Date(ts)
  const two = (number: number) => String(number).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}
