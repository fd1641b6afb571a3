/**
 * What people wrote and the server does not have yet. It is sealed in the vault before anybody is told that it waits, leaves in the
 * order in which it was written, room by room, and under one transaction id, so that it arrives once whatever breaks.
 *
 * A room that cannot go on (somebody has to be decided about) holds up itself alone; a message that the server refuses for good
 * is `failed`, and those behind it go on. How one message leaves: sending.ts.
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import type { QueuedItem } from '../sync/ports.ts'
import { pauseMs } from '../sync/sync-loop.ts'
import type { ItemProblem } from '../sync/timeline-item.ts'
import type { VaultRecords, VaultWrite } from '../vault/records.ts'
import { type DraftPlace, draftCollection, draftId, threadMark } from './draft-place.ts'
import { queuedItem } from './queued-item.ts'
import { outcomeOf, problemOf, standstill, standstillOf } from './refusal.ts'
import { pauseFor, type RoomAtWork } from './room-at-work.ts'
import { type SendingDeps, sendWaiting } from './sending.ts'
import { outboxCollection, outboxId, type Waiting, type WaitingFile } from './waiting.ts'
import type { StoredFile, WaitingFiles } from './waiting-files.ts'

export interface OutboxDeps extends SendingDeps {
  readonly records: VaultRecords
  readonly userId: string
  readonly files: WaitingFiles
  readonly changed: (roomId: string) => void
  /** The server takes nothing there for now: see sync/frozen.ts. */
  readonly isFrozen: (roomId: string) => boolean
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
  /** An event, or the transaction of one that waits itself. */
  readonly redacts?: string
}

/** The first sync after a message was sent may have been asked for before it was; the second brought it, or a gap in which it is. */
const forgottenAfterSyncs = 2

export class OutboxQueue {
  readonly #deps: OutboxDeps
  /** By order. */
  readonly #waiting = new Map<number, Waiting>()
  readonly #drafts: Set<string>
  readonly #sending = new Set<number>()
  readonly #rooms = new Map<string, RoomAtWork>()
  /** Rooms that wait for a person. */
  readonly #problems = new Map<string, ItemProblem>()
  /** How many syncs came since a message was sent. */
  readonly #syncsSince = new Map<number, number>()
  readonly #stop = new AbortController()
  #order = 0
  #awake = false
  #last: Promise<unknown> = Promise.resolve()

  private constructor(deps: OutboxDeps, drafts: Iterable<string>) {
    this.#deps = deps
    this.#drafts = new Set(drafts)
  }

  static async open(deps: OutboxDeps): Promise<OutboxQueue> {
    const drafts = await deps.records.entries(draftCollection)
    const queue = new OutboxQueue(
      deps,
      drafts.map(([id]) => id).filter(id => !id.includes(threadMark)),
    )
    for (const [, record] of await deps.records.entries(outboxCollection)) {
      const waiting = record as unknown as Waiting
      queue.#order = Math.max(queue.#order, waiting.order)
      queue.#waiting.set(waiting.order, waiting)
    }
    await deps.files.sweep()
    return queue
  }

  // ── what views see ───────────────────────────────────────────────────────────────────────────────

  /** Also what was sent and no sync brought back yet. */
  queued(roomId: string): QueuedItem[] {
    const known = this.#problems.get(roomId) ?? this.#rooms.get(roomId)?.problem ?? null
    const heldUp = this.#deps.isFrozen(roomId) ? standstill : known
    return this.#of(roomId).map(waiting => {
      const problem = waiting.failure ?? heldUp
      return queuedItem(waiting, this.#deps.userId, this.#sending.has(waiting.order), problem)
    })
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

  file(fileId: string): WaitingFile | null {
    const files = [...this.#waiting.values()].flatMap(waiting => waiting.files)
    return files.find(file => file.fileId === fileId) ?? null
  }

  // ── what people do ───────────────────────────────────────────────────────────────────────────────

  /** Durable when it returns its transaction id. @throws VaultError VAULT_FULL: then nothing of it is kept */
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
      paused: false,
      redacts: redacts ?? null,
      eventId: null,
      failure: null,
    }
    try {
      await this.#commit([this.#write(waiting), ...files.flatMap(({ writes }) => writes)])
    } catch (error) {
      await this.#deps.files.drop(waiting.files).catch(() => {
        // It is marked as begun: the next opening takes it away.
      })
      throw error
    }
    this.#waiting.set(waiting.order, waiting)
    this.#deps.changed(roomId)
    this.#go(roomId)
    return waiting.txnId
  }

  /** One that failed, or is held up. */
  async retry(txnId: string): Promise<void> {
    const waiting = this.find(txnId)
    if (!waiting) return
    if (waiting.failure || waiting.paused) await this.#update(waiting.order, { failure: null, paused: false })
    this.#deps.uploads.resume(txnId)
    this.#problems.delete(waiting.roomId)
    this.#go(waiting.roomId)
  }

  /** Those behind it go on. Nothing where there is nothing left to upload. */
  async pause(txnId: string): Promise<void> {
    const waiting = this.find(txnId)
    if (!waiting || waiting.files.every(({ uploaded }) => uploaded !== null)) return
    await this.#update(waiting.order, { paused: true })
    this.#deps.uploads.pause(txnId)
  }

  /** False: it is on its way, or has arrived. */
  async discard(txnId: string): Promise<boolean> {
    const waiting = this.find(txnId)
    if (!waiting || waiting.eventId !== null) return false
    // An upload can be stopped; what left in a request without an answer may have arrived, and must not be said to be gone.
    if (waiting.sealed !== null ? waiting.failure === null : !this.#isAtFiles(waiting)) return false
    this.#waiting.delete(waiting.order)
    this.#deps.uploads.pause(txnId)
    try {
      await this.#commit(this.#removal(waiting))
    } catch (error) {
      this.#waiting.set(waiting.order, waiting)
      throw error
    }
    this.#problems.delete(waiting.roomId)
    this.#deps.changed(waiting.roomId)
    this.#go(waiting.roomId)
    return true
  }

  /** Of a room; or of a thread in it, of which the room's entry says nothing. */
  async setDraft({ roomId, threadRoot = null }: DraftPlace, draft: JsonObject | null): Promise<void> {
    const had = this.#drafts.has(roomId)
    const id = draftId({ roomId, threadRoot })
    await this.#deps.records.commit([{ collection: draftCollection, id, value: draft }])
    if (threadRoot !== null) return
    if (draft) this.#drafts.add(roomId)
    else this.#drafts.delete(roomId)
    if (had !== (draft !== null)) this.#deps.changed(roomId)
  }

  /** Everything of a room that nobody wants to know of any more. */
  async forgetRoom(roomId: string): Promise<void> {
    const gone = this.#of(roomId)
    for (const { order, txnId } of gone) {
      this.#waiting.delete(order)
      this.#deps.uploads.pause(txnId)
    }
    const threads = await this.#deps.records.entries(draftCollection, roomId + threadMark)
    await this.#commit([
      ...gone.flatMap(waiting => this.#removal(waiting)),
      ...threads.map(([id]): VaultWrite => ({ collection: draftCollection, id, value: null })),
    ])
    await this.setDraft({ roomId }, null)
  }

  find(txnId: string): Waiting | undefined {
    return [...this.#waiting.values()].find(each => each.txnId === txnId)
  }

  /** After every sync, with what it brought back. */
  echoed(txnIds: readonly string[]): void {
    const back = new Set(txnIds)
    const gone = [...this.#waiting.values()].filter(({ order, txnId, eventId }) => {
      if (back.has(txnId)) return true
      if (eventId === null) return false
      const syncs = (this.#syncsSince.get(order) ?? 0) + 1
      this.#syncsSince.set(order, syncs)
      return syncs >= forgottenAfterSyncs
    })
    for (const { order } of gone) {
      this.#waiting.delete(order)
      this.#syncsSince.delete(order)
    }
    for (const roomId of new Set(gone.map(waiting => waiting.roomId))) this.#deps.changed(roomId)
    this.#commit(gone.flatMap(waiting => this.#removal(waiting))).catch(() => {
      // What stays at rest leaves once more after the next opening, under its id, and is the same event.
    })
  }

  // ── sending ──────────────────────────────────────────────────────────────────────────────────────

  /** The server may be within reach. */
  wake(): void {
    this.#awake = true
    for (const waiting of this.#waiting.values()) if (waiting.paused) this.#deps.uploads.tellPaused(waiting)
    this.decided()
  }

  /** Somebody did what rooms may have waited for. */
  decided(): void {
    this.#problems.clear()
    for (const roomId of new Set([...this.#waiting.values()].map(waiting => waiting.roomId))) this.#go(roomId)
  }

  /** The server is away: nothing is tried, and so everything that waits can still be thrown away. */
  sleep(): void {
    this.#awake = false
  }

  async stop(): Promise<void> {
    this.#stop.abort(new ApiError('OFFLINE', 'the session is being closed'))
    for (const { wake } of this.#rooms.values()) wake?.()
    this.#deps.uploads.stop()
    await Promise.all([...this.#rooms.values()].map(({ running }) => running))
    await this.#last
  }

  #mayGo(roomId: string): boolean {
    return (
      this.#awake && !this.#stop.signal.aborted && !this.#problems.has(roomId) && !this.#deps.isFrozen(roomId)
    )
  }

  #go(roomId: string): void {
    if (!this.#mayGo(roomId)) return
    const room = this.#rooms.get(roomId)
    if (room) {
      room.wake?.()
      return
    }
    const work: RoomAtWork = { running: Promise.resolve(), wake: null, problem: null }
    this.#rooms.set(roomId, work)
    work.running = this.#run(roomId, work).finally(() => {
      this.#rooms.delete(roomId)
      // Something may have come in while it was ending.
      if (this.#next(roomId)) this.#go(roomId)
    })
  }

  async #run(roomId: string, work: RoomAtWork): Promise<void> {
    let failures = 0
    while (this.#mayGo(roomId)) {
      const waiting = this.#next(roomId)
      if (!waiting) return
      const error = await this.#try(waiting)
      work.problem = standstillOf(error)
      if (work.problem) this.#deps.changed(roomId)
      if (error === null) failures = 0
      else await pauseFor(work, pauseMs(failures++, error, this.#deps.random()), this.#stop.signal)
    }
  }

  /** What keeps it from leaving for now; null where the room goes on, or waits for a person. */
  async #try(waiting: Waiting): Promise<unknown> {
    const { order, roomId } = waiting
    this.#sending.add(order)
    this.#deps.changed(roomId)
    try {
      const update = (_: number, change: Partial<Waiting>) => this.#update(order, change)
      const sealed = (now: Waiting) => void this.#waiting.set(order, now)
      const sent = await sendWaiting(this.#deps, waiting, update, sealed, this.#stop.signal)
      if (sent.kind === 'sent') await this.#sent(waiting, sent.eventId)
      else this.#problems.set(roomId, { code: 'BLOCKED', message: '', blockedBy: sent.userIds })
      return null
    } catch (error) {
      return await this.#failed(waiting, error)
    } finally {
      this.#sending.delete(order)
      this.#deps.changed(roomId)
    }
  }

  async #failed({ order, roomId }: Waiting, error: unknown): Promise<unknown> {
    // Thrown away, or brought back by a sync, while it was under way.
    if (!this.#waiting.has(order) || this.#stop.signal.aborted) return null
    switch (outcomeOf(error)) {
      case 'again':
        return error
      case 'sleep':
        this.sleep()
        return null
      case 'hold':
        this.#problems.set(roomId, problemOf(error))
        return null
      case 'paused':
        return null
      case 'failed':
        try {
          await this.#update(order, { failure: problemOf(error) })
        } catch (cause) {
          this.#problems.set(roomId, problemOf(cause))
        }
        return null
    }
  }

  /** What waits to redact it knows its id from here on. */
  async #sent({ order, roomId, txnId }: Waiting, eventId: string): Promise<void> {
    const redactions = this.#of(roomId).filter(({ redacts }) => redacts === txnId)
    for (const redaction of redactions) await this.#update(redaction.order, { redacts: eventId })
    // The sync may have been quicker.
    if (this.#waiting.has(order)) await this.#update(order, { eventId })
  }

  // ── bookkeeping ──────────────────────────────────────────────────────────────────────────────────

  #of(roomId: string): Waiting[] {
    return [...this.#waiting.values()]
      .filter(each => each.roomId === roomId)
      .sort((a, b) => a.order - b.order)
  }

  #next(roomId: string): Waiting | undefined {
    return this.#of(roomId).find(
      ({ eventId, failure, paused }) => eventId === null && failure === null && !paused,
    )
  }

  /** Nothing of it left but, perhaps, parts of its files. */
  #isAtFiles({ order, files }: Waiting): boolean {
    return !this.#sending.has(order) || files.some(({ uploaded }) => uploaded === null)
  }

  #update(order: number, change: Partial<Waiting>): Promise<Waiting> {
    const updated = this.#last.then(async () => {
      const before = this.#waiting.get(order)
      if (!before) throw new ApiError('M_NOT_FOUND', 'it was thrown away')
      const now = { ...before, ...change }
      await this.#deps.records.commit([this.#write(now)])
      this.#waiting.set(order, now)
      this.#deps.changed(now.roomId)
      return now
    })
    this.#last = updated.catch(() => {})
    return updated
  }

  /** In its turn, so that nothing older overwrites it. */
  #commit(writes: readonly VaultWrite[]): Promise<void> {
    const done = this.#last.then(() => (writes.length > 0 ? this.#deps.records.commit(writes) : undefined))
    this.#last = done.catch(() => {})
    return done
  }

  #write(waiting: Waiting): VaultWrite {
    return {
      collection: outboxCollection,
      id: outboxId(waiting.order),
      value: waiting as unknown as JsonObject,
    }
  }

  #removal({ order, files }: Waiting): VaultWrite[] {
    return [
      { collection: outboxCollection, id: outboxId(order), value: null },
      ...this.#deps.files.removal(files),
    ]
  }
}
