/**
 * Tells of external people whose account ends: their sponsor and the administrators, 14 and 3 days before, and when it has.
 *
 * What was told stands in the batch that tells it, so that a crash repeats nothing. A day that is moved is told anew. By a
 * clock that has just jumped nothing is told: it would be wrong, and could not be taken back.
 */
import type { UserId } from '../protocol/ids.ts'
import { accountTable, announcedEndTable, externalTable } from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import type { AccountData } from './account-data.ts'
import type { Core } from './core.ts'
import { type Notice, tellAdministratorsIn } from './notices.ts'
import type { People } from './people.ts'

export interface Endings {
  /** Run by a duty, at any time. */
  announce(): Promise<void>
}

const dayMs = 86_400_000
/** Days before, the nearest first. */
const steps = [3, 14] as const

export function openEndings(
  core: Core,
  people: Pick<People, 'administrators'>,
  accountData: AccountData,
): Endings {
  const { store, clock } = core

  /** Everybody who hears of this person is an owner of the transaction, with them. */
  async function tell(userId: UserId, write: (tx: Transaction, tellAll: TellAll) => Promise<void>) {
    const [account, administrators] = await Promise.all([
      store.read(view => view.get(accountTable.key(userId))),
      people.administrators(),
    ])
    const sponsor = account?.sponsor as UserId | undefined
    const told = [...new Set([...(sponsor ? [sponsor] : []), ...administrators])]
    await store.transact([userId, ...told], async tx => {
      const accounts = await tx.getMany(told.map(one => accountTable.key(one)))
      // Somebody whose account ended needs no notice.
      const present = told.filter((_, i) => accounts[i] && accounts[i].deactivatedTs === undefined)
      await write(tx, notice => tellAdministratorsIn(tx, accountData, present, [notice], clock()))
    })
  }

  async function announceEnd(userId: UserId): Promise<void> {
    await tell(userId, async (tx, tellAll) => {
      // Moved or ended while we waited for our turn.
      const expiresTs = await tx.get(externalTable.key(userId))
      const step = expiresTs === undefined ? undefined : stepOf(expiresTs, clock())
      if (expiresTs === undefined || step === undefined) return
      const before = await tx.get(announcedEndTable.key(userId))
      if (before?.expiresTs === expiresTs && before.days <= step) return
      tx.put(announcedEndTable.key(userId), { expiresTs, days: step })
      await tellAll({ action: 'account.ends-soon', target: userId, expires_ts: expiresTs })
    })
  }

  /** The end was announced, and is over or off. */
  async function closeAnnouncement(userId: UserId): Promise<void> {
    await tell(userId, async (tx, tellAll) => {
      const account = await tx.get(accountTable.key(userId))
      const isOver =
        account === undefined || account.deactivatedTs !== undefined || account.kind !== 'external'
      if (!isOver && !account.expired) return
      tx.delete(announcedEndTable.key(userId))
      if (isOver || account.expiresTs === undefined) return
      await tellAll({ action: 'account.ended', target: userId, expires_ts: account.expiresTs })
    })
  }

  return {
    announce: async () => {
      if (core.isClockInDoubt()) return
      const { ends, announced } = await store.read(async view => ({
        ends: await view.range(externalTable.under()),
        announced: await view.range(announcedEndTable.under()),
      }))
      const known = new Map(announced.map(({ parts, value }) => [parts[0], value]))
      for (const { parts, value: expiresTs } of ends) {
        const step = stepOf(expiresTs, clock())
        const before = known.get(parts[0])
        if (step === undefined || (before?.expiresTs === expiresTs && before.days <= step)) continue
        await announceEnd(parts[0] as UserId)
      }
      const open = new Set(ends.map(({ parts }) => parts[0]))
      for (const userId of known.keys()) if (!open.has(userId)) await closeAnnouncement(userId as UserId)
    },
  }
}

type TellAll = (notice: Notice) => Promise<void>

/** undefined: it is too early, or over. */
function stepOf(expiresTs: number, now: number): number | undefined {
  return expiresTs <= now ? undefined : steps.find(days => expiresTs - now <= days * dayMs)
}
