/** Who will read what is written: the words in the empty field. */
import { formatList, t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { plainName } from '../parts/plain-name.ts'

export function composerLabel(entry: RoomEntry | null, ourUserId: string): string {
  if (!entry) return t('room.compose')
  const others = entry.directWith.filter(userId => userId !== ourUserId)
  const name = plainName(entry.name, 60)
  if (others.length === 1 && name !== null) return t('room.writeToName', { name })
  const count = entry.joinedCount + entry.invitedCount - 1
  if (count <= 0) return t('room.writeToSelf')
  return entry.servers.length > 1
    ? t('room.writeToIn', { count, servers: serverWords(entry.servers) })
    : t('room.writeTo', { count })
}

/** Two organisations by name, more by number. */
export function serverWords(servers: readonly string[]): string {
  return servers.length > 2 ? t('room.organisations', { count: servers.length }) : formatList(servers)
}
