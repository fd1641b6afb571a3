/**
 * The addresses behind names, remembered: settings/addresses.json.
 *
 * Rules need addresses, peers are known by names. While the name servers do not answer, what was last known holds, for a
 * week; so a peer that is pinned reaches this machine through an outage of DNS, and after a restart during one. An address that a
 * name no longer has is let go after an hour or two: services that share their load answer with others every few minutes.
 */
import { isIP } from 'node:net'
import { isObject } from '#protocol/json.ts'

const hourMs = 3_600_000
const letGoAfterMs = 2 * hourMs
const forgottenAfterMs = 7 * 86_400_000
/** More than any honest name has. */
const maxAddresses = 64

/** Name → address → when it was last true. */
export type AddressBook = Readonly<Record<string, Readonly<Record<string, number>>>>

/** null: nobody answered, or there is no such name. */
export type Lookup = (name: string) => Promise<readonly string[] | null>

export interface Resolved {
  readonly book: AddressBook
  /** Names for which nothing is known. */
  readonly unresolved: readonly string[]
  /** Names that were not answered for now; what was known before holds. */
  readonly unanswered: readonly string[]
}

/** Names that are addresses are themselves. What is not asked for is forgotten. */
export async function resolveNames(
  names: readonly string[],
  before: AddressBook,
  lookup: Lookup,
  now: number,
): Promise<Resolved> {
  // By the hour: the file is written when something changed, not at every look.
  const seen = now - (now % hourMs)
  const wanted = [...new Set(names)].filter(name => isIP(name) === 0)
  const answers = await Promise.all(wanted.map(name => lookup(name)))
  const unanswered = wanted.filter((_, i) => !answers[i]?.length)
  const entries = wanted.map((name, i) => {
    const found = (answers[i] ?? []).filter(address => isIP(address) !== 0).slice(0, maxAddresses)
    const keepMs = found.length > 0 ? letGoAfterMs : forgottenAfterMs
    // A clock that went back makes nothing live longer.
    const known = Object.entries(Object.hasOwn(before, name) ? before[name]! : {}).filter(
      ([, ts]) => Math.abs(now - ts) < keepMs,
    )
    const newest = known.sort(([, a], [, b]) => b - a).slice(0, maxAddresses - found.length)
    return [name, Object.fromEntries([...newest, ...found.map(address => [address, seen] as const)])] as const
  })
  const book = Object.fromEntries(entries)
  return { book, unanswered, unresolved: unanswered.filter(name => Object.keys(book[name]!).length === 0) }
}

export function addressesOf(name: string, book: AddressBook): readonly string[] {
  if (isIP(name) !== 0) return [name]
  return Object.hasOwn(book, name) ? Object.keys(book[name]!) : []
}

/** What is no book is an empty one. */
export function parseAddressBook(json: unknown): AddressBook {
  if (!isObject(json)) return {}
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, known]) =>
      isObject(known)
        ? [
            [
              name,
              Object.fromEntries(
                Object.entries(known).filter(
                  ([address, seen]) => isIP(address) !== 0 && typeof seen === 'number',
                ),
              ) as Record<string, number>,
            ],
          ]
        : [],
    ),
  )
}
