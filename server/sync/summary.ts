/**
 * A room's summary: how many are in it, and who may stand for its name.
 *
 * Spec: client-server-api#get_matrixclientv3sync (RoomSummary). Pure.
 */
import type { UserId } from '../protocol/ids.ts'
import type { MemberEvent, RoomView } from '../rooms/rooms.ts'

export interface RoomSummary {
  /** Absent where the room has a name or an alias of its own. */
  readonly heroes?: readonly UserId[]
  readonly joined: number
  readonly invited: number
}

const maxHeroes = 5

export function summaryOf(view: RoomView, reader: UserId): RoomSummary {
  const counts = { joined: view.memberCount('join'), invited: view.memberCount('invite') }
  return hasName(view) ? counts : { ...counts, heroes: heroesOf(view, reader) }
}

function hasName(view: RoomView): boolean {
  return (
    isText(view.state('m.room.name')?.content['name']) ||
    isText(view.state('m.room.canonical_alias')?.content['alias'])
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

/** "the first 5 members of the room, ordered by stream ordering, which are joined or invited", else who was. */
function heroesOf(view: RoomView, reader: UserId): readonly UserId[] {
  const present = firstOf([view.members('join'), view.members('invite')], reader)
  return present.length > 0 ? present : firstOf([view.members('leave'), view.members('ban')], reader)
}

function firstOf(lists: readonly Iterable<MemberEvent>[], reader: UserId): readonly UserId[] {
  const first: MemberEvent[] = []
  for (const list of lists) {
    for (const member of list) {
      if (member.stateKey === reader) continue
      if (first.length === maxHeroes && first[maxHeroes - 1]!.position < member.position) continue
      const at = first.findIndex(each => each.position > member.position)
      first.splice(at < 0 ? first.length : at, 0, member)
      if (first.length > maxHeroes) first.pop()
    }
  }
  return first.map(member => member.stateKey)
}
