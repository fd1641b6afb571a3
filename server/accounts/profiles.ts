/**
 * Profiles: display name, picture and other fields; and the way of the first two into every joined room.
 *
 * A change and its pending row share one batch. A worker then sends the `m.room.member` events; it compares
 * with what the room shows, so that after a crash it takes up where it was, and repeats harm nobody.
 *
 * Spec: client-server-api#profiles, #events-on-change-of-profile-information
 */
import { parseUserId, type RoomId, type UserId } from '../protocol/ids.ts'
import type { Json, JsonObject } from '../protocol/json.ts'
import { RoomError } from '../rooms/rooms.ts'
import { profilePendingTable, profileTable } from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import { AccountError } from './account-error.ts'
import type { Core } from './core.ts'
import { refuseIfDeactivated } from './sessions.ts'

/** What a membership event carries of a profile. */
export interface MemberProfile {
  readonly displayname?: string
  readonly avatar_url?: string
}

export interface Profiles {
  get(userId: UserId): Promise<JsonObject>
  /** For the membership events that rooms make for our people. */
  member(userId: UserId): Promise<MemberProfile>
  /** How a person of another server is called in a room that both are in. */
  asSeenInRooms(viewer: UserId, wanted: UserId): Promise<JsonObject | null>
  setField(userId: UserId, name: string, value: Json): Promise<void>
  removeField(userId: UserId, name: string): Promise<void>
  setIn(tx: Transaction, userId: UserId, fields: JsonObject): void
  removeIn(tx: Transaction, userId: UserId): void
  /** Takes up what a stop left undone. */
  resume(): Promise<void>
  settled(): Promise<void>
  stop(): void
}

/** Spec: PUT /profile/{userId}/{keyName}. All fields together, as JSON. */
const maxProfileBytes = 64 * 1024
const maxKeyBytes = 255
// Spec: appendices#common-namespaced-identifier-grammar, and the keys that the specification names.
const fieldName = /^(?:displayname|avatar_url|[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)+)$/
const retryMs = 30_000

export function openProfiles(core: Core): Profiles {
  const { store, rooms } = core
  const carrying = new Map<string, Promise<void>>()
  const retries = new Set<NodeJS.Timeout>()
  let stopped = false

  const get = async (userId: UserId): Promise<JsonObject> =>
    (await store.read(view => view.get(profileTable.key(userId))))?.fields ?? {}

  const write = async (userId: UserId, name: string, next: (fields: JsonObject) => JsonObject) => {
    checkFieldName(name)
    const visible = await store.transact(userId, async tx => {
      await refuseIfDeactivated(tx, userId)
      const row = (await tx.get(profileTable.key(userId))) ?? { fields: {}, revision: 0 }
      const fields = next(row.fields)
      if (Buffer.byteLength(JSON.stringify(fields)) > maxProfileBytes)
        throw new AccountError(
          'M_PROFILE_TOO_LARGE',
          `The profile would be larger than ${maxProfileBytes} bytes.`,
        )
      const revision = row.revision + 1
      tx.put(profileTable.key(userId), { fields, revision })
      const inRooms = name === 'displayname' || name === 'avatar_url'
      if (inRooms) tx.put(profilePendingTable.key(userId), { revision })
      return inRooms
    })
    if (visible) carry(userId)
  }

  /** One worker a person; another change while it runs makes it run once more. */
  const carry = (userId: UserId): void => {
    const running = carrying.get(userId) ?? Promise.resolve()
    const next = running
      .then(() => (stopped ? undefined : carryOnce(userId)))
      .catch(error => {
        core.report('a profile could not be carried into all rooms; it will be tried again', error)
        if (stopped) return
        const timer = setTimeout(() => {
          retries.delete(timer)
          carry(userId)
        }, retryMs)
        timer.unref()
        retries.add(timer)
      })
      .finally(() => {
        if (carrying.get(userId) === next) carrying.delete(userId)
      })
    carrying.set(userId, next)
  }

  const carryOnce = async (userId: UserId): Promise<void> => {
    const pending = await store.read(view => view.get(profilePendingTable.key(userId)))
    if (!pending) return
    const profile = memberFields(await get(userId))
    for (const [roomId, { membership }] of await rooms.memberships(userId)) {
      if (stopped) return
      if (membership === 'join') await carryInto(roomId, userId, profile)
    }
    await store.transact(userId, async tx => {
      const now = await tx.get(profilePendingTable.key(userId))
      if (now?.revision === pending.revision) tx.delete(profilePendingTable.key(userId))
    })
  }

  const carryInto = async (roomId: RoomId, userId: UserId, profile: MemberProfile): Promise<void> => {
    const view = await rooms.view(roomId)
    const member = view?.state('m.room.member', userId)
    if (member?.content['membership'] !== 'join') return
    const { displayname, avatar_url } = member.content
    if (displayname === profile.displayname && avatar_url === profile.avatar_url) return
    // What belonged to the join alone does not belong to the change of a name.
    const {
      displayname: _,
      avatar_url: __,
      join_authorised_via_users_server: ___,
      third_party_invite: ____,
      reason: _____,
      is_direct: ______,
      ...rest
    } = member.content
    try {
      await rooms.send({
        roomId,
        sender: userId,
        type: 'm.room.member',
        stateKey: userId,
        content: { ...rest, ...profile, membership: 'join' },
      })
    } catch (error) {
      // The room's rules say no (left meanwhile, frozen): the others still get it.
      if (!(error instanceof RoomError)) throw error
    }
  }

  return {
    get,
    member: async userId => memberFields(await get(userId)),
    asSeenInRooms: async (viewer, wanted) => {
      for (const [roomId, { membership }] of await rooms.memberships(viewer)) {
        const view = membership === 'join' ? await rooms.view(roomId) : null
        if (view?.membership(wanted) !== 'join') continue
        return { ...memberFields(view.state('m.room.member', wanted)?.content ?? {}) }
      }
      return null
    },
    setField: (userId, name, value) =>
      write(userId, name, fields => ({ ...fields, [name]: checkValue(name, value) })),
    removeField: (userId, name) =>
      write(userId, name, fields => {
        const { [name]: _, ...rest } = fields
        return rest
      }),
    setIn: (tx, userId, fields) => tx.put(profileTable.key(userId), { fields, revision: 1 }),
    removeIn: (tx, userId) => {
      tx.delete(profileTable.key(userId))
      tx.delete(profilePendingTable.key(userId))
    },
    resume: async () => {
      for (const { parts } of await store.read(view => view.range(profilePendingTable.under()))) {
        const userId = parseUserId(parts[0])
        if (userId) carry(userId)
      }
    },
    settled: async () => {
      while (carrying.size > 0) await Promise.all(carrying.values())
    },
    stop: () => {
      stopped = true
      for (const timer of retries) clearTimeout(timer)
    },
  }
}

export function checkFieldName(name: string): void {
  if (Buffer.byteLength(name) > maxKeyBytes)
    throw new AccountError('M_KEY_TOO_LARGE', `keyName is longer than ${maxKeyBytes} bytes.`)
  if (!fieldName.test(name))
    throw new AccountError('M_INVALID_PARAM', 'keyName must be displayname, avatar_url or a namespaced name.')
}

function checkValue(name: string, value: Json): Json {
  if (name === 'displayname') {
    if (typeof value !== 'string') throw new AccountError('M_BAD_JSON', 'displayname must be a string.')
    if (value.length > 256)
      throw new AccountError('M_INVALID_PARAM', 'displayname is longer than 256 characters.')
  }
  if (name === 'avatar_url') {
    if (typeof value !== 'string') throw new AccountError('M_BAD_JSON', 'avatar_url must be a string.')
    // Clients take a picture away by setting the empty text.
    if (value !== '' && !/^mxc:\/\/[^/\s]{1,255}\/[A-Za-z0-9_-]{1,255}$/.test(value))
      throw new AccountError('M_INVALID_PARAM', 'avatar_url must be an mxc:// URI.')
  }
  if (name === 'm.tz' && typeof value !== 'string')
    throw new AccountError('M_BAD_JSON', 'm.tz must be a string.')
  return value
}

function memberFields(fields: JsonObject): MemberProfile {
  const { displayname, avatar_url } = fields
  return {
    ...(typeof displayname === 'string' && displayname !== '' ? { displayname } : {}),
    ...(typeof avatar_url === 'string' && avatar_url !== '' ? { avatar_url } : {}),
  }
}
