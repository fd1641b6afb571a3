/**
 * Account data: what a person's clients keep with their account, for all rooms or for one; tags are part of it.
 *
 * The feed has one row for each row of account data, keyed by the position of its last change: what changed
 * after a sync token is one range, and nothing grows with the number of syncs.
 *
 * Spec: client-server-api#client-config, #room-tagging
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { accountDataFeedTable, accountDataTable } from '../store/catalogue.ts'
import type { Position, Transaction } from '../store/store.ts'
import { AccountError } from './account-error.ts'
import type { Core } from './core.ts'
import { refuseIfDeactivated } from './sessions.ts'

export interface AccountDataItem {
  /** null: global. */
  readonly roomId: RoomId | null
  readonly type: string
  readonly content: JsonObject
  readonly position: Position
}

export interface AccountData {
  get(userId: UserId, roomId: RoomId | null, type: string): Promise<JsonObject | null>
  /** By a client; the types that the server manages are the caller's to refuse. */
  set(userId: UserId, roomId: RoomId | null, type: string, content: JsonObject): Promise<void>
  /** Reads, changes and writes without anything in between. */
  change(
    userId: UserId,
    roomId: RoomId | null,
    type: string,
    next: (content: JsonObject | null) => JsonObject,
  ): Promise<void>
  /**
   * For other areas (read markers, push rules): joins a transaction that owns the user id. Once a
   * transaction for each (user, room, type).
   */
  setIn(
    tx: Transaction,
    userId: UserId,
    roomId: RoomId | null,
    type: string,
    content: JsonObject,
  ): Promise<void>
  /** Everything, at or below `durablePosition`. */
  all(userId: UserId): Promise<AccountDataItem[]>
  /** What changed above `after`, at or below `upTo`, oldest change first. */
  since(userId: UserId, after: Position, upTo: Position): Promise<AccountDataItem[]>
  removeAllIn(tx: Transaction, userId: UserId): Promise<void>
  /** Spec: client-server-api#ignoring-users */
  ignoredUsers(userId: UserId): Promise<ReadonlySet<UserId>>
  /** Spec: client-server-api#invite-permission */
  blocksInvites(userId: UserId): Promise<boolean>
}

const maxContentBytes = 512 * 1024
/** All of a person's account data comes with each first sync as one answer. */
const maxTotalBytes = 16 * 1024 * 1024
const maxTypes = 10_000
const cachedPeople = 50_000

export function openAccountData(core: Core): AccountData {
  const { store } = core
  /** The newest change of each person, queued or durable: most syncs end here. */
  const newest = new Map<string, Position>()
  const ignored = new Map<string, ReadonlySet<UserId>>()
  /** How much each person keeps, as far as it is queued: counted at the first change, then kept up to date. */
  const usage = new Map<string, { bytes: number; types: number }>()
  let generation = 0
  store.onReset(() => {
    generation++
    newest.clear()
    ignored.clear()
    usage.clear()
  })

  /** In a transaction that owns the user id. */
  const usageOf = async (tx: Transaction, userId: UserId): Promise<{ bytes: number; types: number }> => {
    const known = usage.get(userId)
    if (known) return known
    const started = generation
    const rows = await tx.range(accountDataTable.under(userId))
    const counted = {
      bytes: rows.reduce((sum, { value }) => sum + sizeOf(value.content), 0),
      types: rows.length,
    }
    if (generation === started) {
      if (usage.size >= cachedPeople) usage.clear()
      usage.set(userId, counted)
    }
    return counted
  }

  const newestOf = async (userId: UserId): Promise<Position> => {
    const known = newest.get(userId)
    if (known !== undefined) return known
    const started = generation
    const [last] = await store.read(view =>
      view.range(accountDataFeedTable.under(userId), { reverse: true, limit: 1 }),
    )
    const position = last?.parts[1] ?? 0
    const meanwhile = newest.get(userId)
    if (meanwhile !== undefined) return meanwhile
    if (generation === started) {
      if (newest.size >= cachedPeople) newest.clear()
      newest.set(userId, position as Position)
    }
    return position as Position
  }

  const setIn: AccountData['setIn'] = async (tx, userId, roomId, type, content) => {
    const room = roomId ?? ''
    if (type.length === 0 || Buffer.byteLength(type) > 255)
      throw new AccountError('M_INVALID_PARAM', 'type must have 1 to 255 bytes.')
    const size = sizeOf(content)
    if (size > maxContentBytes)
      throw new AccountError('M_TOO_LARGE', `Account data is limited to ${maxContentBytes} bytes a type.`)
    const key = accountDataTable.key(userId, room, type)
    const before = await tx.get(key)
    const used = await usageOf(tx, userId)
    const more = size - (before ? sizeOf(before.content) : 0)
    if (!before && used.types >= maxTypes)
      throw new AccountError('M_LIMIT_EXCEEDED', `An account has at most ${maxTypes} pieces of account data.`)
    if (more > 0 && used.bytes + more > maxTotalBytes)
      throw new AccountError('M_TOO_LARGE', `Account data is limited to ${maxTotalBytes} bytes a person.`)
    tx.sequence((next, rows) => {
      used.bytes += more
      if (!before) used.types++
      const position = next()
      if (before) rows.delete(accountDataFeedTable.key(userId, before.position))
      rows.put(key, { content, position })
      rows.put(accountDataFeedTable.key(userId, position), { roomId: room, type })
      rows.announce(`user:${userId}`)
      generation++
      newest.set(userId, position)
      if (type === 'm.ignored_user_list') ignored.delete(userId)
    })
  }

  const get: AccountData['get'] = async (userId, roomId, type) =>
    (await store.read(view => view.get(accountDataTable.key(userId, roomId ?? '', type))))?.content ?? null

  return {
    get,
    setIn,
    set: async (userId, roomId, type, content) => {
      await store.transact(userId, async tx => {
        await refuseIfDeactivated(tx, userId)
        await setIn(tx, userId, roomId, type, content)
      })
      generation++
      ignored.delete(userId)
    },
    change: async (userId, roomId, type, next) => {
      await store.transact(userId, async tx => {
        await refuseIfDeactivated(tx, userId)
        const before = await tx.get(accountDataTable.key(userId, roomId ?? '', type))
        await setIn(tx, userId, roomId, type, next(before?.content ?? null))
      })
    },

    all: userId =>
      store.read(async view =>
        (await view.range(accountDataTable.under(userId))).map(({ parts, value }) => ({
          roomId: (parts[1] || null) as RoomId | null,
          type: parts[2],
          ...value,
        })),
      ),

    since: async (userId, after, upTo) => {
      if ((await newestOf(userId)) <= after) return []
      return store.read(async view => {
        const feed = await view.range(accountDataFeedTable.under(userId), {
          after: accountDataFeedTable.key(userId, after),
          before: accountDataFeedTable.key(userId, (upTo + 1) as Position),
        })
        const rows = await view.getMany(
          feed.map(({ value }) => accountDataTable.key(userId, value.roomId, value.type)),
        )
        return feed.flatMap(({ value: { roomId, type } }, i) =>
          rows[i] ? [{ roomId: (roomId || null) as RoomId | null, type, ...rows[i] }] : [],
        )
      })
    },

    removeAllIn: async (tx, userId) => {
      for (const { key } of await tx.range(accountDataTable.under(userId))) tx.delete(key)
      for (const { key } of await tx.range(accountDataFeedTable.under(userId))) tx.delete(key)
      ignored.delete(userId)
      usage.delete(userId)
    },

    blocksInvites: async userId =>
      (await get(userId, null, 'm.invite_permission_config'))?.['default_action'] === 'block',

    ignoredUsers: async userId => {
      const known = ignored.get(userId)
      if (known) return known
      const started = generation
      const users = (await get(userId, null, 'm.ignored_user_list'))?.['ignored_users']
      const set = new Set(isObject(users) ? (Object.keys(users) as UserId[]) : [])
      if (generation === started) {
        if (ignored.size >= cachedPeople) ignored.clear()
        ignored.set(userId, set)
      }
      return set
    },
  }
}

function sizeOf(content: JsonObject): number {
  return Buffer.byteLength(JSON.stringify(content))
}
