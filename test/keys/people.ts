/** People, devices and rooms around the key directory: the smallest that its ports allow, with real Ed25519 keys. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { sharingProjection } from '../../server/keys/device-lists.ts'
import { type Keys, openKeys } from '../../server/keys/keys.ts'
import type { DeviceNames, KeysFederation } from '../../server/keys/ports.ts'
import { remoteDeviceListsProjection } from '../../server/keys/remote-device-lists.ts'
import { canonicalJson } from '../../server/protocol/canonical-json.ts'
import {
  type DeviceId,
  type EventId,
  type RoomId,
  type ServerName,
  serverOf,
  type UserId,
} from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { Verify } from '../../server/protocol/primitives.ts'
import type { Projection } from '../../server/rooms/projection.ts'
import type { MemberEvent, Membership, RoomMembership, RoomView } from '../../server/rooms/rooms.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import type { Position, Store } from '../../server/store/store.ts'

export const serverName = 'letro.test' as ServerName
export const alice = '@alice:letro.test' as UserId
export const bob = '@bob:letro.test' as UserId
export const carol = '@carol:letro.test' as UserId
export const room1 = '!one:letro.test' as RoomId
export const room2 = '!two:letro.test' as RoomId
export const device = (id: string) => id as DeviceId

export const verifyEd25519: Verify = (bytes, signature, publicKey) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') },
    format: 'jwk',
  })
  return verify(null, bytes, key, signature)
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

/** A signing key as a client holds it. */
export class Signer {
  readonly #private: KeyObject
  readonly publicKey: string
  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    this.#private = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))
    this.publicKey = base64(Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'))
  }

  /** The object with one signature more, made as the appendix says and not as the server does it. */
  sign<O extends JsonObject>(object: O, userId: string, keyName = this.publicKey): O {
    const { signatures = {}, unsigned: _unsigned, ...signed } = object as Record<string, never>
    const signature = base64(sign(null, Buffer.from(canonicalJson(signed), 'utf8'), this.#private))
    const theirs = (signatures as Record<string, JsonObject>)[userId]
    return {
      ...object,
      signatures: {
        ...(signatures as JsonObject),
        [userId]: { ...theirs, [`ed25519:${keyName}`]: signature },
      },
    }
  }
}

let counter = 0
export function curveKey(): string {
  return base64(Buffer.from(String(counter++).padStart(32, '.')))
}

/** What a device uploads. */
export class TestDevice {
  readonly userId: UserId
  readonly deviceId: DeviceId
  readonly signer = new Signer()
  readonly #curve = curveKey()
  constructor(userId: UserId, deviceId: string) {
    this.userId = userId
    this.deviceId = deviceId as DeviceId
  }

  deviceKeys(more: JsonObject = {}): JsonObject {
    return this.sign({
      user_id: this.userId,
      device_id: this.deviceId,
      algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
      keys: {
        [`ed25519:${this.deviceId}`]: this.signer.publicKey,
        [`curve25519:${this.deviceId}`]: this.#curve,
      },
      ...more,
    })
  }

  key(more: JsonObject = {}): JsonObject {
    return this.sign({ key: curveKey(), ...more })
  }

  oneTimeKeys(...ids: string[]): Record<string, JsonObject> {
    return Object.fromEntries(ids.map(id => [`signed_curve25519:${id}`, this.key()]))
  }

  sign<O extends JsonObject>(object: O): O {
    return this.signer.sign(object, this.userId, this.deviceId)
  }
}

/** A person's cross-signing keys. */
export class Identity {
  readonly userId: UserId
  readonly master = new Signer()
  readonly selfSigning = new Signer()
  readonly userSigning = new Signer()
  constructor(userId: UserId) {
    this.userId = userId
  }

  key(usage: string, signer: Signer): JsonObject {
    return {
      user_id: this.userId,
      usage: [usage],
      keys: { [`ed25519:${signer.publicKey}`]: signer.publicKey },
    }
  }

  upload(): { master_key: JsonObject; self_signing_key: JsonObject; user_signing_key: JsonObject } {
    return {
      master_key: this.key('master', this.master),
      self_signing_key: this.master.sign(this.key('self_signing', this.selfSigning), this.userId),
      user_signing_key: this.master.sign(this.key('user_signing', this.userSigning), this.userId),
    }
  }
}

/** Rooms as far as keys look at them; each change runs the projection in a transaction, as the room would. */
export class TestRooms {
  readonly serverName: ServerName
  readonly #store: Store
  readonly #events = new Map<RoomId, Map<UserId, MemberEvent>>()
  readonly #projections: readonly Projection[]
  constructor(store: Store, name = serverName) {
    this.#store = store
    this.serverName = name
    this.#projections = [sharingProjection, remoteDeviceListsProjection(name)]
  }

  async set(
    roomId: RoomId,
    userId: UserId,
    membership: Membership,
    more: JsonObject = {},
    sender = userId,
  ): Promise<Position> {
    const members = this.#events.get(roomId) ?? new Map<UserId, MemberEvent>()
    this.#events.set(roomId, members)
    const before = members.get(userId)
    const accepted = {
      roomId,
      eventId: `$${counter++}` as EventId,
      type: 'm.room.member',
      sender,
      stateKey: userId,
      content: { membership, ...more },
      originServerTs: 0,
      depth: 1,
      ...(before
        ? { replacesState: { eventId: before.eventId, content: before.content, sender: before.sender } }
        : {}),
    }
    return await this.#store
      .transact(roomId, async tx => {
        const keys = this.#projections.flatMap(({ reads }) => reads?.(accepted, undefined as never) ?? [])
        const rows = await tx.getMany([...keys])
        const loaded = new Map<string, unknown>(keys.map((key, i) => [key, rows[i]]))
        const sent = { position: 0 as Position }
        tx.sequence((next, rows) => {
          const position = next()
          const event: MemberEvent = { ...accepted, position, order: position }
          members.set(userId, event)
          const view = this.#viewOf(roomId)!
          for (const projection of this.#projections) {
            projection.rows(event, view, { get: key => loaded.get(key) as never }, rows, 'here')
          }
          sent.position = position
        })
        return sent
      })
      .then(({ position }) => position)
  }

  async view(roomId: RoomId): Promise<RoomView | null> {
    return this.#viewOf(roomId)
  }

  #viewOf(roomId: RoomId): RoomView | null {
    const members = this.#events.get(roomId)
    if (!members) return null
    const list = (membership?: Membership) =>
      [...members.values()].filter(({ content }) => !membership || content.membership === membership)
    const membership = (userId: UserId) => members.get(userId)?.content.membership
    const servers = Map.groupBy(list('join'), ({ stateKey }) => serverOf(stateKey))
    const joinedServers = new Map([...servers].map(([server, { length }]) => [server, length]))
    return { roomId, members: list, membership, joinedServers, frozen: null } as unknown as RoomView
  }

  async memberships(userId: UserId): Promise<ReadonlyMap<RoomId, RoomMembership>> {
    return new Map(
      [...this.#events].flatMap(([roomId, members]) => {
        const event = members.get(userId)
        if (!event) return []
        const row: RoomMembership = {
          roomId,
          membership: event.content.membership,
          eventId: event.eventId,
          position: event.position,
          sender: event.sender,
          forgotten: false,
          everJoined: true,
        }
        return [[roomId, row] as const]
      }),
    )
  }
}

export class TestDevices {
  readonly #devices = new Map<UserId, Map<DeviceId, DeviceNames>>()

  add(userId: UserId, deviceId: DeviceId, names: DeviceNames = {}): void {
    const devices = this.#devices.get(userId) ?? new Map()
    this.#devices.set(userId, devices.set(deviceId, names))
  }

  remove(userId: UserId, deviceId: DeviceId): void {
    this.#devices.get(userId)?.delete(deviceId)
  }

  async devicesOf(_view: unknown, userId: UserId): Promise<ReadonlyMap<DeviceId, DeviceNames> | null> {
    return this.#devices.get(userId) ?? null
  }
}

export interface Directory {
  readonly store: Store
  readonly rooms: TestRooms
  readonly devices: TestDevices
  readonly keys: Keys
  /** The same rows, opened again: what a restart finds. */
  reopen(): Promise<Keys>
  now: number
}

export async function openDirectory(
  options: {
    slow?: boolean
    seed?: number
    store?: Store
    name?: ServerName
    federation?: (store: Store) => Promise<KeysFederation>
  } = {},
): Promise<Directory> {
  const store = options.store ?? (await openMemoryStore(options))
  const rooms = new TestRooms(store, options.name)
  const federation = await options.federation?.(store)
  const devices = new TestDevices()
  const open = () =>
    openKeys({ store, rooms, devices, verifyEd25519, clock: () => directory.now, federation })
  const directory: Directory = {
    store,
    rooms,
    devices,
    now: Date.UTC(2026, 10, 21),
    reopen: open,
    keys: undefined as unknown as Keys,
  }
  return Object.assign(directory, { keys: await open() })
}

/** A device that exists and has published its keys. */
export async function signIn(
  { devices, keys }: Directory,
  userId: UserId,
  deviceId: string,
  body: JsonObject = {},
): Promise<TestDevice> {
  const device = new TestDevice(userId, deviceId)
  devices.add(userId, device.deviceId, { displayName: `${deviceId} of ${userId}` })
  await keys.upload(userId, device.deviceId, { device_keys: device.deviceKeys(), ...body })
  return device
}
