/** People by what an administrator remembers of them: part of a name or id, a kind, a state. In the order of user ids. */
import { localpartOf, type UserId } from '../protocol/ids.ts'
import { type AccountKind, type AccountRow, accountTable, profileTable } from '../store/catalogue.ts'
import type { Core } from './core.ts'
import type { Person } from './people.ts'

/** `present`: every account that was not deactivated. */
export const personStates = ['present', 'locked', 'suspended', 'expired', 'deactivated'] as const
export type PersonState = (typeof personStates)[number]

export interface PeopleQuery {
  /** In the localpart or the display name, whatever the case; from an `@` on, in the user id. */
  readonly text?: string | undefined
  readonly kind?: AccountKind | undefined
  readonly state?: PersonState | undefined
  /** Only user ids behind this one. */
  readonly after?: string | undefined
  readonly limit: number
}

export interface FoundPerson extends Person {
  readonly displayName?: string
}

/** `more`: there may be others behind the last one. */
export interface FoundPeople {
  readonly people: readonly FoundPerson[]
  readonly more: boolean
}

export interface PeopleSearch {
  find(query: PeopleQuery): Promise<FoundPeople>
}

const pageSize = 500

export function openPeopleSearch({ store }: Pick<Core, 'store'>): PeopleSearch {
  const page = (after: string | undefined): Promise<FoundPerson[]> =>
    store.read(async view => {
      const rows = await view.range(accountTable.under(), {
        limit: pageSize,
        ...(after === undefined ? {} : { after: accountTable.key(after) }),
      })
      const profiles = await view.getMany(rows.map(({ parts }) => profileTable.key(parts[0])))
      return rows.map(({ parts, value }, i) => {
        const name = profiles[i]?.fields['displayname']
        return {
          userId: parts[0] as UserId,
          ...value,
          ...(typeof name === 'string' ? { displayName: name } : {}),
        }
      })
    })

  return {
    find: async query => {
      const found: FoundPerson[] = []
      let { after } = query
      for (;;) {
        const people = await page(after)
        for (const person of people) {
          if (!matches(person, query)) continue
          if (found.length === query.limit) return { people: found, more: true }
          found.push(person)
        }
        if (people.length < pageSize) return { people: found, more: false }
        after = people.at(-1)!.userId
      }
    },
  }
}

function matches(person: FoundPerson, { text, kind, state }: PeopleQuery): boolean {
  if (kind !== undefined && person.kind !== kind) return false
  if (state !== undefined && !isIn(person, state)) return false
  const words = text?.trim().toLowerCase() ?? ''
  // The server's name is in every id: it tells nobody apart.
  const id = words.startsWith('@') ? person.userId : localpartOf(person.userId)
  return [id, person.displayName ?? ''].some(name => name.toLowerCase().includes(words))
}

function isIn(account: AccountRow, state: PersonState): boolean {
  const isHere = account.deactivatedTs === undefined
  switch (state) {
    case 'present':
      return isHere
    case 'locked':
      return isHere && account.locked === true
    case 'suspended':
      return isHere && account.suspended === true
    case 'expired':
      return isHere && account.expired === true
    case 'deactivated':
      return !isHere
    default:
      return state satisfies never
  }
}
