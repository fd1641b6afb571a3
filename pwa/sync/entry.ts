/** Makes the entry of a room list out of what is known of a room. Pure. */
import { isObject, memberOf } from '#protocol/json.ts'
import { frozenState } from './frozen.ts'
import { memberName, roomName, serverOf } from './names.ts'
import { type Room, stateContent, stateEvent, stateText } from './room.ts'
import type { Invite, Preview, RoomEntry } from './room-entry.ts'

/** What stands beside the room itself. */
export interface EntryContext {
  readonly ourUserId: string
  /** By room: the people of `m.direct`. */
  readonly direct: ReadonlyMap<string, readonly string[]>
  /** Guests of our own organisation. */
  readonly external: ReadonlySet<string>
  readonly muted: boolean
  readonly preview: Preview | null
  readonly waiting: number
  readonly failed: number
  readonly draft: boolean
  readonly blockedBy: readonly string[]
}

export function roomEntry(room: Room, context: EntryContext): RoomEntry {
  const { ourUserId } = context
  const { name, heroes } = roomName(room, ourUserId)
  const directWith = context.direct.get(room.roomId) ?? directInvite(room, ourUserId)
  const avatar = stateText(room, 'm.room.avatar', 'url')
  const theirs = directWith.length === 1 ? directWith[0]! : heroes.length === 1 ? heroes[0]! : null
  const tags = room.accountData.get('m.tag')?.['tags']
  const replacedBy = stateText(room, 'm.room.tombstone', 'replacement_room')
  return {
    roomId: room.roomId,
    membership: room.membership,
    isSpace: stateContent(room, 'm.room.create')['type'] === 'm.space',
    directWith,
    name,
    avatar: avatar ?? (theirs === null ? null : (room.members.get(theirs)?.avatar ?? null)),
    topic: stateText(room, 'm.room.topic', 'topic'),
    encrypted: stateEvent(room, 'm.room.encryption') !== null,
    parents: linked(room, 'm.space.parent'),
    children: childrenOf(room),
    joinedCount: room.joinedCount,
    invitedCount: room.invitedCount,
    servers: serversOf(room, serverOf(ourUserId)),
    guests: guestsIn(room, context.external),
    unread: room.unread,
    mentions: Math.max(room.mentions, room.highlights),
    markedUnread: room.accountData.get('m.marked_unread')?.['unread'] === true,
    muted: context.muted,
    favourite: isObject(tags) && memberOf(tags, 'm.favourite') !== undefined,
    lowPriority: isObject(tags) && memberOf(tags, 'm.lowpriority') !== undefined,
    lastTs: room.lastTs,
    preview: context.preview,
    waiting: context.waiting,
    failed: context.failed,
    draft: context.draft,
    blockedBy: context.blockedBy,
    frozen: frozenState(room),
    invite: inviteOf(room, ourUserId),
    replacedBy,
  }
}

function directInvite(room: Room, ourUserId: string): readonly string[] {
  const ours = room.members.get(ourUserId)
  return room.membership === 'invite' && ours?.isDirect ? [ours.sender] : []
}

function inviteOf(room: Room, ourUserId: string): Invite | null {
  const ours = room.members.get(ourUserId)
  if (room.membership !== 'invite' || !ours) return null
  return {
    sender: ours.sender,
    senderName: memberName(room, ours.sender),
    ts: ours.ts,
    reason: ours.reason,
    isDirect: ours.isDirect,
  }
}

/** Room ids that state events of this type name, while they say how to get there. Spec: client-server-api#spaces */
function linked(room: Room, type: string): string[] {
  return [...(room.state.get(type)?.values() ?? [])]
    .filter(({ content }) => Array.isArray(content['via']) && content['via'].length > 0)
    .map(({ stateKey }) => stateKey)
}

/** Spec: client-server-api#ordering-of-children-within-a-space */
function childrenOf(room: Room): string[] {
  const events = [...(room.state.get('m.space.child')?.values() ?? [])].filter(
    ({ content }) => Array.isArray(content['via']) && content['via'].length > 0,
  )
  const orderOf = (order: unknown) =>
    typeof order === 'string' && /^[ -~]{1,50}$/.test(order) ? order : null
  return events
    .sort((a, b) => {
      const [one, other] = [orderOf(a.content['order']), orderOf(b.content['order'])]
      if (one !== other) return one === null ? 1 : other === null ? -1 : one < other ? -1 : 1
      return a.ts - b.ts || (a.stateKey < b.stateKey ? -1 : 1)
    })
    .map(({ stateKey }) => stateKey)
}

function guestsIn(room: Room, external: ReadonlySet<string>): number {
  const isThere = (userId: string) => /^(join|invite)$/.test(room.members.get(userId)?.membership ?? '')
  return external.values().filter(isThere).toArray().length
}

function serversOf(room: Room, ours: string): string[] {
  const servers = new Set<string>()
  for (const [userId, { membership }] of room.members) {
    if (membership === 'join' || membership === 'invite') servers.add(serverOf(userId))
  }
  return [...servers].sort((a, b) => (a === ours ? -1 : b === ours ? 1 : a < b ? -1 : 1))
}
