/**
 * The port to rooms on other servers, one method a request of the server-server API. Whoever implements it has checked
 * that the peer is pinned, that the answer came from it, is not oversize and has the right shape; not that
 * events in it are what they say: signatures, hashes and rules are this area's business.
 *
 * Spec: server-server-api. Every method throws `RemoteError`.
 */
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { Json, JsonObject } from '../protocol/json.ts'

export class RemoteError extends Error {
  /** `refused`: the peer answered with an error; `unreachable`: no answer, or none that could be read; `unpinned`: it was not asked. */
  readonly kind: 'refused' | 'unreachable' | 'unpinned'
  readonly status: number | undefined
  /** The peer's Matrix error code. */
  readonly errcode: string | undefined
  /** Beside code and sentence: how long to wait. */
  readonly fields: { readonly retry_after_ms?: number }
  constructor(
    kind: RemoteError['kind'],
    message: string,
    options: ErrorOptions & {
      readonly status?: number
      readonly errcode?: string
      readonly fields?: RemoteError['fields']
    } = {},
  ) {
    super(message, options)
    this.name = 'RemoteError'
    this.kind = kind
    this.status = options.status
    this.errcode = options.errcode
    this.fields = options.fields ?? {}
  }
}

/** What `make_join`, `make_leave` and `make_knock` answer with. */
export interface EventTemplate {
  /** Absent: 1, by the specification. */
  readonly roomVersion: string | undefined
  readonly event: JsonObject
}

export interface JoinAnswer {
  readonly state: readonly Json[]
  readonly authChain: readonly Json[]
  /** The join as the resident server signed it (restricted rooms). */
  readonly event: Json | undefined
}

export interface StateIds {
  readonly stateIds: readonly EventId[]
  readonly authChainIds: readonly EventId[]
}

export interface InviteRequest {
  readonly roomId: RoomId
  readonly eventId: EventId
  readonly event: JsonObject
  readonly roomVersion: string
  readonly inviteRoomState: readonly JsonObject[]
}

export interface RemoteRooms {
  makeJoin(
    server: ServerName,
    roomId: RoomId,
    userId: UserId,
    versions: readonly string[],
  ): Promise<EventTemplate>
  sendJoin(server: ServerName, roomId: RoomId, eventId: EventId, event: JsonObject): Promise<JoinAnswer>
  makeLeave(server: ServerName, roomId: RoomId, userId: UserId): Promise<EventTemplate>
  sendLeave(server: ServerName, roomId: RoomId, eventId: EventId, event: JsonObject): Promise<void>
  makeKnock(
    server: ServerName,
    roomId: RoomId,
    userId: UserId,
    versions: readonly string[],
  ): Promise<EventTemplate>
  /** Answers with `knock_room_state`. */
  sendKnock(
    server: ServerName,
    roomId: RoomId,
    eventId: EventId,
    event: JsonObject,
  ): Promise<readonly JsonObject[]>
  /** Answers with the event as the invitee's server signed it. */
  invite(server: ServerName, request: InviteRequest): Promise<Json>
  event(server: ServerName, eventId: EventId): Promise<Json>
  state(
    server: ServerName,
    roomId: RoomId,
    at: EventId,
  ): Promise<{ readonly pdus: readonly Json[]; readonly authChain: readonly Json[] }>
  stateIds(server: ServerName, roomId: RoomId, at: EventId): Promise<StateIds>
  eventAuth(server: ServerName, roomId: RoomId, eventId: EventId): Promise<readonly Json[]>
  missingEvents(
    server: ServerName,
    roomId: RoomId,
    options: {
      readonly earliest: readonly EventId[]
      readonly latest: readonly EventId[]
      readonly limit: number
      readonly minDepth: number
    },
  ): Promise<readonly Json[]>
  backfill(
    server: ServerName,
    roomId: RoomId,
    from: readonly EventId[],
    limit: number,
  ): Promise<readonly Json[]>
  /** The event is shown whole. Answers with a map of signatures. Spec: server-server-api#post_matrixpolicyv1sign */
  policySignature(server: ServerName, event: JsonObject): Promise<JsonObject>
  timestampToEvent(
    server: ServerName,
    roomId: RoomId,
    timestamp: number,
    direction: 'f' | 'b',
  ): Promise<{ readonly eventId: EventId; readonly originServerTs: number }>
  /** null: there is no such alias. */
  resolveAlias(
    server: ServerName,
    alias: RoomAlias,
  ): Promise<{ readonly roomId: RoomId; readonly servers: readonly ServerName[] } | null>
  publicRooms(server: ServerName, query: JsonObject): Promise<JsonObject>
  hierarchy(server: ServerName, roomId: RoomId, suggestedOnly: boolean): Promise<JsonObject>
}

/** Outside federation: there are no other servers. */
export const noRemoteRooms: RemoteRooms = new Proxy({} as RemoteRooms, {
  get: () => async (server: ServerName) => {
    throw new RemoteError('unpinned', `This server is not connected to ${server}.`)
  },
})
