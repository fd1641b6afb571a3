/**
 * The boot gate: did this start come far enough? Until it says so, the boot loader counts the start against the kernel image
 * that runs, and takes the other slot's after three that came to nothing.
 *
 * A release that never proved itself has to show that it serves. One that did has to bring up the console and no more: a disk that
 * is locked or a TPM that died is no reason to go back to an older release, which would find the same. And the
 * machine restarts by itself only where there is something to go back to; otherwise a person at the console is the better answer.
 */
import type { DiskState } from './disk-state.ts'

export interface Seen {
  /** The release proved itself at an earlier start. */
  readonly good: boolean
  /** Null: nobody has looked yet. */
  readonly disk: DiskState | null
  readonly hasSite: boolean
  /** silent: nobody answers · maintenance: it answers, and serves nobody: the store does not open for this release. */
  readonly server: 'serving' | 'maintenance' | 'silent'
  /** How often it ended by itself since the machine started. */
  readonly serverEnds: number
  readonly consoleRuns: boolean
  readonly otherImage: boolean
  /** Since the gate began to look. */
  readonly elapsedMs: number
  /** Since the data was open; null: it is not. */
  readonly openForMs: number | null
}

export type Verdict =
  | { readonly kind: 'pass' }
  /** Not yet; `until` says what is missing. */
  | { readonly kind: 'wait'; readonly until: string }
  | { readonly kind: 'back'; readonly reason: string }

/** Software emulation and large stores are slow; a release that is broken is broken a little longer. */
const diskLimitMs = 3 * 60_000
const serverLimitMs = 6 * 60_000
/** About half a minute of attempts: it does not start slowly, it does not start. */
const mostServerEnds = 5
/** As long as it takes to be sure that it is no start that is still under way. */
const maintenanceLimitMs = 60_000

export function judge(seen: Seen): Verdict {
  const { good, disk, hasSite, server, elapsedMs } = seen
  if (good) return afterConsole(seen)
  switch (disk?.state) {
    case undefined:
      return late(seen, elapsedMs > diskLimitMs, 'nobody said what is on the disk')
    case 'new':
      return afterConsole(seen)
    case 'locked':
      // It waits for a person at every start, in this release as in the one before.
      if (disk.why === 'passphrase') return { kind: 'wait', until: 'nobody has typed the passphrase' }
      return late(seen, elapsedMs > diskLimitMs, 'the data does not open')
    case 'damaged':
      return late(seen, true, 'the data does not open')
    case 'open': {
      if (!hasSite) return afterConsole(seen)
      if (server === 'serving') return { kind: 'pass' }
      const openForMs = seen.openForMs ?? 0
      if (seen.serverEnds >= mostServerEnds) return late(seen, true, 'the server ends again and again')
      return server === 'maintenance'
        ? late(seen, openForMs > maintenanceLimitMs, 'the store does not open')
        : late(seen, openForMs > serverLimitMs, 'the server does not answer')
    }
    default:
      return disk satisfies never
  }
}

function afterConsole(seen: Seen): Verdict {
  if (seen.consoleRuns) return { kind: 'pass' }
  return late(seen, seen.elapsedMs > diskLimitMs, 'the console does not run')
}

function late({ otherImage }: Seen, isLate: boolean, reason: string): Verdict {
  if (isLate && otherImage) return { kind: 'back', reason }
  return { kind: 'wait', until: reason }
}
