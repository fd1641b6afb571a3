/**
 * People who use a server that is killed under them, and what they were promised.
 *
 * Everybody repeats a request that got no answer, under the same transaction id, until it gets one: what a client does.
 * Kept is every answer; `check` then asks the server for all of it.
 */
import { randomBytes } from 'node:crypto'
import { type Answer, type CallOptions, call } from './client.ts'
import { type ServerProcess, type Session, sleep } from './server-process.ts'

const v3 = '/_matrix/client/v3'
const password = 'correct horse battery staple'
const algorithm = 'signed_curve25519'

export interface LoadOptions {
  readonly people: number
  readonly rooms: number
  /** To-device messages and one-time keys beside the messages in rooms, and somebody who syncs. */
  readonly devices: boolean
}

interface Message {
  readonly txnId: string
  readonly roomId: string
  readonly sender: number
  readonly eventId: string
}

/** What does not hold; all empty where the server kept its word. */
export interface Findings {
  /** Acknowledged, and not in the room. */
  readonly missing: readonly string[]
  /** In the room more than once. */
  readonly twice: readonly string[]
  /** Not in the order in which their sender got the answers. */
  readonly outOfOrder: readonly string[]
  /** A repeated transaction id that got another event id. */
  readonly otherEvent: readonly string[]
  /** Acknowledged, and not told to the one who syncs. */
  readonly notSynced: readonly string[]
  readonly toDeviceLost: readonly string[]
  readonly toDeviceTwice: readonly string[]
  /** One-time keys that were given to two people. */
  readonly keysTwice: readonly string[]
  /** Answers that nobody should get. */
  readonly unexpected: readonly string[]
}

export class Load {
  readonly acknowledged: Message[] = []
  /** Messages that were answered only after they had been sent again. */
  repeated = 0
  /** Answers with a one-time key, and to-device messages that were acknowledged. */
  claims = 0
  toDeviceSent = 0
  syncs = 0
  readonly #server: ServerProcess
  readonly #options: LoadOptions
  readonly #people: Session[] = []
  readonly #rooms: string[] = []
  readonly #unexpected: string[] = []
  readonly #otherEvent: string[] = []
  readonly #synced = new Set<string>()
  readonly #toDeviceSeen: string[] = []
  readonly #toDeviceAcknowledged: string[] = []
  readonly #keysGiven: string[] = []
  #sink!: Session
  #running = false
  #loops: Promise<void>[] = []
  #counter = 0

  private constructor(server: ServerProcess, options: LoadOptions) {
    this.#server = server
    this.#options = options
  }

  static async prepare(server: ServerProcess, options: LoadOptions): Promise<Load> {
    const load = new Load(server, options)
    for (let i = 0; i < options.people; i++) load.#people.push(await server.register(`person${i}`, password))
    for (let r = 0; r < options.rooms; r++) {
      const room = await load.#ask(load.#people[0]!, 'POST', '/createRoom', {
        body: { preset: 'public_chat' },
      })
      load.#rooms.push(room.body.room_id)
      for (const person of load.#people.slice(1)) {
        await load.#ask(person, 'POST', `/join/${encodeURIComponent(room.body.room_id)}`, { body: {} })
      }
    }
    load.#sink = await server.login('person0', password)
    return load
  }

  start(): void {
    this.#running = true
    const { people, devices } = this.#options
    this.#loops = Array.from({ length: people }, (_, sender) => this.#sendMessages(sender))
    if (devices) {
      const [one, two] = [this.#people[0]!, this.#people.at(-1)!]
      this.#loops.push(this.#sync(), this.#sendToDevice(one), this.#claimKeys(one), this.#claimKeys(two))
      this.#loops.push(this.#uploadKeys())
    }
  }

  /** Everybody gets the answer to what they asked last. */
  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#loops)
  }

  /** Sends some acknowledged messages once more: their event ids must not change. How many. */
  async repeatSome(count: number): Promise<number> {
    const some = Array.from({ length: Math.min(count, this.acknowledged.length) }, () => {
      return this.acknowledged[Math.floor(Math.random() * this.acknowledged.length)]!
    })
    await Promise.all(
      some.map(async message => {
        const { body } = await this.#put(message.sender, message.roomId, message.txnId)
        if (body.event_id !== message.eventId) this.#otherEvent.push(message.txnId)
      }),
    )
    return some.length
  }

  /** Asks the server for all that it has acknowledged. */
  async check(): Promise<Findings> {
    const found = new Map<string, string[]>()
    const order = new Map<string, number>()
    for (const roomId of this.#rooms) {
      for (const event of await this.#history(roomId)) {
        if (event.type !== 'm.room.message') continue
        const ids = found.get(event.content.body) ?? []
        found.set(event.content.body, [...ids, event.event_id])
        order.set(event.event_id, order.size)
      }
    }
    const lists = (pick: (message: Message) => boolean) =>
      this.acknowledged.filter(pick).map(({ txnId }) => txnId)
    const last = new Map<string, number>()
    const outOfOrder = lists(({ sender, roomId, eventId }) => {
      const key = `${sender} ${roomId}`
      const at = order.get(eventId) ?? Number.POSITIVE_INFINITY
      const before = last.get(key) ?? -1
      last.set(key, at)
      return at < before
    })
    const seen = new Set(this.#toDeviceSeen)
    return {
      missing: lists(({ txnId, eventId }) => !found.get(txnId)?.includes(eventId)),
      twice: [...found].filter(([, ids]) => ids.length > 1).map(([txnId]) => txnId),
      outOfOrder,
      otherEvent: this.#otherEvent,
      notSynced: this.#options.devices ? lists(({ eventId }) => !this.#synced.has(eventId)) : [],
      toDeviceLost: this.#toDeviceAcknowledged.filter(id => !seen.has(id)),
      toDeviceTwice: repeatedIn(this.#toDeviceSeen),
      keysTwice: repeatedIn(this.#keysGiven),
      unexpected: this.#unexpected,
    }
  }

  /** How many of the first acknowledged messages are in their rooms now. */
  async present(first: number): Promise<number> {
    const promised = this.acknowledged.slice(0, first)
    const ids = new Set<string>()
    for (const roomId of this.#rooms) for (const event of await this.#history(roomId)) ids.add(event.event_id)
    return promised.filter(({ eventId }) => ids.has(eventId)).length
  }

  // ── what people do ─────────────────────────────────────────────────────────────────────────────────

  async #sendMessages(sender: number): Promise<void> {
    for (let n = 0; this.#running; n++) {
      const txnId = `${sender}-${n}`
      const roomId = this.#rooms[n % this.#rooms.length]!
      const { body, tries } = await this.#put(sender, roomId, txnId)
      if (tries > 1) this.repeated++
      if (typeof body.event_id === 'string') {
        this.acknowledged.push({ txnId, roomId, sender, eventId: body.event_id })
      }
    }
  }

  #put(sender: number, roomId: string, txnId: string) {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${txnId}`
    return this.#ask(this.#people[sender]!, 'PUT', path, { body: { msgtype: 'm.text', body: txnId } })
  }

  async #sendToDevice(person: Session): Promise<void> {
    while (this.#running) {
      const id = String(this.#counter++)
      const messages = { [this.#sink.userId]: { [this.#sink.deviceId]: { id } } }
      const { status } = await this.#ask(person, 'PUT', `/sendToDevice/m.test/td${id}`, {
        body: { messages },
      })
      if (status === 200) this.#toDeviceAcknowledged.push(id)
      this.toDeviceSent++
      await sleep(5)
    }
  }

  async #uploadKeys(): Promise<void> {
    const signatures = { [this.#sink.userId]: { [`ed25519:${this.#sink.deviceId}`]: 'A'.repeat(86) } }
    for (let held = 0; this.#running; ) {
      // As a client does: enough, and no more. An empty upload asks for the count.
      const keys = Array.from({ length: held < 200 ? 20 : 0 }, () => [
        `${algorithm}:${this.#counter++}`,
        { key: randomBytes(32).toString('base64').slice(0, 43), signatures },
      ])
      const body = { one_time_keys: Object.fromEntries(keys) }
      const answer = await this.#ask(this.#sink, 'POST', '/keys/upload', { body })
      held = answer.body.one_time_key_counts?.[algorithm] ?? held
      await sleep(held < 200 ? 10 : 100)
    }
  }

  async #claimKeys(person: Session): Promise<void> {
    const { userId, deviceId } = this.#sink
    while (this.#running) {
      const body = { one_time_keys: { [userId]: { [deviceId]: algorithm } } }
      const answer = await this.#ask(person, 'POST', '/keys/claim', { body })
      for (const { key } of Object.values(answer.body.one_time_keys?.[userId]?.[deviceId] ?? {}) as {
        key: string
      }[]) {
        this.#keysGiven.push(key)
        this.claims++
      }
      await sleep(2)
    }
  }

  /** One device that follows everything, from the first token to the last, through every kill. */
  async #sync(): Promise<void> {
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 100 } } }))
    let since = ''
    for (let round = 0; ; round++) {
      // After the end once more, to get what came last.
      const last = !this.#running && round > 0
      const timeout = last || since === '' ? 0 : 300
      const { body } = await this.#ask(this.#sink, 'GET', `/sync?filter=${filter}&timeout=${timeout}${since}`)
      this.syncs++
      for (const [roomId, room] of Object.entries<SyncedRoom>(body.rooms?.join ?? {})) {
        for (const event of room.timeline.events) this.#synced.add(event.event_id)
        if (room.timeline.limited) await this.#fillGap(roomId, room.timeline.prev_batch)
      }
      for (const { content } of body.to_device?.events ?? []) this.#toDeviceSeen.push(content.id)
      const before = since
      since = `&since=${body.next_batch}`
      if (last && since === before) return
    }
  }

  async #fillGap(roomId: string, from: string): Promise<void> {
    for await (const event of this.#backwards(roomId, from)) {
      if (this.#synced.has(event.event_id)) return
      this.#synced.add(event.event_id)
    }
  }

  async #history(roomId: string): Promise<RoomEvent[]> {
    const events: RoomEvent[] = []
    for await (const event of this.#backwards(roomId)) events.push(event)
    return events.reverse()
  }

  async *#backwards(roomId: string, start?: string): AsyncGenerator<RoomEvent> {
    let from = start === undefined ? '' : `&from=${start}`
    for (;;) {
      const path = `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=500${from}`
      const { body } = await this.#ask(this.#sink, 'GET', path)
      yield* body.chunk as RoomEvent[]
      if (body.end === undefined) return
      from = `&from=${body.end}`
    }
  }

  /** Asks until there is an answer. */
  async #ask(
    { token }: Session,
    method: string,
    path: string,
    options: CallOptions = {},
  ): Promise<Answer & { tries: number }> {
    for (let tries = 1; ; tries++) {
      try {
        const answer = await call(this.#server.base, method, v3 + path, { ...options, token })
        if (answer.status !== 200) {
          this.#unexpected.push(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
        }
        return { ...answer, tries }
      } catch {
        // Nobody is there, or was killed before the answer.
        await sleep(40)
      }
    }
  }
}

interface RoomEvent {
  readonly type: string
  readonly event_id: string
  readonly content: { readonly body: string }
}

interface SyncedRoom {
  readonly timeline: {
    readonly events: readonly RoomEvent[]
    readonly limited: boolean
    readonly prev_batch: string
  }
}

function repeatedIn(list: readonly string[]): string[] {
  const seen = new Set<string>()
  return list.filter(item => seen.size === seen.add(item).size)
}
