/**
 * What other servers ask of our rooms. Whoever calls has authenticated the request: `origin` is a pinned peer from
 * whom we may receive. Everything else (is it in the room, does the room's server ACL let it, is the room frozen) is
 * checked here. What is refused is a `RoomError` with the code that the specification gives.
 */
import type { Pdu } from '../protocol/event.ts'
import type { EventId, RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { Json, JsonObject } from '../protocol/json.ts'
import type { EventTemplate } from './remote-rooms.ts'
import type { RoomView } from './rooms.ts'

/** Spec: server-server-api#put_matrixfederationv1sendtxnid: an event that we refuse has an error, all others have none. */
export interface PduResult {
  readonly error?: string
  /** What it stands on is with who sent it, and that one did not answer just now: sent again it may be taken. */
  readonly mayComeAgain?: boolean
}

export type PduResults = ReadonlyMap<EventId, PduResult>

/** Ids, and events on demand by `RoomsInternal.signed`: a state of 10,000 events is not built in memory twice. */
export interface StateWithAuthChain {
  readonly state: readonly EventId[]
  readonly authChain: readonly EventId[]
}

export interface AcceptedJoin extends StateWithAuthChain {
  /** The join with our signature, where we vouched for it. */
  readonly event: Pdu
}

/** Body of `PUT /_matrix/federation/v2/invite`: parsed as JSON, its shape unchecked. */
export interface InviteBody {
  readonly event: Json
  readonly roomVersion: string
  readonly inviteRoomState: readonly JsonObject[]
  /** Servers to join by. */
  readonly via: readonly ServerName[]
}

/** What a room stands still for: a server that nobody here has pinned was let in. */
export interface Frozen {
  readonly server: ServerName
  /** Who let it in, or who of it came by themselves. */
  readonly by: UserId
  readonly eventId: EventId
  /** Milliseconds since 1970. */
  readonly sinceTs: number
}

export interface InboundRooms {
  /**
   * The events of one transaction, in its order for each room, rooms side by side; missing events are fetched from
   * `origin` within bounds. Resolves when what became of each is durable. A bad event never hurts another: it is an
   * entry with an error. Events whose room version we cannot know have no id and are left out.
   */
  takeTransaction(origin: ServerName, pdus: readonly Json[]): Promise<PduResults>

  /** Spec: server-server-api#get_matrixfederationv1make_joinroomiduserid. `versions`: none said means `['1']`. */
  makeJoin(
    origin: ServerName,
    roomId: RoomId,
    userId: UserId,
    versions: readonly string[],
  ): Promise<EventTemplate>
  /** Spec: server-server-api#put_matrixfederationv2send_joinroomideventid. Resolves when the join is durable. */
  sendJoin(origin: ServerName, roomId: RoomId, eventId: EventId, event: Json): Promise<AcceptedJoin>
  makeLeave(origin: ServerName, roomId: RoomId, userId: UserId): Promise<EventTemplate>
  sendLeave(origin: ServerName, roomId: RoomId, eventId: EventId, event: Json): Promise<void>
  makeKnock(
    origin: ServerName,
    roomId: RoomId,
    userId: UserId,
    versions: readonly string[],
  ): Promise<EventTemplate>
  /** Answers with `knock_room_state`. */
  sendKnock(origin: ServerName, roomId: RoomId, eventId: EventId, event: Json): Promise<readonly JsonObject[]>
  /** An invite of a person of ours: stored before it is answered with our signature. */
  invite(origin: ServerName, roomId: RoomId, eventId: EventId, body: InviteBody): Promise<Pdu>
  /** Spec: server-server-api#put_matrixfederationv1exchange_third_party_inviteroomid */
  exchangeThirdPartyInvite(origin: ServerName, roomId: RoomId, event: Json): Promise<void>

  /**
   * The room, for a server that asks something about it: M_NOT_FOUND where it is not here, M_FORBIDDEN where the
   * server has no joined member, its ACL denies the server or the room is frozen. `mayBeOutside`: a server without
   * members may ask too (make_join, and what decides about visibility by itself). `about`: so may a server whose last
   * members others put out, if it asks about these events and they are what did it. It was still in when they were sent
   * to it, and has to know what led to them: without that it could not take them, and would stay in by itself.
   */
  askedBy(
    origin: ServerName,
    roomId: RoomId,
    options?: { readonly mayBeOutside?: boolean; readonly about?: readonly EventId[] },
  ): Promise<RoomView>
  /** The state before this event, for `/state` and `/state_ids`. null: the event is not here, or has no state. */
  stateBefore(roomId: RoomId, eventId: EventId): Promise<StateWithAuthChain | null>
}
