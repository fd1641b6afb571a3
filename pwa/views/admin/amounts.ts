/** Amounts as sentences have them: spans of time, and values of unknown kinds. */
import { formatBytes, formatDateTime, formatNumber, locale } from '../../i18n/i18n.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** `3 days`, `5 hours`, `2 minutes`: the largest unit that it has two of. */
export function formatSpan(ms: number): string {
  const [unit, size] =
    ms >= 2 * day
      ? (['day', day] as const)
      : ms >= 2 * hour
        ? (['hour', hour] as const)
        : ms >= 2 * minute
          ? (['minute', minute] as const)
          : (['second', 1000] as const)
  return inUnit(Math.round(ms / size), unit)
}

function inUnit(value: number, unit: string): string {
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'long' }).format(value)
}

/** By the unit at the end of its name, as facts and readings are named. Null: nothing that can be shown. */
export function formatFact(name: string, value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value !== 'number') return null
  if (name.endsWith('_bytes') || name === 'bytes') return formatBytes(value)
  if (name.endsWith('_ts') || name === 'ts') return formatDateTime(value)
  if (name.endsWith('_ms'))
    return Math.abs(value) < 1000 ? inUnit(value, 'millisecond') : formatSpan(Math.abs(value))
  if (name.endsWith('_seconds')) return formatSpan(value * 1000)
  if (name.endsWith('celsius')) return `${formatNumber(value)} °C`
  return formatNumber(value)
}
