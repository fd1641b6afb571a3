/**
 * The audit: every administrative act, in the same batch as its effect, chained by hashes.
 *
 * Append-only: nothing here changes or deletes an entry. The tip moves when a transaction is queued, so that
 * entries of different people's transactions stand in commit order; after a failed write it is read again.
 */
import {
  type AuditAct,
  AuditChecker,
  type AuditEntry,
  type AuditTip,
  type AuditVerdict,
  chainAuditEntry,
  emptyAuditTip,
} from '../protocol/audit-chain.ts'
import { auditTable } from '../store/catalogue.ts'
import type { Position, Store, Transaction } from '../store/store.ts'
import { sha256 } from './core.ts'

export interface Audit {
  /** Joins the transaction: act and effect are durable together or not at all. */
  record(tx: Transaction, act: AuditAct): Promise<void>
  /** Oldest first; `after` is a sequence number. */
  list(options: { after?: number; limit: number }): Promise<AuditEntry[]>
  /** Newest first, those that match; `before` is a sequence number. `more`: there may be others, older. */
  find(query: AuditQuery): Promise<{ readonly entries: readonly AuditEntry[]; readonly more: boolean }>
  /** All entries in order, a page at a time. */
  entries(): AsyncIterable<AuditEntry>
  check(): Promise<AuditVerdict>
}

/** Each given one has to match: whole names of actor and target, the beginning of an action (`peer.`). */
export interface AuditQuery {
  readonly before?: number | undefined
  readonly actor?: string | undefined
  readonly target?: string | undefined
  readonly action?: string | undefined
  readonly limit: number
}

const pageSize = 500

export function openAudit(store: Store, clock: () => number): Audit {
  let tip: AuditTip | null = null
  let era = 0
  store.onReset(() => {
    tip = null
    era++
  })

  const list = (options: { after?: number; limit: number }): Promise<AuditEntry[]> =>
    store.read(async view => {
      const rows = await view.range(auditTable.under(), {
        limit: options.limit,
        ...(options.after ? { after: auditTable.key(options.after as Position) } : {}),
      })
      return rows.map(row => row.value)
    })

  const find = async (query: AuditQuery) => {
    const found: AuditEntry[] = []
    let { before } = query
    for (;;) {
      const rows = await store.read(view =>
        view.range(auditTable.under(), {
          reverse: true,
          limit: pageSize,
          ...(before === undefined ? {} : { before: auditTable.key(before as Position) }),
        }),
      )
      for (const { value } of rows) {
        if (!isAskedFor(value, query)) continue
        if (found.length === query.limit) return { entries: found, more: true }
        found.push(value)
      }
      if (rows.length < pageSize) return { entries: found, more: false }
      before = rows.at(-1)!.value.sequence
    }
  }

  async function* entries(): AsyncIterable<AuditEntry> {
    let after = 0
    for (;;) {
      const page = await list({ after, limit: pageSize })
      yield* page
      if (page.length < pageSize) return
      after = page.at(-1)!.sequence
    }
  }

  return {
    record: async (tx, act) => {
      const ours = era
      if (!tip) {
        const [last] = await tx.range(auditTable.under(), { reverse: true, limit: 1 })
        const loaded = last ? { sequence: last.value.sequence, hash: last.value.hash } : emptyAuditTip
        // What was read before a failed write may have been rows that are gone.
        if (era === ours) tip ??= loaded
      }
      tx.sequence((_next, rows) => {
        // A failed write in between took the tip away; this transaction stands on what is gone.
        if (!tip || era !== ours) throw new Error('the audit chain was reset while this was being written')
        const entry = chainAuditEntry(tip, act, clock(), sha256)
        tip = { sequence: entry.sequence, hash: entry.hash }
        rows.put(auditTable.key(entry.sequence as Position), entry)
      })
    },
    list,
    find,
    entries,
    check: async () => {
      const checker = new AuditChecker(sha256)
      for await (const entry of entries()) checker.add(entry)
      return checker.verdict()
    },
  }
}

function isAskedFor(entry: AuditEntry, { actor, target, action }: AuditQuery): boolean {
  return (
    (actor === undefined || entry.actor === actor) &&
    (target === undefined || entry.target === target) &&
    (action === undefined || entry.action.startsWith(action))
  )
}
