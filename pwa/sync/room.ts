/**
 * A room as this device knows it: its state, its members, what we think of it. A value in memory, three records at rest.
 *
 * The server tells all of it and may lie: nothing here decides who gets keys. Changes are made on a copy, so that what
 * could not be stored is not believed either.
 */
import { isObject, type Json, type JsonObject, memberOf } from '#protocol/json.ts'
import type { VaultWrite } from '../vault/records.ts'
import type { Membership } from './room-entry.ts'
import type { BareEvent, RoomUpdate, StateEvent } from './sync-answer.ts'

/** What `m.room.member` says of somebody. */
export interface MemberState {
  readonly membership: string
  readonly name: string | null
  readonly avatar: string | null
  readonly sender: string
  readonly ts: number
  readonly isDirect: boolean
  readonly reason: string | null
}

/** A person's newest receipt. Private and public ones of ours are one. */
export interface Receipt {
  readonly eventId: string
  readonly ts: number
  /** Of the event that it points to, where we have it: what lies before was read too. */
  readonly eventTs: number | null
}

export interface Room {
  readonly roomId: string
  readonly membership: Membership
  /** By type, then state key, without members. */
  readonly state: ReadonlyMap<string, ReadonlyMap<string, StateEvent>>
  readonly members: ReadonlyMap<string, MemberState>
  /** By type. */
  readonly accountData: ReadonlyMap<string, JsonObject>
  readonly receipts: ReadonlyMap<string, Receipt>
  /** By root of a thread: up to when we have read it. */
  readonly threadsRead: ReadonlyMap<string, number>
  readonly unread: number
  /** As the server counts them: it cannot count in what it cannot read. */
  readonly highlights: number
  /** Mentions that we found in what we decrypted since the last receipt of ours. */
  readonly mentions: number
  readonly joinedCount: number
  readonly invitedCount: number
  /** The newest event that counts. */
  readonly lastTs: number
}

export function newRoom(roomId: string): Room {
  return {
    roomId,
    membership: 'leave',
    state: new Map(),
    members: new Map(),
    accountData: new Map(),
    receipts: new Map(),
    threadsRead: new Map(),
    unread: 0,
    highlights: 0,
    mentions: 0,
    joinedCount: 0,
    invitedCount: 0,
    lastTs: 0,
  }
}

export function stateEvent(room: Room, type: string, stateKey = ''): StateEvent | null {
  return room.state.get(type)?.get(stateKey) ?? null
}

export function stateContent(room: Room, type: string, stateKey = ''): JsonObject {
  return stateEvent(room, type, stateKey)?.content ?? {}
}

/** A text in a state event; null where it is none, or empty. */
export function stateText(room: Room, type: string, member: string): string | null {
  const value = memberOf(stateContent(room, type), member)
  return typeof value === 'string' && value.trim() !== '' ? value : null
}

/** What a sync says of the room, without its timeline. */
export function updatedRoom(before: Room, update: RoomUpdate): Room {
  // Whoever is invited anew sees what the invitation shows, and nothing of what was there before.
  const base =
    update.membership !== before.membership && update.membership === 'invite'
      ? newRoom(update.roomId)
      : before
  const { state, members } = withState(base, update.state)
  const counts = countsOf(members)
  return {
    ...base,
    membership: update.membership,
    state,
    members,
    accountData: withAccountData(base.accountData, update.accountData),
    unread: update.unread?.notifications ?? base.unread,
    highlights: update.unread?.highlights ?? base.highlights,
    joinedCount: update.joinedCount ?? counts.joined,
    invitedCount: update.invitedCount ?? counts.invited,
  }
}

export function withState(room: Room, events: readonly StateEvent[]): Pick<Room, 'state' | 'members'> {
  if (events.length === 0) return room
  const state = new Map(room.state)
  const copied = new Set<string>()
  const members = new Map(room.members)
  for (const event of events) {
    if (event.type === 'm.room.member') {
      const member = memberState(event)
      if (member) members.set(event.stateKey, member)
      continue
    }
    if (!copied.has(event.type)) state.set(event.type, new Map(state.get(event.type)))
    copied.add(event.type)
    ;(state.get(event.type) as Map<string, StateEvent>).set(event.stateKey, event)
  }
  return { state, members }
}

function memberState({ content, sender, ts }: StateEvent): MemberState | null {
  const { membership, displayname, avatar_url: avatar, is_direct: isDirect, reason } = content
  if (typeof membership !== 'string') return null
  return {
    membership,
    name: textOf(displayname),
    avatar: textOf(avatar),
    sender,
    ts,
    isDirect: isDirect === true,
    reason: textOf(reason),
  }
}

function withAccountData(
  before: ReadonlyMap<string, JsonObject>,
  events: readonly BareEvent[],
): ReadonlyMap<string, JsonObject> {
  if (events.length === 0) return before
  return new Map([...before, ...events.map(({ type, content }) => [type, content] as const)])
}

/** Receipts of an `m.receipt` event; `tsOf` says when an event that we have was sent. Spec: #receipts */
export function withReceipts(
  room: Room,
  content: JsonObject,
  tsOf: (eventId: string) => number | null,
  ourUserId: string,
): Room {
  const receipts = new Map(room.receipts)
  const threadsRead = new Map(room.threadsRead)
  for (const [eventId, byType] of Object.entries(content)) {
    if (!isObject(byType)) continue
    for (const type of ['m.read', 'm.read.private']) {
      const byUser = memberOf(byType, type)
      if (!isObject(byUser)) continue
      for (const [userId, receipt] of Object.entries(byUser)) {
        if (!isObject(receipt)) continue
        const threadId = receipt['thread_id']
        const ts = typeof receipt['ts'] === 'number' ? receipt['ts'] : 0
        // What was read in a thread says nothing of the room.
        if (typeof threadId === 'string' && threadId !== 'main') {
          const upTo = Math.max(threadsRead.get(threadId) ?? 0, tsOf(eventId) ?? ts)
          if (userId === ourUserId) threadsRead.set(threadId, upTo)
          continue
        }
        const known = receipts.get(userId)
        if (known && known.ts > ts) continue
        receipts.set(userId, { eventId, ts, eventTs: tsOf(eventId) })
      }
    }
  }
  return { ...room, receipts, threadsRead }
}

export function countsOf(members: ReadonlyMap<string, MemberState>): { joined: number; invited: number } {
  let joined = 0
  let invited = 0
  for (const { membership } of members.values()) {
    if (membership === 'join') joined++
    else if (membership === 'invite') invited++
  }
  return { joined, invited }
}

// ── at rest ────────────────────────────────────────────────────────────────────────────────────────

/** Members, state and the rest lie apart: they change at different times, and members can be many. */
export const roomCollection = 'sync-room'

export function writesOf(before: Room | null, room: Room): VaultWrite[] {
  const { roomId, state, members, receipts, threadsRead, accountData, ...rest } = room
  const write = (part: string, value: JsonObject): VaultWrite => ({
    collection: roomCollection,
    id: `${roomId}|${part}`,
    value,
  })
  const about: JsonObject = { ...rest, accountData: Object.fromEntries(accountData) }
  return [
    write('about', about),
    ...(before?.state === state
      ? []
      : [
          write('state', {
            events: [...state.values()].flatMap(byKey => [...byKey.values()]) as unknown as Json,
          }),
        ]),
    ...(before?.members === members
      ? []
      : [write('members', { members: Object.fromEntries(members) as unknown as Json })]),
    ...(before?.receipts === receipts
      ? []
      : [
          write('receipts', {
            receipts: Object.fromEntries(receipts) as unknown as Json,
            threadsRead: Object.fromEntries(threadsRead),
          }),
        ]),
  ]
}

export function roomFromRecords(
  roomId: string,
  records: readonly (readonly [id: string, value: JsonObject])[],
): Room {
  const part = (name: string) => records.find(([id]) => id === `${roomId}|${name}`)?.[1] ?? {}
  const { accountData, ...about } = part('about')
  const { state } = withState(newRoom(roomId), (part('state')['events'] ?? []) as unknown as StateEvent[])
  return {
    ...newRoom(roomId),
    ...(about as Partial<Room>),
    roomId,
    state,
    members: new Map(
      Object.entries((part('members')['members'] ?? {}) as unknown as Record<string, MemberState>),
    ),
    receipts: new Map(
      Object.entries((part('receipts')['receipts'] ?? {}) as unknown as Record<string, Receipt>),
    ),
    threadsRead: new Map(Object.entries((part('receipts')['threadsRead'] ?? {}) as Record<string, number>)),
    accountData: new Map(Object.entries((accountData ?? {}) as Record<string, JsonObject>)),
  }
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
