/** The server's part in identities, in memory: device keys, cross-signing keys, signatures, inboxes, one room. */
import type { JsonObject } from '#protocol/json.ts'
import { receiveIdentities } from '../../pwa/e2ee/identity.ts'
import type { OutgoingRequest } from '../../pwa/e2ee/requests.ts'
import { requestMissingSecrets } from '../../pwa/e2ee/secret-sharing.ts'
import { verificationRequestSent } from '../../pwa/e2ee/verification/flow.ts'
import { receiveVerificationEvent } from '../../pwa/e2ee/verification/received.ts'
import type { Host } from './identity-world.ts'

type Objects = Record<string, JsonObject>

export interface ToDevice {
  readonly sender: string
  readonly type: string
  readonly content: JsonObject
}

export interface RoomEvent extends ToDevice {
  readonly event_id: string
  readonly room_id: string
  readonly origin_server_ts: number
}

/** Whoever takes part: one of our hosts, or a machine of another make. */
export interface Client {
  readonly userId: string
  readonly deviceId: string
  receive(events: readonly ToDevice[]): Promise<void>
  receiveRoom(event: RoomEvent): Promise<void>
}

export class KeyServer {
  readonly devices: Record<string, Objects> = {}
  readonly masters: Objects = {}
  readonly selfSigning: Objects = {}
  readonly userSigning: Objects = {}
  readonly clients: Client[] = []
  readonly room = '!room:letro.test'
  readonly timeline: RoomEvent[] = []
  #events = 0
  readonly #seen = new Map<Client, number>()
  readonly #inboxes = new Map<string, ToDevice[]>()
  /** Milliseconds since 1970, for what the room stamps. */
  now = Date.now()

  uploadDevice(deviceKeys: JsonObject): void {
    const { user_id: userId, device_id: deviceId } = deviceKeys as { user_id: string; device_id: string }
    this.devices[userId] = { ...this.devices[userId], [deviceId]: deviceKeys }
  }

  uploadIdentity(userId: string, body: JsonObject): void {
    this.masters[userId] = body['master_key'] as JsonObject
    this.selfSigning[userId] = body['self_signing_key'] as JsonObject
    this.userSigning[userId] = body['user_signing_key'] as JsonObject
  }

  uploadSignatures(body: JsonObject): void {
    for (const [userId, objects] of Object.entries(body as Record<string, Objects>)) {
      for (const [name, signed] of Object.entries(objects)) {
        const device = this.devices[userId]?.[name]
        if (device) this.devices[userId]![name] = merge(device, signed)
        else this.masters[userId] = merge(this.masters[userId]!, signed)
      }
    }
  }

  /** What `/keys/query` answers this user. */
  query(asker: string, userIds: readonly string[] = Object.keys(this.devices)): JsonObject {
    const of = (objects: Record<string, JsonObject>, users: readonly string[]) =>
      Object.fromEntries(users.filter(user => objects[user]).map(user => [user, objects[user]!]))
    return {
      device_keys: of(this.devices, userIds),
      failures: {},
      master_keys: of(this.masters, userIds),
      self_signing_keys: of(this.selfSigning, userIds),
      user_signing_keys: of(
        this.userSigning,
        userIds.filter(user => user === asker),
      ),
    }
  }

  sendToDevice(sender: string, type: string, messages: Record<string, Objects>): void {
    for (const [userId, devices] of Object.entries(messages)) {
      for (const [deviceId, content] of Object.entries(devices)) {
        const targets =
          deviceId === '*' ? this.clients.filter(c => c.userId === userId).map(c => c.deviceId) : [deviceId]
        for (const target of targets) {
          const inbox = this.#inboxes.get(`${userId}|${target}`) ?? []
          this.#inboxes.set(`${userId}|${target}`, [...inbox, { sender, type, content }])
        }
      }
    }
  }

  sendToRoom(sender: string, type: string, content: JsonObject): string {
    const event_id = `$event${this.#events++}`
    this.timeline.push({
      event_id,
      room_id: this.room,
      sender,
      type,
      content,
      origin_server_ts: this.now,
    })
    return event_id
  }

  /** Brings what is new to one client. True where there was something. */
  async sync(client: Client): Promise<boolean> {
    const name = `${client.userId}|${client.deviceId}`
    const inbox = this.#inboxes.get(name) ?? []
    this.#inboxes.delete(name)
    const from = this.#seen.get(client) ?? 0
    const events = this.timeline.slice(from)
    this.#seen.set(client, this.timeline.length)
    if (inbox.length > 0) await client.receive(inbox)
    for (const event of events) await client.receiveRoom(event)
    return inbox.length + events.length > 0
  }
}

function merge(object: JsonObject, signed: JsonObject): JsonObject {
  const signatures = { ...(object['signatures'] as Record<string, JsonObject>) }
  for (const [userId, keys] of Object.entries(signed['signatures'] as Record<string, JsonObject>)) {
    signatures[userId] = { ...signatures[userId], ...keys }
  }
  return { ...object, signatures }
}

/** Our engine's device on that server. */
export class OurClient implements Client {
  readonly host: Host
  readonly #server: KeyServer
  /** To-device events that are not of a verification. */
  readonly others: ToDevice[] = []

  constructor(server: KeyServer, host: Host) {
    this.host = host
    this.#server = server
    host.now = server.now
    server.uploadDevice(host.deviceKeys)
    server.clients.push(this)
  }

  get userId(): string {
    return this.host.userId
  }

  get deviceId(): string {
    return this.host.deviceId
  }

  /** As after `/keys/query` for everybody. */
  async learn(): Promise<void> {
    const { host } = this
    const body = this.#server.query(host.userId)
    for (const [userId, devices] of Object.entries(this.#server.devices)) {
      await host.knows(userId, ...Object.values(devices))
    }
    await host.run(step => receiveIdentities(step, host, body))
  }

  /** Sends what waits. */
  async flush(): Promise<void> {
    const { host } = this
    for (const request of host.sent.splice(0)) await this.#send(request)
  }

  async #send(request: OutgoingRequest): Promise<void> {
    const server = this.#server
    switch (request.kind) {
      case 'cross-signing-upload':
        return server.uploadIdentity(this.userId, request.body)
      case 'signatures-upload':
        return server.uploadSignatures(request.body)
      case 'to-device':
        return server.sendToDevice(
          this.userId,
          request.eventType,
          request.body['messages'] as Record<string, Objects>,
        )
      case 'room-message': {
        const eventId = server.sendToRoom(this.userId, request.eventType, request.body)
        const input = { requestId: request.id, eventId }
        return this.host.run(step => verificationRequestSent(step, input))
      }
      default:
        throw new Error(`nobody takes ${request.kind} here`)
    }
  }

  async receive(events: readonly ToDevice[]): Promise<void> {
    for (const event of events) {
      if (!event.type.startsWith('m.key.verification.')) this.others.push(event)
      else await this.host.run(step => receiveVerificationEvent(step, this.host, { ...event, room: null }))
    }
    await this.flush()
  }

  async receiveRoom(event: RoomEvent): Promise<void> {
    const room = {
      roomId: event.room_id,
      eventId: event.event_id,
      originServerTs: event.origin_server_ts,
    }
    const { sender, type, content } = event
    await this.host.run(step => receiveVerificationEvent(step, this.host, { sender, type, content, room }))
    await this.flush()
  }

  /** The verification that is under way, as views hear of it. */
  get flowId(): string {
    const notice = this.host.told.findLast(notice => notice.kind === 'verification')
    return notice?.kind === 'verification' ? notice.flowId : ''
  }

  async askForSecrets(...deviceIds: string[]): Promise<void> {
    await this.host.run(step => requestMissingSecrets(step, this.host, deviceIds))
    await this.flush()
  }
}

/** Until nothing moves. */
export async function settle(server: KeyServer): Promise<void> {
  for (let moved = true; moved; ) {
    moved = false
    for (const client of server.clients) moved = (await server.sync(client)) || moved
  }
}
