/**
 * What people wrote and the server does not have yet. It is sealed in the vault before anybody is told that it waits, leaves in the
 * order in which it was written, room by room, and under one transaction id, so that it arrives once whatever breaks.
 *
 * What was encrypted is stored by the commit that moved the ratchet: after a crash the same ciphertext leaves, never a second one.
 * A room that cannot go on (somebody has to be decided about) holds up itself alone; a message that the server refuses for good
 * is `failed`, and those behind it go on.
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { type Http, inPath, v3 } from '../api/http.ts'
import { E2eeError } from '../e2ee/errors.ts'
import type { Machine } from '../e2ee/machine.ts'
import { encryptRoomEvent } from '../e2ee/room-encryption.ts'
import { readRoom } from '../e2ee/room-settings.ts'
import type { QueuedItem } from '../sync/ports.ts'
import type { StoredEvent } from '../sync/stored-event.ts'
import { pauseMs } from '../sync/sync-loop.ts'
import type { ItemProblem } from '../sync/timeline-item.ts'
import type { VaultRecords, VaultWrite } from '../vault/records.ts'
import type { Attachments, StoredFile } from './attachments.ts'
import { contentOf, orderId, type Waiting } from './waiting.ts'

export interface OutboxDeps {
  readonly records: VaultRecords
  readonly userId: string
  readonly http: Http
  readonly machine: Machine
  /** Until the engine’s requests were answered. @throws ApiError */
  readonly settled: () => Promise<void>
  readonly attachments: Attachments
  readonly changed: (roomId: string) => void
  readonly clock: () => number
  readonly random: () => number
  readonly newId: () => string
}

export interface NewWaiting {
  readonly roomId: string
  readonly type: string
  readonly content: JsonObject
  readonly forEncrypted: boolean
  readonly files?: readonly StoredFile[]
  readonly redacts?: string
}

const collection = 'outbox'
/** So often the engine may ask for another round of keys before a message. */
const maxRounds = 8
/** Sent, and no sync brought it back: it is in the room all the same. */
const forgetSentMs = 60 * 60 * 1000

export class OutboxQueue {
  readonly #deps: OutboxDeps
  /** By order. */
  readonly #waiting = new Map<number, Waiting>()
  readonly #drafts: Set<string>
  readonly #sending = new Set<number>()
  /** Rooms at work, and how to wake those that pause. */
  readonly #rooms = new Map<string, { running: Promise<void>; wake: (() => void) | null }>()
  /** Rooms in which somebody has to be decided about, or a transfer pauses. */
  readonly #problems = new Map<string, ItemProblem>()
  #order = 0
  #awake = false
  #stopped = false

  private constructor(deps: OutboxDeps, drafts: Iterable<string>) {
    this.#deps = deps
    this.#drafts = new Set(drafts)
  }

  static async open(deps: OutboxDeps): Promise<OutboxQueue> {
    const drafts = await deps.records.entries('draft')
    const queue = new OutboxQueue(
      deps,
      drafts.map(([roomId]) => roomId),
    )
    for (const [, record] of await deps.records.entries(collection)) {
      const waiting = record as unknown as Waiting
      queue.#order = Math.max(queue.#order, waiting.order)
      if (waiting.eventId !== null && deps.clock() - waiting.ts > forgetSentMs)
        await queue.#store(waiting, null)
      else queue.#waiting.set(waiting.order, waiting)
    }
    return queue
  }

  // ── what views see ───────────────────────────────────────────────────────────────────────────────

  queued(roomId: string): QueuedItem[] {
    return this.#of(roomId)
      .filter(({ redacts, eventId, type }) => redacts === null && eventId === null && type !== 'm.reaction')
      .map(waiting => ({
        txnId: waiting.txnId,
        event: eventOf(waiting, this.#deps.userId),
        state: waiting.failure ? 'failed' : this.#sending.has(waiting.order) ? 'sending' : 'queued',
        problem: waiting.failure ?? this.#problems.get(roomId) ?? null,
      }))
  }

  /** How many have not left. */
  get size(): number {
    return [...this.#waiting.values()].filter(({ eventId }) => eventId === null).length
  }

  /** Rooms whose entries say something of what waits or is being written. */
  get roomIds(): ReadonlySet<string> {
    return new Set([...this.#drafts, ...[...this.#waiting.values()].map(({ roomId }) => roomId)])
  }

  hasDraft(roomId: string): boolean {
    return this.#drafts.has(roomId)
  }

  // ── what people do ───────────────────────────────────────────────────────────────────────────────

  /** Durable when it returns. */
  async add({ roomId, type, content, forEncrypted, files = [], redacts }: NewWaiting): Promise<string> {
    const waiting: Waiting = {
      order: ++this.#order,
      txnId: this.#deps.newId(),
      roomId,
      type,
      content,
      ts: this.#deps.clock(),
      forEncrypted,
      sealed: null,
      files: files.map(({ file }) => file),
      redacts: redacts ?? null,
      eventId: null,
      failure: null,
    }
    await this.#store(
      waiting,
      waiting,
      files.flatMap(({ writes }) => writes),
    )
    this.#go(roomId)
    return waiting.txnId
  }

  /** One that failed, or is held up. */
  async retry(txnId: string): Promise<void> {
    const waiting = this.#find(txnId)
    if (!waiting) return
    if (waiting.failure) await this.#store(waiting, { ...waiting, failure: null })
    this.#problems.delete(waiting.roomId)
    this.#go(waiting.roomId)
  }

  /** False: it is on its way, or has arrived. */
  async discard(txnId: string): Promise<boolean> {
    const waiting = this.#find(txnId)
    if (!waiting || waiting.eventId !== null || this.#sending.has(waiting.order)) return false
    // A ciphertext that left in a request without an answer may have arrived: it must not be said to be gone.
    if (waiting.sealed !== null && waiting.failure === null) return false
    await this.#store(waiting, null, this.#deps.attachments.removal(waiting.files))
    this.#problems.delete(waiting.roomId)
    this.#go(waiting.roomId)
    return true
  }

  async setDraft(roomId: string, draft: JsonObject | null): Promise<void> {
    const had = this.#drafts.has(roomId)
    await this.#deps.records.commit([{ collection: 'draft', id: roomId, value: draft }])
    if (draft) this.#drafts.add(roomId)
    else this.#drafts.delete(roomId)
    if (had !== (draft !== null)) this.#deps.changed(roomId)
  }

  /** A sync brought these: they have arrived. */
  echoed(txnIds: readonly string[]): void {
    for (const txnId of txnIds) {
      const waiting = this.#find(txnId)
      if (waiting) void this.#store(waiting, null, this.#deps.attachments.removal(waiting.files))
    }
  }

  // ── sending ──────────────────────────────────────────────────────────────────────────────────────

  /** The server may be within reach, or somebody decided something. */
  wake(): void {
    this.#awake = true
    this.#problems.clear()
    for (const roomId of new Set([...this.#waiting.values()].map(waiting => waiting.roomId))) this.#go(roomId)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const { wake } of this.#rooms.values()) wake?.()
    this.#deps.attachments.stop()
    await Promise.all([...this.#rooms.values()].map(({ running }) => running))
  }

  #go(roomId: string): void {
    if (this.#stopped || !this.#awake) return
    const room = this.#rooms.get(roomId)
    if (room) {
      room.wake?.()
      return
    }
    const running = this.#run(roomId).finally(() => {
      this.#rooms.delete(roomId)
      // Something may have come in while it was ending.
      if (this.#next(roomId) && !this.#problems.has(roomId)) this.#go(roomId)
    })
    this.#rooms.set(roomId, { running, wake: null })
  }

  async #run(roomId: string): Promise<void> {
    let failures = 0
    while (!this.#stopped && !this.#problems.has(roomId)) {
      const waiting = this.#next(roomId)
      if (!waiting) return
      this.#sending.add(waiting.order)
      this.#deps.changed(roomId)
      try {
        await this.#sendOne(waiting)
        failures = 0
      } catch (error) {
        if (error instanceof ApiError && error.code === 'M_UNKNOWN_TOKEN') return
        if (error instanceof ApiError && error.isPassing) {
          this.#sending.delete(waiting.order)
          this.#deps.changed(roomId)
          await this.#pause(roomId, pauseMs(failures++, error, this.#deps.random()))
          continue
        }
        if (this.#stopped) return
        const now = this.#waiting.get(waiting.order)
        if (now) await this.#store(now, { ...now, failure: problemOf(error) })
      } finally {
        this.#sending.delete(waiting.order)
        this.#deps.changed(roomId)
      }
    }
  }

  async #sendOne(first: Waiting): Promise<void> {
    let waiting = first
    for (const [i, file] of waiting.files.entries()) {
      if (file.uploaded !== null) continue
      const uploaded = await this.#deps.attachments.upload(waiting.txnId, file, waiting.forEncrypted)
      if (uploaded === null) {
        this.#problems.set(waiting.roomId, { code: 'TRANSFER_PAUSED', message: '', blockedBy: [] })
        return
      }
      const files = waiting.files.map((each, at) => (at === i ? { ...each, uploaded } : each))
      waiting = await this.#store(waiting, { ...waiting, files })
    }
    if (waiting.redacts !== null) return this.#redact(waiting, waiting.redacts)
    const sealed = waiting.sealed ? waiting : await this.#seal(waiting)
    if (!sealed?.sealed) return
    const { type, content } = sealed.sealed
    const path = `${v3}/rooms/${inPath(sealed.roomId)}/send/${inPath(type)}/${inPath(sealed.txnId)}`
    await this.#sent(sealed, await this.#deps.http.request('PUT', path, { body: content }))
  }

  async #redact(waiting: Waiting, eventId: string): Promise<void> {
    const path = `${v3}/rooms/${inPath(waiting.roomId)}/redact/${inPath(eventId)}/${inPath(waiting.txnId)}`
    await this.#sent(waiting, await this.#deps.http.request('PUT', path, { body: waiting.content }))
  }

  async #sent(waiting: Waiting, answer: JsonObject): Promise<void> {
    // The sync may have been quicker.
    if (!this.#waiting.has(waiting.order)) return
    const { event_id: eventId } = answer
    await this.#store(waiting, { ...waiting, eventId: typeof eventId === 'string' ? eventId : '' })
  }

  /** Null: the room is held up. */
  async #seal(waiting: Waiting): Promise<Waiting | null> {
    const { machine, settled } = this.#deps
    const { roomId, type } = waiting
    const content = contentOf(waiting)
    for (let round = 0; round < maxRounds; round++) {
      const result = await machine.run(async (step, context) => {
        // Spec: client-server-api#reactions: a reaction's relation is all that it is; it stays in the clear as elsewhere.
        if (!(await readRoom(step, roomId)) || type === 'm.reaction') {
          if (waiting.forEncrypted && type !== 'm.reaction') {
            throw new E2eeError('ROOM_NOT_ENCRYPTED', 'this was written for an encrypted room')
          }
          const plain: Waiting = { ...waiting, sealed: { type, content } }
          step.put('outbox', orderId(waiting.order), plain as unknown as JsonObject)
          return plain
        }
        const encrypted = await encryptRoomEvent(step, context, roomId, type, content)
        if (encrypted.kind !== 'encrypted') return encrypted
        const sealed: Waiting = {
          ...waiting,
          sealed: { type: 'm.room.encrypted', content: encrypted.content },
        }
        step.put('outbox', orderId(waiting.order), sealed as unknown as JsonObject)
        return sealed
      })
      if ('order' in result) {
        this.#waiting.set(result.order, result)
        // Its keys leave before it does.
        await settled()
        return result
      }
      if (result.kind === 'blocked') {
        this.#problems.set(roomId, { code: 'BLOCKED', message: '', blockedBy: result.userIds })
        return null
      }
      await settled()
    }
    throw new ApiError('OFFLINE', 'the keys of those who may read are not to be had')
  }

  // ── bookkeeping ──────────────────────────────────────────────────────────────────────────────────

  #of(roomId: string): Waiting[] {
    return [...this.#waiting.values()]
      .filter(each => each.roomId === roomId)
      .sort((a, b) => a.order - b.order)
  }

  #next(roomId: string): Waiting | undefined {
    return this.#of(roomId).find(({ eventId, failure }) => eventId === null && failure === null)
  }

  #find(txnId: string): Waiting | undefined {
    return [...this.#waiting.values()].find(each => each.txnId === txnId)
  }

  /** Null: it is done with. */
  async #store(before: Waiting, now: Waiting | null, more: readonly VaultWrite[] = []): Promise<Waiting> {
    const id = orderId(before.order)
    await this.#deps.records.commit([{ collection, id, value: now as unknown as JsonObject | null }, ...more])
    if (now) this.#waiting.set(before.order, now)
    else this.#waiting.delete(before.order)
    this.#deps.changed(before.roomId)
    return now ?? before
  }

  #pause(roomId: string, ms: number): Promise<void> {
    return new Promise(resolve => {
      const room = this.#rooms.get(roomId)
      const done = () => {
        clearTimeout(timer)
        if (room) room.wake = null
        resolve()
      }
      const timer = setTimeout(done, ms)
      if (room) room.wake = done
      if (this.#stopped) done()
    })
  }
}

function problemOf(error: unknown): ItemProblem {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return { code: typeof code === 'string' ? code : 'INTERNAL', message: String(message ?? ''), blockedBy: [] }
}

/** As a timeline shows it until the server has it. */
function eventOf(waiting: Waiting, userId: string): StoredEvent {
  return {
    eventId: waiting.txnId,
    sender: userId,
    ts: waiting.ts,
    type: waiting.type,
    stateKey: null,
    content: contentOf(waiting),
    previousContent: null,
    txnId: waiting.txnId,
    redactedBecause: null,
    encrypted: waiting.forEncrypted,
    shield: 'none',
    keyGivenBy: null,
    unreadable: null,
  }
}
