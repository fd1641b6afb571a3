/**
 * Key backup: encrypted copies of room keys, by user and version. The server cannot read them; it only decides which
 * of two copies of the same session to keep.
 *
 * Spec: client-server-api#server-side-key-backups. A request may bring 10,000 sessions: all are checked first, then
 * written in portions, each with the count and etag that it makes, so that nobody waits for the whole. A
 * crash in between leaves a part of them: the client, which got no answer, sends all again.
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import { parseRoomId } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import {
  type BackedUpSessionRow,
  backedUpSessionTable,
  backupRemovalTable,
  type KeyBackupRow,
  keyBackupTable,
} from '../store/catalogue.ts'
import type { Store, Transaction, View } from '../store/store.ts'
import { KeysError } from './keys-error.ts'

const rowsAtOnce = 1_000
/** Clients make a new version when somebody resets their keys: a few in a lifetime. Deleted ones leave a row. */
const maxVersions = 1_000
const versionsAtOnce = 20
/** Of one version. Ten years of fifty new sessions a day are 180,000. */
const maxSessions = 1_000_000
const maxSessionBytes = 32_768
const maxAuthDataBytes = 65_536

export interface BackupSession {
  readonly roomId: RoomId
  readonly sessionId: string
  readonly data: BackedUpSessionRow
}

export interface BackupInfo {
  readonly algorithm: string
  readonly auth_data: JsonObject
  readonly count: number
  readonly etag: string
  readonly version: string
}

export interface BackupState {
  readonly etag: string
  readonly count: number
}

/** Everything, one room, or one session. */
export interface BackupScope {
  readonly roomId?: RoomId
  readonly sessionId?: string
}

export class KeyBackups {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Carries on with removals that a crash broke off. */
  async open(): Promise<void> {
    const left = await this.#store.read(view => view.range(backupRemovalTable.under()))
    for (const { parts } of left) await this.#removeSessions(parts[0] as UserId, parts[1])
  }

  // ── versions ───────────────────────────────────────────────────────────────────────────────────────

  async create(userId: UserId, body: JsonObject): Promise<string> {
    const { algorithm, authData } = parseBackup(body)
    return await this.#transact(userId, async tx => {
      const [last] = await tx.range(keyBackupTable.under(userId), { reverse: true, limit: 1 })
      const version = (last?.parts[1] ?? 0) + 1
      if (version > maxVersions) {
        throw new KeysError(
          'M_TOO_LARGE',
          `A person may have ${maxVersions} backup versions, deleted ones included.`,
        )
      }
      tx.put(keyBackupTable.key(userId, version), { algorithm, authData, etag: 0, count: 0 })
      return String(version)
    })
  }

  /** Without a version: the newest one. */
  async info(userId: UserId, version?: string): Promise<BackupInfo> {
    return await this.#store.read(async view => {
      const number = version === undefined ? await currentVersion(view, userId) : parseVersion(version)
      if (number === null) throw noBackup()
      const row = await existing(view, userId, number)
      return {
        algorithm: row.algorithm,
        auth_data: row.authData,
        count: row.count,
        etag: String(row.etag),
        version: String(number),
      }
    })
  }

  async update(userId: UserId, version: string, body: JsonObject): Promise<void> {
    const { algorithm, authData } = parseBackup(body)
    if (body['version'] !== undefined && body['version'] !== version) {
      throw new KeysError('M_INVALID_PARAM', `version must be ${version}, as in the path.`)
    }
    await this.#transact(userId, async tx => {
      const number = parseVersion(version)
      const row = await existing(tx, userId, number)
      if (row.algorithm !== algorithm) {
        throw new KeysError('M_INVALID_PARAM', `algorithm must be ${row.algorithm}, as it is in this backup.`)
      }
      tx.put(keyBackupTable.key(userId, number), { ...row, authData })
    })
  }

  /** The version is gone at once; its sessions follow in portions. One that was deleted before is deleted. */
  async remove(userId: UserId, version: string): Promise<void> {
    const number = parseVersion(version)
    await this.#transact(userId, async tx => {
      const row = await tx.get(keyBackupTable.key(userId, number))
      if (!row) throw unknownVersion()
      if (!row.deleted) markRemoved(tx, userId, number, row)
    })
    await this.#removeSessions(userId, number)
  }

  // ── sessions ───────────────────────────────────────────────────────────────────────────────────────

  /** Keeps of each session the better copy. Only the current version takes any. */
  async put(userId: UserId, version: string, sessions: readonly BackupSession[]): Promise<BackupState> {
    const number = parseVersion(version)
    let state: BackupState | undefined
    for (let at = 0; at === 0 || at < sessions.length; at += rowsAtOnce) {
      const portion = sessions.slice(at, at + rowsAtOnce)
      state = await this.#transact(userId, tx => putPortion(tx, userId, number, portion))
    }
    return state!
  }

  /** In portions, so that a large backup is never in memory as a whole. Refuses before the first portion, or never. */
  async sessions(
    userId: UserId,
    version: string,
    scope: BackupScope = {},
  ): Promise<AsyncIterable<readonly BackupSession[]>> {
    const number = parseVersion(version)
    await this.#store.read(view => existing(view, userId, number))
    return this.#portions(userId, number, scope)
  }

  async *#portions(userId: UserId, version: number, scope: BackupScope) {
    let after: string | undefined
    for (;;) {
      const rows = await this.#store.read(view =>
        view.range(under(userId, version, scope), after === undefined ? portion : { ...portion, after }),
      )
      if (rows.length === 0) return
      after = rows.at(-1)!.key
      yield rows.map(({ parts, value }) => ({
        roomId: parts[2] as RoomId,
        sessionId: parts[3],
        data: value,
      }))
      if (rows.length < rowsAtOnce) return
    }
  }

  async session(
    userId: UserId,
    version: string,
    roomId: RoomId,
    sessionId: string,
  ): Promise<BackedUpSessionRow> {
    const number = parseVersion(version)
    return await this.#store.read(async view => {
      await existing(view, userId, number)
      const row = await view.get(backedUpSessionTable.key(userId, number, roomId, sessionId))
      if (!row) throw new KeysError('M_NOT_FOUND', 'This backup has no key for that session.')
      return row
    })
  }

  async removeSessions(userId: UserId, version: string, scope: BackupScope): Promise<BackupState> {
    const number = parseVersion(version)
    for (;;) {
      const { state, more } = await this.#transact(userId, async tx => {
        const row = await existing(tx, userId, number)
        const rows = await sessionsIn(tx, userId, number, scope)
        for (const key of rows) tx.delete(key)
        if (rows.length === 0) return { state: stateOf(row), more: false }
        const after = { ...row, count: row.count - rows.length, etag: row.etag + 1 }
        tx.put(keyBackupTable.key(userId, number), after)
        return { state: stateOf(after), more: rows.length === rowsAtOnce }
      })
      if (!more) return state
    }
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────

  #transact<T>(userId: UserId, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    // The same owner as the account's removal, or a backup that is being written comes back after it.
    return this.#store.transact(userId, fn)
  }

  /** What is left of a removed version. May be broken off and run again. */
  async #removeSessions(userId: UserId, version: number): Promise<void> {
    for (;;) {
      const more = await this.#transact(userId, async tx => {
        const rows = await sessionsIn(tx, userId, version, {})
        for (const key of rows) tx.delete(key)
        if (rows.length < rowsAtOnce) tx.delete(backupRemovalTable.key(userId, version))
        return rows.length === rowsAtOnce
      })
      if (!more) return
    }
  }
}

const portion = { limit: rowsAtOnce }

/** All of a person's backups go: their sessions when the server opens next, or with the next removal. */
export async function removeBackups(tx: Transaction, userId: UserId): Promise<void> {
  for (const { parts, value } of await tx.range(keyBackupTable.under(userId))) {
    if (!value.deleted) markRemoved(tx, userId, parts[1], value)
  }
}

function markRemoved(tx: Transaction, userId: UserId, version: number, row: KeyBackupRow): void {
  tx.put(keyBackupTable.key(userId, version), { ...row, authData: {}, count: 0, deleted: true })
  tx.put(backupRemovalTable.key(userId, version), 1)
}

async function putPortion(
  tx: Transaction,
  userId: UserId,
  version: number,
  sessions: readonly BackupSession[],
): Promise<BackupState> {
  const row = await existing(tx, userId, version)
  const current = await currentVersion(tx, userId)
  if (current !== version) {
    throw new KeysError('M_WRONG_ROOM_KEYS_VERSION', 'version is not the current backup version.', {
      current_version: String(current),
    })
  }
  const keys = sessions.map(({ roomId, sessionId }) =>
    backedUpSessionTable.key(userId, version, roomId, sessionId),
  )
  const held = await tx.getMany(keys)
  let added = 0
  let replaced = 0
  for (const [i, { data }] of sessions.entries()) {
    const before = held[i]
    if (before && !isBetter(data, before)) continue
    tx.put(keys[i]!, data)
    if (before) replaced++
    else added++
  }
  if (added + replaced === 0) return stateOf(row)
  const after = { ...row, count: row.count + added, etag: row.etag + 1 }
  if (after.count > maxSessions) {
    throw new KeysError('M_TOO_LARGE', `A backup may hold ${maxSessions} sessions.`)
  }
  tx.put(keyBackupTable.key(userId, version), after)
  return stateOf(after)
}

/** Spec: client-server-api#server-side-key-backups: verified, then the lower index, then fewer forwards. */
function isBetter(offered: BackedUpSessionRow, held: BackedUpSessionRow): boolean {
  if (offered.is_verified !== held.is_verified) return offered.is_verified
  if (offered.first_message_index !== held.first_message_index) {
    return offered.first_message_index < held.first_message_index
  }
  return offered.forwarded_count < held.forwarded_count
}

function under(userId: UserId, version: number, { roomId, sessionId }: BackupScope) {
  if (roomId === undefined) return backedUpSessionTable.under(userId, version)
  if (sessionId === undefined) return backedUpSessionTable.under(userId, version, roomId)
  return backedUpSessionTable.under(userId, version, roomId, sessionId)
}

async function sessionsIn(view: View, userId: UserId, version: number, scope: BackupScope) {
  const rows = await view.range(under(userId, version, scope), portion)
  return rows.map(({ key }) => key)
}

async function existing(view: View, userId: UserId, version: number): Promise<KeyBackupRow> {
  const row = await view.get(keyBackupTable.key(userId, version))
  if (!row || row.deleted) throw unknownVersion()
  return row
}

/** The newest that was not deleted. */
async function currentVersion(view: View, userId: UserId): Promise<number | null> {
  let before: string | undefined
  for (;;) {
    const options = { reverse: true, limit: versionsAtOnce, ...(before === undefined ? {} : { before }) }
    const rows = await view.range(keyBackupTable.under(userId), options)
    const newest = rows.find(({ value }) => !value.deleted)
    if (newest || rows.length < versionsAtOnce) return newest?.parts[1] ?? null
    before = rows.at(-1)!.key
  }
}

function stateOf({ etag, count }: KeyBackupRow): BackupState {
  return { etag: String(etag), count }
}

function unknownVersion(): KeysError {
  return new KeysError('M_NOT_FOUND', 'version names no key backup of yours.')
}

function noBackup(): KeysError {
  return new KeysError('M_NOT_FOUND', 'There is no current key backup.')
}

// ── what clients send ────────────────────────────────────────────────────────────────────────────────

/** A version that we never gave out does not exist: 404, as for one that is gone. */
function parseVersion(version: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(version)) throw unknownVersion()
  return Number(version)
}

function parseBackup(body: JsonObject): { algorithm: string; authData: JsonObject } {
  const { algorithm, auth_data: authData } = body
  if (algorithm === undefined) throw new KeysError('M_MISSING_PARAM', 'algorithm is missing.')
  if (typeof algorithm !== 'string' || algorithm.length === 0 || algorithm.length > 255) {
    throw new KeysError('M_INVALID_PARAM', 'algorithm must be a string of at most 255 characters.')
  }
  if (authData === undefined) throw new KeysError('M_MISSING_PARAM', 'auth_data is missing.')
  if (!isObject(authData)) throw new KeysError('M_BAD_JSON', 'auth_data must be an object.')
  if (JSON.stringify(authData).length > maxAuthDataBytes) {
    throw new KeysError('M_TOO_LARGE', `auth_data is larger than ${maxAuthDataBytes} bytes.`)
  }
  return { algorithm, authData }
}

/** `{ rooms: { roomId: { sessions: { sessionId: data } } } }` */
export function parseBackupRooms(body: JsonObject): readonly BackupSession[] {
  const { rooms } = body
  if (rooms === undefined) throw new KeysError('M_MISSING_PARAM', 'rooms is missing.')
  if (!isObject(rooms)) throw new KeysError('M_BAD_JSON', 'rooms must be an object.')
  return Object.entries(rooms).flatMap(([id, room]) => {
    const roomId = parseRoomId(id)
    if (!roomId) throw new KeysError('M_INVALID_PARAM', `rooms: ${id} is not a room id (!…).`)
    if (!isObject(room)) throw new KeysError('M_BAD_JSON', `rooms.${id} must be an object.`)
    return parseBackupRoom(room, roomId)
  })
}

/** `{ sessions: { sessionId: data } }` */
export function parseBackupRoom(body: JsonObject, roomId: RoomId): readonly BackupSession[] {
  const { sessions } = body
  if (sessions === undefined) throw new KeysError('M_MISSING_PARAM', 'sessions is missing.')
  if (!isObject(sessions)) throw new KeysError('M_BAD_JSON', 'sessions must be an object.')
  return Object.entries(sessions).map(([sessionId, data]) => parseBackupSession(data, roomId, sessionId))
}

export function parseBackupSession(
  value: Json | undefined,
  roomId: RoomId,
  sessionId: string,
): BackupSession {
  if (sessionId.length === 0 || sessionId.length > 255) {
    throw new KeysError('M_INVALID_PARAM', 'A session id has 1 to 255 characters.')
  }
  if (!isObject(value)) throw new KeysError('M_BAD_JSON', `sessions.${sessionId} must be an object.`)
  const data: BackedUpSessionRow = {
    first_message_index: count(value, 'first_message_index'),
    forwarded_count: count(value, 'forwarded_count'),
    is_verified: value['is_verified'] === true,
    session_data: value['session_data'] as JsonObject,
  }
  if (typeof value['is_verified'] !== 'boolean') {
    throw missingOrBad(value, 'is_verified', 'true or false')
  }
  if (!isObject(value['session_data'])) throw missingOrBad(value, 'session_data', 'an object')
  if (JSON.stringify(data).length > maxSessionBytes) {
    throw new KeysError('M_TOO_LARGE', `sessions.${sessionId} is larger than ${maxSessionBytes} bytes.`)
  }
  return { roomId, sessionId, data }
}

function count(object: JsonObject, name: string): number {
  const value = object[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw missingOrBad(object, name, 'an integer of 0 or more')
}

function missingOrBad(object: JsonObject, name: string, form: string): KeysError {
  return object[name] === undefined
    ? new KeysError('M_MISSING_PARAM', `${name} is missing.`)
    : new KeysError('M_BAD_JSON', `${name} must be ${form}.`)
}
