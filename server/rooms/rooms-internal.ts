/**
 * What federation and maintenance need of rooms beyond `Rooms`: events as other servers write them.
 */
import type { Pdu } from '../protocol/event.ts'
import type { EventId, RoomId, ServerName } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import type { KeyId } from '../protocol/signing.ts'
import type { Position } from '../store/store.ts'
import type { RoomEvent } from './rooms.ts'

/** Signs with our event-signing keys. Deterministic: the same bytes under the same key are the same signature. */
export interface EventSigner {
  /** The key for what is accepted from now on. */
  readonly keyId: KeyId
  /** Retired keys stay until nothing unsigned refers to them. */
  sign(keyId: KeyId, bytes: Uint8Array): Uint8Array
}

/**
 * Checks the signatures that an event must bear (`requiredSigners`), with keys from wherever they come.
 * Spec: server-server-api#validating-hashes-and-signatures-on-received-events
 */
export type CheckSignatures = (pdu: Pdu, rules: RoomRules) => Promise<boolean>

export interface ReceiveOptions {
  /** Part of an auth chain or a fetched state: kept, but without a place in the graph. */
  readonly outlier?: boolean
  /**
   * The ids of the state before the event as another server told it (`/state_ids`). All must be known here, as
   * outliers at least. Needed where a previous event is missing for good; that one becomes a backward extremity.
   */
  readonly stateBefore?: readonly EventId[]
}

export type Received =
  | { readonly kind: 'accepted'; readonly eventId: EventId; readonly position: Position }
  /** In the graph, shown to nobody. */
  | { readonly kind: 'soft-failed' | 'rejected'; readonly eventId: EventId; readonly rule: string }
  | { readonly kind: 'outlier'; readonly eventId: EventId }
  /** Nothing was written: these must be there first. Previous events only if `stateBefore` cannot be had. */
  | {
      readonly kind: 'incomplete'
      readonly eventId: EventId
      readonly missingPrevEvents: readonly EventId[]
      readonly missingAuthEvents: readonly EventId[]
    }
  /** No event at all: nothing was written, nothing will ever refer to it. */
  | { readonly kind: 'refused'; readonly reason: string }

/** An event as it is stored, whatever became of it. */
export interface StoredPdu {
  readonly roomId: RoomId
  readonly pdu: Pdu
  readonly eventId: EventId
  readonly outlier: boolean
  readonly rejected: boolean
  readonly softFailed: boolean
}

/** Which part of the graph is asked for. */
export interface EventsBefore {
  readonly latest: readonly EventId[]
  /** Are these part of the answer? */
  readonly withLatest?: boolean
  /** Where to stop: these and what is before them is not asked for. */
  readonly earliest?: readonly EventId[]
  readonly minDepth?: number
  readonly limit: number
}

export interface RoomsInternal {
  /**
   * Takes an event that another server made, for a room that is here. Resolves when what became of it is durable.
   * A wrong event is an outcome, never an exception.
   */
  receive(roomId: RoomId, event: Json, options?: ReceiveOptions): Promise<Received>
  /**
   * Takes events that are older than what we have, the oldest first: they go below the timeline and move neither
   * forward extremities nor current state. `stateBefore` is for the first.
   */
  backfill(
    roomId: RoomId,
    events: readonly Json[],
    stateBefore?: readonly EventId[],
  ): Promise<readonly Received[]>
  /**
   * The full event with its signatures: the only way in which one leaves this server. A redacted or purged one is
   * its redacted form. null: not here. Throws if the stored rows are not those of this id.
   */
  signed(eventId: EventId): Promise<Pdu | null>
  stored(eventIds: readonly EventId[]): Promise<(StoredPdu | null)[]>
  /** The auth chains of these events, themselves not included unless another one needs them. */
  authChain(eventIds: readonly EventId[]): Promise<ReadonlySet<EventId>>
  /** The events that others refer to and that are not here, with the depth of the event that needs them. */
  /** An event of the room's past, from this server, into a place of the timeline. null: it cannot be had or shown. */
  fetchEvent(roomId: RoomId, server: ServerName, eventId: EventId): Promise<RoomEvent | null>
  backwardExtremities(roomId: RoomId): Promise<ReadonlyMap<EventId, number>>
  /** Events of this room from `latest` back along their previous events, the newest (by depth) first. */
  eventsBefore(roomId: RoomId, question: EventsBefore): Promise<readonly EventId[]>
  /**
   * May any person of this server see the event? Spec: client-server-api#room-history-visibility. For a server that
   * is in the room: whoever is let in by `askedBy`.
   */
  visibleToServer(server: ServerName, roomId: RoomId, eventIds: readonly EventId[]): Promise<boolean[]>
}
