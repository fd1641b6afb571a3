/** What a sync found, before it is written as JSON: events are the rooms' own, shared between all readers. */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Tally } from '../push/unread.ts'
import type { Shown } from '../rooms/client-event.ts'
import type { RoomEvent } from '../rooms/rooms.ts'
import type { AccountDataItem, ToDeviceMessage } from './ports.ts'
import type { RoomSummary } from './summary.ts'
import type { SyncToken } from './token.ts'

export interface ShownEvent {
  readonly event: RoomEvent
  readonly shown: Shown
}

export interface Timeline {
  readonly events: readonly ShownEvent[]
  readonly limited: boolean
  readonly prevBatch: string
}

export interface LeftRoom {
  readonly roomId: RoomId
  readonly timeline: Timeline
  /** Before the timeline, or after it where `state_after` was asked for. */
  readonly state: readonly RoomEvent[]
  readonly accountData: readonly AccountDataItem[]
}

export interface JoinedRoom extends LeftRoom {
  readonly summary: RoomSummary | undefined
  readonly ephemeral: readonly JsonObject[]
  readonly unread: Tally
  /** Asked for, and by thread root. */
  readonly unreadThreads: ReadonlyMap<EventId, Tally> | undefined
}

/** An invite or a knock. */
export interface StrippedRoom {
  readonly roomId: RoomId
  readonly state: readonly JsonObject[]
}

export interface SyncResult {
  readonly next: SyncToken
  readonly stateAfter: boolean
  readonly accountData: readonly { readonly type: string; readonly content: JsonObject }[]
  readonly joined: readonly JoinedRoom[]
  readonly invited: readonly StrippedRoom[]
  readonly knocked: readonly StrippedRoom[]
  readonly left: readonly LeftRoom[]
  /** `m.presence` events. */
  readonly presence: readonly JsonObject[]
  readonly toDevice: readonly ToDeviceMessage[]
  /** Incremental syncs only. */
  readonly deviceLists: { readonly changed: readonly UserId[]; readonly left: readonly UserId[] } | undefined
  readonly oneTimeKeyCounts: Readonly<Record<string, number>>
  readonly unusedFallbackKeyTypes: readonly string[]
}
