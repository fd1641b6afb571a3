/**
 * Whether the people who run this server could lose it: one administrator, or one who has a single passkey. And how many
 * external people end soon. Numbers only: who they are stands in the administration view.
 */
import { type AccountRow, accountTable, externalTable, passkeyTable } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { Finding, HealthSource, Reading } from './finding.ts'

const dayMs = 86_400_000
const soonMs = 14 * dayMs

export function openPeopleHealth(store: Store): { source: HealthSource; reading: Reading } {
  async function look(now: number) {
    return store.read(async view => {
      const accounts = await view.range(accountTable.under())
      const administrators = accounts.filter(({ value }) => isAtWork(value) && value.kind === 'administrator')
      const passkeys = await Promise.all(
        administrators.map(({ parts }) => view.range(passkeyTable.under(parts[0]), { limit: 2 })),
      )
      const ends = (await view.range(externalTable.under())).map(({ value }) => value).filter(ts => ts > now)
      return {
        administrators: administrators.length,
        withOnePasskey: passkeys.filter(keys => keys.length === 1).length,
        people: accounts.filter(({ value }) => isAtWork(value)).length,
        external: ends.length,
        endSoon: ends.filter(ts => ts - now < soonMs),
      }
    })
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
