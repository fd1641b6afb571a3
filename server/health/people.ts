/**
 * Whether the people who run this server could lose it: one administrator, or one who has a single passkey. And how many
 * external people end soon. Numbers only: who they are stands in the administration view.
 */
import { setImmediate as others } from 'node:timers/promises'
import { type AccountRow, accountTable, auditTable, externalTable, passkeyTable } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { Finding, HealthSource, Reading } from './finding.ts'

const dayMs = 86_400_000
const soonMs = 14 * dayMs
/** Accounts looked at without a pause: a few milliseconds, in which nobody else is answered. */
const pageSize = 500

interface Counted {
  readonly people: number
  readonly administrators: number
  readonly withOnePasskey: number
}

export function openPeopleHealth(store: Store): { source: HealthSource; reading: Reading } {
  let last: { readonly act: number; readonly counted: Promise<Counted> } | null = null

  /** Every change of an account is in the audit: while that has not grown, nothing has to be counted again. */
  async function counted(): Promise<Counted> {
    const [newest] = await store.read(view => view.range(auditTable.under(), { reverse: true, limit: 1 }))
    const act = newest?.value.sequence ?? 0
    if (last?.act !== act) {
      const fresh = { act, counted: count(store) }
      last = fresh
      fresh.counted.catch(() => {
        if (last === fresh) last = null
      })
    }
    return last.counted
  }

  async function look(now: number) {
    const ends = (await store.read(view => view.range(externalTable.under())))
      .map(({ value }) => value)
      .filter(ts => ts > now)
    return { ...(await counted()), external: ends.length, endSoon: ends.filter(ts => ts - now < soonMs) }
  }

  return {
    source: async now => {
      const { administrators, withOnePasskey, endSoon } = await look(now)
      const findings: Finding[] = []
      if (administrators === 1)
        findings.push({ code: 'administrators.only-one', severity: 'warning', facts: {} })
      if (withOnePasskey > 0) {
        const facts = { administrators: withOnePasskey }
        findings.push({ code: 'administrators.one-passkey', severity: 'warning', facts })
      }
      if (endSoon.length > 0) {
        const facts = { people: endSoon.length, first_ts: Math.min(...endSoon) }
        findings.push({ code: 'external.ends-soon', severity: 'note', facts })
      }
      return findings
    },
    reading: async now => {
      const { administrators, withOnePasskey, people, external, endSoon } = await look(now)
      return {
        people,
        administrators,
        administrators_with_one_passkey: withOnePasskey,
        external,
        external_ending_soon: endSoon.length,
      }
    },
  }
}

function isAtWork(account: AccountRow): boolean {
  return account.deactivatedTs === undefined && !account.locked && !account.expired
}

async function count(store: Store): Promise<Counted> {
  let people = 0
  const administrators: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await store.read(view =>
      view.range(accountTable.under(), { limit: pageSize, ...(after === undefined ? {} : { after }) }),
    )
    for (const { parts, value } of page) {
      if (!isAtWork(value)) continue
      people++
      if (value.kind === 'administrator') administrators.push(parts[0])
    }
    if (page.length < pageSize) break
    after = page.at(-1)!.key
    await others()
  }
  const passkeys = await store.read(view =>
    Promise.all(administrators.map(userId => view.range(passkeyTable.under(userId), { limit: 2 }))),
  )
  return {
    people,
    administrators: administrators.length,
    withOnePasskey: passkeys.filter(keys => keys.length === 1).length,
  }
}
