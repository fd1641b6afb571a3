/**
 * Whose devices someone must look at again, between two positions.
 *
 * Three feeds, each with one row for each changed thing: people whose devices or cross-signing keys changed; people
 * about whom this user has new signatures; people who joined or left a room. In memory stand where each feed ended last,
 * so that a sync after which nothing happened asks the store nothing, and the feeds' ends, because one new device wakes
 * everybody who shares a room with it.
 *
 * Deviation: client-server-api#e2e-extensions-to-sync speaks of encrypted rooms. Any shared room counts here, as in
 * `/keys/changes`: a room may become encrypted later, and devices are known by then.
 */
import {
  type DeviceId,
  parseUserId,
  type RoomId,
  type ServerName,
  serverOf,
  type UserId,
} from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { AcceptedEvent, Projection } from '../rooms/projection.ts'
import type { Rooms } from '../rooms/rooms.ts'
import {
  deviceKeysTable,
  deviceListFeedTable,
  deviceListPlaceTable,
  type SharingRow,
  sharingFeedTable,
  sharingPlaceTable,
  signatureFeedTable,
  signaturePlaceTable,
} from '../store/catalogue.ts'
import type { Commit, Position, Store, Topic, Transaction } from '../store/store.ts'
import { deviceListUpdate, type KeyChange, serversSharing, signingKeyUpdate } from './key-edus.ts'
import type { KeysFederation } from './ports.ts'

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

/** So many changes of device lists are kept in memory: enough for everybody who is online to answer from it. */
const maxRecent = 4_096

interface RecentChange {
  readonly userId: UserId
  /** Of the commit that brought it. What is asked for begins and ends between commits, so it is as good as its own. */
  readonly position: Position
}

interface SharingChange extends SharingRow {
  readonly position: Position
}

/** What happened in one room above `from`. */
interface RoomTail {
  readonly from: Position
  readonly changes: readonly SharingChange[]
}

interface Candidates {
  readonly changed: Set<UserId>
  readonly left: Set<UserId>
}

export class DeviceLists {
  readonly #store: Store
  readonly #rooms: Pick<Rooms, 'serverName' | 'view' | 'memberships'>
  readonly #federation: KeysFederation | undefined
  /** What came before we started may hold anything. */
  readonly #startedAt: Position
  #recent: RecentChange[] = []
  /** Everything above this position is in `#recent`. */
  #recentFrom: Position
  /** Bounds: nothing of the kind happened above. Only signers and rooms that changed since we started are in the maps. */
  #lastDeviceChange: Position
  #lastSharingChange: Position
  readonly #lastSharingChangeIn = new Map<RoomId, Position>()
  readonly #lastSignatureBy = new Map<UserId, Position>()
  /** What the first who asked has read, for the others who wake for the same reason. */
  readonly #tails = new Map<RoomId, RoomTail>()
  readonly #marked = new WeakMap<Transaction, Map<UserId, KeyChange[]>>()

  constructor(
    store: Store,
    rooms: Pick<Rooms, 'serverName' | 'view' | 'memberships'>,
    federation?: KeysFederation,
  ) {
    this.#store = store
    this.#rooms = rooms
    this.#federation = federation
    this.#startedAt = store.durablePosition
    this.#recentFrom = store.durablePosition
    this.#lastDeviceChange = store.durablePosition
    this.#lastSharingChange = store.durablePosition
  }

  /** Before anyone can ask for what became durable. */
  noteDurable({ durablePosition, topics }: Commit): void {
    for (const topic of topics) {
      if (!topic.startsWith('devices:')) continue
      const id = topic.slice('devices:'.length)
      if (id[0] === '!') {
        this.#lastSharingChange = durablePosition
        this.#lastSharingChangeIn.set(id as RoomId, durablePosition)
        this.#tails.delete(id as RoomId)
      } else {
        this.#lastDeviceChange = durablePosition
        this.#recent.push({ userId: id as UserId, position: durablePosition })
      }
    }
    if (this.#recent.length <= maxRecent) return
    const dropped = this.#recent.splice(0, this.#recent.length - maxRecent / 2)
    this.#recentFrom = dropped.at(-1)!.position
  }

  reset(): void {
    this.#tails.clear()
  }

  /**
   * The user's devices or keys change with this transaction, which owns the user. What of a person of ours other servers
   * should know is `changes`, and is queued in the same batch.
   */
  async markChanged(tx: Transaction, userId: UserId, changes: readonly KeyChange[] = []): Promise<void> {
    const marked = this.#marked.get(tx) ?? new Map<UserId, KeyChange[]>()
    const known = marked.get(userId)
    if (known) {
      known.push(...changes)
      return
    }
    const all = [...changes]
    this.#marked.set(tx, marked.set(userId, all))
    const place = deviceListPlaceTable.key(userId)
    const before = await tx.get(place)
    const servers = await this.#serversTold(userId)
    tx.sequence((next, rows) => {
      let position = before
      for (const change of all) {
        const previous = position
        if (change.kind === 'device') position = next()
        for (const server of servers) {
          const item =
            change.kind === 'device'
              ? deviceListUpdate(userId, change, position!, previous)
              : signingKeyUpdate(userId, change)
          this.#federation!.outbound.put(rows, server, item)
        }
      }
      if (position === before || position === undefined) position = next()
      if (before !== undefined) rows.delete(deviceListFeedTable.key(before))
      rows.put(deviceListFeedTable.key(position), userId)
      rows.put(place, position)
      rows.announce(`devices:${userId}`)
    })
  }

  /**
   * What a server missed of these people's devices: it sees by an update that names nothing before it that it may have, and
   * asks for the list; who has the newest passes it over. Spec: server-server-api#device-management (`prev_id`)
   */
  async tellAnew(server: ServerName, userIds: Iterable<UserId>): Promise<void> {
    const { outbound } = this.#federation ?? {}
    if (!outbound) return
    for (const userId of userIds) {
      await this.#store.transact(userId, async tx => {
        const position = await tx.get(deviceListPlaceTable.key(userId))
        if (position === undefined) return
        const [device] = await tx.range(deviceKeysTable.under(userId), { limit: 1 })
        // Somebody without devices had some: that one of any name is gone shows the gap as well.
        const deviceId = (device?.parts[1] ?? 'NONE') as DeviceId
        const change = { kind: 'device', deviceId, keys: device?.value ?? null } as const
        const update = deviceListUpdate(userId, change, position, undefined)
        tx.sequence((_next, rows) => outbound.put(rows, server, update))
      })
    }
  }

  /** A server that comes to share a room only now asks for the list when it wants it. */
  async #serversTold(userId: UserId) {
    if (!this.#federation || serverOf(userId) !== this.#rooms.serverName) return []
    return serversSharing(this.#rooms, this.#federation.peers, userId)
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
        this.#lastSignatureBy.set(signer, position)
      }
      // Nobody else's business: only the signer's own devices look again.
      rows.announce(`user:${signer}`)
    })
  }

  /**
   * What happened above `after`, up to `upTo`. Both are the ends of commits, as the positions in tokens are:
   * `after` = the last token, `upTo` = the new one.
   */
  async changes(userId: UserId, after: Position, upTo: Position): Promise<DeviceListChanges> {
    const devices = after < this.#lastDeviceChange
    const sharing = after < this.#lastSharingChange
    const signatures = after < (this.#lastSignatureBy.get(userId) ?? this.#startedAt)
    if (!devices && !sharing && !signatures) return nothing
    const candidates: Candidates = { changed: new Set(), left: new Set() }
    if (sharing) await this.#collectSharing(userId, after, upTo, candidates)
    if (devices) await this.#collectDevices(after, upTo, candidates.changed)
    const signed = signatures ? await this.#signedBy(userId, after, upTo) : []
    if (candidates.changed.size === 0 && candidates.left.size === 0 && signed.length === 0) return nothing
    const shares = await this.#sharesRoomWith(userId)
    const changed = [...candidates.changed].filter(other => other === userId || shares(other))
    return {
      changed: [...new Set([...changed, ...signed])],
      left: [...candidates.left].filter(other => other !== userId && !shares(other)),
    }
  }

  /** A question for single people: who shares a room with the user is not listed, which would be everybody. */
  async #sharesRoomWith(userId: UserId): Promise<(other: UserId) => boolean> {
    const memberships = [...(await this.#rooms.memberships(userId)).values()]
    const rooms = await Promise.all(
      memberships
        .filter(({ membership }) => membership === 'join')
        .map(({ roomId }) => this.#rooms.view(roomId)),
    )
    return other => rooms.some(room => room?.membership(other) === 'join')
  }

  async #collectDevices(after: Position, upTo: Position, changed: Set<UserId>): Promise<void> {
    if (after >= this.#recentFrom) {
      for (let i = this.#recent.length - 1; i >= 0; i--) {
        const { userId, position } = this.#recent[i]!
        if (position <= after) break
        if (position <= upTo) changed.add(userId)
      }
      return
    }
    const rows = await this.#store.read(view =>
      view.range(deviceListFeedTable.under(), {
        after: deviceListFeedTable.key(after),
        before: deviceListFeedTable.key((upTo + 1) as Position),
      }),
    )
    for (const { value } of rows) changed.add(value as UserId)
  }

  async #signedBy(userId: UserId, after: Position, upTo: Position): Promise<readonly UserId[]> {
    const rows = await this.#store.read(view =>
      view.range(signatureFeedTable.under(userId), {
        after: signatureFeedTable.key(userId, after),
        before: signatureFeedTable.key(userId, (upTo + 1) as Position),
      }),
    )
    return rows.map(({ value }) => value as UserId)
  }

  async #collectSharing(
    userId: UserId,
    after: Position,
    upTo: Position,
    { changed, left }: Candidates,
  ): Promise<void> {
    const memberships = await this.#rooms.memberships(userId)
    const rooms = [...memberships.values()].filter(
      ({ roomId, everJoined }) =>
        everJoined && after < (this.#lastSharingChangeIn.get(roomId) ?? this.#startedAt),
    )
    const tails = await Promise.all(rooms.map(({ roomId }) => this.#tailOf(roomId, after)))
    for (const [i, tail] of tails.entries()) {
      const { roomId, membership } = rooms[i]!
      const news = tail.filter(({ position }) => position > after && position <= upTo)
      const ours = news.find(change => change.userId === userId)
      // Whoever came or went while we were (or have been) there; where we came or went ourselves, all who are there.
      const newcomers = new Set<string>()
      if (ours || membership === 'join') {
        for (const { userId: id, joined, position } of news) {
          const other = parseUserId(id)
          // Who comes to a room after one has left it is none of one's business.
          if (membership !== 'join' && position > ours!.position) newcomers.add(id)
          else if (other) (joined && membership === 'join' ? changed : left).add(other)
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

  async #tailOf(roomId: RoomId, after: Position): Promise<readonly SharingChange[]> {
    const known = this.#tails.get(roomId)
    if (known && known.from <= after) return known.changes
    const lastChange = this.#lastSharingChangeIn.get(roomId)
    const rows = await this.#store.read(view =>
      view.range(sharingFeedTable.under(roomId), { after: sharingFeedTable.key(roomId, after) }),
    )
    const changes = rows.map(({ parts, value }) => ({ ...value, position: parts[1] as Position }))
    // Not where something became durable meanwhile, nor for long ago, which is read once and is long.
    if (lastChange !== undefined && lastChange === this.#lastSharingChangeIn.get(roomId)) {
      this.#tails.set(roomId, { from: after, changes })
    }
    return changes
  }
}
