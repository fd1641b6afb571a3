import type { RoomEntry } from '../../sync/room-entry.ts'
import type { FoundPerson } from '../../worker/calls.ts'
import { matchesWords } from './switcher-state.ts'

/** Of the conversations with a person alone, the one that was used last. Pure. */
export function directWith(entries: Iterable<RoomEntry>, userId: string): RoomEntry | null {
  const known = [...entries]
    .filter(entry => entry.directWith.length === 1 && entry.directWith[0] === userId)
    .filter(entry => entry.membership === 'join' || entry.membership === 'invite')
  return known.sort((a, b) => b.lastTs - a.lastTs)[0] ?? null
}

/** People whom we have a conversation with, the latest first: found without a server. Pure. */
export function knownPeople(entries: Iterable<RoomEntry>, typed: string): FoundPerson[] {
  const people = new Map<string, FoundPerson>()
  for (const { directWith: ids, name, avatar, membership } of [...entries].sort(
    (a, b) => b.lastTs - a.lastTs,
  )) {
    const userId = ids[0]
    if (userId === undefined || ids.length > 1 || membership === 'leave' || people.has(userId)) continue
    if (matchesWords(`${name ?? ''} ${userId}`, typed)) people.set(userId, { userId, name, avatar })
  }
  return [...people.values()]
}
