/**
 * Device lists of people of other servers, kept for as long as they share a room with somebody here: only then does
 * their server tell of changes.
 *
 * A list is held whole, or not at all: what was missed, is malformed or came while we asked ends the holding, our clients
 * hear that the list changed, and whoever asks next has it fetched again. So a peer's EDU makes no request of ours,
 * and none can be lost to a crash: its rows and the clients' feed are one batch.
 *
 * Spec: server-server-api#device-management
 */
import type { DeviceId, ServerName, UserId } from '../protocol/ids.ts'
import { parseDeviceId, parseUserId, serverOf } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import type { Projection } from '../rooms/projection.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { deviceKeysTable, remoteDeviceListTable } from '../store/catalogue.ts'
import type { Store, Transaction, View } from '../store/store.ts'
import {
  type CrossSigningKeys,
  parseCrossSigningKeys,
  removeCrossSigning,
  storeCrossSigningKeys,
} from './cross-signing.ts'
import { parseDeviceKeys } from './device-keys.ts'
import type { DeviceLists } from './device-lists.ts'
import { withName } from './key-query.ts'
import { KeysError } from './keys-error.ts'
import type { RemoteDevices } from './ports.ts'

/** Of one person. A peer may not fill our store with one of its people. */
const maxDevices = 2_000
const maxPrevIds = 100

/**
 * Lists of those who come to share a room with us only now are asked for anew. For `rooms` to run.
 *
 * Deletes only, and blindly: two rooms that do it at the same time are of one mind.
 */
export function remoteDeviceListsProjection(serverName: ServerName): Projection {
  return {
    name: 'remote device lists',
    rows(event, view, _loaded, rows) {
      if (event.type !== 'm.room.member' || event.content['membership'] !== 'join') return
      if (event.replacesState?.content['membership'] === 'join') return
      const userId = event.stateKey as UserId
      if (serverOf(userId) !== serverName) rows.delete(remoteDeviceListTable.key(userId))
      else if (view.joinedServers.get(serverName) === 1) {
        // The first of ours in this room: for all others it begins now.
        for (const { stateKey } of view.members('join')) {
          if (serverOf(stateKey) !== serverName) rows.delete(remoteDeviceListTable.key(stateKey))
        }
      }
    },
  }
}

export class RemoteDeviceLists {
  readonly #store: Store
  readonly #rooms: Pick<Rooms, 'serverName' | 'view' | 'memberships'>
  readonly #lists: Pick<DeviceLists, 'markChanged'>
  readonly #verify: Verify
  /** Those whose list is being fetched, as long as nothing else was heard of it. */
  readonly #fetching = new Map<UserId, symbol>()

  constructor(
    store: Store,
    rooms: Pick<Rooms, 'serverName' | 'view' | 'memberships'>,
    lists: Pick<DeviceLists, 'markChanged'>,
    verify: Verify,
  ) {
    this.#store = store
    this.#rooms = rooms
    this.#lists = lists
    this.#verify = verify
  }

  /** Does their server tell us of changes? */
  async areTold(userId: UserId): Promise<boolean> {
    const memberships = await this.#rooms.memberships(userId)
    for (const { roomId, membership } of memberships.values()) {
      if (membership !== 'join') continue
      const view = await this.#rooms.view(roomId)
      if (view?.joinedServers.has(this.#rooms.serverName)) return true
    }
    return false
  }

  async isHeld(view: View, userId: UserId): Promise<boolean> {
    return (await view.get(remoteDeviceListTable.key(userId))) !== undefined
  }

  /** Before the list is asked for: the answer is kept if nothing else was heard until it came. */
  beginFetch(userId: UserId): symbol {
    const fetch = Symbol()
    this.#fetching.set(userId, fetch)
    return fetch
  }

  /**
   * What their server answered; false: something else was heard meanwhile, ask again. Devices and keys that are not what
   * they should be are left out.
   */
  async keep(userId: UserId, fetch: symbol, answer: RemoteDevices): Promise<boolean> {
    const devices = new Map<string, JsonObject>()
    for (const { deviceId, keys, displayName } of answer.devices.slice(0, maxDevices)) {
      const parsed = this.#parsedDevice(userId, deviceId, keys, displayName)
      if (parsed) devices.set(deviceId, parsed)
    }
    const identity = identityOf(userId, answer.masterKey, answer.selfSigningKey)
    return await this.#store.transact(userId, async tx => {
      if (this.#fetching.get(userId) !== fetch) return false
      this.#fetching.delete(userId)
      for (const { key, parts } of await tx.range(deviceKeysTable.under(userId))) {
        if (!devices.has(parts[1])) tx.delete(key)
      }
      for (const [deviceId, keys] of devices) tx.put(deviceKeysTable.key(userId, deviceId), keys)
      if (!identity?.master || !(await this.#putIdentity(tx, userId, identity, devices.keys()))) {
        await removeCrossSigning(tx, userId)
      }
      tx.put(remoteDeviceListTable.key(userId), { streamId: answer.streamId })
      return true
    })
  }

  giveUp(userId: UserId, fetch: symbol): void {
    if (this.#fetching.get(userId) === fetch) this.#fetching.delete(userId)
  }

  /** `m.device_list_update`. Spec: server-server-api#mdevice_list_update */
  async takeUpdate(origin: ServerName, content: JsonObject): Promise<void> {
    const userId = parseUserId(content['user_id'])
    if (!userId || serverOf(userId) !== origin || !(await this.areTold(userId))) return
    const { stream_id: streamId, prev_id: previous } = content
    const deviceId = parseDeviceId(content['device_id'])
    const name = content['device_display_name']
    const keys = content['keys']
    const isDeleted = content['deleted'] === true || keys === undefined
    const parsed =
      deviceId && !isDeleted
        ? this.#parsedDevice(userId, deviceId, keys, typeof name === 'string' ? name : undefined)
        : null
    await this.#store.transact(userId, async tx => {
      this.#fetching.delete(userId)
      const held = await tx.get(remoteDeviceListTable.key(userId))
      // A repeated one, or one that the list that was fetched has in it.
      if (held && isInteger(streamId) && streamId <= held.streamId) return
      const follows = held && isInteger(streamId) && followsOn(previous, held.streamId)
      if (!follows || !deviceId || (!isDeleted && !parsed) || !(await hasRoom(tx, userId))) {
        tx.delete(remoteDeviceListTable.key(userId))
      } else {
        if (parsed) tx.put(deviceKeysTable.key(userId, deviceId), parsed)
        else tx.delete(deviceKeysTable.key(userId, deviceId))
        tx.put(remoteDeviceListTable.key(userId), { streamId })
      }
      await this.#lists.markChanged(tx, userId)
    })
  }

  /** `m.signing_key_update`. Spec: server-server-api#msigning_key_update */
  async takeSigningKeys(origin: ServerName, content: JsonObject): Promise<void> {
    const userId = parseUserId(content['user_id'])
    if (!userId || serverOf(userId) !== origin || !(await this.areTold(userId))) return
    const identity = identityOf(userId, content['master_key'], content['self_signing_key'])
    await this.#store.transact(userId, async tx => {
      this.#fetching.delete(userId)
      if (await this.isHeld(tx, userId)) {
        const devices = (await tx.range(deviceKeysTable.under(userId))).map(({ parts }) => parts[1])
        if (!identity || !(await this.#putIdentity(tx, userId, identity, devices))) {
          tx.delete(remoteDeviceListTable.key(userId))
        }
      }
      await this.#lists.markChanged(tx, userId)
    })
  }

  /** null: not what a device publishes. */
  #parsedDevice(
    userId: UserId,
    deviceId: DeviceId,
    keys: Json | undefined,
    displayName: string | undefined,
  ): JsonObject | null {
    try {
      const parsed = parseDeviceKeys(keys, userId, deviceId, this.#verify)
      return withName(parsed, displayName === undefined ? {} : { displayName: displayName.slice(0, 255) })
    } catch (error) {
      if (error instanceof KeysError) return null
      throw error
    }
  }

  async #putIdentity(
    tx: Transaction,
    userId: UserId,
    identity: CrossSigningKeys,
    deviceIds: Iterable<string>,
  ): Promise<boolean> {
    try {
      await storeCrossSigningKeys(tx, userId, identity, {
        authenticated: true,
        deviceIds,
        verify: this.#verify,
      })
      return true
    } catch (error) {
      if (error instanceof KeysError) return false
      throw error
    }
  }
}

function identityOf(
  userId: UserId,
  master: Json | undefined,
  selfSigning: Json | undefined,
): CrossSigningKeys | null {
  try {
    return parseCrossSigningKeys(
      {
        ...(isObject(master) ? { master_key: master } : {}),
        ...(isObject(selfSigning) ? { self_signing_key: selfSigning } : {}),
      },
      userId,
    )
  } catch (error) {
    if (error instanceof KeysError) return null
    throw error
  }
}

/**
 * Is what came before it known? Ids of one list only grow, so what is not above ours is in it.
 * Without any the sender does not know itself what we have.
 */
function followsOn(previous: Json | undefined, held: number): boolean {
  if (!Array.isArray(previous) || previous.length === 0 || previous.length > maxPrevIds) return false
  return previous.every(id => isInteger(id) && id <= held)
}

async function hasRoom(tx: Transaction, userId: UserId): Promise<boolean> {
  return (await tx.range(deviceKeysTable.under(userId), { limit: maxDevices })).length < maxDevices
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
