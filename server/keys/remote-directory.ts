/**
 * Keys of people of other servers, for those of ours who ask: from the lists that are held here, otherwise from their
 * servers, side by side. A server that does not answer is a failure of its own and holds up no other.
 *
 * Spec: client-server-api#post_matrixclientv3keysquery, #post_matrixclientv3keysclaim (failures);
 * server-server-api#end-to-end-encryption
 */
import { type DeviceId, parseDeviceId, type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject, memberOf } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import { RemoteError } from '../rooms/remote-rooms.ts'
import type { Store } from '../store/store.ts'
import { type CrossSigningKeys, checkCrossSigningKeys, parseCrossSigningKeys } from './cross-signing.ts'
import { parseDeviceKeys } from './device-keys.ts'
import { type PersonsKeys, type QueryResult, readKeysOf, withName } from './key-query.ts'
import { KeysError } from './keys-error.ts'
import type { ClaimedKey, KeyWanted } from './one-time-keys.ts'
import type { RemoteKeys } from './ports.ts'
import type { RemoteDeviceLists } from './remote-device-lists.ts'

/** Lists that one request fetches from one server at the same time. */
const fetchesAtOnce = 8
/** A list that changes while it is fetched is fetched again. */
const maxAttempts = 3
/** A one-time key has some 300 bytes, with a post-quantum part some 3,000. */
const maxKeyBytes = 32_768

export interface RemoteDirectoryDeps {
  readonly store: Store
  readonly remote: RemoteKeys
  readonly lists: RemoteDeviceLists
  readonly verify: Verify
}

export class RemoteDirectory {
  readonly #deps: RemoteDirectoryDeps
  /** For all who ask for the same list meanwhile. */
  readonly #fetches = new Map<UserId, Promise<void>>()

  constructor(deps: RemoteDirectoryDeps) {
    this.#deps = deps
  }

  /** Adds what is found, or a failure for the server, to the answer. */
  async query(
    asker: UserId,
    wanted: ReadonlyMap<UserId, readonly DeviceId[]>,
    answer: QueryResult,
  ): Promise<void> {
    await Promise.all(
      [...byServer(wanted.keys(), userId => userId)].map(async ([server, userIds]) => {
        try {
          await this.#queryServer(server, asker, userIds, wanted, answer)
        } catch (error) {
          answer.failures[server] = failureOf(server, error)
        }
      }),
    )
  }

  async #queryServer(
    server: ServerName,
    asker: UserId,
    userIds: readonly UserId[],
    wanted: ReadonlyMap<UserId, readonly DeviceId[]>,
    answer: QueryResult,
  ): Promise<void> {
    const { store, lists } = this.#deps
    const told: UserId[] = []
    const strangers: UserId[] = []
    for (const userId of userIds) ((await lists.areTold(userId)) ? told : strangers).push(userId)
    const missing = await store.read(async view => {
      const held = await Promise.all(told.map(userId => lists.isHeld(view, userId)))
      return told.filter((_, i) => !held[i])
    })
    let failure: unknown
    const failed = new Set<UserId>(missing)
    const waiting = [...missing]
    const fetchNext = async () => {
      for (let userId = waiting.shift(); userId && !failure; userId = waiting.shift()) {
        try {
          await this.#fetch(server, userId)
          failed.delete(userId)
        } catch (error) {
          // Somebody whom that server does not know any more is no reason not to ask for the others.
          if (!(error instanceof RemoteError && error.status === 404)) failure = error
        }
      }
    }
    const asked = strangers.length > 0 ? this.#ask(server, asker, strangers, wanted, answer) : undefined
    await Promise.all([asked, ...Array.from({ length: fetchesAtOnce }, fetchNext)])
    await store.read(async view => {
      for (const userId of told) {
        if (failed.has(userId)) continue
        answer.add(asker, userId, await readKeysOf(view, asker, userId, undefined), wanted.get(userId)!)
      }
    })
    if (failure) throw failure
  }

  #fetch(server: ServerName, userId: UserId): Promise<void> {
    const present = this.#fetches.get(userId)
    if (present) return present
    const { remote, lists } = this.#deps
    const act = async () => {
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const fetch = lists.beginFetch(userId)
        try {
          if (await lists.keep(userId, fetch, await remote.userDevices(server, userId))) return
        } finally {
          lists.giveUp(userId, fetch)
        }
      }
      throw new RemoteError('unreachable', 'The list changed each time that it was fetched.')
    }
    const fetching = act().finally(() => this.#fetches.delete(userId))
    this.#fetches.set(userId, fetching)
    return fetching
  }

  /** People of whose changes we would not hear: nothing of the answer is kept. */
  async #ask(
    server: ServerName,
    asker: UserId,
    userIds: readonly UserId[],
    wanted: ReadonlyMap<UserId, readonly DeviceId[]>,
    answer: QueryResult,
  ): Promise<void> {
    const { remote } = this.#deps
    const found = await remote.query(server, Object.fromEntries(userIds.map(id => [id, wanted.get(id)!])))
    for (const userId of userIds) {
      const keys = this.#personIn(found, userId)
      if (keys) answer.add(asker, userId, keys, wanted.get(userId)!)
    }
  }

  #personIn(answer: JsonObject, userId: UserId): PersonsKeys | null {
    const under = (name: string) => {
      const all = answer[name]
      const value = isObject(all) ? memberOf(all, userId) : undefined
      return isObject(value) ? value : undefined
    }
    const devices = under('device_keys')
    if (!devices) return null
    const parsed = new Map<DeviceId, JsonObject>()
    for (const [id, keys] of Object.entries(devices)) {
      const deviceId = parseDeviceId(id)
      const unsigned = isObject(keys) ? keys['unsigned'] : undefined
      const name = isObject(unsigned) ? unsigned['device_display_name'] : undefined
      if (!deviceId) continue
      const good = unlessRefused(() => parseDeviceKeys(keys, userId, deviceId, this.#deps.verify))
      if (good) parsed.set(deviceId, withName(good, typeof name === 'string' ? { displayName: name } : {}))
    }
    const [master, selfSigning] = [under('master_keys'), under('self_signing_keys')]
    const crossSigning: CrossSigningKeys | null = unlessRefused(() => {
      const keys = parseCrossSigningKeys(
        { ...(master && { master_key: master }), ...(selfSigning && { self_signing_key: selfSigning }) },
        userId,
      )
      if (keys.master) checkCrossSigningKeys({}, keys, userId, this.#deps.verify)
      return keys.master ? keys : {}
    })
    return { devices: parsed, crossSigning: crossSigning ?? {} }
  }

  /** What their servers gave out; what nobody asked for is left out. */
  async claim(
    wanted: readonly KeyWanted[],
  ): Promise<{ claimed: ClaimedKey[]; failures: Record<string, JsonObject> }> {
    const claimed: ClaimedKey[] = []
    const failures: Record<string, JsonObject> = {}
    await Promise.all(
      [...byServer(wanted, ({ userId }) => userId)].map(async ([server, keys]) => {
        try {
          claimed.push(...(await this.#claimFrom(server, keys)))
        } catch (error) {
          failures[server] = failureOf(server, error)
        }
      }),
    )
    return { claimed, failures }
  }

  async #claimFrom(server: ServerName, wanted: readonly KeyWanted[]): Promise<ClaimedKey[]> {
    const users = Map.groupBy(wanted, ({ userId }) => userId)
    const answer = await this.#deps.remote.claim(
      server,
      Object.fromEntries(
        [...users].map(([userId, keys]) => [
          userId,
          Object.fromEntries(keys.map(({ deviceId, algorithm }) => [deviceId, algorithm])),
        ]),
      ),
    )
    const found = answer['one_time_keys']
    return wanted.flatMap(want => {
      const ofUser = isObject(found) ? memberOf(found, want.userId) : undefined
      const ofDevice = isObject(ofUser) ? memberOf(ofUser, want.deviceId) : undefined
      const [name, key] = Object.entries(isObject(ofDevice) ? ofDevice : {})[0] ?? []
      if (!name?.startsWith(`${want.algorithm}:`) || !isObject(key)) return []
      if (JSON.stringify(key).length > maxKeyBytes) return []
      return [{ ...want, id: name.slice(want.algorithm.length + 1), key }]
    })
  }
}

function byServer<T>(items: Iterable<T>, userOf: (item: T) => UserId): Map<ServerName, T[]> {
  return Map.groupBy(items, item => serverOf(userOf(item)))
}

function unlessRefused<T>(parse: () => T): T | null {
  try {
    return parse()
  } catch (error) {
    if (error instanceof KeysError) return null
    throw error
  }
}

/** What fails here, and is no answer of theirs, is ours to report. */
function failureOf(server: ServerName, error: unknown): JsonObject {
  if (!(error instanceof RemoteError)) throw error
  switch (error.kind) {
    case 'unpinned':
      return { errcode: 'M_FORBIDDEN', error: `${server} is not connected to this server.` }
    case 'refused':
      return { errcode: error.errcode ?? 'M_UNKNOWN', error: `${server} refused the request.` }
    case 'unreachable':
      return { errcode: 'M_UNKNOWN', error: `${server} cannot be reached now.` }
    default:
      return error.kind satisfies never
  }
}
