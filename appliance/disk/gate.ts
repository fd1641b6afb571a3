/**
 * The boot gate: has this release proved itself? Asked only while the boot loader counts its starts; when it passes,
 * systemd-bless-boot keeps the release for good.
 *
 * It goes back only where there is something to go back to: with one image, or with none that may still be tried, a person at the
 * console is the better answer. And it does not go back because nobody was there to type a passphrase.
 */
import type { DiskState } from './disk-state.ts'

export interface Seen {
  /** Null: nobody has looked yet. */
  readonly disk: DiskState | null
  readonly hasSite: boolean
  /** silent: nobody answers · maintenance: it answers, and serves nobody: the store does not open for this release. */
  readonly server: 'serving' | 'maintenance' | 'silent'
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
/** Damage found by the new release: as long as it takes to be sure that it is no start that is still under way. */
const maintenanceLimitMs = 60_000

export function judge(seen: Seen): Verdict {
  const { disk, hasSite, server, consoleRuns, elapsedMs } = seen
  switch (disk?.state) {
    case undefined:
      return late(seen, elapsedMs > diskLimitMs, 'nobody said what is on the disk')
    case 'new':
      return consoleRuns ? { kind: 'pass' } : late(seen, elapsedMs > diskLimitMs, 'the console does not run')
    case 'locked':
      // It waits for a person at every start, in this release as in the one before.
      if (disk.why === 'passphrase') return { kind: 'wait', until: 'somebody types the passphrase' }
      return late(seen, elapsedMs > diskLimitMs, 'the data does not open')
    case 'damaged':
      return late(seen, true, 'the data does not open')
    case 'open': {
      if (!hasSite) {
        return consoleRuns
          ? { kind: 'pass' }
          : late(seen, elapsedMs > diskLimitMs, 'the console does not run')
      }
      if (server === 'serving') return { kind: 'pass' }
      const open = seen.openForMs ?? 0
      return server === 'maintenance'
        ? late(seen, open > maintenanceLimitMs, 'the store does not open')
        : late(seen, open > serverLimitMs, 'the server does not answer')
    }
    default:
      return disk satisfies never
  }
}

function late({ otherImage }: Seen, isLate: boolean, reason: string): Verdict {
  if (isLate && otherImage) return { kind: 'back', reason }
  return { kind: 'wait', until: reason }
}
