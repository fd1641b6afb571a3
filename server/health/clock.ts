/**
 * The wall clock, watched: does it jump, does anything keep it right, is it behind what is stored?
 *
 * What a jump can break is what cannot be taken back: external people are ended, and their devices removed, when their day
 * has come. So while the clock is in doubt nothing is ended by it. It is in doubt after it went forward by more than an
 * hour against the clock that never jumps, or when a start finds it further ahead of the last one than a server is usually
 * off; for one hour, in which whoever keeps time, or the administrators who are told, can put it right. An appliance has a
 * console where somebody can say that it is right: there the doubt ends with that, and not by itself.
 */
import { auditTable, healthSettingTable } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { Finding, HealthSource, Reading } from './finding.ts'

export interface ClockDeps {
  readonly store: Store
  readonly clock: () => number
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  /** Whether something keeps the machine's time right; null: nobody here can say. */
  readonly synchronised: () => Promise<boolean | null>
  /** What the machine itself says of its clock; null: nothing, now. */
  readonly machineDoubts?: () => Promise<boolean | null>
}

export interface ClockWatch {
  readonly source: HealthSource
  readonly reading: Reading
  /** Compares both clocks; run by a duty, as often as it can be. */
  compare(): void
  /** Keeps the latest time that was seen, for the next start; run by a duty. Resolves when it is durable. */
  remember(): Promise<void>
  /** What cannot be taken back is not done by this clock now. */
  readonly isInDoubt: boolean
}

/** Less is what time keeping does every day. */
const jumpMs = 5_000
const shownForMs = 24 * 3_600_000
const doubtAfterMs = 3_600_000
const doubtLastsMs = 3_600_000
/** A server that was off for longer than this starts in doubt. */
const offAtMostMs = 30 * 86_400_000
const behindMs = 60_000
/** So long behind, with nothing to ask: then it was the stored time that was wrong. */
const believedAfterMs = 24 * 3_600_000
const seenKey = healthSettingTable.key('clock-seen')

interface Jump {
  /** Positive: forward. */
  readonly byMs: number
  readonly at: number
}

export async function openClockWatch(deps: ClockDeps): Promise<ClockWatch> {
  const { store, clock, monotonic, machineDoubts = async () => null } = deps
  let last = { wall: clock(), steady: monotonic() }
  let jumps: Jump[] = []
  let doubtUntil = Number.NEGATIVE_INFINITY
  const seenBefore = await latestStored(store)
  if (seenBefore > 0 && last.wall - seenBefore > offAtMostMs) doubtUntil = last.steady + doubtLastsMs
  let behindSince: number | null = null
  let isDoubtedByMachine = (await machineDoubts()) ?? false

  const isInDoubt = () => isDoubtedByMachine || monotonic() < doubtUntil

  async function askMachine(): Promise<void> {
    const wasDoubted = isDoubtedByMachine
    isDoubtedByMachine = (await machineDoubts()) ?? wasDoubted
    // Somebody at its console, or a time server, has said that it is right.
    if (wasDoubted && !isDoubtedByMachine) doubtUntil = Number.NEGATIVE_INFINITY
  }

  // A machine that slept comes back with such a jump, too: for whoever waits, it is one.
  function compare(): void {
    const now = { wall: clock(), steady: monotonic() }
    const byMs = now.wall - last.wall - (now.steady - last.steady)
    last = now
    jumps = jumps.filter(({ at }) => now.steady - at < shownForMs)
    if (Math.abs(byMs) < jumpMs) return
    jumps.push({ byMs: Math.round(byMs), at: now.steady })
    if (byMs > doubtAfterMs) doubtUntil = now.steady + doubtLastsMs
    // Put right again: what was in doubt is not any more.
    else if (byMs < -doubtAfterMs) doubtUntil = Number.NEGATIVE_INFINITY
  }

  return {
    compare,
    get isInDoubt() {
      compare()
      return isInDoubt()
    },

    remember: async () => {
      compare()
      await askMachine()
      const isRight = (await deps.synchronised()) === true
      await store.transact('health-clock', async tx => {
        const seen = Number((await tx.get(seenKey)) ?? 0)
        const now = clock()
        behindSince = seen - now > behindMs ? (behindSince ?? monotonic()) : null
        const isBelieved = isRight || (behindSince !== null && monotonic() - behindSince > believedAfterMs)
        // While in doubt a time far ahead is not believed, or every later start would look late.
        const isAhead = now > seen && (isRight || seen === 0 || !isInDoubt())
        tx.put(seenKey, isAhead || isBelieved ? now : seen)
      })
    },

    source: async now => {
      compare()
      const findings: Finding[] = []
      const largest = jumps.reduce<Jump | null>(
        (most, jump) => (most && Math.abs(most.byMs) >= Math.abs(jump.byMs) ? most : jump),
        null,
      )
      if (largest) {
        const facts = { by_ms: largest.byMs, jumps: jumps.length, in_doubt: isInDoubt() }
        const severity = Math.abs(largest.byMs) > 60_000 ? 'alarm' : 'warning'
        findings.push({ code: 'clock.jumped', severity, facts })
      } else if (isInDoubt()) {
        const facts = {
          ...{ by_ms: now - seenBefore, since_stop: true, in_doubt: true },
          ...(isDoubtedByMachine ? { until_confirmed: true } : {}),
        }
        findings.push({ code: 'clock.jumped', severity: 'warning', facts })
      }
      const synchronised = await deps.synchronised()
      const newest = await latestStored(store)
      if (synchronised !== true && newest - now > behindMs) {
        findings.push({ code: 'clock.behind', severity: 'alarm', facts: { behind_ms: newest - now } })
      }
      if (synchronised === false) {
        findings.push({ code: 'clock.not-synchronised', severity: 'warning', facts: {} })
      }
      return findings
    },

    reading: async now => {
      compare()
      const synchronised = await deps.synchronised()
      return {
        now_ts: now,
        jumps: jumps.length,
        in_doubt: isInDoubt(),
        ...(synchronised === null ? {} : { synchronised }),
      }
    },
  }
}

/** The latest time that this store has from this server itself: events carry other servers' clocks. */
async function latestStored(store: Store): Promise<number> {
  return store.read(async view => {
    const seen = await view.get(seenKey)
    const [lastAct] = await view.range(auditTable.under(), { reverse: true, limit: 1 })
    return Math.max(typeof seen === 'number' ? seen : 0, lastAct?.value.ts ?? 0)
  })
}
