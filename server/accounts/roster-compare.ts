/**
 * A roster, the list of its people that an organisation keeps elsewhere, held against the accounts and links that are here.
 *
 * Pure. Administrators and services are none of a roster's business: nobody gets or loses power by a file.
 */
import { isNewLocalpart, type ServerName, type UserId, userIdOf } from '../protocol/ids.ts'
import type { RosterProblem, RosterProblemCode } from '../protocol/roster-problem.ts'
import type { AccountRow, EnrolmentLinkRow } from '../store/catalogue.ts'

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

/** What a roster decides about somebody. */
export interface Facts {
  readonly kind: 'member' | 'external'
  readonly expiresTs?: number
  readonly sponsor?: UserId
}

export interface KnownLink {
  readonly id: string
  readonly row: EnrolmentLinkRow
  /** Made from this list by an import that was cut off: nobody ever saw its secret. */
  readonly isLost: boolean
}

export interface Known {
  readonly accounts: ReadonlyMap<UserId, AccountRow>
  readonly links: ReadonlyMap<UserId, KnownLink>
}

export function compareRoster(
  serverName: ServerName,
  { accounts, links }: Known,
  entries: readonly RosterEntry[],
  now: number,
): RosterReport {
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
    problems.push({
      line: entry.line,
      column: 'sponsor',
      code: 'sponsor-unknown',
      facts: { sponsor: entry.sponsor ?? '' },
    })
    return undefined
  }
  for (const entry of entries) {
    const problem = (column: string, code: RosterProblemCode, facts: RosterProblem['facts'] = {}) =>
      problems.push({ line: entry.line, column, code, facts })
    const userId = isNewLocalpart(entry.localpart) ? userIdOf(entry.localpart, serverName) : null
    if (!userId) {
      problem('username', 'username-bad')
      continue
    }
    const before = seen.get(userId)
    if (before !== undefined) {
      problem('username', 'username-twice', { username: entry.localpart, before })
      continue
    }
    seen.set(userId, entry.line)
    const person = { entry, userId }
    const account = accounts.get(userId)
    if (account?.deactivatedTs !== undefined) {
      problem('username', 'username-deactivated', { username: entry.localpart })
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
    if (entry.kind === 'external' && end <= now && account?.expiresTs !== end) {
      problem('ends', 'ends-over')
      continue
    }
    const to = factsOf(entry.kind, entry.expiresTs, sponsor)
    const link = links.get(userId)
    if (account) {
      const from = factsOf(account.kind, account.expiresTs, account.sponsor)
      if (sameFacts(from, to)) unchanged++
      else changed.push({ ...person, from, to })
    } else if (!link || link.isLost) newPeople.push(person)
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

export function factsOf(kind: AccountRow['kind'], expiresTs?: number, sponsor?: string): Facts {
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
