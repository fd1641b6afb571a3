/**
 * The key directory: who has which devices and keys, as far as a server may know it, and messages between devices.
 *
 * The server holds public keys and ciphertext only. Everything about a user's devices is written by transactions that
 * own the user, as is everything that accounts writes about them: a device that is being removed cannot get a key
 * or a message meanwhile. What is in memory here is a copy of what is durable.
 *
 * Spec: client-server-api#end-to-end-encryption, #send-to-device-messaging
 */
import { type DeviceId, type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { crossSigningKeyTable, deviceKeysTable, keyCountsTable } from '../store/catalogue.ts'
import type { Position, Store, Transaction, View } from '../store/store.ts'
import { leaveOtherEpoch } from './after-repair.ts'
import {
  type CrossSigningKeys,
  checkCrossSigningKeys,
  crossSigningKeysOf,
  needsAuthentication,
  publicKeyOf,
  removeCrossSigning,
  type SignatureFailure,
  type SignedKey,
  storeCrossSigningKeys,
  storeSignatures,
  usages,
} from './cross-signing.ts'
import { mergeDeviceKeys, parseDeviceKeys } from './device-keys.ts'
import { type DeviceListChanges, DeviceLists, deviceTopic } from './device-lists.ts'
import { KeyBackups, removeBackups } from './key-backup.ts'
import type { KeyChange } from './key-edus.ts'
import { type QueryAnswer, QueryResult, readKeysOf } from './key-query.ts'
import { KeysError } from './keys-error.ts'
import {
  type ClaimedKey,
  claimKeys,
  countsOf,
  type KeyCounts,
  type KeyWanted,
  parseUploadedKeys,
  removeKeysOf,
  uploadKeys,
} from './one-time-keys.ts'
import type { DeviceDirectory, KeysFederation } from './ports.ts'
import { RemoteDeviceLists } from './remote-device-lists.ts'
import { RemoteDirectory } from './remote-directory.ts'
import {
  removeInbox,
  ToDevice,
  type ToDeviceMessage,
  type ToDevicePage,
  type ToDeviceRequest,
} from './to-device.ts'
import { TopicMemory } from './topic-memory.ts'

export interface KeysOptions {
  readonly store: Store
  readonly rooms: Pick<Rooms, 'serverName' | 'view' | 'memberships'>
  readonly devices: DeviceDirectory
  readonly verifyEd25519: Verify
  readonly clock: () => number
  readonly federation?: KeysFederation | undefined
}

/** Who asks. External people see only those with whom they share a room. */
export interface Asker {
  readonly userId: UserId
  readonly kind: 'member' | 'administrator' | 'service' | 'external'
}

export interface ClaimAnswer {
  readonly claimed: readonly ClaimedKey[]
  readonly failures: Readonly<Record<string, JsonObject>>
}

const maxUsersAtOnce = 5_000

export async function openKeys(options: KeysOptions): Promise<Keys> {
  await leaveOtherEpoch(options.store)
  const keys = new Keys(options)
  await keys.open()
  return keys
}

export class Keys {
  readonly serverName: ServerName
  readonly backups: KeyBackups
  /** What other servers tell. */
  readonly remoteLists: RemoteDeviceLists
  readonly #remote: RemoteDirectory | null
  readonly #store: Store
  readonly #rooms: KeysOptions['rooms']
  readonly #devices: DeviceDirectory
  readonly #verify: Verify
  readonly #lists: DeviceLists
  readonly #toDevice: ToDevice
  readonly #counts = new TopicMemory<KeyCounts>()
  /** People whose removal is on its way to the disk: their backups' sessions follow when it is there. */
  readonly #leaving = new Set<string>()

  constructor({ store, rooms, devices, verifyEd25519: verify, clock, federation }: KeysOptions) {
    this.serverName = rooms.serverName
    this.backups = new KeyBackups(store)
    this.#store = store
    this.#rooms = rooms
    this.#devices = devices
    this.#verify = verify
    this.#lists = new DeviceLists(store, rooms, federation)
    this.#toDevice = new ToDevice(store, devices, rooms.serverName, clock, federation)
    this.remoteLists = new RemoteDeviceLists(store, rooms, this.#lists, verify)
    this.#remote = federation
      ? new RemoteDirectory({ store, remote: federation.remote, lists: this.remoteLists, verify })
      : null
    store.onDurable(commit => {
      this.#lists.noteDurable(commit)
      for (const topic of commit.topics) {
        if (this.#leaving.delete(topic)) this.#removeBackedUpSessions()
        if (!topic.startsWith('device:')) continue
        this.#counts.forget(topic)
        this.#toDevice.noteDurable(topic)
      }
    })
    store.onReset(() => {
      this.#counts.forgetAll()
      this.#lists.reset()
      this.#toDevice.reset()
      this.#leaving.clear()
    })
  }

  /** What an earlier run left undone. */
  async open(): Promise<void> {
    await this.backups.open()
    await this.#toDevice.sweep()
  }

  // ── a device's own keys ────────────────────────────────────────────────────────────────────────────

  /** `/keys/upload`. Answers with the counts of what can be claimed now. */
  async upload(userId: UserId, deviceId: DeviceId, body: JsonObject): Promise<KeyCounts> {
    const uploaded =
      body['device_keys'] === undefined
        ? undefined
        : parseDeviceKeys(body['device_keys'], userId, deviceId, this.#verify)
    const oneTimeKeys = parseUploadedKeys(body['one_time_keys'], 'one_time_keys', userId, deviceId)
    const fallbackKeys = parseUploadedKeys(body['fallback_keys'], 'fallback_keys', userId, deviceId)
    if (!uploaded && oneTimeKeys.length === 0 && fallbackKeys.length === 0) {
      return await this.keyCounts(userId, deviceId)
    }
    return await this.#store.transact(userId, async tx => {
      if (!(await this.#devices.devicesOf(tx, userId))?.has(deviceId)) {
        throw new KeysError('M_FORBIDDEN', `The device ${deviceId} is signed out.`)
      }
      if (uploaded) await this.#putDeviceKeys(tx, userId, deviceId, uploaded)
      return countsOf(await uploadKeys(tx, userId, deviceId, oneTimeKeys, fallbackKeys))
    })
  }

  async #putDeviceKeys(
    tx: Transaction,
    userId: UserId,
    deviceId: DeviceId,
    uploaded: JsonObject,
  ): Promise<void> {
    if (await this.isCrossSigningKey(tx, userId, deviceId)) {
      throw new KeysError(
        'M_FORBIDDEN',
        `device_keys.device_id is the id of one of the user's cross-signing keys.`,
      )
    }
    const key = deviceKeysTable.key(userId, deviceId)
    const merged = mergeDeviceKeys(await tx.get(key), uploaded, userId)
    if (!merged) return
    tx.put(key, merged)
    await this.#lists.markChanged(tx, userId, [{ kind: 'device', deviceId, keys: merged }])
  }

  /** Every sync asks; answered from memory where nothing changed. */
  async keyCounts(userId: UserId, deviceId: DeviceId): Promise<KeyCounts> {
    return await this.#counts.recall(deviceTopic(userId, deviceId), () =>
      this.#store.read(async view => countsOf(await view.get(keyCountsTable.key(userId, deviceId)))),
    )
  }

  // ── others' keys ───────────────────────────────────────────────────────────────────────────────────

  /** `/keys/query`: an empty list of devices means all. */
  async query(asker: Asker, wanted: ReadonlyMap<UserId, readonly DeviceId[]>): Promise<QueryAnswer> {
    const { local, remote } = await this.#whomToAsk(asker, [...wanted.keys()])
    const answer = new QueryResult()
    const elsewhere = this.#remote
      ? this.#remote.query(asker.userId, new Map(remote.map(id => [id, wanted.get(id)!])), answer)
      : Object.assign(answer.failures, cannotBeAsked(remote))
    await this.#store.read(async view => {
      const found = await Promise.all(
        local.map(async userId => {
          const names = await this.#devices.devicesOf(view, userId)
          return names && (await readKeysOf(view, asker.userId, userId, names))
        }),
      )
      for (const [i, keys] of found.entries()) {
        if (keys) answer.add(asker.userId, local[i]!, keys, wanted.get(local[i]!)!)
      }
    })
    await elsewhere
    return answer
  }

  /** `/keys/claim`. What is answered is durably gone from the store, or is a fallback key. */
  async claim(asker: Asker, wanted: readonly KeyWanted[]): Promise<ClaimAnswer> {
    const { local, remote } = await this.#whomToAsk(asker, [...new Set(wanted.map(({ userId }) => userId))])
    const isRemote = new Set(remote)
    const elsewhere = wanted.filter(({ userId }) => isRemote.has(userId))
    const [here, there] = await Promise.all([
      this.#claimHere(new Set(local), wanted),
      this.#remote?.claim(elsewhere) ?? { claimed: [], failures: cannotBeAsked(remote) },
    ])
    return { claimed: [...here, ...there.claimed], failures: there.failures }
  }

  async #claimHere(users: ReadonlySet<UserId>, wanted: readonly KeyWanted[]): Promise<readonly ClaimedKey[]> {
    const here = wanted.filter(({ userId }) => users.has(userId))
    return here.length === 0 ? [] : await this.#store.transact([...users], tx => claimKeys(tx, here))
  }

  /** Those whom the asker may ask about, of this server and of others. */
  async #whomToAsk(asker: Asker, userIds: readonly UserId[]) {
    if (userIds.length > maxUsersAtOnce) {
      throw new KeysError('M_TOO_LARGE', `One request may name ${maxUsersAtOnce} users.`)
    }
    const people = asker.kind === 'external' ? await this.#peopleOf(asker.userId) : null
    const allowed = userIds.filter(userId => !people || userId === asker.userId || people.has(userId))
    return {
      local: allowed.filter(userId => serverOf(userId) === this.serverName),
      remote: allowed.filter(userId => serverOf(userId) !== this.serverName),
    }
  }

  /** With whom an external person may exchange keys: who is in a room with them or invited to it, and who invites them. */
  async #peopleOf(userId: UserId): Promise<ReadonlySet<UserId>> {
    const people = new Set<UserId>()
    for (const { roomId, membership, sender } of (await this.#rooms.memberships(userId)).values()) {
      if (membership === 'invite') people.add(sender)
      if (membership !== 'join') continue
      const room = await this.#rooms.view(roomId)
      for (const reads of ['join', 'invite'] as const)
        for (const { stateKey } of room?.members(reads) ?? []) people.add(stateKey)
    }
    return people
  }

  /** To a server that could not be told of changes for a while. */
  tellDevices(server: ServerName, userIds: Iterable<UserId>): Promise<void> {
    return this.#lists.tellAnew(server, userIds)
  }

  /** Whose keys to ask for again, from one position to another. */
  deviceListChanges(userId: UserId, after: Position, upTo: Position): Promise<DeviceListChanges> {
    return this.#lists.changes(userId, after, upTo)
  }

  // ── cross-signing ──────────────────────────────────────────────────────────────────────────────────

  /** Must the person authenticate again before these keys are taken? Refuses what would be refused anyway. */
  async needsAuthentication(userId: UserId, uploaded: CrossSigningKeys): Promise<boolean> {
    const stored = await this.#store.read(view => crossSigningKeysOf(view, userId))
    checkCrossSigningKeys(stored, uploaded, userId, this.#verify)
    return needsAuthentication(stored, uploaded)
  }

  async uploadCrossSigningKeys(
    userId: UserId,
    uploaded: CrossSigningKeys,
    authenticated: boolean,
  ): Promise<void> {
    await this.#store.transact(userId, async tx => {
      const devices = await this.#devices.devicesOf(tx, userId)
      if (!devices) throw new KeysError('M_FORBIDDEN', 'This account was deactivated.')
      const options = { authenticated, deviceIds: devices.keys(), verify: this.#verify }
      if (!(await storeCrossSigningKeys(tx, userId, uploaded, options))) return
      await this.#lists.markChanged(tx, userId, [
        { kind: 'identity', keys: await crossSigningKeysOf(tx, userId) },
      ])
    })
  }

  /** Takes what holds, and says of the rest why not. */
  async uploadSignatures(userId: UserId, keys: readonly SignedKey[]): Promise<readonly SignatureFailure[]> {
    return await this.#store.transact(userId, async tx => {
      const { failures, ownDevices, ownMaster, signed } = await storeSignatures(
        tx,
        userId,
        keys,
        this.#verify,
      )
      if (ownDevices.length > 0 || ownMaster) {
        const rows = await tx.getMany(ownDevices.map(deviceId => deviceKeysTable.key(userId, deviceId)))
        const devices = ownDevices.map(
          (deviceId, i): KeyChange => ({ kind: 'device', deviceId, keys: rows[i]! }),
        )
        const identity: KeyChange[] = ownMaster
          ? [{ kind: 'identity', keys: await crossSigningKeysOf(tx, userId) }]
          : []
        await this.#lists.markChanged(tx, userId, [...devices, ...identity])
      }
      if (signed.length > 0) await this.#lists.markSigned(tx, userId, signed)
      return failures
    })
  }

  /** A new device must not be named like this. Spec: client-server-api#cross-signing */
  async isCrossSigningKey(view: View, userId: UserId, deviceId: string): Promise<boolean> {
    const keys = await view.getMany(usages.map(usage => crossSigningKeyTable.key(userId, usage)))
    return keys.some(key => key !== undefined && publicKeyOf(key) === deviceId)
  }

  // ── to-device ──────────────────────────────────────────────────────────────────────────────────────

  /** What an external person sends to others than those whom they meet is dropped, as if there were no such device. */
  async sendToDevice(request: ToDeviceRequest, kind?: Asker['kind']): Promise<void> {
    if (kind !== 'external') return this.#toDevice.send(request)
    const people = await this.#peopleOf(request.sender)
    const messages = request.messages.filter(({ userId }) => userId === request.sender || people.has(userId))
    return this.#toDevice.send({ ...request, messages })
  }

  /** What another server brings: who sent it is of that server. */
  receiveToDevice(
    sender: UserId,
    messageId: string,
    type: string,
    messages: readonly ToDeviceMessage[],
  ): Promise<void> {
    return this.#toDevice.receive(sender, messageId, type, messages)
  }

  /** What waits for the device above `after`, the oldest first. */
  toDevice(
    userId: UserId,
    deviceId: DeviceId,
    after: Position,
    upTo: Position,
    limit = 100,
  ): Promise<ToDevicePage> {
    return this.#toDevice.page(userId, deviceId, after, upTo, limit)
  }

  /** The device has shown that it has everything up to here: it goes. */
  acknowledge(userId: UserId, deviceId: DeviceId, upTo: Position): Promise<void> {
    return this.#toDevice.acknowledge(userId, deviceId, upTo)
  }

  // ── what accounts tells us, in its own transactions, which own the user ────────────────────────────

  async removeDevice(tx: Transaction, userId: UserId, deviceId: DeviceId): Promise<void> {
    const key = deviceKeysTable.key(userId, deviceId)
    const published = await tx.get(key)
    tx.delete(key)
    await removeKeysOf(tx, userId, deviceId)
    await removeInbox(tx, userId, deviceId)
    if (published) await this.#lists.markChanged(tx, userId, [{ kind: 'device', deviceId, keys: null }])
  }

  /** The names of devices stand in `/keys/query`. */
  async deviceRenamed(tx: Transaction, userId: UserId, deviceId: DeviceId): Promise<void> {
    if (await tx.get(deviceKeysTable.key(userId, deviceId))) await this.#lists.markChanged(tx, userId)
  }

  /** The person goes for good; the devices are removed one by one. */
  async removeAccount(tx: Transaction, userId: UserId): Promise<void> {
    await removeCrossSigning(tx, userId)
    await removeBackups(tx, userId)
    await this.#lists.markChanged(tx, userId)
    tx.sequence(() => this.#leaving.add(`devices:${userId}`))
  }

  /** What fails here is done when the server opens next. */
  #removeBackedUpSessions(): void {
    this.backups.open().catch(() => {})
  }
}

/** Without federation. */
function cannotBeAsked(userIds: readonly UserId[]): Record<string, JsonObject> {
  return Object.fromEntries(
    userIds
      .map(serverOf)
      .map(server => [server, { errcode: 'M_UNKNOWN', error: `${server} cannot be asked from here.` }]),
  )
}
