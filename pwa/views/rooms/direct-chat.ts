import type { RoomEntry } from '../../sync/room-entry.ts'

/** Of the conversations with a person alone, the one that was used last. Pure. */
export function directWith(entries: Iterable<RoomEntry>, userId: string): RoomEntry | null {
  const known = [...entries]
    .filter(entry => entry.directWith.length === 1 && entry.directWith[0] === userId)
    .filter(entry => entry.membership === 'join' || entry.membership === 'invite')
  return known.sort((a, b) => b.lastTs - a.lastTs)[0] ?? null
}
