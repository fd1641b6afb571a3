/** Amounts and times for people: rounded to what one decides by. */

export function gibibytes(bytes: number | null): string {
  if (bytes === null) return 'an unknown amount'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : Math.round(value * 10) / 10} ${units[unit]}`
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

export function span(ms: number): string {
  if (ms < minuteMs) return amount(Math.round(ms / 1000), 'second')
  if (ms < 2 * hourMs) return amount(Math.round(ms / minuteMs), 'minute')
  if (ms < 2 * dayMs) return amount(Math.round(ms / hourMs), 'hour')
  if (ms < 800 * dayMs) return days(Math.round(ms / dayMs))
  return amount(Math.round(ms / (365.25 * dayMs)), 'year')
}

export function days(count: number): string {
  return amount(count, 'day')
}

/** "2027-03-01 12:00 UTC, in 5 days", "…, 2 hours ago" */
export function moment(ts: number, now: number): string {
  const away = span(Math.abs(ts - now))
  return `${clockTime(ts)}, ${ts >= now ? `in ${away}` : `${away} ago`}`
}

export function clockTime(ts: number): string {
  const date = new Date(ts)
  if (Number.isNaN(date.getTime())) return 'at an impossible time'
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
