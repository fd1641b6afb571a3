/**
 * What the rest of the server sees of rooms: views of what is durable, and one way to write.
 *
 * A room is an actor: one writer, its current state in memory, everything else in the store. Views never
 * show what lies above `store.durablePosition`. Errors are `RoomError` with the Matrix error code.
 */
import type { EventId, RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Position } from '../store/store.ts'

/** An accepted event, as the inside hands it around. Read-only and shared: never change one. */
export interface RoomEvent {
  /** Its place in this server's one order; also its short id in the store. */
  readonly position: Position
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
  /** With a transaction id the same call gives the same event id for ever, after a restart as well. */
  readonly transaction?: { readonly userId: UserId; readonly deviceId: string; readonly txnId: string }
}

export interface Sent {
  readonly eventId: EventId
  readonly position: Position
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
  /** Spec: client-server-api#mroompower_levels; creators of version 12 have Infinity. */
  powerLevel(userId: UserId): number
  /** Could this user send this now (power and membership)? */
  mayKick(actor: UserId, target: UserId): boolean
  maySend(userId: UserId, type: string, isState: boolean): boolean
  /** Forward extremities, newest first. */
  readonly forwardExtremities: readonly EventId[]
}

export interface TimelineOptions {
  /** Only events above / below this position (both excluded). */
  readonly after?: Position
  readonly before?: Position
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

  send(draft: Draft, options?: SendOptions): Promise<Sent>

  /** Accepted, not rejected or soft-failed, in position order. */
  timeline(roomId: RoomId, options: TimelineOptions): Promise<RoomEvent[]>
  event(eventId: EventId): Promise<RoomEvent | null>
  events(eventIds: readonly EventId[]): Promise<(RoomEvent | null)[]>
  /** The room's state before (or after) the event at this position. Keys are `stateKeyOf(type, stateKey)`. */
  stateAt(roomId: RoomId, at: Position, side: 'before' | 'after'): Promise<StateAt>
  /** May this user see this event? Spec: client-server-api#room-history-visibility. One call for many events. */
  visible(userId: UserId, events: readonly RoomEvent[]): Promise<boolean[]>
}

/** A state of the past: event ids now, events on demand. */
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
  | 'M_UNSUPPORTED_ROOM_VERSION'
  | 'M_INCOMPATIBLE_ROOM_VERSION'
  | 'M_UNABLE_TO_AUTHORISE_JOIN'
  | 'M_UNABLE_TO_GRANT_JOIN'
  | 'M_UNKNOWN'

/** A refusal by a room's rules. `http` knows the status of each code. */
export class RoomError extends Error {
  readonly code: RoomErrorCode
  constructor(code: RoomErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RoomError'
    this.code = code
  }
}
