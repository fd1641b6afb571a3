/** Who will read what is written: the words in the empty field. */
import { formatList, t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import type { Member } from '../../worker/calls.ts'
import { plainName } from '../parts/plain-name.ts'
import { serverOf } from './room-ground.ts'

export function composerLabel(
  entry: RoomEntry | null,
  ourUserId: string,
  /** Of the room; empty while they are not known. */
  members: ReadonlyMap<string, Pick<Member, 'membership'>> = new Map(),
): string {
  if (!entry) return t('room.compose')
  const others = entry.directWith.filter(userId => userId !== ourUserId)
  const name = plainName(entry.name, 60)
  if (others.length === 1 && name !== null) return t('room.writeToName', { name })
  const count = entry.joinedCount + entry.invitedCount - 1
  if (count <= 0) return t('room.writeToSelf')
  // We are not among those who are counted: neither is our organisation, where nobody else of it is there.
  const theirs = new Set(
    [...members].flatMap(([userId, { membership }]) =>
      userId !== ourUserId && (membership === 'join' || membership === 'invite') ? serverOf(userId) : [],
    ),
  )
  const servers = theirs.size === 0 ? entry.servers : entry.servers.filter(server => theirs.has(server))
  return entry.servers.length > 1 && servers.length > 0
    ? t('room.writeToIn', { count, servers: serverWords(servers) })
    : t('room.writeTo', { count })
}

/** Two organisations by name, more by number. */
export function serverWords(servers: readonly string[]): string {
  return servers.length > 2 ? t('room.organisations', { count: servers.length }) : formatList(servers)
}
