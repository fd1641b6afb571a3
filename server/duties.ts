/**
 * Duties: what a server does by itself from time to time (renew a certificate, back up, end an external account).
 *
 * One scheduler for all of them, so that simulated time can drive a year in minutes, and so that none overlaps itself. A
 * duty that fails is reported and tried again when it is due again; it hurts no other.
 */

export interface Duty {
  /** For the log: what it does, in two or three words. */
  readonly name: string
  /** Milliseconds from the end of one run to the next. */
  readonly everyMs: number
  /** It must be safe to run at any time, and to be cut off by a crash at any point. */
  run(now: number): Promise<void>
}

export interface Duties {
  /** Runs what is due, one after another. What takes long delays the others: it is the machine's spare time. */
  runDue(): Promise<void>
  /** Waits for the one that is running. */
  close(): Promise<void>
}

export interface DutiesDeps {
  readonly clock: () => number
  readonly report: (message: string, cause: unknown) => void
  /** How often to look; null: only when `runDue` is called. */
  readonly lookEveryMs?: number | null
}

/** All are due at once, at the first look. */
export function startDuties(duties: readonly Duty[], deps: DutiesDeps): Duties {
  const { clock, report, lookEveryMs = 30_000 } = deps
  const endedTs = new Map<Duty, number>()
  let isClosed = false
  let running: Promise<void> = Promise.resolve()

  async function runOne(duty: Duty): Promise<void> {
    const now = clock()
    const last = endedTs.get(duty)
    // A clock that was set back must not put a duty off for years.
    if (isClosed || (last !== undefined && now >= last && now - last < duty.everyMs)) return
    try {
      await duty.run(now)
    } catch (error) {
      report(`${duty.name}: failed, will be tried again`, error)
    }
    endedTs.set(duty, clock())
  }

  function runDue(): Promise<void> {
    running = running.then(async () => {
      for (const duty of duties) await runOne(duty)
    })
    return running
  }

  const timer = lookEveryMs === null ? null : setInterval(() => void runDue(), lookEveryMs).unref()
  return {
    runDue,
    close: async () => {
      isClosed = true
      if (timer) clearInterval(timer)
      await running
    },
  }
}
