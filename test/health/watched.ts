/** Health over the memory store, with time that a test moves and administrators who write down what they hear. */

import type { Finding } from '../../server/health/finding.ts'
import { openHealth } from '../../server/health/health.ts'
import type { FindingLogRow } from '../../server/store/catalogue.ts'
import type { Engine } from '../../server/store/engine.ts'
import { openGroupCommit } from '../../server/store/group-commit.ts'
import { MemoryEngine } from '../../server/store/memory-engine.ts'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs
/** 1 March 2027, midnight. */
export const start = Date.UTC(2027, 2, 1)

export async function openTestStore(engine: Engine = new MemoryEngine()) {
  return openGroupCommit(engine)
}

export async function watched(engine: Engine = new MemoryEngine(), found: Finding[] = []) {
  const store = await openTestStore(engine)
  const time = { now: start, steady: 0 }
  const told: FindingLogRow[] = []
  const reports: string[] = []
  const health = await openHealth({
    store,
    clock: () => time.now,
    monotonic: () => time.steady,
    report: message => reports.push(message),
    administrators: {
      owners: async () => ['@root:clinic.example'],
      tellIn: async (_tx, _owners, changes) => void told.push(...changes),
    },
    sourceLimitMs: 50,
  })
  health.addSource('test', async () => found)
  return {
    store,
    health,
    time,
    told,
    found,
    reports,
    pass(ms: number) {
      time.now += ms
      time.steady += ms
    },
  }
}
