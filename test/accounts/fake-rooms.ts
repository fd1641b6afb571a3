/** Rooms as tables that a test fills: what accounts asks of rooms, and nothing else. */
import type { RoomsPort } from '../../server/accounts/core.ts'
import type { EventId, RoomId, ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import {
  type Draft,
  type MemberEvent,
  type Membership,
  RoomError,
  type RoomEvent,
  type RoomMembership,
  type RoomView,
} from '../../server/rooms/rooms.ts'
import type { Position, Store } from '../../server/store/store.ts'

interface FakeRoom {
  readonly creators: Set<UserId>
  readonly state: Map<string, RoomEvent>
}

export class FakeRooms implements RoomsPort {
  readonly serverName: ServerName
  readonly sent: Draft[] = []
  /** Set by the harness: a change of a room announces itself as the real ones do. */
  store: Store | null = null
  /** What the next sends throw. */
  readonly failures: Error[] = []
  readonly #rooms = new Map<RoomId, FakeRoom>()
  #position = 1

  constructor(serverName: ServerName) {
    this.serverName = serverName
  }

  /** A room with these members; the first one has power 100. */
  room(
    id: string,
    members: readonly UserId[],
    options: { joinRule?: string; creators?: readonly UserId[]; users?: Record<string, number> } = {},
  ): RoomId {
    const roomId = id as RoomId
    this.#rooms.set(roomId, { creators: new Set(options.creators ?? []), state: new Map() })
    const owner = members[0]!
    this.#put(roomId, owner, 'm.room.join_rules', '', { join_rule: options.joinRule ?? 'invite' })
    this.#put(roomId, owner, 'm.room.power_levels', '', {
      users: options.users ?? (options.creators ? {} : { [owner]: 100 }),
      events: { 'm.room.power_levels': 100 },
    })
    for (const member of members) this.#put(roomId, member, 'm.room.member', member, { membership: 'join' })
    return roomId
  }

  member(roomId: RoomId, userId: UserId): JsonObject | undefined {
    return this.#rooms.get(roomId)?.state.get(`m.room.member ${userId}`)?.content
  }

  async send(draft: Draft): Promise<{ eventId: EventId; position: Position }> {
    const failure = this.failures.shift()
    if (failure) throw failure
    const room = this.#rooms.get(draft.roomId)
    if (!room) throw new RoomError('M_NOT_FOUND', 'no such room')
    this.sent.push(draft)
    const event = this.#put(draft.roomId, draft.sender, draft.type, draft.stateKey ?? '', draft.content)
    await this.store?.transact(draft.roomId, tx => tx.announce(`room:${draft.roomId}`))
    return { eventId: event.eventId, position: event.position }
  }

  async view(roomId: RoomId): Promise<RoomView | null> {
    const room = this.#rooms.get(roomId)
    return room ? viewOf(roomId, room) : null
  }

  async memberships(userId: UserId): Promise<ReadonlyMap<RoomId, RoomMembership>> {
    const found = new Map<RoomId, RoomMembership>()
    for (const [roomId, room] of this.#rooms) {
      const event = room.state.get(`m.room.member ${userId}`)
      if (!event) continue
      found.set(roomId, {
        roomId,
        membership: event.content['membership'] as Membership,
        eventId: event.eventId,
        position: event.position,
        sender: event.sender,
        forgotten: false,
        everJoined: true,
      })
    }
    return found
  }

  async sharesRoomWith(userId: UserId): Promise<ReadonlySet<UserId>> {
    const others = new Set<UserId>()
    for (const [roomId, room] of this.#rooms) {
      const view = viewOf(roomId, room)
      if (view.membership(userId) !== 'join') continue
      for (const member of view.members('join')) others.add(member.stateKey)
    }
    others.delete(userId)
    return others
  }

  async roomIds(): Promise<readonly RoomId[]> {
    return [...this.#rooms.keys()]
  }

  #put(roomId: RoomId, sender: UserId, type: string, stateKey: string, content: JsonObject): RoomEvent {
    const position = this.#position++ as Position
    const event: RoomEvent = {
      position,
      roomId,
      eventId: `$${position}` as EventId,
      type,
      sender,
      stateKey,
      content,
      originServerTs: 0,
      depth: position,
      order: position,
    }
    this.#rooms.get(roomId)!.state.set(`${type} ${stateKey}`, event)
    return event
  }
}

function viewOf(roomId: RoomId, room: FakeRoom): RoomView {
  const state = (type: string, stateKey = '') => room.state.get(`${type} ${stateKey}`)
  const members = (membership?: Membership) =>
    [...room.state.values()].filter(
      (event): event is MemberEvent =>
        event.type === 'm.room.member' &&
        (membership === undefined || event.content['membership'] === membership),
    )
  const powerLevel = (userId: UserId) => {
    if (room.creators.has(userId)) return Number.POSITIVE_INFINITY
    const users = state('m.room.power_levels')?.content['users'] as Record<string, number>
    return users[userId] ?? 0
  }
  const view: Partial<RoomView> = {
    roomId,
    creators: room.creators,
    state,
    members,
    memberCount: membership => members(membership).length,
    membership: userId => state('m.room.member', userId)?.content['membership'] as Membership | undefined,
    powerLevel,
    maySend: userId => powerLevel(userId) >= 100,
  }
  return view as RoomView
}
