/** How long a durable write takes: of one small transaction a minute, so that an idle server knows it as well. */
import type { HealthSource, Reading } from './finding.ts'
import { median } from './growth.ts'

export interface WriteLatency {
  readonly source: HealthSource
  readonly reading: Reading
  /** Times a write; what it throws is thrown on, and counts as what it took. */
  measure(write: () => Promise<void>): Promise<void>
}

const kept = 60
/** The last five: one slow write is a disk that was busy. */
const recent = 5
const warnMs = 500
const alarmMs = 3_000

export function openWriteLatency(monotonic: () => number): WriteLatency {
  const tookMs: number[] = []
  const recentMedian = () => (tookMs.length < recent ? null : median(tookMs.slice(-recent)))

  return {
    measure: async write => {
      const started = monotonic()
      try {
        await write()
      } finally {
        tookMs.push(monotonic() - started)
        if (tookMs.length > kept) tookMs.shift()
      }
    },
    source: async () => {
      const ms = recentMedian()
      if (ms === null || ms < warnMs) return []
      const severity = ms < alarmMs ? 'warning' : 'alarm'
      return [{ code: 'store.slow', severity, facts: { median_ms: Math.round(ms) } }]
    },
    reading: async () => {
      const last = tookMs.at(-1)
      if (last === undefined) return null
      const round = (ms: number) => Math.round(ms * 10) / 10
      return { last_ms: round(last), median_ms: round(median(tookMs)!), worst_ms: round(Math.max(...tookMs)) }
    },
  }
}
