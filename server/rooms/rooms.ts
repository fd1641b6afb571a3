/**
 * What the rest of the server sees of rooms: views of what is durable, and one way to write.
 *
 * A room is an actor: one writer, its current state in memory, everything else in the store. Views never
 * show what lies above `store.durablePosition`. Errors are `RoomError` with the Matrix error code.
 */
import type { EventId, RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { RoomVersion } from '../protocol/room-versions.ts'
import type { Position, Transaction } from '../store/store.ts'
import type { Frozen } from './inbound-rooms.ts'

/** An accepted event, as the inside hands it around. Read-only and shared: never change one. */
export interface RoomEvent {
  /** Its place in this server's one order; also its short id in the store. */
  readonly position: Position
  /**
   * Where it stands in its room's timeline: its position if it came while we were in the room, a number below
   * zero if it is older and was fetched later. Timeline ranges and pagination tokens go by this.
   */
  readonly order: number
  readonly roomId: RoomId
  readonly eventId: EventId
  readonly type: string
  readonly sender: UserId
  /** Absent on what is not state. */
  readonly stateKey?: string
  readonly content: JsonObject
  readonly originServerTs: number
  readonly depth: number
  /** The event that this one redacts, wherever the room version writes it. */
  readonly redacts?: EventId
  /** On a redacted event (content is then what redaction keeps): the redaction. */
  readonly redactedBecause?: RoomEvent
  /** On a state event that replaced another. */
  readonly replacesState?: {
    readonly eventId: EventId
    readonly content: JsonObject
    readonly sender: UserId
  }
  /** The transaction id with which a local device sent it. */
  readonly transaction?: { readonly userId: UserId; readonly deviceId: string; readonly txnId: string }
}

export type Membership = 'join' | 'invite' | 'knock' | 'leave' | 'ban'

export interface MemberEvent extends RoomEvent {
  readonly stateKey: UserId
  readonly content: JsonObject & { readonly membership: Membership }
}

/** What a person wants to write, before the room makes an event of it. */
export interface Draft {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly type: string
  readonly stateKey?: string
  readonly content: JsonObject
  readonly redacts?: EventId
  /** Milliseconds; the room's clock otherwise. */
  readonly originServerTs?: number
}

export interface SendOptions {
  /**
   * With a transaction id the same call (device, room, event type) gives the same event id for ever, after a
   * restart as well; while the first is pending, a repeat waits for it.
   */
  readonly transaction?: { readonly userId: UserId; readonly deviceId: string; readonly txnId: string }
}

export interface Sent {
  readonly eventId: EventId
  readonly position: Position
}

/** What else one transaction writes together with its events: an alias, a directory entry, an audit line. */
export interface BatchOptions {
  /** Owners to hold beside the room, see `Store.transact`. */
  readonly owners?: readonly string[]
  /** Runs in the room's transaction after its events were found good. What it throws refuses them all. */
  readonly also?: (tx: Transaction, roomId: RoomId) => Promise<void> | void
}

export interface NewRoom {
  readonly version: RoomVersion
  readonly creator: UserId
  /** Of the create event, without `room_version` and `creator`, which the room adds where its version wants them. */
  readonly createContent: JsonObject
  /** What follows the create event, in this order: the creator's join first. All are there, or the room is not. */
  readonly events: (roomId: RoomId) => readonly Omit<Draft, 'roomId'>[]
}

export interface CreatedRoom {
  readonly roomId: RoomId
  /** The create event's first. */
  readonly sent: readonly Sent[]
}

/** One room as it is durably now. Cheap to get; do not keep one across awaits that matter. */
export interface RoomView {
  readonly roomId: RoomId
  readonly version: string
  readonly creators: ReadonlySet<UserId>
  readonly createEvent: RoomEvent
  /** Position of the newest event in the timeline. */
  readonly lastPosition: Position
  /** Current resolved state. */
  state(type: string, stateKey?: string): RoomEvent | undefined
  stateOfType(type: string): Iterable<RoomEvent>
  allState(): Iterable<RoomEvent>
  membership(userId: UserId): Membership | undefined
  members(membership?: Membership): Iterable<MemberEvent>
  memberCount(membership: Membership): number
  /** Servers that have joined members, with how many. Kept as members come and go: asking costs nothing. */
  readonly joinedServers: ReadonlyMap<ServerName, number>
  /** The room stands still: nothing is sent, accepted or served. */
  readonly frozen: Frozen | null
  /** Spec: client-server-api#mroompower_levels; creators of version 12 have Infinity. */
  powerLevel(userId: UserId): number
  /** Could this user send this now (power and membership)? */
  mayKick(actor: UserId, target: UserId): boolean
  maySend(userId: UserId, type: string, isState: boolean): boolean
  /** Forward extremities, newest first. */
  readonly forwardExtremities: readonly EventId[]
}

export interface TimelineOptions {
  /** Only events above / below this `order` (both excluded). A position is the order of live events. */
  readonly after?: number
  readonly before?: number
  /** Newest first. */
  readonly reverse?: boolean
  readonly limit: number
}

/** Where one user stands in one room; one row each, kept after leaving until forgotten. */
export interface RoomMembership {
  readonly roomId: RoomId
  readonly membership: Membership
  readonly eventId: EventId
  readonly position: Position
  readonly sender: UserId
  readonly forgotten: boolean
  /** Was the user ever joined (a leave after an invite is no archived room)? */
  readonly everJoined: boolean
  /** While joined absent; afterwards the position of what ended the last time that the user was joined. */
  readonly joinedUntil?: Position
  /** For invites and knocks: the stripped state that was shown with it. */
  readonly strippedState?: readonly JsonObject[]
}

export interface Rooms {
  readonly serverName: ServerName
  /** null: we do not know this room. */
  view(roomId: RoomId): Promise<RoomView | null>
  /** All rooms in which this user has or had a membership, from an index that is kept in the event's own batch. */
  memberships(userId: UserId): Promise<ReadonlyMap<RoomId, RoomMembership>>
  /** Users who share a joined room with this one (not the user itself). */
  sharesRoomWith(userId: UserId): Promise<ReadonlySet<UserId>>
  roomIds(): Promise<readonly RoomId[]>

  /**
   * Writes an event and resolves when it is durable. Throws `RoomError` where the room's rules or a gate refuse
   * it. State that says what the room's state already says, by the same sender, is not written again: the
   * answer is then the event that stands.
   */
  send(draft: Draft, options?: SendOptions): Promise<Sent>
  /** Several events of one room in one transaction: all or none. */
  sendMany(roomId: RoomId, drafts: readonly Omit<Draft, 'roomId'>[], options?: BatchOptions): Promise<Sent[]>
  /** Makes a room; create event and all that follows are one transaction. */
  create(room: NewRoom, options?: BatchOptions): Promise<CreatedRoom>
  /** Takes the room from the user's list. Refused with M_UNKNOWN while the user is joined, invited or knocking. */
  forget(userId: UserId, roomId: RoomId): Promise<void>

  /**
   * Accepted, not rejected or soft-failed, in the timeline's order. Read backwards it ends where history is missing in
   * between (`fetchOlder` goes on from there); forwards it does not.
   */
  timeline(roomId: RoomId, options: TimelineOptions): Promise<RoomEvent[]>
  event(eventId: EventId): Promise<RoomEvent | null>
  events(eventIds: readonly EventId[]): Promise<(RoomEvent | null)[]>
  /**
   * Fetches what came before this place, or before the oldest event here, from other servers; resolves with whether there
   * is more now.
   */
  fetchOlder(roomId: RoomId, from?: number): Promise<boolean>
  /** The same for what is missing between these places; at once where nothing is. */
  fetchBetween(roomId: RoomId, low: number, high: number): Promise<boolean>
  /** The room's state before (or after) the event at this position. Keys are `stateKeyOf(type, stateKey)`. */
  stateAt(roomId: RoomId, at: Position, side: 'before' | 'after'): Promise<StateAt>
  /** The room's current state as it was when this position was the newest: what a sync token of then had seen. */
  currentStateAsOf(roomId: RoomId, position: Position): Promise<StateAt>
  /** The first event at or after this time, or the last one at or before it. Times are the events' own. */
  eventNear(roomId: RoomId, timestamp: number, direction: 'forwards' | 'backwards'): Promise<RoomEvent | null>
  /** Told of each room that begins or ends to stand still, once that is durable: ask its view. */
  onFrozen(listener: (roomId: RoomId) => void): void
  /** May this user see this event? Spec: client-server-api#room-history-visibility. One call for many events. */
  visible(userId: UserId, events: readonly RoomEvent[]): Promise<boolean[]>
}

/** A state of the past: event ids now, events on demand. Keys of `ids` are made by `stateKeyOf` (graph-event.ts). */
export interface StateAt {
  get(type: string, stateKey?: string): Promise<RoomEvent | undefined>
  getAll(): Promise<RoomEvent[]>
  readonly ids: ReadonlyMap<string, Position>
}

export type RoomErrorCode =
  | 'M_FORBIDDEN'
  | 'M_NOT_FOUND'
  | 'M_BAD_STATE'
  | 'M_BAD_JSON'
  | 'M_INVALID_PARAM'
  | 'M_TOO_LARGE'
  | 'M_ROOM_IN_USE'
  | 'M_INVALID_ROOM_STATE'
  | 'M_INVITE_BLOCKED'
  | 'M_BAD_ALIAS'
  | 'M_DUPLICATE_ANNOTATION'
  | 'M_UNSUPPORTED_ROOM_VERSION'
  | 'M_INCOMPATIBLE_ROOM_VERSION'
  | 'M_UNABLE_TO_AUTHORISE_JOIN'
  | 'M_UNABLE_TO_GRANT_JOIN'
  | 'M_LIMIT_EXCEEDED'
  | 'M_UNKNOWN'

/** A refusal by a room's rules. `http` knows the status of each code. */
export class RoomError extends Error {
  readonly code: RoomErrorCode
  /** What an answer holds beside code and sentence: `room_version` with M_INCOMPATIBLE_ROOM_VERSION. */
  readonly fields: JsonObject
  /** Where it is not the code's own: what another server answered, or that it did not. */
  readonly status: number | undefined
  constructor(
    code: RoomErrorCode,
    message: string,
    {
      fields = {},
      status,
      ...options
    }: ErrorOptions & { readonly fields?: JsonObject; readonly status?: number | undefined } = {},
  ) {
    super(message, options)
    this.name = 'RoomError'
    this.code = code
    this.fields = fields
    this.status = status
  }
}
