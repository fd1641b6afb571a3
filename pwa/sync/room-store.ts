/**
 * Everything that syncs told us, in memory as far as it was asked for: rooms, entries, timelines, account data.
 *
 * Only entries are read at the start: a room list stands at once, however much lies behind it. What changes is stored first
 * and believed afterwards; a commit that fails leaves memory as it was.
 */
import { isObject, type JsonObject, memberOf } from '#protocol/json.ts'
import type { VaultRecords, VaultWrite } from '../vault/records.ts'
import { roomEntry } from './entry.ts'
import { unreadSession } from './kept-events.ts'
import type { Outbox } from './ports.ts'
import { notifyLevel } from './push-rules.ts'
import { type Room, roomCollection, roomFromRecords } from './room.ts'
import type { Preview, RoomEntry } from './room-entry.ts'
import type { BareEvent } from './sync-answer.ts'
import { Timeline } from './timeline.ts'

const entryCollection = 'room-entry'
const accountCollection = 'account-data'
const externalRecord = { collection: 'session', id: 'external' } as const

export class RoomStore {
  readonly records: VaultRecords
  readonly ourUserId: string
  readonly #outbox: Outbox
  readonly #entries: Map<string, RoomEntry>
  readonly #accountData: Map<string, JsonObject>
  readonly #rooms = new Map<string, Room | null>()
  readonly #timelines = new Map<string, Promise<Timeline>>()
  #external: ReadonlySet<string>
  readonly #typing = new Map<string, readonly string[]>()
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(
    records: VaultRecords,
    ourUserId: string,
    outbox: Outbox,
    entries: Map<string, RoomEntry>,
    accountData: Map<string, JsonObject>,
    external: ReadonlySet<string>,
  ) {
    this.records = records
    this.ourUserId = ourUserId
    this.#outbox = outbox
    this.#entries = entries
    this.#accountData = accountData
    this.#external = external
  }

  static async open(records: VaultRecords, ourUserId: string, outbox: Outbox): Promise<RoomStore> {
    const entries = await records.entries(entryCollection)
    const external = await records.get(externalRecord.collection, externalRecord.id)
    return new RoomStore(
      records,
      ourUserId,
      outbox,
      new Map(entries.map(([id, entry]) => [id, entry as unknown as RoomEntry])),
      new Map(await records.entries(accountCollection)),
      new Set((external?.['userIds'] ?? []) as string[]),
    )
  }

  get entries(): readonly RoomEntry[] {
    return [...this.#entries.values()]
  }

  entry(roomId: string): RoomEntry | null {
    return this.#entries.get(roomId) ?? null
  }

  /** Content of global account data. */
  accountData(type: string): JsonObject | null {
    return this.#accountData.get(type) ?? null
  }

  /** Guests of our own organisation. */
  get external(): ReadonlySet<string> {
    return this.#external
  }

  typingIn(roomId: string): readonly string[] {
    return this.#typing.get(roomId) ?? []
  }

  setTyping(roomId: string, userIds: readonly string[]): void {
    this.#typing.set(roomId, userIds)
  }

  /**
   * Whoever changes rooms, timelines or relations does it here, one after the other: what is read, changed and committed is
   * nobody else's meanwhile. Never asks the server in there.
   */
  alone<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act)
    this.#turn = done.catch(() => {})
    return done
  }

  /** Null: never heard of. */
  async room(roomId: string): Promise<Room | null> {
    const known = this.#rooms.get(roomId)
    if (known !== undefined) return known
    const records = await this.records.entries(roomCollection, `${roomId}|`)
    const room = records.length > 0 ? roomFromRecords(roomId, records) : null
    this.#rooms.set(roomId, room)
    return room
  }

  timeline(roomId: string): Promise<Timeline> {
    const timeline = this.#timelines.get(roomId) ?? Timeline.open(this.records, roomId)
    this.#timelines.set(roomId, timeline)
    return timeline
  }

  /** The entry as it has to be now. */
  entryOf(room: Room, preview: Preview | null): RoomEntry {
    const queued = this.#outbox.queued(room.roomId)
    return roomEntry(room, {
      ourUserId: this.ourUserId,
      direct: this.directRooms(),
      external: this.#external,
      muted: notifyLevel(this.accountData('m.push_rules') ?? {}, room.roomId) === 'none',
      preview,
      waiting: queued.filter(({ state }) => state !== 'failed' && state !== 'sent').length,
      failed: queued.filter(({ state }) => state === 'failed').length,
      draft: this.#outbox.hasDraft(room.roomId),
      blockedBy: [...new Set(queued.flatMap(({ problem }) => problem?.blockedBy ?? []))],
    })
  }

  /** By room: its people. Spec: client-server-api#direct-messaging */
  directRooms(): ReadonlyMap<string, readonly string[]> {
    const rooms = new Map<string, string[]>()
    for (const [userId, roomIds] of Object.entries(this.accountData('m.direct') ?? {})) {
      if (!Array.isArray(roomIds)) continue
      for (const roomId of roomIds) {
        if (typeof roomId === 'string') rooms.set(roomId, [...(rooms.get(roomId) ?? []), userId])
      }
    }
    return rooms
  }

  isIgnored(userId: string): boolean {
    const ignored = this.accountData('m.ignored_user_list')?.['ignored_users']
    return isObject(ignored) && memberOf(ignored, userId) !== undefined
  }

  /** Drafts and what waits have records of their own: an entry at rest says nothing of them that may be old by then. */
  entryWrite(entry: RoomEntry): VaultWrite {
    const atRest = { ...entry, waiting: 0, failed: 0, draft: false, blockedBy: [] }
    return { collection: entryCollection, id: entry.roomId, value: atRest as unknown as JsonObject }
  }

  accountDataWrite({ type, content }: BareEvent): VaultWrite {
    return { collection: accountCollection, id: type, value: content }
  }

  externalWrite(userIds: readonly string[]): VaultWrite {
    return { ...externalRecord, value: { userIds } }
  }

  /** After the commit. */
  believe({
    rooms = [],
    entries = [],
    accountData = [],
    external,
    gone = [],
  }: {
    readonly rooms?: readonly Room[]
    readonly entries?: readonly RoomEntry[]
    readonly accountData?: readonly BareEvent[]
    readonly external?: ReadonlySet<string>
    readonly gone?: readonly string[]
  }): void {
    if (external) this.#external = external
    for (const room of rooms) this.#rooms.set(room.roomId, room)
    for (const entry of entries) this.#entries.set(entry.roomId, entry)
    for (const { type, content } of accountData) this.#accountData.set(type, content)
    for (const roomId of gone) {
      this.#rooms.set(roomId, null)
      this.#entries.delete(roomId)
      this.#timelines.delete(roomId)
    }
  }

  /** A commit failed: what was loaded and changed is read again. */
  distrust(roomIds: Iterable<string>): void {
    for (const roomId of roomIds) {
      this.#rooms.delete(roomId)
      this.#timelines.delete(roomId)
    }
  }

  /** Everything that is kept of a room. */
  async removalOf(roomId: string): Promise<VaultWrite[]> {
    const timeline = await this.timeline(roomId)
    const relations = await this.records.entries('relation', `${roomId}|`)
    const marks = await this.records.entries(unreadSession, `${roomId}|`)
    const reads = await this.records.entries('read-mark', `${roomId}|`)
    const gone = (collection: string, id: string): VaultWrite => ({ collection, id, value: null })
    return [
      gone(entryCollection, roomId),
      ...['about', 'state', 'members', 'receipts'].map(part => gone(roomCollection, `${roomId}|${part}`)),
      ...['packs', ...timeline.packNumbers].map(number => gone('timeline', `${roomId}|${number}`)),
      ...relations.map(([id]) => gone('relation', id)),
      ...marks.map(([id]) => gone(unreadSession, id)),
      ...reads.map(([id]) => gone('read-mark', id)),
    ]
  }
}
