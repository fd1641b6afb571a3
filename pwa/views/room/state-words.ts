/** A change of the room's state in words: which text of the catalogue, and what stands in its places. Pure. */
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { Key } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'

export interface NamedPerson {
  readonly userId: string
  readonly name: string
}

export interface StateWords {
  readonly key: Key
  readonly sender: NamedPerson
  readonly target: NamedPerson
  /** What people typed: a name before and after, a topic, a reason. */
  readonly texts: Readonly<Record<string, string>>
  readonly reason: string | null
}

export function stateWords(item: TimelineItem): StateWords {
  const sender = { userId: item.sender, name: item.senderName }
  const about = item.type === 'm.room.member' ? memberWords(item) : roomWords(item)
  return { sender, target: sender, texts: {}, reason: null, ...about }
}

type About = { readonly key: Key } & Partial<Pick<StateWords, 'target' | 'texts' | 'reason'>>

function memberWords(item: TimelineItem): About {
  const { content, previousContent: before } = item
  const userId = item.stateKey ?? ''
  const own = userId === item.sender
  const name = own
    ? item.senderName
    : (text(content['displayname']) ?? text(before?.['displayname']) ?? userId)
  const target = { userId, name }
  const reason = text(content['reason'])
  const was = text(before?.['membership'])
  switch (content['membership']) {
    case 'invite':
      return { key: 'changes.invited', target, reason }
    case 'knock':
      return { key: 'changes.knocked', target, reason }
    case 'ban':
      return { key: 'changes.banned', target, reason }
    case 'join':
      return was === 'join' ? profileWords(item, target) : { key: 'changes.joined', target, reason }
    default:
      return { key: leaveKey(own, was), target, reason }
  }
}

function profileWords({ content, previousContent }: TimelineItem, target: NamedPerson): About {
  const before = text(previousContent?.['displayname']) ?? target.userId
  const after = text(content['displayname']) ?? target.userId
  if (before !== after) return { key: 'changes.renamedSelf', target, texts: { before, after } }
  return { key: 'changes.newPicture', target }
}

function leaveKey(own: boolean, was: string | null): Key {
  switch (was) {
    case 'invite':
      return own ? 'changes.declined' : 'changes.uninvited'
    case 'knock':
      return own ? 'changes.withdrewKnock' : 'changes.refusedKnock'
    case 'ban':
      return 'changes.unbanned'
    default:
      return own ? 'changes.left' : 'changes.removed'
  }
}

const joinRules: Record<string, Key> = {
  invite: 'changes.joinInvite',
  private: 'changes.joinInvite',
  knock: 'changes.joinKnock',
  restricted: 'changes.joinRestricted',
  knock_restricted: 'changes.joinRestricted',
  public: 'changes.joinPublic',
}
const visibilities: Record<string, Key> = {
  joined: 'changes.historyJoined',
  invited: 'changes.historyInvited',
  shared: 'changes.historyShared',
  world_readable: 'changes.historyWorld',
}

function roomWords(item: TimelineItem): About {
  const { content, type } = item
  switch (type) {
    case 'm.room.create':
      return { key: isObject(content['predecessor']) ? 'changes.createdFrom' : 'changes.created' }
    case 'm.room.name': {
      const name = text(content['name'])
      return name === null ? { key: 'changes.unnamed' } : { key: 'changes.named', texts: { name } }
    }
    case 'm.room.topic': {
      const topic = text(content['topic'])
      return topic === null ? { key: 'changes.noTopic' } : { key: 'changes.topic', texts: { topic } }
    }
    case 'm.room.avatar':
      return { key: 'changes.picture' }
    case 'm.room.encryption':
      return { key: 'changes.encrypted' }
    case 'm.room.power_levels':
      return powerWords(item)
    case 'm.room.join_rules':
      return { key: named(joinRules, content['join_rule']) ?? 'changes.powers' }
    case 'm.room.history_visibility':
      return { key: named(visibilities, content['history_visibility']) ?? 'changes.powers' }
    case 'm.room.guest_access':
      return { key: content['guest_access'] === 'can_join' ? 'changes.guestsMay' : 'changes.guestsMayNot' }
    case 'm.room.pinned_events':
      return { key: pinKey(content, item.previousContent) }
    case 'm.room.tombstone':
      return { key: 'changes.replaced' }
    case 'm.room.canonical_alias':
      return { key: 'changes.address' }
    case 'm.room.server_acl':
      return { key: 'changes.servers' }
    case 'm.room.third_party_invite':
      return { key: 'changes.thirdParty' }
    default:
      return { key: 'changes.powers' }
  }
}

/** One person's new role is said; anything else in the table of powers is not for reading aloud. */
function powerWords({ content, previousContent }: TimelineItem): About {
  const now = levels(content)
  const before = levels(previousContent)
  const changed = [...new Set([...Object.keys(now), ...Object.keys(before)])].filter(
    id => now[id] !== before[id],
  )
  const userId = changed[0]
  if (changed.length !== 1 || userId === undefined) return { key: 'changes.powers' }
  const level = Number(now[userId] ?? content['users_default'] ?? 0)
  const key =
    level >= 100 ? 'changes.roleAdministrator' : level >= 50 ? 'changes.roleModerator' : 'changes.roleMember'
  return { key, target: { userId, name: userId } }
}

function pinKey(content: JsonObject, before: JsonObject | null): Key {
  const count = (of: JsonObject | null) => (Array.isArray(of?.['pinned']) ? of['pinned'].length : 0)
  const difference = count(content) - count(before)
  return difference === 1 ? 'changes.pinned' : difference === -1 ? 'changes.unpinned' : 'changes.pins'
}

/** How many changes of which kind, for a row that is folded. */
export function foldedCounts(items: readonly TimelineItem[]): { key: Key; count: number }[] {
  const counts = new Map<Key, number>()
  for (const item of items) {
    // It is said in words.
    if (item.type === 'm.room.create') continue
    const key = foldKeys[stateWords(item).key] ?? 'changes.foldOther'
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const order: Key[] = ['changes.foldJoined', 'changes.foldLeft', 'changes.foldInvited', 'changes.foldOther']
  return order.flatMap(key => (counts.has(key) ? [{ key, count: counts.get(key)! }] : []))
}

const foldKeys: Partial<Record<Key, Key>> = {
  'changes.joined': 'changes.foldJoined',
  'changes.left': 'changes.foldLeft',
  'changes.removed': 'changes.foldLeft',
  'changes.invited': 'changes.foldInvited',
}

function levels(content: JsonObject | null): JsonObject {
  return isObject(content?.['users']) ? content['users'] : {}
}

function named(keys: Record<string, Key>, value: unknown): Key | null {
  return typeof value === 'string' && Object.hasOwn(keys, value) ? keys[value]! : null
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null
}
