/**
 * Whose devices someone must look at again, between two positions.
 *
 * Three feeds, each with one row for each changed thing: people whose devices or cross-signing keys changed; people
 * about whom this user has new signatures; people who joined or left a room. In memory stands only where each
 * feed ended last, so that a sync after which nothing happened asks the store nothing.
 *
 * Deviation: client-server-api#e2e-extensions-to-sync speaks of encrypted rooms. Any shared room counts here, as in
 * `/keys/changes`: a room may become encrypted later, and devices are known by then.
 */
import { type DeviceId, parseUserId, type RoomId, type UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { AcceptedEvent, Projection } from '../rooms/projection.ts'
import type { Rooms } from '../rooms/rooms.ts'
import {
  deviceListFeedTable,
  deviceListPlaceTable,
  sharingFeedTable,
  sharingPlaceTable,
  signatureFeedTable,
  signaturePlaceTable,
} from '../store/catalogue.ts'
import type { Commit, Position, Store, Topic, Transaction, View } from '../store/store.ts'

export interface DeviceListChanges {
  /** People who share a room with the user (or the user), and whose devices or keys may be others now. */
  readonly changed: readonly UserId[]
  /** People who share no room with the user any more. */
  readonly left: readonly UserId[]
}

const nothing: DeviceListChanges = { changed: [], left: [] }

export function deviceTopic(userId: UserId, deviceId: DeviceId): Topic {
  return `device:${userId}/${deviceId}`
}

/**
 * Who began and who stopped being in a room, in the batch of the event that did it. For `rooms` to run.
 *
 * Announces `devices:!room`.
 */
export const sharingProjection: Projection = {
  name: 'sharing',
  reads(event) {
    return changesSharing(event) ? [sharingPlaceTable.key(event.roomId, event.stateKey!)] : []
  },
  rows(event, _view, loaded, rows) {
    if (!changesSharing(event)) return
    const { roomId, position, stateKey } = event
    const userId = stateKey!
    const place = sharingPlaceTable.key(roomId, userId)
    const before = loaded.get(place)
    if (before !== undefined) rows.delete(sharingFeedTable.key(roomId, before))
    rows.put(sharingFeedTable.key(roomId, position), { userId, joined: isJoin(event.content) })
    rows.put(place, position)
    rows.announce(`devices:${roomId}`)
  },
}

function changesSharing(event: AcceptedEvent): boolean {
  if (event.type !== 'm.room.member' || event.stateKey === undefined) return false
  const wasJoined = event.replacesState !== undefined && isJoin(event.replacesState.content)
  return wasJoined !== isJoin(event.content)
}

function isJoin(content: JsonObject): boolean {
  return content['membership'] === 'join'
}

export class DeviceLists {
  readonly #store: Store
  readonly #rooms: Pick<Rooms, 'view' | 'memberships' | 'sharesRoomWith'>
  /** What came before we started may hold anything. */
  readonly #startedAt: Position
  #lastDeviceChange: Position
  #lastSharingChange: Position
  /** Only rooms in which someone joined or left since we started. */
  readonly #lastSharingChangeIn = new Map<RoomId, Position>()
  readonly #marked = new WeakMap<Transaction, Set<string>>()

  constructor(store: Store, rooms: Pick<Rooms, 'view' | 'memberships' | 'sharesRoomWith'>) {
    this.#store = store
    this.#rooms = rooms
    this.#startedAt = store.durablePosition
    this.#lastDeviceChange = store.durablePosition
    this.#lastSharingChange = store.durablePosition
  }

  /** Before anyone can ask for what became durable. */
  noteDurable({ durablePosition, topics }: Commit): void {
    for (const topic of topics) {
      if (!topic.startsWith('devices:')) continue
      if (topic[8] === '!') {
        this.#lastSharingChange = durablePosition
        this.#lastSharingChangeIn.set(topic.slice(8) as RoomId, durablePosition)
      } else {
        this.#lastDeviceChange = durablePosition
      }
    }
  }

  /** The user's devices or keys change with this transaction, which owns the user. */
  async markChanged(tx: Transaction, userId: UserId): Promise<void> {
    const marked = this.#marked.get(tx) ?? new Set()
    if (marked.has(userId)) return
    this.#marked.set(tx, marked.add(userId))
    const place = deviceListPlaceTable.key(userId)
    const before = await tx.get(place)
    tx.sequence((next, rows) => {
      const position = next()
      if (before !== undefined) rows.delete(deviceListFeedTable.key(before))
      rows.put(deviceListFeedTable.key(position), userId)
      rows.put(place, position)
      rows.announce(`devices:${userId}`)
    })
  }

  /** The signer, and only the signer, sees other signatures about these people. The transaction owns the signer. */
  async markSigned(tx: Transaction, signer: UserId, signed: readonly UserId[]): Promise<void> {
    const places = signed.map(userId => signaturePlaceTable.key(signer, userId))
    const before = await tx.getMany(places)
    tx.sequence((next, rows) => {
      for (const [i, userId] of signed.entries()) {
        const position = next()
        const old = before[i] as Position | undefined
        if (old !== undefined) rows.delete(signatureFeedTable.key(signer, old))
        rows.put(signatureFeedTable.key(signer, position), userId)
        rows.put(places[i]!, position)
      }
      rows.announce(`devices:${signer}`)
    })
  }

  /** What happened above `after`, up to `upTo`. `after` = the last token, `upTo` = the new one. */
  async changes(userId: UserId, after: Position, upTo: Position): Promise<DeviceListChanges> {
    const devices = after < this.#lastDeviceChange
    const sharing = after < this.#lastSharingChange
    if (!devices && !sharing) return nothing
    const candidates = { changed: new Set<UserId>(), left: new Set<UserId>() }
    const signed = new Set<UserId>()
    if (sharing) await this.#collectSharingChanges(userId, after, upTo, candidates)
    if (devices) {
      await this.#store.read(view =>
        collectDeviceChanges(view, userId, after, upTo, candidates.changed, signed),
      )
    }
    if (candidates.changed.size === 0 && candidates.left.size === 0 && signed.size === 0) return nothing
    const shares = await this.#rooms.sharesRoomWith(userId)
    const changed = [...candidates.changed].filter(other => other === userId || shares.has(other))
    return {
      changed: [...new Set([...changed, ...signed])],
      left: [...candidates.left].filter(other => other !== userId && !shares.has(other)),
    }
  }

  async #collectSharingChanges(
    userId: UserId,
    after: Position,
    upTo: Position,
    { changed, left }: { changed: Set<UserId>; left: Set<UserId> },
  ): Promise<void> {
    const memberships = await this.#rooms.memberships(userId)
    const rooms = [...memberships.values()].filter(
      ({ roomId, everJoined }) =>
        everJoined && after < (this.#lastSharingChangeIn.get(roomId) ?? this.#startedAt),
    )
    if (rooms.length === 0) return
    const feeds = await this.#store.read(view =>
      Promise.all(
        rooms.map(({ roomId }) =>
          view.range(sharingFeedTable.under(roomId), {
            after: sharingFeedTable.key(roomId, after),
            before: sharingFeedTable.key(roomId, (upTo + 1) as Position),
          }),
        ),
      ),
    )
    for (const [i, feed] of feeds.entries()) {
      const { roomId, membership } = rooms[i]!
      const ours = feed.find(({ value }) => value.userId === userId)
      // Whoever came or went while we were (or have been) there; where we came or went ourselves, all who are there.
      const newcomers = new Set<string>()
      if (ours || membership === 'join') {
        for (const { parts, value } of feed) {
          const other = parseUserId(value.userId)
          // Who comes to a room after one has left it is none of one's business.
          if (membership !== 'join' && parts[1] > ours!.parts[1]) newcomers.add(value.userId)
          else if (other) (value.joined && membership === 'join' ? changed : left).add(other)
        }
      }
      if (!ours) continue
      const room = await this.#rooms.view(roomId)
      for (const member of room?.members('join') ?? []) {
        if (!newcomers.has(member.stateKey)) (membership === 'join' ? changed : left).add(member.stateKey)
      }
    }
    changed.delete(userId)
  }
}

async function collectDeviceChanges(
  view: View,
  userId: UserId,
  after: Position,
  upTo: Position,
  changed: Set<UserId>,
  signed: Set<UserId>,
): Promise<void> {
  const [people, signatures] = await Promise.all([
    view.range(deviceListFeedTable.under(), {
      after: deviceListFeedTable.key(after),
      before: deviceListFeedTable.key((upTo + 1) as Position),
    }),
    view.range(signatureFeedTable.under(userId), {
      after: signatureFeedTable.key(userId, after),
      before: signatureFeedTable.key(userId, (upTo + 1) as Position),
    }),
  ])
  for (const { value } of people) changed.add(value as UserId)
  for (const { value } of signatures) signed.add(value as UserId)
}
