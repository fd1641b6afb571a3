/** Which events have a line of their own, and which only do something to others. Pure. */
import type { TimelineItem } from '../../sync/timeline-item.ts'

const messageTypes = new Set(['m.room.message', 'm.sticker', 'm.room.encrypted'])
/** State that people should see change. */
const stateTypes = new Set([
  'm.room.create',
  'm.room.member',
  'm.room.name',
  'm.room.topic',
  'm.room.avatar',
  'm.room.encryption',
  'm.room.power_levels',
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.pinned_events',
  'm.room.tombstone',
  'm.room.canonical_alias',
  'm.room.server_acl',
  'm.room.third_party_invite',
])
/** Parts of a conversation between devices. The request itself is a message, and is shown. */
const spoken =
  /^m\.key\.verification\.|^m\.call\.|^org\.matrix\.call\.|^m\.reaction$|^m\.room\.redaction$|^m\.poll\.(response|end)$/

export function isShown(item: TimelineItem): boolean {
  // Of ours, and refused: somebody has to see that.
  if (item.state === 'failed') return true
  if (item.stateKey !== null) return stateTypes.has(item.type) && !changesNothing(item)
  if (messageTypes.has(item.type)) return true
  // Of an unknown kind: shown as far as it says something to people without knowledge of it.
  return !spoken.test(item.type) && (item.redacted !== null || typeof item.content['body'] === 'string')
}

/** A member event that repeats what stood there: servers send them. */
function changesNothing(item: TimelineItem): boolean {
  if (item.type !== 'm.room.member' || !item.previousContent) return false
  const same = (name: string) => (item.content[name] ?? null) === (item.previousContent?.[name] ?? null)
  return same('membership') && same('displayname') && same('avatar_url')
}
