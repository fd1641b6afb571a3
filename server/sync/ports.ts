/** What sync needs of other areas: feeds of what changed, by position. `app.ts` hands them in. */
import type { DeviceId, EventId, RoomId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { RoomEvent } from '../rooms/rooms.ts'
import type { Position } from '../store/store.ts'

export interface AccountDataItem {
  /** null: for no room in particular. */
  readonly roomId: RoomId | null
  readonly type: string
  readonly content: JsonObject
}

export interface AccountDataFeed {
  all(userId: UserId): Promise<readonly AccountDataItem[]>
  /** What changed above `after`, at or below `upTo`. */
  since(userId: UserId, after: Position, upTo: Position): Promise<readonly AccountDataItem[]>
  /** Spec: client-server-api#ignoring-users */
  ignoredUsers(userId: UserId): Promise<ReadonlySet<UserId>>
  /** Spec: client-server-api#invite-permission */
  blocksInvites(userId: UserId): Promise<boolean>
}

export interface ToDeviceMessage {
  readonly type: string
  readonly sender: string
  readonly content: JsonObject
}

export interface ToDeviceFeed {
  /** The oldest messages above `after`, up to `upTo`; the page's `upTo` is less where there were more. */
  page(
    userId: UserId,
    deviceId: DeviceId,
    after: Position,
    upTo: Position,
    limit: number,
  ): Promise<{ readonly events: readonly ToDeviceMessage[]; readonly upTo: Position }>
  /** The device has everything up to here. */
  acknowledge(userId: UserId, deviceId: DeviceId, upTo: Position): Promise<void>
}

export interface DeviceListFeed {
  changes(
    userId: UserId,
    after: Position,
    upTo: Position,
  ): Promise<{ readonly changed: readonly UserId[]; readonly left: readonly UserId[] }>
}

export interface KeyCounts {
  /** `changed`: where they last did. */
  keyCounts(
    userId: UserId,
    deviceId: DeviceId,
  ): Promise<{
    readonly counts: Readonly<Record<string, number>>
    readonly unusedFallback: readonly string[]
    readonly changed: Position
  }>
}

/** Bundled aggregations by event id. Spec: client-server-api#aggregations-of-child-events */
export interface AggregationReader {
  bundle(
    userId: UserId,
    events: readonly RoomEvent[],
    show: (child: RoomEvent, relations?: JsonObject) => JsonObject,
  ): Promise<ReadonlyMap<EventId, JsonObject>>
}
