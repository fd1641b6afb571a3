/** A server without its edges: rooms, account data, receipts, typing, push and sync over one store. */
import { randomBytes } from 'node:crypto'
import { openAccountData } from '../../server/accounts/account-data.ts'
import type { Core } from '../../server/accounts/core.ts'
import type { DeviceId, EventId, RoomId, ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { RoomVersion } from '../../server/protocol/room-versions.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { openPush } from '../../server/push/push.ts'
import { openRooms } from '../../server/rooms/open-rooms.ts'
import { openReceipts } from '../../server/rooms/receipts.ts'
import type { Draft } from '../../server/rooms/rooms.ts'
import { openTyping } from '../../server/rooms/typing.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import type { Position, Store } from '../../server/store/store.ts'
import type { HangUp } from '../../server/sync/changes.ts'
import { parseSyncFilter } from '../../server/sync/filter.ts'
import type { AggregationReader, DeviceListFeed, KeyCounts, ToDeviceFeed } from '../../server/sync/ports.ts'
import { openPresence } from '../../server/sync/presence.ts'
import { openReadMarkers } from '../../server/sync/read-markers.ts'
import { openSync, type Sync } from '../../server/sync/sync.ts'
import { parseSyncToken } from '../../server/sync/token.ts'
import { writeSyncResult } from '../../server/sync/write.ts'
import { signingKey } from '../support/primitives.ts'

export const ann = '@ann:here.test' as UserId
export const ben = '@ben:here.test' as UserId
export const cam = '@cam:here.test' as UserId

const ourKey = signingKey(new Uint8Array(32).fill(7))

export type RoomDraft = Omit<Draft, 'roomId'>

export const member = (
  userId: UserId,
  membership: string,
  sender = userId,
  more: JsonObject = {},
): RoomDraft => ({
  sender,
  type: 'm.room.member',
  stateKey: userId,
  content: { membership, ...more },
})

export const state = (sender: UserId, type: string, content: JsonObject): RoomDraft => ({
  sender,
  type,
  stateKey: '',
  content,
})

export const text = (sender: UserId, body: string, more: JsonObject = {}): RoomDraft => ({
  sender,
  type: 'm.room.message',
  content: { msgtype: 'm.text', body, ...more },
})

export interface WorldOptions {
  readonly slow?: boolean
  readonly store?: Store
  readonly toDevice?: ToDeviceFeed
  readonly deviceLists?: DeviceListFeed
  readonly keys?: KeyCounts
  readonly aggregations?: AggregationReader
  readonly presence?: boolean
}

const noToDevice: ToDeviceFeed = {
  page: async (_userId, _deviceId, _after, upTo) => ({ events: [], upTo }),
  acknowledge: async () => {},
}

export async function openWorld(options: WorldOptions = {}) {
  const store = options.store ?? (await openMemoryStore({ slow: options.slow ?? false }))
  let now = 1_700_000_000_000
  const roomClock = () => now++
  const receipts = openReceipts({ store, clock: roomClock })
  const typing = openTyping({ clock: Date.now })
  const rooms = await openRooms({
    store,
    serverName: 'here.test' as ServerName,
    clock: roomClock,
    randomBytes: size => randomBytes(size),
    signer: { keyId: 'ed25519:a_1' as KeyId, sign: (_keyId, bytes) => ourKey.sign(bytes) },
  })
  const accountData = openAccountData({ store } as Core)
  const push = openPush({ store, rooms, receipts, ignoredUsers: accountData.ignoredUsers })
  const presence = options.presence
    ? openPresence({ store, rooms, outbound: { ephemeral: () => {} }, clock: Date.now })
    : undefined
  const sync = openSync({
    store,
    rooms,
    receipts,
    typing,
    push,
    accountData,
    toDevice: options.toDevice ?? noToDevice,
    deviceLists: options.deviceLists ?? { changes: async () => ({ changed: [], left: [] }) },
    keys: options.keys ?? {
      keyCounts: async () => ({ counts: {}, unusedFallback: [], changed: 0 as Position }),
    },
    people: { erasedAmong: async () => new Set() },
    aggregations: options.aggregations ?? { bundle: async () => new Map() },
    presence,
    clock: Date.now,
  })
  const readMarkers = openReadMarkers({ rooms, receipts, setAccountData: accountData.set })

  const send = async (roomId: RoomId, draft: RoomDraft): Promise<EventId> =>
    (await rooms.send({ roomId, ...draft })).eventId

  return {
    store,
    rooms,
    receipts,
    typing,
    accountData,
    push,
    sync,
    presence,
    readMarkers,
    send,
    /** A room that anybody may join, with Ann in it. */
    async room(more: readonly RoomDraft[] = [], version: RoomVersion = '12'): Promise<RoomId> {
      const { roomId } = await rooms.create({
        version,
        creator: ann,
        createContent: {},
        events: () => [
          member(ann, 'join', ann, { displayname: 'Ann' }),
          state(ann, 'm.room.power_levels', version === '12' ? { users: {} } : { users: { [ann]: 100 } }),
          state(ann, 'm.room.join_rules', { join_rule: 'public' }),
          ...more,
        ],
      })
      return roomId
    },
    join: (roomId: RoomId, userId: UserId) => send(roomId, member(userId, 'join')),
    device: (userId: UserId, deviceId = 'D') => new Device(sync, userId, deviceId as DeviceId),
    close() {
      sync.close()
      typing.close()
      presence?.close()
    },
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>

export interface SyncOptions {
  readonly filter?: JsonObject
  readonly since?: string
  readonly fullState?: boolean
  readonly stateAfter?: boolean
  readonly timeoutMs?: number
  readonly hangUp?: HangUp
}

/** A client that goes on from its last token. */
export class Device {
  since: string | undefined
  readonly #sync: Sync
  readonly #userId: UserId
  readonly #deviceId: DeviceId

  constructor(sync: Sync, userId: UserId, deviceId: DeviceId) {
    this.#sync = sync
    this.#userId = userId
    this.#deviceId = deviceId
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  async sync(options: SyncOptions = {}): Promise<any> {
    const since = options.since ?? this.since
    const token = since === undefined ? undefined : (parseSyncToken(since) ?? undefined)
    const filter = parseSyncFilter(options.filter ?? {})
    const result = await this.#sync.sync({
      userId: this.#userId,
      deviceId: this.#deviceId,
      filter,
      since: token,
      fullState: options.fullState ?? false,
      stateAfter: options.stateAfter ?? false,
      timeoutMs: options.timeoutMs ?? 0,
      ...(options.hangUp ? { hangUp: options.hangUp } : {}),
    })
    const reader = { userId: this.#userId, deviceId: this.#deviceId, now: Date.now() }
    const answer = JSON.parse(writeSyncResult(result, reader, filter))
    this.since = answer.next_batch
    return answer
  }
}

/** What happened in a timeline or state, briefly: bodies of messages, else `type|state key`. */
// biome-ignore lint/suspicious/noExplicitAny: events of every shape
export function brief(section: any): string[] {
  return (section?.events ?? []).map(
    (event: { content: { body?: string; membership?: string }; type: string; state_key?: string }) =>
      event.content.body ??
      (event.type === 'm.room.member'
        ? `${event.state_key!.slice(1, 4)} ${event.content.membership}`
        : event.type.replace('m.room.', '')),
  )
}
