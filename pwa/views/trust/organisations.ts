/** Who is in a room, by organisation: the server in a user id is the organisation that runs it. Pure. */
import type { Member } from '../../worker/calls.ts'

export interface Organisation {
  readonly server: string
  readonly isOurs: boolean
  readonly people: number
}

export function serverOfUser(userId: string): string {
  return userId.slice(userId.indexOf(':') + 1)
}

/** Of those who are in the room or invited: ours first, then the larger ones. */
export function organisationsOf(members: readonly Member[], ourServer: string): Organisation[] {
  const people = new Map<string, number>()
  for (const { userId, membership } of members) {
    if (membership !== 'join' && membership !== 'invite') continue
    const server = serverOfUser(userId)
    people.set(server, (people.get(server) ?? 0) + 1)
  }
  return [...people]
    .map(([server, count]) => ({ server, isOurs: server === ourServer, people: count }))
    .sort(
      (a, b) =>
        Number(b.isOurs) - Number(a.isOurs) || b.people - a.people || a.server.localeCompare(b.server),
    )
}

/** Who can read what is written now. Whoever is invited gets keys as well. */
export function readersIn(members: readonly Member[]): Member[] {
  return members.filter(({ membership }) => membership === 'join' || membership === 'invite')
}

/** By a part of the name or of the id. */
export function matching(members: readonly Member[], text: string): readonly Member[] {
  const wanted = text.trim().normalize('NFKC').toLowerCase()
  if (wanted === '') return members
  return members.filter(({ name, userId }) =>
    `${name} ${userId}`.normalize('NFKC').toLowerCase().includes(wanted),
  )
}
