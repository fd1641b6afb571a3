/**
 * What people and rooms are called. Spec: client-server-api#calculating-the-display-name-for-a-user,
 * #calculating-the-display-name-for-a-room
 *
 * Names are as their owners typed them; views make them harmless.
 */
import type { MemberState, Room } from './room.ts'
import { stateText } from './room.ts'

/** So many names stand for a room that has none. */
const heroes = 5

export function memberName(room: Pick<Room, 'members'>, userId: string): string {
  return room.members.get(userId)?.name ?? userId
}

/** Names that two members of the room have: whoever shows one shows the id with it. */
export function sharedNames(members: ReadonlyMap<string, MemberState>): ReadonlySet<string> {
  const seen = new Set<string>()
  const shared = new Set<string>()
  for (const { name, membership } of members.values()) {
    if (name === null || (membership !== 'join' && membership !== 'invite')) continue
    if (seen.has(name)) shared.add(name)
    seen.add(name)
  }
  return shared
}

export interface NamedRoom {
  readonly name: string | null
  /** Those after whom it is named, where it has no name of its own; in the order of their ids. */
  readonly heroes: readonly string[]
}

/** `Amal, Jonas +3`: without words, for the worker speaks no language. */
export function roomName(room: Room, ourUserId: string): NamedRoom {
  const own = stateText(room, 'm.room.name', 'name') ?? stateText(room, 'm.room.canonical_alias', 'alias')
  if (own !== null) return { name: own, heroes: [] }
  const others = [...room.members]
    .filter(([userId]) => userId !== ourUserId)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const present = others.filter(([, { membership }]) => membership === 'join' || membership === 'invite')
  // Everybody else left: it is named after those who were there.
  const named = present.length > 0 ? present : others.filter(([, { membership }]) => membership !== 'knock')
  if (named.length === 0) return { name: null, heroes: [] }
  const chosen = named.slice(0, heroes)
  const total = Math.max(named.length, present.length > 0 ? room.joinedCount + room.invitedCount - 1 : 0)
  const names = chosen.map(([userId, { name }]) => name ?? userId)
  const more = total - chosen.length
  return {
    name: `${names.join(', ')}${more > 0 ? ` +${more}` : ''}`,
    heroes: chosen.map(([userId]) => userId),
  }
}

export function serverOf(id: string): string {
  return id.slice(id.indexOf(':') + 1)
}
