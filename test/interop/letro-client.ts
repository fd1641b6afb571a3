/** Our engine as a client of a real server, over HTTP: the least of a client that it needs around it. */
import { isObject, type JsonObject, memberOf } from '#protocol/json.ts'
import { bootstrapCrossSigning } from '../../pwa/e2ee/cross-signing.ts'
import { type Machine, openMachine } from '../../pwa/e2ee/machine.ts'
import { randomBytes } from '../../pwa/e2ee/primitives.ts'
import type { OutgoingRequest } from '../../pwa/e2ee/requests.ts'
import type { RoomEventResult } from '../../pwa/e2ee/room-decryption.ts'
import type { Membership } from '../../pwa/e2ee/room-settings.ts'
import { call } from '../support/client.ts'
import { MemoryRecords } from '../support/records.ts'
import { type ServerProcess, type Session, sleep } from '../support/server-process.ts'

const v3 = '/_matrix/client/v3'
const inPath = encodeURIComponent

export class LetroDevice {
  readonly userId: string
  readonly deviceId: string
  readonly records = new MemoryRecords()
  machine!: Machine
  readonly #server: ServerProcess
  readonly #token: string
  #since = ''
  /** By event id: all that was read in rooms, and what came of it. */
  readonly timeline = new Map<string, { readonly event: JsonObject; result: RoomEventResult | null }>()
  #isOver = false
  #running: Promise<void> | undefined

  constructor(server: ServerProcess, { userId, deviceId, token }: Session) {
    this.#server = server
    this.#token = token
    this.userId = userId
    this.deviceId = deviceId
  }

  async start(): Promise<this> {
    const { userId, deviceId, records } = this
    this.machine = await openMachine({ userId, deviceId, records, clock: Date.now, randomBytes })
    this.#isOver = false
    this.#running = this.#run()
    return this
  }

  /** As a closed browser: what is left is the records. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async bootstrap(): Promise<void> {
    await this.until(
      async () => (await this.records.get('device-list', this.userId))?.['known'] !== undefined,
    )
    await this.until(() => this.machine.outgoingRequests().length === 0)
    await this.machine.run(async (step, context) => void (await bootstrapCrossSigning(step, context)))
    await this.until(() => this.machine.outgoingRequests().length === 0)
  }

  async request(method: string, path: string, body?: JsonObject): Promise<JsonObject> {
    const answer = await call(this.#server.base, method, path, { token: this.#token, body })
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Encrypts, sends, and gives the event's id. */
  async sendText(roomId: string, text: string): Promise<string> {
    const content = { msgtype: 'm.text', body: text }
    const txn = `${this.deviceId}-${Math.random()}`
    for (;;) {
      const encrypted = await this.machine.encryptRoomEvent(roomId, 'm.room.message', content)
      await this.until(() => this.machine.outgoingRequests().length === 0)
      if (encrypted.kind === 'blocked') throw new Error(`blocked by ${encrypted.userIds.join()}`)
      if (encrypted.kind === 'waiting') continue
      const path = `${v3}/rooms/${inPath(roomId)}/send/m.room.encrypted/${txn}`
      return (await this.request('PUT', path, encrypted.content))['event_id'] as string
    }
  }

  /** The text of an event, once it is here and readable. */
  async read(eventId: string): Promise<string> {
    await this.until(async () => {
      const entry = this.timeline.get(eventId)
      if (!entry) return false
      const roomId = entry.event['room_id'] as string
      entry.result = (await this.machine.decryptRoomEvents(roomId, [entry.event]))[0]!
      return entry.result.kind === 'decrypted'
    })
    const { result } = this.timeline.get(eventId)!
    return result?.kind === 'decrypted' ? String(result.content['body']) : ''
  }

  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (let i = 0; i < 600; i++) {
      if (await isSo()) return
      await sleep(50)
    }
    throw new Error('waited 30 s in vain')
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      try {
        for (const request of this.machine.outgoingRequests()) await this.#send(request)
        await this.#sync()
      } catch {
        // The server is away: what was made waits.
        await sleep(100)
      }
    }
  }

  async #send(request: OutgoingRequest): Promise<void> {
    const [method, path] = route(request)
    const body = 'body' in request ? request.body : {}
    await this.machine.receiveAnswer(request.id, await this.request(method, path, body))
  }

  async #sync(): Promise<void> {
    const query = this.#since === '' ? '' : `&since=${this.#since}`
    const sync = await this.request('GET', `${v3}/sync?timeout=100${query}`)
    const rooms = isObject(sync['rooms']) ? sync['rooms'] : {}
    const joined = isObject(rooms['join']) ? rooms['join'] : {}
    for (const [roomId, room] of Object.entries(joined)) await this.#receiveRoom(roomId, room as JsonObject)
    const toDevice = sync['to_device'] as { events?: unknown[] } | undefined
    const lists = sync['device_lists'] as { changed?: unknown; left?: unknown } | undefined
    await this.machine.receiveSync({
      toDevice: toDevice?.events ?? [],
      deviceLists: lists ?? {},
      oneTimeKeyCounts: sync['device_one_time_keys_count'],
      unusedFallbackKeyTypes: sync['device_unused_fallback_key_types'],
    })
    this.#since = sync['next_batch'] as string
  }

  async #receiveRoom(roomId: string, room: JsonObject): Promise<void> {
    const events = (name: string) => (room[name] as { events?: JsonObject[] } | undefined)?.events ?? []
    const members: Record<string, Membership | null> = {}
    let encryption: JsonObject | undefined
    for (const event of [...events('state'), ...events('timeline')]) {
      const content = isObject(event['content']) ? event['content'] : {}
      if (event['type'] === 'm.room.encryption') encryption = content
      if (event['type'] === 'm.room.member') {
        const membership = memberOf(content, 'membership')
        members[String(event['state_key'])] =
          membership === 'join' || membership === 'invite' ? membership : null
      }
      if (event['type'] === 'm.room.encrypted') {
        this.timeline.set(String(event['event_id']), { event: { ...event, room_id: roomId }, result: null })
      }
    }
    await this.machine.receiveRoom(roomId, { members, ...(encryption && { encryption }) })
  }
}

function route(request: OutgoingRequest): [method: string, path: string] {
  switch (request.kind) {
    case 'keys-upload':
      return ['POST', `${v3}/keys/upload`]
    case 'keys-query':
      return ['POST', `${v3}/keys/query`]
    case 'keys-claim':
      return ['POST', `${v3}/keys/claim`]
    case 'signatures-upload':
      return ['POST', `${v3}/keys/signatures/upload`]
    case 'cross-signing-upload':
      return ['POST', `${v3}/keys/device_signing/upload`]
    case 'to-device':
      return ['PUT', `${v3}/sendToDevice/${inPath(request.eventType)}/${inPath(request.id)}`]
    case 'room-message':
      return [
        'PUT',
        `${v3}/rooms/${inPath(request.roomId)}/send/${inPath(request.eventType)}/${inPath(request.id)}`,
      ]
    default:
      throw new Error(`this client does not send ${request.kind}`)
  }
}
