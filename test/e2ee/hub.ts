/**
 * The server's part in end-to-end encryption, in memory, and two kinds of device at it: ours, and the Rust SDK's
 * `OlmMachine`. `settle` lets everybody send and receive until nobody has anything to say.
 */
import * as Rust from '@matrix-org/matrix-sdk-crypto-wasm'
import { bootstrapCrossSigning } from '../../pwa/e2ee/cross-signing.ts'
import { readIdentity } from '../../pwa/e2ee/identity.ts'
import { type Machine, type MachineOptions, openMachine } from '../../pwa/e2ee/machine.ts'
import type { Notice } from '../../pwa/e2ee/notices.ts'
import { randomBytes } from '../../pwa/e2ee/primitives.ts'
import type { OutgoingRequest } from '../../pwa/e2ee/requests.ts'
import type { RoomEventResult } from '../../pwa/e2ee/room-decryption.ts'
import { admitNewcomer } from '../../pwa/e2ee/signed-invite.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { MemoryRecords } from '../support/records.ts'

type Objects = Record<string, JsonObject>
// biome-ignore lint/suspicious/noExplicitAny: answers of a server, read by tests
type Body = any

export interface DeviceEvent {
  readonly sender: string
  readonly type: string
  readonly content: JsonObject
}

export interface RoomEvent extends DeviceEvent {
  readonly event_id: string
  readonly room_id: string
  readonly origin_server_ts: number
}

interface Published {
  keys: JsonObject
  readonly oneTimeKeys: [name: string, key: JsonObject][]
  fallback: [name: string, key: JsonObject] | null
  isFallbackUnused: boolean
}

export class Hub {
  readonly devices = new Map<string, Map<string, Published>>()
  readonly crossSigning: Record<'master_keys' | 'self_signing_keys' | 'user_signing_keys', Objects> = {
    master_keys: {},
    self_signing_keys: {},
    user_signing_keys: {},
  }
  readonly inboxes = new Map<string, DeviceEvent[]>()
  /** Users whose devices changed, for each device that has not heard of it. */
  readonly changed = new Map<string, Set<string>>()
  readonly participants: Participant[] = []
  /** What a hostile server does with a message on its way; null drops it. */
  tamper: (to: string, event: DeviceEvent) => DeviceEvent | null = (_to, event) => event
  /** Every to-device message that went through. */
  readonly log: { to: string; event: DeviceEvent }[] = []
  #events = 0

  answer(from: Participant, kind: string, body: Body, eventType?: string): Body {
    switch (kind) {
      case 'keys-upload':
        return this.#upload(from, body)
      case 'keys-query':
        return this.#query(from, body)
      case 'keys-claim':
        return this.#claim(body)
      case 'to-device':
        return this.#send(from, eventType!, body)
      case 'cross-signing-upload':
        this.crossSigning.master_keys[from.userId] = body.master_key
        this.crossSigning.self_signing_keys[from.userId] = body.self_signing_key
        this.crossSigning.user_signing_keys[from.userId] = body.user_signing_key
        this.tellChanged(from.userId)
        return {}
      case 'signatures-upload':
        return this.#sign(body)
      default:
        throw new Error(`the hub does not answer ${kind}`)
    }
  }

  /** What a sync brings. */
  sync(who: Participant) {
    const name = nameOf(who)
    const published = this.devices.get(who.userId)?.get(who.deviceId)
    const toDevice = this.inboxes.get(name) ?? []
    const changed = [...(this.changed.get(name) ?? [])]
    this.inboxes.delete(name)
    this.changed.delete(name)
    return {
      toDevice,
      changed,
      oneTimeKeyCount: published?.oneTimeKeys.length ?? 0,
      unusedFallback: published?.fallback && published.isFallbackUnused ? ['signed_curve25519'] : [],
    }
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      let busy = false
      for (const each of this.participants) busy = (await each.turn()) || busy
      quiet = busy ? 0 : quiet + 1
    }
  }

  roomEvent(from: { readonly userId: string }, roomId: string, content: JsonObject): RoomEvent {
    return {
      event_id: `$event${++this.#events}`,
      room_id: roomId,
      origin_server_ts: Date.now(),
      sender: from.userId,
      type: 'm.room.encrypted',
      content,
    }
  }

  tellChanged(userId: string): void {
    for (const each of this.participants) {
      const name = nameOf(each)
      this.changed.set(name, (this.changed.get(name) ?? new Set()).add(userId))
    }
  }

  deliver(to: string, event: DeviceEvent): void {
    this.inboxes.set(to, [...(this.inboxes.get(to) ?? []), event])
  }

  #upload({ userId, deviceId }: Participant, body: Body): Body {
    const devices = this.devices.get(userId) ?? new Map<string, Published>()
    this.devices.set(userId, devices)
    const before = devices.get(deviceId)
    const published: Published = before ?? {
      keys: body.device_keys,
      oneTimeKeys: [],
      fallback: null,
      isFallbackUnused: false,
    }
    devices.set(deviceId, published)
    const isNews = body.device_keys && JSON.stringify(body.device_keys) !== JSON.stringify(before?.keys)
    if (body.device_keys) published.keys = body.device_keys
    published.oneTimeKeys.push(...(Object.entries(body.one_time_keys ?? {}) as [string, JsonObject][]))
    for (const key of Object.entries(body.fallback_keys ?? {}) as [string, JsonObject][]) {
      published.fallback = key
      published.isFallbackUnused = true
    }
    if (isNews) this.tellChanged(userId)
    return { one_time_key_counts: { signed_curve25519: published.oneTimeKeys.length } }
  }

  #query(from: Participant, body: Body): Body {
    const answer: Body = { device_keys: {}, failures: {} }
    for (const userId of Object.keys(body.device_keys)) {
      answer.device_keys[userId] = Object.fromEntries(
        [...(this.devices.get(userId) ?? [])].map(([id, { keys }]) => [id, structuredClone(keys)]),
      )
      for (const kind of ['master_keys', 'self_signing_keys', 'user_signing_keys'] as const) {
        const key = this.crossSigning[kind][userId]
        if (!key || (kind === 'user_signing_keys' && userId !== from.userId)) continue
        answer[kind] = { ...answer[kind], [userId]: structuredClone(key) }
      }
    }
    return answer
  }

  #claim(body: Body): Body {
    const one_time_keys: Body = {}
    for (const [userId, devices] of Object.entries(body.one_time_keys as Record<string, JsonObject>)) {
      for (const deviceId of Object.keys(devices)) {
        const published = this.devices.get(userId)?.get(deviceId)
        const single = published?.oneTimeKeys.shift()
        const claimed = single ?? published?.fallback
        if (!published || !claimed) continue
        if (!single) published.isFallbackUnused = false
        one_time_keys[userId] = { ...one_time_keys[userId], [deviceId]: { [claimed[0]]: claimed[1] } }
      }
    }
    return { one_time_keys, failures: {} }
  }

  #send(from: Participant, type: string, body: Body): Body {
    for (const [userId, messages] of Object.entries(body.messages as Record<string, Objects>)) {
      for (const [target, content] of Object.entries(messages)) {
        const ids = target === '*' ? [...(this.devices.get(userId)?.keys() ?? [])] : [target]
        for (const deviceId of ids) {
          if (target === '*' && userId === from.userId && deviceId === from.deviceId) continue
          const to = `${userId} ${deviceId}`
          const event = this.tamper(to, { sender: from.userId, type, content })
          if (!event) continue
          this.log.push({ to, event })
          this.deliver(to, event)
        }
      }
    }
    return {}
  }

  #sign(body: Record<string, Objects>): Body {
    for (const [userId, objects] of Object.entries(body)) {
      for (const [name, signed] of Object.entries(objects)) {
        const device = this.devices.get(userId)?.get(name)
        if (device) device.keys = merged(device.keys, signed)
        for (const keys of Object.values(this.crossSigning)) {
          const key = keys[userId]
          if (key && Object.keys(key['keys'] as JsonObject).some(id => id.endsWith(`:${name}`))) {
            keys[userId] = merged(key, signed)
          }
        }
      }
      this.tellChanged(userId)
    }
    return { failures: {} }
  }
}

function merged(object: JsonObject, signed: JsonObject): JsonObject {
  const signatures = structuredClone(object['signatures'] ?? {}) as Record<string, JsonObject>
  for (const [userId, theirs] of Object.entries((signed['signatures'] ?? {}) as Objects)) {
    signatures[userId] = { ...signatures[userId], ...theirs }
  }
  return { ...object, signatures }
}

export interface Participant {
  readonly userId: string
  readonly deviceId: string
  /** Sends what is to be sent, takes what has come. Did anything happen? */
  turn(): Promise<boolean>
}

function nameOf({ userId, deviceId }: Participant): string {
  return `${userId} ${deviceId}`
}

// ── ours ───────────────────────────────────────────────────────────────────────────────────────────

export class OurDevice implements Participant {
  readonly userId: string
  readonly deviceId: string
  readonly records: MemoryRecords
  readonly notices: Notice[] = []
  readonly hub: Hub
  readonly #options: Partial<MachineOptions>
  machine!: Machine
  now = Date.parse('2026-11-21T00:00:00Z')

  private constructor(hub: Hub, userId: string, deviceId: string, options: Partial<MachineOptions>) {
    this.hub = hub
    this.userId = userId
    this.deviceId = deviceId
    this.#options = options
    this.records = (options.records as MemoryRecords) ?? new MemoryRecords()
  }

  static async open(
    hub: Hub,
    userId: string,
    deviceId: string,
    options: Partial<MachineOptions> = {},
  ): Promise<OurDevice> {
    const device = new OurDevice(hub, userId, deviceId, options)
    await device.reopen()
    hub.participants.push(device)
    return device
  }

  /** As after a crash: from the records alone. */
  async reopen(options: Partial<MachineOptions> = {}): Promise<void> {
    this.machine = await openMachine({
      userId: this.userId,
      deviceId: this.deviceId,
      clock: () => this.now,
      randomBytes,
      ...this.#options,
      ...options,
      records: this.records,
    })
    this.machine.onNotice(notice => this.notices.push(notice))
  }

  get refusals(): string[] {
    return this.notices.flatMap(notice => (notice.kind === 'refused' ? [notice.code] : []))
  }

  async bootstrap(): Promise<void> {
    await this.machine.run(async (step, context) => void (await bootstrapCrossSigning(step, context)))
    await this.hub.settle()
  }

  async turn(): Promise<boolean> {
    const requests = this.machine.outgoingRequests()
    for (const request of requests) await this.answer(request)
    const sync = this.hub.sync(this)
    await this.machine.receiveSync({
      toDevice: sync.toDevice,
      deviceLists: { changed: sync.changed, left: [] },
      oneTimeKeyCounts: { signed_curve25519: sync.oneTimeKeyCount },
      unusedFallbackKeyTypes: sync.unusedFallback,
    })
    return requests.length + sync.toDevice.length + sync.changed.length > 0
  }

  async answer(request: OutgoingRequest): Promise<void> {
    const eventType = request.kind === 'to-device' ? request.eventType : undefined
    const answer = this.hub.answer(this, request.kind, structuredClone(request.body), eventType)
    await this.machine.receiveAnswer(request.id, answer)
  }

  async joinRoom(roomId: string, userIds: readonly string[], more: object = {}): Promise<void> {
    await this.machine.receiveRoom(roomId, {
      encryption: { algorithm: 'm.megolm.v1.aes-sha2' },
      members: Object.fromEntries(userIds.map(userId => [userId, 'join' as const])),
      ...more,
    })
    await this.hub.settle()
  }

  /** A person says yes to a newcomer, as they are now. */
  async admit(roomId: string, userId: string): Promise<void> {
    await this.machine.run(async step => {
      const masterKey = (await readIdentity(step, userId))?.masterKey ?? null
      await admitNewcomer(step, { roomId, userId, masterKey })
    })
  }

  /** The event, once everybody who should have the key has it. */
  async write(roomId: string, body: string): Promise<RoomEvent> {
    for (let i = 0; i < 5; i++) {
      const encrypted = await this.machine.encryptRoomEvent(roomId, 'm.room.message', {
        msgtype: 'm.text',
        body,
      })
      await this.hub.settle()
      if (encrypted.kind === 'encrypted') return this.hub.roomEvent(this, roomId, encrypted.content)
      if (encrypted.kind === 'blocked') throw new Error(`blocked by ${encrypted.userIds.join()}`)
    }
    throw new Error('still waiting')
  }

  async read(event: RoomEvent): Promise<RoomEventResult> {
    const [result] = await this.machine.decryptRoomEvents(event.room_id, [event as unknown as JsonObject])
    return result!
  }

  /** The text, or the code of the refusal. */
  async text(event: RoomEvent): Promise<string> {
    const result = await this.read(event)
    return result.kind === 'decrypted' ? String(result.content['body']) : result.code
  }
}

// ── the Rust SDK's ─────────────────────────────────────────────────────────────────────────────────

const { RequestType } = Rust

export class RustDevice implements Participant {
  readonly userId: string
  readonly deviceId: string
  readonly hub: Hub
  machine!: Rust.OlmMachine

  private constructor(hub: Hub, userId: string, deviceId: string) {
    this.hub = hub
    this.userId = userId
    this.deviceId = deviceId
  }

  static async open(hub: Hub, userId: string, deviceId: string): Promise<RustDevice> {
    const device = new RustDevice(hub, userId, deviceId)
    device.machine = await Rust.OlmMachine.initialize(new Rust.UserId(userId), new Rust.DeviceId(deviceId))
    hub.participants.push(device)
    return device
  }

  async bootstrap(): Promise<void> {
    await this.hub.settle()
    const requests = await this.machine.bootstrapCrossSigning(true)
    if (requests.uploadKeysRequest) await this.answer(requests.uploadKeysRequest)
    this.hub.answer(this, 'cross-signing-upload', JSON.parse(requests.uploadSigningKeysRequest.body))
    await this.answer(requests.uploadSignaturesRequest)
    await this.hub.settle()
  }

  async turn(): Promise<boolean> {
    const requests = await this.machine.outgoingRequests()
    for (const request of requests) await this.answer(request)
    const sync = this.hub.sync(this)
    await this.machine.receiveSyncChanges(
      JSON.stringify(sync.toDevice),
      new Rust.DeviceLists(sync.changed.map(id => new Rust.UserId(id))),
      new Map([['signed_curve25519', sync.oneTimeKeyCount]]),
      new Set(sync.unusedFallback),
    )
    return requests.length + sync.toDevice.length + sync.changed.length > 0
  }

  async answer(request: Body): Promise<void> {
    const kind = {
      [RequestType.KeysUpload]: 'keys-upload',
      [RequestType.KeysQuery]: 'keys-query',
      [RequestType.KeysClaim]: 'keys-claim',
      [RequestType.ToDevice]: 'to-device',
      [RequestType.SignatureUpload]: 'signatures-upload',
    }[request.type as number]
    if (!kind) throw new Error(`a request of type ${request.type}`)
    const answer = this.hub.answer(this, kind, JSON.parse(request.body), request.event_type)
    if (request.id) await this.machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer))
  }

  /** Clients follow the devices of those with whom they share an encrypted room. */
  async track(userIds: readonly string[]): Promise<void> {
    await this.machine.updateTrackedUsers(userIds.map(id => new Rust.UserId(id)))
    await this.hub.settle()
  }

  async write(
    roomId: string,
    userIds: readonly string[],
    body: string,
    strategy = Rust.CollectStrategy.allDevices(),
  ): Promise<RoomEvent> {
    const users = () => userIds.map(id => new Rust.UserId(id))
    await this.track(userIds)
    const claim = await this.machine.getMissingSessions(users())
    if (claim) await this.answer(claim)
    const settings = new Rust.EncryptionSettings()
    settings.rotationPeriodMessages = 100n
    settings.sharingStrategy = strategy
    const shares = await this.machine.shareRoomKey(new Rust.RoomId(roomId), users(), settings)
    for (const share of shares) await this.answer(share)
    const content = await this.machine.encryptRoomEvent(
      new Rust.RoomId(roomId),
      'm.room.message',
      JSON.stringify({ msgtype: 'm.text', body }),
    )
    await this.hub.settle()
    return this.hub.roomEvent(this, roomId, JSON.parse(content))
  }

  async decrypt(event: RoomEvent, trust = Rust.TrustRequirement.Untrusted): Promise<Rust.DecryptedRoomEvent> {
    return this.machine.decryptRoomEvent(
      JSON.stringify(event),
      new Rust.RoomId(event.room_id),
      new Rust.DecryptionSettings(trust),
    )
  }

  async text(event: RoomEvent, trust?: Rust.TrustRequirement): Promise<string> {
    const decrypted = await this.decrypt(event, trust)
    return JSON.parse(decrypted.event).content.body
  }
}
