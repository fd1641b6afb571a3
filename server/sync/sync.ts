/**
 * What a device has not seen yet.
 *
 * A sync is a pure reading of what lies between two positions: the token's and `durablePosition` at the
 * moment when the reader's memberships were known. Nothing is written for it, so no table grows with syncs.
 * Where nothing changed it costs a lookup for each of the reader's rooms; then it waits.
 *
 * Spec: client-server-api#syncing.
 */
import type { DeviceId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { openDurableCache } from '../push/durable-cache.ts'
import type { Push } from '../push/push.ts'
import { type Reader, strippedStateEvent } from '../rooms/client-event.ts'
import type { People } from '../rooms/people.ts'
import type { Receipts } from '../rooms/receipts.ts'
import type { RoomMembership, Rooms } from '../rooms/rooms.ts'
import type { Typing } from '../rooms/typing.ts'
import type { Position, Store } from '../store/store.ts'
import { type HangUp, type Memberships, openChanges } from './changes.ts'
import type { SyncFilter } from './filter.ts'
import { type LazySession, openLazyMembers } from './lazy-members.ts'
import type {
  AccountDataFeed,
  AccountDataItem,
  AggregationReader,
  DeviceListFeed,
  KeyCounts,
  ToDeviceFeed,
} from './ports.ts'
import { type Presence, presenceContent } from './presence.ts'
import type { JoinedRoom, LeftRoom, StrippedRoom, SyncResult } from './result.ts'
import { joinedRoom, leftRoom, type SectionDeps, type SectionRequest } from './room-sections.ts'
import { isOfThisHistory, type SyncToken, writeSyncToken } from './token.ts'

export interface SyncRequest {
  readonly userId: UserId
  readonly deviceId: DeviceId
  readonly filter: SyncFilter
  /** undefined, or of another history than ours: everything. */
  readonly since: SyncToken | undefined
  readonly fullState: boolean
  readonly stateAfter: boolean
  readonly timeoutMs: number
  readonly hangUp?: HangUp
}

export interface Sync {
  sync(request: SyncRequest): Promise<SyncResult>
  /** Requests that wait for news. */
  readonly waiting: number
  /** Lets those who wait go with what there is. */
  close(): void
}

export interface SyncDeps {
  readonly store: Store
  readonly rooms: Rooms
  readonly receipts: Receipts
  readonly typing: Typing
  readonly push: Pick<Push, 'counts' | 'rulesIfChanged'>
  readonly people: Pick<People, 'erasedAmong'>
  readonly accountData: AccountDataFeed
  readonly toDevice: ToDeviceFeed
  readonly deviceLists: DeviceListFeed
  readonly keys: KeyCounts
  readonly aggregations: AggregationReader
  /** Absent: off. */
  readonly presence?: Presence | undefined
  readonly clock: () => number
  /** How long somebody waits, and has been away: a clock that never jumps. */
  readonly steady?: () => number
}

/** Spec: client-server-api#send-to-device-messaging: "100 messages is recommended as a reasonable limit". */
const maxToDevice = 100
const maxTimeoutMs = 120_000
const maxPeopleInMemory = 20_000

/** One look: where it ends, and what belongs to it whatever is found. */
interface Look {
  readonly memberships: Memberships
  readonly upTo: Position
  readonly typing: number
  readonly presence: number | undefined
}

export function openSync(deps: SyncDeps): Sync {
  const { store, rooms, typing, clock, steady = clock } = deps
  const memberships = openDurableCache<UserId, Memberships>({
    store,
    kind: 'user',
    maxEntries: maxPeopleInMemory,
    load: userId => rooms.memberships(userId),
  })
  const changes = openChanges({ store, clock, membershipsOf: userId => memberships.get(userId) })
  const stopTyping = typing.onChange(changes.touch)
  deps.presence?.onChange(userId => {
    const touch = (known: Memberships) => {
      for (const { roomId, membership } of known.values()) if (membership === 'join') changes.touch(roomId)
    }
    // The store failed: every waiter looks again after the reset anyway.
    memberships.get(userId).then(touch, () => {})
  })
  const lazyMembers = openLazyMembers()
  const sections: SectionDeps = { ...deps, changes }
  let closed = false

  /** Memberships and position of one and the same moment: nothing is awaited between the two. */
  async function look(userId: UserId): Promise<Look> {
    let known = memberships.peek(userId)
    while (!known) {
      await memberships.get(userId)
      known = memberships.peek(userId)
    }
    return {
      memberships: known,
      upTo: store.durablePosition,
      typing: typing.serial,
      presence: deps.presence?.serial,
    }
  }

  /** Could there be anything for this device above `since`? Costs no read. */
  function mayHaveNews({ userId, deviceId }: SyncRequest, since: SyncToken, at: Look): boolean {
    const { position } = since
    if (changes.userChanged(userId, position) || changes.deviceChanged(userId, deviceId, position))
      return true
    if (changes.deviceListsChanged(position) || since.inbox < position) return true
    if (since.someoneTyped && since.typing < typing.firstSerial) return true
    if (at.presence !== undefined && (since.presence ?? 0) < at.presence) return true
    for (const { roomId, membership } of at.memberships.values()) {
      if (membership !== 'join') continue
      if (changes.roomChanged(roomId, position) || changes.ephemeralChanged(roomId, position)) return true
      if (since.typing < at.typing && typing.changedAt(roomId) > since.typing) return true
    }
    return false
  }

  /** What is whole (a first sync, full state) is made for one request of a person at a time: many at once fill the memory. */
  const turns = new Map<UserId, Promise<unknown>>()
  async function inTurn<T>(userId: UserId, work: () => Promise<T>): Promise<T> {
    const mine = (turns.get(userId) ?? Promise.resolve()).then(work, work)
    turns.set(userId, mine)
    try {
      return await mine
    } finally {
      if (turns.get(userId) === mine) turns.delete(userId)
    }
  }

  async function collect(
    request: SyncRequest,
    since: SyncToken | undefined,
    { memberships: all, upTo, typing: typingSerial, presence: presenceSerial }: Look,
    lazy: LazySession | undefined,
  ): Promise<{ result: SyncResult; isNews: boolean }> {
    const { userId, deviceId, filter, stateAfter } = request
    const after = since?.position
    const reader: Reader = { userId, deviceId, now: clock() }
    const [data, pushRules, ignored, inbox, deviceLists, keys] = await Promise.all([
      after === undefined ? deps.accountData.all(userId) : deps.accountData.since(userId, after, upTo),
      deps.push.rulesIfChanged(userId, after),
      deps.accountData.ignoredUsers(userId),
      deps.toDevice.page(userId, deviceId, since?.inbox ?? (0 as Position), upTo, maxToDevice),
      after === undefined ? undefined : deps.deviceLists.changes(userId, after, upTo),
      deps.keys.keyCounts(userId, deviceId),
    ])
    const ofRequest: SectionRequest = {
      reader,
      filter,
      since: after,
      typingSince: since?.typing,
      someoneTyped: since?.someoneTyped ?? false,
      upTo,
      fullState: request.fullState,
      stateAfter,
      ignored,
      lazy,
    }
    const roomData = groupByRoom(data)
    const joined: Promise<JoinedRoom | undefined>[] = []
    const left: Promise<LeftRoom | undefined>[] = []
    const invites: RoomMembership[] = []
    const knocked: Promise<StrippedRoom>[] = []
    for (const membership of all.values()) {
      const { roomId } = membership
      if (!filter.matchesRoom(roomId)) continue
      const isNew = after === undefined || membership.position > after
      switch (membership.membership) {
        case 'join':
          if (isNew || request.fullState || mayHaveChanged(membership, ofRequest, roomData))
            joined.push(joinedRoom(sections, ofRequest, membership, roomData.get(roomId) ?? []))
          break
        case 'invite':
          // Spec: client-server-api#ignoring-users: their invites are not sent.
          if ((isNew || request.fullState) && !ignored.has(membership.sender)) invites.push(membership)
          break
        case 'knock':
          if (isNew || request.fullState) knocked.push(strippedRoom(membership))
          break
        case 'leave':
        case 'ban':
          // A device that does not know yet that the room was left has to learn it, even if another one has had it
          // forgotten. Spec: client-server-api#leaving-rooms keeps forgotten rooms out of what is archived.
          if (
            after === undefined
              ? filter.includeLeave && membership.everJoined && !membership.forgotten
              : isNew
          )
            left.push(leftRoom(sections, ofRequest, membership, roomData.get(roomId) ?? []))
          break
        default:
          membership.membership satisfies never
      }
    }
    // Spec: client-server-api#invite-permission: those that are there already "MUST NOT be served" either.
    const takesInvites = invites.length > 0 && !(await deps.accountData.blocksInvites(userId))
    const invited = takesInvites ? invites.map(strippedRoom) : []
    const shownJoined = (await Promise.all(joined)).filter(each => each !== undefined)
    const shownLeft = (await Promise.all(left)).filter(each => each !== undefined)
    const accountData = data
      .filter(each => each.roomId === null && each.type !== 'm.push_rules')
      .filter(
        each => filter.accountData.matchesAll || filter.accountData.matches({ ...each, sender: userId }),
      )
      .map(({ type, content }) => ({ type, content }))
    if (pushRules && filter.accountData.matches({ type: 'm.push_rules', sender: userId, content: {} }))
      accountData.push({ type: 'm.push_rules', content: { global: pushRules as unknown as JsonObject } })
    const presence = await presenceOf(userId, filter, since?.presence)
    const result: SyncResult = {
      next: {
        position: upTo,
        typing: typingSerial,
        someoneTyped: someoneTypes(all),
        inbox: inbox.upTo,
        presence: presenceSerial,
      },
      presence,
      stateAfter,
      accountData,
      joined: shownJoined,
      invited: await Promise.all(invited),
      knocked: await Promise.all(knocked),
      left: shownLeft,
      toDevice: inbox.events,
      deviceLists,
      oneTimeKeyCounts: keys.counts,
      unusedFallbackKeyTypes: keys.unusedFallback,
    }
    const isNews =
      after === undefined ||
      keys.changed > after ||
      accountData.length > 0 ||
      shownJoined.length > 0 ||
      invited.length > 0 ||
      knocked.length > 0 ||
      shownLeft.length > 0 ||
      inbox.events.length > 0 ||
      presence.length > 0 ||
      (deviceLists !== undefined && (deviceLists.changed.length > 0 || deviceLists.left.length > 0))
    return { result, isNews }
  }

  /** Of those with whom the reader shares a room, and their own. */
  async function presenceOf(
    userId: UserId,
    { presence: filter }: SyncFilter,
    after: number | undefined,
  ): Promise<JsonObject[]> {
    const changed = deps.presence?.changedSince(after ?? 0) ?? []
    if (changed.length === 0) return []
    const shares = await rooms.sharesRoomWith(userId)
    return changed.flatMap(sender => {
      const status = sender === userId || shares.has(sender) ? deps.presence!.get(sender) : undefined
      // Who was never here since the start is not worth a word to a new device.
      if (!status || (after === undefined && status.state === 'offline')) return []
      const event = { type: 'm.presence', sender, content: presenceContent(status, steady()) }
      return filter.matches(event) ? [event] : []
    })
  }

  function mayHaveChanged(
    { roomId }: RoomMembership,
    { since, typingSince, someoneTyped }: SectionRequest,
    roomData: ReadonlyMap<string, readonly AccountDataItem[]>,
  ): boolean {
    return (
      changes.roomChanged(roomId, since!) ||
      changes.ephemeralChanged(roomId, since!) ||
      typing.changedAt(roomId) > typingSince! ||
      (someoneTyped && typingSince! < typing.firstSerial) ||
      roomData.has(roomId)
    )
  }

  /** Spec: client-server-api#stripped-state; the reader's own member event says who invited them. */
  async function strippedRoom({ roomId, strippedState, eventId, sender }: RoomMembership) {
    const state = [...(strippedState ?? [])]
    const own = await rooms.event(eventId)
    const isThere = (each: JsonObject) =>
      each['type'] === 'm.room.member' && each['state_key'] === own?.stateKey && each['sender'] === sender
    if (own && !state.some(isThere)) state.push(strippedStateEvent(own))
    return { roomId, state }
  }

  function someoneTypes(all: Memberships): boolean {
    if (typing.serial === typing.firstSerial) return false
    for (const { roomId, membership } of all.values())
      if (membership === 'join' && typing.changedAt(roomId) > 0 && typing.typists(roomId).length > 0)
        return true
    return false
  }

  return {
    async sync(request) {
      const { userId, deviceId, filter, hangUp } = request
      const started = steady()
      const timeoutMs = Math.min(request.timeoutMs, maxTimeoutMs)
      const first = request.since && isOfThisHistory(request.since, store) ? request.since : undefined
      const lazy = filter.state.lazyLoadMembers
        ? lazyMembers.open(userId, deviceId, first && writeSyncToken(first))
        : undefined
      if (first) await deps.toDevice.acknowledge(userId, deviceId, first.inbox)
      if (first === undefined || request.fullState) {
        return inTurn(userId, async () => {
          const { result } = await collect(request, first, await look(userId), lazy)
          lazy?.offer(writeSyncToken(result.next))
          return result
        })
      }
      let since = first
      let superseded = false
      for (;;) {
        const at = await look(userId)
        const remaining = started + timeoutMs - steady()
        const mayWait = remaining > 0 && !superseded && !hangUp?.hasHungUp() && !closed
        if (!mayWait || mayHaveNews(request, since, at)) {
          const { result, isNews } = await collect(request, since, at, lazy)
          if (isNews || !mayWait) {
            lazy?.offer(writeSyncToken(result.next))
            return result
          }
          // Nothing of it was for this device: what comes next is looked for above it.
          since = result.next
          continue
        }
        const why = await changes.wait(userId, deviceId, at.memberships, remaining, hangUp)
        superseded = why === 'superseded'
      }
    },
    get waiting() {
      return changes.waiting
    },
    close() {
      closed = true
      stopTyping()
      changes.close()
    },
  }
}

function groupByRoom(data: readonly AccountDataItem[]): ReadonlyMap<string, readonly AccountDataItem[]> {
  const byRoom = new Map<string, AccountDataItem[]>()
  for (const item of data) {
    if (item.roomId === null) continue
    const items = byRoom.get(item.roomId)
    if (items) items.push(item)
    else byRoom.set(item.roomId, [item])
  }
  return byRoom
}
