/**
 * A roster: the list of its people that an organisation keeps elsewhere, held against the accounts that are here.
 *
 * `compare` says what would happen, `apply` does it in one batch: all of it, or, after a crash or a refusal, none. The same
 * roster a second time changes nothing. Who is no longer on it is only named, or, where that is asked for, locked: which can be
 * taken back. Administrators and services are none of a roster's business: nobody gets or loses power by a file.
 */
import { isNewLocalpart, type UserId, userIdOf } from '../protocol/ids.ts'
import {
  type AccountRow,
  accountTable,
  type EnrolmentLinkRow,
  enrolmentLinkTable,
  externalTable,
} from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import type { Core } from './core.ts'
import { linkFor, linksOwner, type NewLink } from './enrolment.ts'
import type { People } from './people.ts'

export interface RosterEntry {
  /** Where it stands in the file: for the person who mends it. */
  readonly line: number
  readonly localpart: string
  readonly displayName?: string
  readonly kind: 'member' | 'external'
  /** External people: the end, and the localpart of who answers for them. */
  readonly expiresTs?: number
  readonly sponsor?: string
}

export interface RosterProblem {
  readonly line: number
  readonly column?: string
  readonly message: string
}

export interface RosterPerson {
  readonly entry: RosterEntry
  readonly userId: UserId
}

export interface RosterChange extends RosterPerson {
  readonly from: Facts
  readonly to: Facts
}

export interface RosterReport {
  readonly newPeople: readonly RosterPerson[]
  /** They have a link, and have not used it. */
  readonly waiting: readonly RosterPerson[]
  readonly changed: readonly RosterChange[]
  readonly leavers: readonly { readonly userId: UserId; readonly account: AccountRow }[]
  readonly unchanged: number
  readonly problems: readonly RosterProblem[]
}

export interface RosterOptions {
  readonly lifetimeMs?: number | undefined
  /** Links whose secret can be typed; they live a day where nothing is said. */
  readonly code?: boolean | undefined
  /** New links for those who wait as well; what was handed out before ends. */
  readonly again?: boolean | undefined
  readonly lockLeavers?: boolean | undefined
}

export interface Roster {
  compare(entries: readonly RosterEntry[]): Promise<RosterReport>
  /** Throws M_INVALID_PARAM where the comparison finds problems: nothing was changed. */
  apply(
    actor: string,
    entries: readonly RosterEntry[],
    options: RosterOptions,
  ): Promise<{ readonly report: RosterReport; readonly links: ReadonlyMap<UserId, NewLink> }>
}

/** What a roster decides about somebody. */
interface Facts {
  readonly kind: 'member' | 'external'
  readonly expiresTs?: number
  readonly sponsor?: UserId
}

interface Known {
  readonly accounts: ReadonlyMap<UserId, AccountRow>
  readonly links: ReadonlyMap<UserId, { readonly id: string; readonly row: EnrolmentLinkRow }>
}

export function openRoster(core: Core, audit: Audit, people: People): Roster {
  const { store, clock, serverName } = core

  const known = async (view: Pick<Transaction, 'range'>): Promise<Known> => {
    const accounts = await view.range(accountTable.under())
    const links = await view.range(enrolmentLinkTable.under())
    return {
      accounts: new Map(accounts.map(({ parts, value }) => [parts[0] as UserId, value])),
      links: new Map(
        links
          .filter(({ value }) => value.purpose === 'enrol' && clock() < value.expiresTs)
          .map(({ parts, value }) => [value.userId as UserId, { id: parts[0], row: value }]),
      ),
    }
  }

  const compareWith = ({ accounts, links }: Known, entries: readonly RosterEntry[]): RosterReport => {
    const problems: RosterProblem[] = []
    const newPeople: RosterPerson[] = []
    const waiting: RosterPerson[] = []
    const changed: RosterChange[] = []
    const seen = new Map<UserId, number>()
    let unchanged = 0
    const sponsorOf = (entry: RosterEntry): UserId | undefined => {
      const sponsor = entry.sponsor === undefined ? null : userIdOf(entry.sponsor, serverName)
      const account = sponsor && accounts.get(sponsor)
      if (account && account.deactivatedTs === undefined && account.kind !== 'external') return sponsor
      const message = `${entry.sponsor} is no member of this server who could answer for an external person.`
      problems.push({ line: entry.line, column: 'sponsor', message })
      return undefined
    }
    for (const entry of entries) {
      const problem = (column: string, message: string) =>
        problems.push({ line: entry.line, column, message })
      const userId = isNewLocalpart(entry.localpart) ? userIdOf(entry.localpart, serverName) : null
      if (!userId) {
        problem('username', 'A username holds a–z, 0–9 and . _ = / + - and is not too long.')
        continue
      }
      const before = seen.get(userId)
      if (before !== undefined) {
        problem('username', `${entry.localpart} stands in line ${before} already.`)
        continue
      }
      seen.set(userId, entry.line)
      const person = { entry, userId }
      const account = accounts.get(userId)
      if (account?.deactivatedTs !== undefined) {
        problem('username', `${entry.localpart} was deactivated, and a user id is never given out twice.`)
        continue
      }
      // Somebody with more power than a roster gives is on it, and stays what they are.
      if (account && account.kind !== 'member' && account.kind !== 'external') {
        unchanged++
        continue
      }
      const sponsor = entry.kind === 'external' ? sponsorOf(entry) : undefined
      if (entry.kind === 'external' && sponsor === undefined) continue
      const end = entry.expiresTs ?? 0
      if (entry.kind === 'external' && end <= clock() && account?.expiresTs !== end) {
        problem('ends', 'This day is over.')
        continue
      }
      const to = factsOf(entry.kind, entry.expiresTs, sponsor)
      const link = links.get(userId)
      if (account) {
        const from = factsOf(account.kind, account.expiresTs, account.sponsor)
        if (sameFacts(from, to)) unchanged++
        else changed.push({ ...person, from, to })
      } else if (!link) newPeople.push(person)
      else if (isSameLink(link.row, entry, to)) waiting.push(person)
      else
        changed.push({
          ...person,
          from: factsOf(link.row.kind, link.row.accountExpiresTs, link.row.sponsor),
          to,
        })
    }
    const leavers = [...accounts]
      .filter(([userId, { kind, deactivatedTs, expired }]) => {
        const isPerson = kind === 'member' || kind === 'external'
        return isPerson && deactivatedTs === undefined && expired !== true && !seen.has(userId)
      })
      .map(([userId, account]) => ({ userId, account }))
    return { newPeople, waiting, changed, leavers, unchanged, problems }
  }

  const putLink = async (
    tx: Transaction,
    actor: string,
    { entry, userId }: RosterPerson,
    facts: Facts,
    options: RosterOptions,
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

  return {
    compare: async entries => compareWith(await store.read(known), entries),

    apply: async (actor, entries, options) => {
      // Everybody whom it may concern has no other writer meanwhile.
      const before = await store.read(known)
      const owners = new Set<string>([linksOwner, ...before.accounts.keys()])
      for (const { localpart } of entries) owners.add(userIdOf(localpart, serverName) ?? linksOwner)
      const touched: UserId[] = []
      const done = await store.transact([...owners], async tx => {
        const now = await known(tx)
        const report = compareWith(now, entries)
        if (report.problems.length > 0)
          throw new AccountError('M_INVALID_PARAM', 'The list has problems: nothing was changed.')
        const links = new Map<UserId, NewLink>()
        const inviting = options.again ? [...report.newPeople, ...report.waiting] : report.newPeople
        const facts = ({ entry }: RosterPerson) =>
          factsOf(entry.kind, entry.expiresTs, entry.sponsor && userIdOf(entry.sponsor, serverName)!)
        for (const person of inviting) {
          const old = now.links.get(person.userId)
          if (old) tx.delete(enrolmentLinkTable.key(old.id))
          links.set(person.userId, await putLink(tx, actor, person, facts(person), options))
        }
        for (const change of report.changed) {
          const account = now.accounts.get(change.userId)
          const old = now.links.get(change.userId)
          if (account) await putAccount(tx, actor, change.userId, account, change.to)
          else {
            if (old) tx.delete(enrolmentLinkTable.key(old.id))
            links.set(change.userId, await putLink(tx, actor, change, change.to, options))
          }
          touched.push(change.userId)
        }
        for (const { userId, account } of options.lockLeavers ? report.leavers : []) {
          if (account.locked || userId === actor) continue
          tx.put(accountTable.key(userId), { ...account, locked: true })
          await audit.record(tx, { actor, action: 'account.lock', target: userId })
          touched.push(userId)
        }
        return { report, links }
      })
      await people.load()
      for (const userId of touched) core.forgetSessions(userId)
      return done
    },
  }
}

function factsOf(kind: AccountRow['kind'], expiresTs?: number, sponsor?: string): Facts {
  if (kind !== 'external') return { kind: 'member' }
  return {
    kind,
    ...(expiresTs === undefined ? {} : { expiresTs }),
    ...(sponsor === undefined ? {} : { sponsor: sponsor as UserId }),
  }
}

function sameFacts(a: Facts, b: Facts): boolean {
  return a.kind === b.kind && a.expiresTs === b.expiresTs && a.sponsor === b.sponsor
}

function isSameLink(row: EnrolmentLinkRow, { displayName }: RosterEntry, to: Facts): boolean {
  return (
    row.displayName === displayName && sameFacts(factsOf(row.kind, row.accountExpiresTs, row.sponsor), to)
  )
}
