/**
 * Health and audit to a syslog collector: what the store holds and the collector has not confirmed goes out, in its order.
 *
 * There is no buffer beside the store: the audit and the log of findings are the queue, a durable cursor says how far the
 * collector has read, and moves after its receipt. A collector that is away for a month misses no audit entry (of findings,
 * the newest thousand); after a crash between receipt and cursor a batch comes twice, told apart by its numbers.
 *
 * The audit's cursor bears the hash of the entry: where the store was repaired or restored, and the entry there is another
 * one, the whole audit is sent again.
 */
import { randomBytes } from 'node:crypto'
import type { AuditEntry } from '../protocol/audit-chain.ts'
import { healthSettingTable, type SyslogCursorRow, syslogCursorTable } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { Finding, HealthSource } from './finding.ts'
import type { LoggedFinding } from './health.ts'
import { auditLine, findingLine, type LineOrigin } from './syslog-line.ts'
import { SyslogFailed } from './syslog-transport.ts'

export interface SyslogDeps {
  readonly store: Store
  readonly clock: () => number
  readonly hostname: string
  readonly version: string
  readonly audit: (options: { readonly after: number; readonly limit: number }) => Promise<AuditEntry[]>
  readonly findings: (options: { readonly after: number; readonly limit: number }) => Promise<LoggedFinding[]>
  /** Resolves when the collector has read them; rejects with SyslogFailed. */
  readonly deliver: (lines: readonly string[]) => Promise<void>
}

export interface Syslog {
  /** Sends what waits; run by a duty. A collector that is away is a finding, no failure. */
  send(): Promise<void>
  readonly source: HealthSource
}

const atOnce = 500
const warnAfterMs = 3_600_000
const alarmAfterMs = 24 * 3_600_000
const start: SyslogCursorRow = { sequence: 0, hash: '', finding: 0 }
const pseudonymKey = healthSettingTable.key('pseudonym-key')

export async function openSyslog(deps: SyslogDeps): Promise<Syslog> {
  const { store, clock, audit, findings } = deps
  const origin: LineOrigin = {
    hostname: deps.hostname,
    version: deps.version,
    pseudonymKey: await keyOf(store),
  }
  let lastError: string | null = null

  const cursor = async (): Promise<SyslogCursorRow> => {
    const kept = (await store.read(view => view.get(syslogCursorTable.key()))) ?? start
    const [[act], [found]] = await Promise.all([
      audit({ after: Math.max(0, kept.sequence - 1), limit: 1 }),
      findings({ after: Math.max(0, kept.finding - 1), limit: 1 }),
    ])
    const isSameAudit = kept.sequence === 0 || act?.hash === kept.hash
    return {
      ...(isSameAudit ? { sequence: kept.sequence, hash: kept.hash } : { sequence: 0, hash: '' }),
      // None left that is as new as what was sent: the log began anew.
      finding: found === undefined ? 0 : kept.finding,
    }
  }

  const waiting = async (from: SyslogCursorRow, limit: number) => {
    const [acts, found] = await Promise.all([
      audit({ after: from.sequence, limit }),
      findings({ after: from.finding, limit }),
    ])
    return { acts, found }
  }

  return {
    send: async () => {
      for (;;) {
        const from = await cursor()
        const { acts, found } = await waiting(from, atOnce)
        if (acts.length + found.length === 0) return
        const lines = [
          ...found.map(entry => findingLine(entry, origin)),
          ...acts.map(entry => auditLine(entry, origin)),
        ]
        try {
          await deps.deliver(lines)
        } catch (error) {
          if (!(error instanceof SyslogFailed)) throw error
          lastError = error.reason
          return
        }
        lastError = null
        const act = acts.at(-1)
        await store.transact('syslog', tx =>
          tx.put(syslogCursorTable.key(), {
            sequence: act?.sequence ?? from.sequence,
            hash: act?.hash ?? from.hash,
            finding: found.at(-1)?.number ?? from.finding,
          }),
        )
      }
    },

    source: async (): Promise<Finding[]> => {
      const { acts, found } = await waiting(await cursor(), atOnce)
      const oldest = Math.min(
        acts[0]?.ts ?? Number.POSITIVE_INFINITY,
        found[0]?.ts ?? Number.POSITIVE_INFINITY,
      )
      const behindMs = clock() - oldest
      if (lastError === null || behindMs < warnAfterMs) return []
      const severity = behindMs < alarmAfterMs ? 'warning' : 'alarm'
      const facts = { behind_ms: behindMs, waiting: acts.length + found.length, last_error: lastError }
      return [{ code: 'syslog.behind', severity, facts }]
    },
  }
}

/** Made once, and kept: a person keeps their pseudonym. */
async function keyOf(store: Store): Promise<Uint8Array> {
  const made = await store.transact('syslog', async tx => {
    const kept = await tx.get(pseudonymKey)
    if (typeof kept === 'string') return kept
    const fresh = randomBytes(32).toString('base64')
    tx.put(pseudonymKey, fresh)
    return fresh
  })
  return Buffer.from(made, 'base64')
}
