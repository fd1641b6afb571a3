/**
 * What every administrator must hear of (and a sponsor, of the people they answer for): it lies in their account data, so that each of their clients gets it
 * with the next sync, and joins the batch of the act itself.
 */
import type { ServerName, UserId } from '../protocol/ids.ts'
import type { Json, JsonObject } from '../protocol/json.ts'
import { accountDataTable } from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import type { AccountData } from './account-data.ts'

/** Account data that only the server writes. */
export const administrationType = 'org.letro.administration'
const keptNotices = 50

export interface Notice {
  readonly action: string
  /** A person, or another server. */
  readonly target: UserId | ServerName
  /** Of health: code, severity, subject, facts (`health.found`, `health.over`). */
  readonly finding?: JsonObject
  /** Of an external account (`account.ends-soon`, `account.ended`): when. */
  readonly expires_ts?: number
}

/** In a transaction that owns the user ids of all `told`; once in it, because what it writes it does not read again. */
export async function tellAdministratorsIn(
  tx: Transaction,
  accountData: AccountData,
  told: readonly UserId[],
  notices: readonly Notice[],
  ts: number,
): Promise<void> {
  const entries: JsonObject[] = notices.map(notice => ({ ts, ...notice }))
  for (const userId of told) {
    const row = await tx.get(accountDataTable.key(userId, '', administrationType))
    const before = (row?.content['notices'] as readonly Json[] | undefined) ?? []
    await accountData.setIn(tx, userId, null, administrationType, {
      notices: [...before, ...entries].slice(-keptNotices),
    })
  }
}
