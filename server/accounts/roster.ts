/**
 * Applying a roster (roster-compare.ts): people get links, change kind and end, and, where that is asked for, leavers are locked, which
 * can be taken back.
 *
 * The whole list is looked at first; with a problem nothing is done. Then it is done in batches of `peopleABatch`: a crash, or a
 * connection that breaks, leaves whole batches. The secrets of links are in the answer alone, so what a list of several batches
 * made counts as lost until that answer was delivered: the same list again makes those links anew, and goes on.
 * The same list once more changes nothing.
 */
import { type UserId, userIdOf } from '../protocol/ids.ts'
import {
  type AccountRow,
  accountSettingTable,
  accountTable,
  enrolmentLinkTable,
  externalTable,
} from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import type { Core } from './core.ts'
import { linkFor, linksOwner, type NewLink } from './enrolment.ts'
import type { People } from './people.ts'
import {
  compareRoster,
  type Facts,
  factsOf,
  type Known,
  type RosterEntry,
  type RosterPerson,
  type RosterReport,
} from './roster-compare.ts'

export type { RosterEntry, RosterReport } from './roster-compare.ts'

export interface RosterOptions {
  readonly lifetimeMs?: number | undefined
  /** Links whose secret can be typed; they live a day where nothing is said. */
  readonly code?: boolean | undefined
  /** New links for those who wait as well; what was handed out before ends. */
  readonly again?: boolean | undefined
  readonly lockLeavers?: boolean | undefined
  /** What this list is known by where it comes again. */
  readonly list?: string | undefined
}

export interface RosterProgress {
  readonly done: number
  readonly total: number
}

export interface RosterDone {
  readonly report: RosterReport
  readonly links: ReadonlyMap<UserId, NewLink>
  /** The links have reached whoever asked. */
  delivered(): Promise<void>
}

export interface Roster {
  compare(entries: readonly RosterEntry[], list?: string): Promise<RosterReport>
  /**
   * Yields after each batch but the last. Throws M_INVALID_PARAM at the first step where the comparison finds problems: nothing
   * was changed. Whoever stops asking leaves what is done; one list at a time.
   */
  apply(
    actor: string,
    entries: readonly RosterEntry[],
    options: RosterOptions,
  ): AsyncGenerator<RosterProgress, RosterDone>
  /** Of the one that is being applied. */
  readonly progress: RosterProgress | null
}

interface Import {
  /** null: nothing of it can be lost. */
  readonly id: string | null
  readonly lost: string | null
}

export const peopleABatch = 5_000
const unfinishedKey = accountSettingTable.key('unfinishedList')
const rosterOwner = 'roster'

export function openRoster(core: Core, audit: Audit, people: People): Roster {
  const { store, clock, serverName } = core
  let progress: RosterProgress | null = null
  let last: Promise<unknown> = Promise.resolve()

  /** @param lost the import whose links nobody ever saw */
  const linksIn = async (view: Pick<Transaction, 'range'>, lost: string | null) => {
    const rows = await view.range(enrolmentLinkTable.under())
    return new Map(
      rows
        .filter(({ value }) => value.purpose === 'enrol' && clock() < value.expiresTs)
        .map(({ parts, value }) => [
          value.userId as UserId,
          { id: parts[0], row: value, isLost: lost !== null && value.list === lost },
        ]),
    )
  }

  /** An import of this list that was cut off, by its id: that of the list, and a mark of its own. */
  const unfinishedOf = async (view: Pick<Transaction, 'get'>, list: string | undefined) => {
    const unfinished = await view.get(unfinishedKey)
    return list !== undefined && String(unfinished).startsWith(`${list} `) ? String(unfinished) : null
  }

  const everything = async (
    view: Pick<Transaction, 'range' | 'get'>,
    list: string | undefined,
  ): Promise<Known> => {
    const accounts = await view.range(accountTable.under())
    return {
      accounts: new Map(accounts.map(({ parts, value }) => [parts[0] as UserId, value])),
      links: await linksIn(view, await unfinishedOf(view, list)),
    }
  }

  const compare = async (entries: readonly RosterEntry[], list?: string) =>
    compareRoster(serverName, await store.read(view => everything(view, list)), entries, clock())

  const putLink = async (
    tx: Transaction,
    actor: string,
    { entry, userId }: RosterPerson,
    facts: Facts,
    options: RosterOptions,
    list: string | null,
  ): Promise<NewLink> => {
    const link = linkFor(core, userId, options)
    const { expiresTs, sponsor } = facts
    tx.put(enrolmentLinkTable.key(link.id), {
      userId,
      purpose: 'enrol',
      kind: facts.kind,
      createdTs: clock(),
      createdBy: actor,
      expiresTs: link.expiresTs,
      ...(entry.displayName === undefined ? {} : { displayName: entry.displayName }),
      ...(expiresTs === undefined ? {} : { accountExpiresTs: expiresTs }),
      ...(sponsor === undefined ? {} : { sponsor }),
      ...(list === null ? {} : { list }),
    })
    const detail = { link: link.id, kind: facts.kind, expires_ts: link.expiresTs }
    await audit.record(tx, { actor, action: 'enrolment-link.create', target: userId, detail })
    return link
  }

  const putAccount = async (
    tx: Transaction,
    actor: string,
    userId: UserId,
    account: AccountRow,
    to: Facts,
  ) => {
    const { expiresTs: _, sponsor: __, expired: ___, ...rest } = account
    tx.put(accountTable.key(userId), { ...rest, ...to })
    if (to.expiresTs === undefined) tx.delete(externalTable.key(userId))
    else tx.put(externalTable.key(userId), to.expiresTs)
    const detail = { from: account.kind, to: to.kind, ...(to.expiresTs ? { expires_ts: to.expiresTs } : {}) }
    await audit.record(tx, { actor, action: 'account.kind', target: userId, detail })
  }

  /** Everybody in it, and who answers for them, has no other writer meanwhile; what became of them since is looked at again. */
  const applyBatch = async (
    actor: string,
    entries: readonly RosterEntry[],
    options: RosterOptions,
    { id, lost }: Import,
  ) => {
    const concerned = new Set<UserId>()
    for (const { localpart, sponsor } of entries) {
      for (const name of [localpart, sponsor]) {
        const userId = name === undefined ? null : userIdOf(name, serverName)
        if (userId) concerned.add(userId)
      }
    }
    const touched: UserId[] = []
    const links = new Map<UserId, NewLink>()
    await store.transact([linksOwner, rosterOwner, ...concerned], async tx => {
      links.clear()
      touched.length = 0
      const userIds = [...concerned]
      const rows = await tx.getMany(userIds.map(userId => accountTable.key(userId)))
      const now: Known = {
        accounts: new Map(
          userIds.flatMap((userId, i): [UserId, AccountRow][] => (rows[i] ? [[userId, rows[i]]] : [])),
        ),
        links: await linksIn(tx, lost),
      }
      if (id !== null) tx.put(unfinishedKey, id)
      // What is a problem only since the list was looked at stays as it is: the same list again says so.
      const report = compareRoster(serverName, now, entries, clock())
      const facts = ({ entry }: RosterPerson) =>
        factsOf(entry.kind, entry.expiresTs, entry.sponsor && userIdOf(entry.sponsor, serverName)!)
      for (const person of options.again ? [...report.newPeople, ...report.waiting] : report.newPeople) {
        const old = now.links.get(person.userId)
        if (old) tx.delete(enrolmentLinkTable.key(old.id))
        links.set(person.userId, await putLink(tx, actor, person, facts(person), options, id))
      }
      for (const change of report.changed) {
        const account = now.accounts.get(change.userId)
        const old = now.links.get(change.userId)
        if (account) await putAccount(tx, actor, change.userId, account, change.to)
        else {
          if (old) tx.delete(enrolmentLinkTable.key(old.id))
          links.set(change.userId, await putLink(tx, actor, change, change.to, options, id))
        }
        touched.push(change.userId)
      }
    })
    for (const userId of touched) core.forgetSessions(userId)
    return links
  }

  const lockBatch = async (actor: string, leavers: readonly UserId[]) => {
    await store.transact([rosterOwner, ...leavers], async tx => {
      for (const userId of leavers) {
        const account = await tx.get(accountTable.key(userId))
        const isPerson = account?.kind === 'member' || account?.kind === 'external'
        if (!isPerson || account.locked || account.deactivatedTs !== undefined || userId === actor) continue
        tx.put(accountTable.key(userId), { ...account, locked: true })
        await audit.record(tx, { actor, action: 'account.lock', target: userId })
      }
    })
    for (const userId of leavers) core.forgetSessions(userId)
  }

  /** One batch needs no memory: it is done or not. */
  const importOf = async (list: string | undefined, total: number): Promise<Import> => {
    if (list === undefined || total <= peopleABatch) return { id: null, lost: null }
    const lost = await store.read(view => unfinishedOf(view, list))
    return { id: lost ?? `${list} ${Buffer.from(core.randomBytes(12)).toString('base64url')}`, lost }
  }

  async function* applyAll(
    actor: string,
    entries: readonly RosterEntry[],
    options: RosterOptions,
  ): AsyncGenerator<RosterProgress, RosterDone> {
    const report = await compare(entries, options.list)
    if (report.problems.length > 0)
      throw new AccountError('M_INVALID_PARAM', 'The list has problems: nothing was changed.')
    const leavers = options.lockLeavers ? report.leavers.map(({ userId }) => userId) : []
    const total = entries.length + leavers.length
    const importing = await importOf(options.list, total)
    const links = new Map<UserId, NewLink>()
    for (let at = 0; at < total; at += peopleABatch) {
      progress = { done: at, total }
      if (at > 0) yield progress
      const batch = entries.slice(at, at + peopleABatch)
      if (batch.length > 0)
        for (const [userId, link] of await applyBatch(actor, batch, options, importing))
          links.set(userId, link)
      const from = Math.max(0, at - entries.length)
      const gone = leavers.slice(from, Math.max(0, at + peopleABatch - entries.length))
      if (gone.length > 0) await lockBatch(actor, gone)
    }
    await people.load()
    return {
      report,
      links,
      delivered: async () => {
        if (importing.id === null) return
        await store.transact(rosterOwner, async tx => {
          if ((await tx.get(unfinishedKey)) === importing.id) tx.delete(unfinishedKey)
        })
      },
    }
  }

  return {
    compare,
    get progress() {
      return progress
    },
    async *apply(actor, entries, options) {
      const before = last
      const turn = Promise.withResolvers<void>()
      last = turn.promise
      try {
        await before
        return yield* applyAll(actor, entries, options)
      } finally {
        progress = null
        turn.resolve()
      }
    },
  }
}
