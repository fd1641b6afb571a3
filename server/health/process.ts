/** The server's own process: how long it runs, whether its event loop keeps up, and whether its worker lives. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { HealthSource, Reading } from './finding.ts'

export interface ProcessDeps {
  readonly monotonic: () => number
  /** How many times the worker process has died in the middle of its work since the start. */
  readonly workerDeaths: () => number
}

export interface ProcessHealth {
  readonly source: HealthSource
  readonly reading: Reading
  close(): void
}

const hourMs = 3_600_000
const tooManyDeaths = 3

export function openProcessHealth({ monotonic, workerDeaths }: ProcessDeps): ProcessHealth {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const startedAt = monotonic()
  /** Deaths as they were counted, within the last hour. */
  let counts: { readonly at: number; readonly deaths: number }[] = [{ at: startedAt, deaths: workerDeaths() }]
  const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / 1e5) / 10

  return {
    source: async () => {
      const at = monotonic()
      const deaths = workerDeaths()
      // The last count that is older than an hour stays: what came since is counted from it.
      const older = counts.findLastIndex(count => at - count.at >= hourMs)
      counts = [...counts.slice(Math.max(0, older)), { at, deaths }]
      const within = deaths - counts[0]!.deaths
      if (within < tooManyDeaths) return []
      return [{ code: 'worker.restarting', severity: 'warning', facts: { deaths: within } }]
    },
    reading: async () => {
      const reading = {
        up_seconds: Math.round((monotonic() - startedAt) / 1000),
        loop_delay_p99_ms: milliseconds(delay.percentile(99)),
        loop_delay_max_ms: milliseconds(delay.max),
        worker_deaths: workerDeaths(),
      }
      // Since the last look: what a morning was like says nothing about now.
      delay.reset()
      return reading
    },
    close: () => void delay.disable(),
  }
}
