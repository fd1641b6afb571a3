/** Somebody's outbox with the real engine, at a homeserver that does what a test tells it. */
import { ApiError } from '../../../pwa/api/api-error.ts'
import type { RequestOptions } from '../../../pwa/api/http.ts'
import { randomBytes, ready } from '../../../pwa/e2ee/primitives.ts'
import { OutboxQueue } from '../../../pwa/outbox/outbox.ts'
import { type TransferNews, Uploads } from '../../../pwa/outbox/uploads.ts'
import { WaitingFiles } from '../../../pwa/outbox/waiting-files.ts'
import { MemoryRecords } from '../../../pwa/vault/memory-records.ts'
import type { VaultWrite } from '../../../pwa/vault/records.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { Hub, OurDevice } from '../../e2ee/hub.ts'
import type { MemoryRecords as EngineRecords } from '../../support/records.ts'
import { until } from '../../support/until.ts'

/** A vault whose commits fail where a test says so. */
export class FaultyRecords extends MemoryRecords {
  fails: (writes: readonly VaultWrite[]) => Error | null = () => null
  /** Before and after each commit: where it throws, the process was killed there. */
  point: (name: string) => void = () => {}

  override async commit(writes: readonly VaultWrite[]): Promise<void> {
    const failure = this.fails(writes)
    if (failure) throw failure
    this.point('before a commit')
    await super.commit(writes)
    this.point('after a commit')
  }
}

export interface Put {
  readonly roomId: string
  /** `send/TYPE` or `redact/EVENT`. */
  readonly what: string
  readonly txnId: string
  readonly body: JsonObject
}

export class Desk {
  readonly frozen = new Set<string>()
  readonly hub = new Hub()
  readonly records = new FaultyRecords()
  readonly puts: Put[] = []
  readonly transfers: TransferNews[] = []
  readonly uploaded = new Map<string, Blob>()
  /** What happened, in its order. */
  readonly log: string[] = []
  readonly changes: string[] = []
  /** The server: an answer, or what is thrown. */
  answer: (put: Put) => JsonObject | Promise<JsonObject> = put => ({ event_id: `$of-${put.txnId}` })
  /** What an upload does before it gets its address. */
  uploading: (signal: AbortSignal) => Promise<void> = async () => {}
  maxUploadBytes: number | null = null
  freeBytes = Number.POSITIVE_INFINITY
  now = Date.parse('2026-11-21T00:00:00Z')
  amal!: OurDevice
  jonas!: OurDevice
  queue!: OutboxQueue
  files!: WaitingFiles
  #ids = 0

  static async open(): Promise<Desk> {
    await ready
    const desk = new Desk()
    const records = desk.records as unknown as EngineRecords
    desk.amal = await OurDevice.open(desk.hub, '@amal:a.example', 'AMAL', { records })
    desk.jonas = await OurDevice.open(desk.hub, '@jonas:a.example', 'JONAS')
    await desk.hub.settle()
    await desk.amal.bootstrap()
    await desk.jonas.bootstrap()
    await desk.reopen()
    return desk
  }

  /** As after a crash: from the records alone. */
  async reopen(): Promise<void> {
    await this.amal.reopen()
    const newId = () => `id${++this.#ids}`
    this.files = new WaitingFiles({ records: this.records, newId, freeBytes: async () => this.freeBytes })
    this.queue = await OutboxQueue.open({
      records: this.records,
      userId: this.amal.userId,
      isFrozen: roomId => this.frozen.has(roomId),
      http: { request: (...asked) => this.#request(...asked) },
      machine: this.amal.machine,
      settled: () => this.#settle(),
      files: this.files,
      uploads: new Uploads({
        files: this.files,
        upload: async (content, { signal, onProgress }) => {
          onProgress(1)
          await Promise.race([
            this.uploading(signal),
            new Promise((_, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
            ),
          ])
          this.records.point('before an upload')
          const address = `mxc://a.example/file${this.uploaded.size}`
          this.uploaded.set(address, content)
          this.records.point('after an upload')
          return address
        },
        maxUploadBytes: async () => this.maxUploadBytes,
        randomBytes,
        tell: news => this.transfers.push(news),
        uploaded: async (_, { fileId }) => void this.log.push(`uploaded ${fileId}`),
      }),
      changed: roomId => this.changes.push(roomId),
      clock: () => this.now,
      // No pause between two tries is longer than half of the shortest.
      random: () => 0,
      newId,
    })
  }

  async encryptedRoom(roomId: string): Promise<string> {
    for (const device of [this.amal, this.jonas]) {
      await device.joinRoom(roomId, [this.amal.userId, this.jonas.userId])
    }
    return roomId
  }

  write(roomId: string, body: string, forEncrypted = true): Promise<string> {
    const content = { msgtype: 'm.text', body }
    return this.queue.add({ roomId, type: 'm.room.message', content, forEncrypted })
  }

  /** Until the queue has come to rest: nothing is on its way. */
  async until(isSo: () => unknown): Promise<void> {
    await until(isSo, 2).catch(error => {
      throw new Error(`waited in vain; ${this.log.slice(-10).join(', ')}`, { cause: error })
    })
  }

  states(roomId: string): string[] {
    return this.queue
      .queued(roomId)
      .map(({ state, problem }) => (problem ? `${state} ${problem.code}` : state))
  }

  /** What the other one reads of what left, in its order. */
  async read(): Promise<string[]> {
    await this.hub.settle()
    const texts: string[] = []
    for (const { roomId, what, body } of this.puts) {
      const event = this.hub.roomEvent(this.amal, roomId, body)
      texts.push(what.endsWith('m.room.encrypted') ? await this.jonas.text(event) : String(body['body']))
    }
    return texts
  }

  async #request(
    _method: string,
    path: string,
    { body = {}, signal }: RequestOptions = {},
  ): Promise<JsonObject> {
    const [, room = '', kind, of = '', txnId = ''] =
      /\/rooms\/([^/]+)\/(send|redact)\/([^/]+)\/([^/]+)$/.exec(path)?.map(decodeURIComponent) ?? []
    const put: Put = { roomId: room, what: `${kind}/${of}`, txnId, body }
    this.log.push(`put ${txnId}`)
    const left = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    left.catch(() => {})
    this.records.point('before a request')
    const answer = await Promise.race([this.answer(put), left])
    this.puts.push(put)
    this.records.point('after a request')
    return answer
  }

  async #settle(): Promise<void> {
    for (let requests = this.amal.machine.outgoingRequests(); requests.length > 0; ) {
      for (const request of requests) {
        this.log.push(request.kind)
        this.records.point(`before ${request.kind}`)
        await this.amal.answer(request)
      }
      requests = this.amal.machine.outgoingRequests()
    }
  }
}

export const offline = () => {
  throw new ApiError('OFFLINE', 'no answer')
}

export const refused =
  (code: string, status = 403) =>
  () => {
    throw new ApiError(code, 'the server says no', { status })
  }
