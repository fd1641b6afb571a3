/**
 * The store's promises (store.ts) over any engine: owners, pending rows, one group in flight.
 *
 * While one group is being written, everything that finishes forms the next: one fsync for all of them. A
 * group starts in the check phase of the event loop (`setImmediate`), so that all requests that one poll
 * brought in share it.
 *
 * Pending rows are those of the group in flight and of the next one. Transactions read through them; reads
 * work on a snapshot that is taken before a group is written, so it is exactly what `durablePosition` says.
 *
 * States: open → (write fails) reopening → open · (no space) full → open · (data is not what was written)
 * damaged, for ever · closed. A crash at any point leaves whole groups, in order.
 */
import type { Engine, EngineRange, EngineSnapshot, Head, Texts } from './engine.ts'
import {
  type Commit,
  type Position,
  type Store,
  StoreError,
  type StoreErrorCode,
  type Topic,
  type Transaction,
  type View,
} from './store.ts'
import { ReadView, type RowSource, Shot, Tx } from './transaction.ts'

export interface GroupCommitOptions {
  /** The data is not what was written, or cannot be opened any more: nothing works from here on but `close`. */
  readonly onDamage?: (error: StoreError) => void
  /** How long to wait before opening again, after no space or a failed opening. */
  readonly retryMs?: number
}

export async function openGroupCommit(
  engine: Engine,
  options: GroupCommitOptions = {},
): Promise<GroupCommit> {
  return new GroupCommit(engine, await engine.open(), options)
}

type State = 'open' | 'reopening' | 'full' | 'damaged' | 'closed'

export class GroupCommit implements Store, RowSource {
  readonly #engine: Engine
  readonly #options: GroupCommitOptions
  #state: State = 'open'
  #failure: StoreError | undefined
  /** Resolves when the state leaves `reopening`. */
  #reopened = Promise.resolve()
  /** Raised by each failure: what began before it may have seen rows that do not exist. */
  #generation = 0

  #epoch: number
  #position: number
  #durable: number
  readonly #owners = new Map<string, Ticket[]>()
  #next = new Group()
  #flight: Group | null = null
  #kicked = false
  #written: Promise<void> = Promise.resolve()
  #shot: Shot | undefined

  readonly #durableListeners = new Set<(commit: Commit) => void>()
  readonly #resetListeners = new Set<() => void>()

  constructor(engine: Engine, head: Head, options: GroupCommitOptions) {
    this.#engine = engine
    this.#options = options
    this.#epoch = head.epoch
    this.#position = head.position
    this.#durable = head.position
  }

  get durablePosition(): Position {
    return this.#durable as Position
  }

  get epoch(): number {
    return this.#epoch
  }

  onDurable(listener: (commit: Commit) => void): () => void {
    this.#durableListeners.add(listener)
    return () => this.#durableListeners.delete(listener)
  }

  onReset(listener: () => void): () => void {
    this.#resetListeners.add(listener)
    return () => this.#resetListeners.delete(listener)
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────

  async read<T>(fn: (view: View, position: Position) => Promise<T>): Promise<T> {
    while (this.#state === 'reopening') await this.#reopened
    if (this.#isOver) throw this.#refusal()
    const shot = this.#currentShot()
    shot.readers++
    try {
      return await fn(new ReadView(this, shot), shot.position)
    } finally {
      shot.readers--
      shot.closeIfUnused()
    }
  }

  /** What is durable at this moment. Only called when no group is in flight, or while one was prepared for it. */
  #currentShot(): Shot {
    this.#shot ??= new Shot(this.#engine.snapshot(), this.#durable as Position)
    return this.#shot
  }

  #dropShot(): void {
    const shot = this.#shot
    this.#shot = undefined
    if (shot === undefined) return
    shot.stale = true
    shot.closeIfUnused()
  }

  /** Internal to this file: reads for views and transactions, with damage noticed in one place. */
  engineGetMany(keys: readonly string[], snapshot?: EngineSnapshot): Texts | Promise<Texts> {
    try {
      const texts = this.#engine.getMany(keys, snapshot)
      return Array.isArray(texts) ? texts : texts.catch(error => this.#readFailed(error))
    } catch (error) {
      return this.#readFailed(error)
    }
  }

  async engineRange(range: EngineRange, snapshot?: EngineSnapshot): Promise<[string, string][]> {
    try {
      return await this.#engine.range(range, snapshot)
    } catch (error) {
      return this.#readFailed(error)
    }
  }

  #readFailed(error: unknown): never {
    if (error instanceof StoreError && error.code === 'STORE_DAMAGED') this.damage(error)
    throw error
  }

  pendingText(key: string): string | null | undefined {
    const text = this.#next.rows.get(key)
    return text !== undefined ? text : this.#flight?.rows.get(key)
  }

  /** Pending rows of a range, newest value each; null where the row is deleted. */
  pendingRange(from: string, to: string): Map<string, string | null> {
    const found = new Map<string, string | null>()
    for (const group of [this.#flight, this.#next]) {
      if (group === null) continue
      for (const [key, text] of group.rows) if (key >= from && key < to) found.set(key, text)
    }
    return found
  }

  // ── writing ──────────────────────────────────────────────────────────────────────────────────────

  transact<T>(owner: string | readonly string[], fn: (tx: Transaction) => Promise<T> | T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const owners = typeof owner === 'string' ? [owner] : [...new Set(owner)]
      const tx = new Tx(this, fn, resolve as (value: unknown) => void, reject)
      const ticket: Ticket = { owners, tx, waitsFor: 0 }
      // All queues are joined in one step, so any two transactions meet in the same order everywhere:
      // no circle, and first come, first served per owner.
      for (const name of owners) {
        const queue = this.#owners.get(name)
        if (queue === undefined) {
          this.#owners.set(name, [ticket])
        } else {
          queue.push(ticket)
          ticket.waitsFor++
        }
      }
      if (ticket.waitsFor === 0) this.#run(ticket)
    })
  }

  #run(ticket: Ticket): void {
    const { tx } = ticket
    if (this.#state === 'reopening') {
      void this.#reopened.then(() => this.#run(ticket))
      return
    }
    if (this.#state !== 'open') {
      this.#end(ticket)
      tx.reject(this.#refusal())
      return
    }
    tx.generation = this.#generation
    let result: unknown
    try {
      result = tx.fn(tx)
    } catch (error) {
      this.#abandon(ticket, error)
      return
    }
    if (result instanceof Promise) {
      result.then(
        value => this.#queue(ticket, value),
        error => this.#abandon(ticket, error),
      )
    } else {
      this.#queue(ticket, result)
    }
  }

  #abandon(ticket: Ticket, error: unknown): void {
    ticket.tx.isOver = true
    this.#end(ticket)
    ticket.tx.reject(error)
  }

  /** The transaction is finished: it takes its place in the one order of commits. */
  #queue(ticket: Ticket, result: unknown): void {
    const { tx } = ticket
    tx.isOver = true
    if (tx.generation !== this.#generation || this.#state !== 'open') {
      this.#end(ticket)
      tx.reject(this.#refusal())
      return
    }
    try {
      if (tx.fills !== undefined) for (const fill of tx.fills) fill(this.#takePosition, tx.sequencedRows)
    } catch (error) {
      // A fill may have moved a tip in memory that now has no row: the same cure as for a failed write.
      this.#end(ticket)
      tx.reject(error)
      this.#fail(
        new StoreError('STORE_UNCERTAIN', 'a transaction broke while it was queued', { cause: error }),
      )
      return
    }
    this.#end(ticket)
    tx.result = result
    const group = this.#next
    if (tx.rows.size === 0 && tx.topics === undefined && group.isEmpty) {
      // It wrote nothing. It may have seen rows of the group in flight, so it returns together with that.
      if (this.#flight === null) tx.resolve(result)
      else this.#flight.transactions.push(tx)
      return
    }
    for (const [key, text] of tx.rows) group.rows.set(key, text)
    if (tx.topics !== undefined) for (const topic of tx.topics) group.topics.add(topic)
    group.transactions.push(tx)
    group.position = this.#position
    this.#kick()
  }

  readonly #takePosition = (): Position => ++this.#position as Position

  /** Lets the next one of each owner begin: what this one wrote is in the pending rows by now. */
  #end(ticket: Ticket): void {
    for (const name of ticket.owners) {
      const queue = this.#owners.get(name)!
      queue.shift()
      const next = queue[0]
      if (next === undefined) this.#owners.delete(name)
      else if (--next.waitsFor === 0) queueMicrotask(() => this.#run(next))
    }
  }

  #kick(): void {
    if (this.#kicked || this.#flight !== null) return
    this.#kicked = true
    setImmediate(() => {
      this.#kicked = false
      if (this.#state === 'open' && this.#flight === null && !this.#next.isEmpty) {
        this.#written = this.#writeGroup()
      }
    })
  }

  async #writeGroup(): Promise<void> {
    const group = this.#next
    this.#next = new Group()
    this.#flight = group
    const generation = this.#generation
    try {
      if (group.rows.size > 0) {
        this.#currentShot()
        await this.#engine.write(group.rows, group.position)
      }
    } catch (error) {
      if (generation === this.#generation) {
        this.#fail(asStoreError('STORE_UNCERTAIN', 'the write failed; it may or may not be there', error))
      }
      return
    }
    // Failed while it was being written (damage found, a broken fill): those who wait were told already.
    if (generation !== this.#generation) return
    this.#flight = null
    this.#dropShot()
    this.#durable = group.position
    for (const tx of group.transactions) tx.resolve(tx.result)
    this.#announce(group.topics)
    if (!this.#next.isEmpty) this.#kick()
  }

  #announce(topics: ReadonlySet<Topic>): void {
    const commit: Commit = { durablePosition: this.#durable as Position, topics }
    for (const listener of this.#durableListeners) contain(() => listener(commit))
  }

  // ── failure ──────────────────────────────────────────────────────────────────────────────────────

  /** All that is pending is rejected and forgotten; then the engine opens again and says what is there. */
  #fail(error: StoreError): void {
    if (this.#state !== 'open') return
    this.#failure = error
    this.#state = error.code === 'STORE_FULL' ? 'full' : 'reopening'
    const topics = this.#rejectPending(error)
    const inFlight = this.#written
    this.#reopened = this.#reopen(inFlight, topics)
  }

  #rejectPending(error: StoreError): Set<Topic> {
    this.#generation++
    const topics = new Set<Topic>()
    for (const group of [this.#flight, this.#next]) {
      if (group === null) continue
      for (const topic of group.topics) topics.add(topic)
      for (const tx of group.transactions) tx.reject(error)
    }
    this.#flight = null
    this.#next = new Group()
    for (const listener of this.#resetListeners) contain(listener)
    return topics
  }

  async #reopen(inFlight: Promise<void>, topics: ReadonlySet<Topic>): Promise<void> {
    await inFlight
    const wait = this.#options.retryMs ?? 1000
    for (let attempt = 0; ; ) {
      if (this.#state === 'full') {
        // Reads go on with the old handle until there is space again.
        while (this.#state === 'full' && !(await this.#engine.hasSpace().catch(() => false))) {
          await delay(wait)
        }
      }
      if (this.#isOver) return
      try {
        this.#dropShot()
        const head = await this.#engine.open()
        if (this.#isOver) return
        if (head.position < this.#durable) {
          throw new StoreError('STORE_DAMAGED', 'after opening again, acknowledged rows are missing')
        }
        this.#epoch = head.epoch
        // Positions that were taken and lost are not given again: somebody may have seen them in memory.
        this.#position = Math.max(this.#position, head.position)
        this.#durable = head.position
        this.#failure = undefined
        this.#state = 'open'
        // What failed may be there after all, and then somebody waits for it.
        this.#announce(topics)
        return
      } catch (error) {
        const failure = asStoreError('STORE_DAMAGED', 'the store cannot be opened again', error)
        if (failure.code === 'STORE_FULL') {
          this.#failure = failure
          this.#state = 'full'
          await delay(wait)
          continue
        }
        if (failure.code === 'STORE_DAMAGED' && error === failure) return this.damage(failure)
        if (++attempt >= 3) return this.damage(failure)
        await delay(wait)
      }
    }
  }

  /** Nothing brings it back. A getter, because it may change while somebody waits. */
  get #isOver(): boolean {
    return this.#state === 'closed' || this.#state === 'damaged'
  }

  /** Ends all work with `error`; for whoever finds damage elsewhere (the scrub). Only `close` is left. */
  damage(error: StoreError): void {
    if (this.#isOver) return
    this.#failure = error
    this.#state = 'damaged'
    this.#rejectPending(error)
    this.#options.onDamage?.(error)
  }

  #refusal(): StoreError {
    switch (this.#state) {
      case 'closed':
        return new StoreError('STORE_CLOSED', 'the store is closed')
      case 'full':
        return new StoreError(
          'STORE_FULL',
          'the disk is full; the store goes on by itself once there is space',
          {
            cause: this.#failure,
          },
        )
      case 'damaged':
        return new StoreError('STORE_DAMAGED', 'the store is damaged; check and repair it', {
          cause: this.#failure,
        })
      case 'open':
      case 'reopening':
        return new StoreError('STORE_UNCERTAIN', 'an earlier write failed while this one was prepared', {
          cause: this.#failure,
        })
      default:
        return this.#state satisfies never
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #closing: Promise<void> | undefined

  async #close(): Promise<void> {
    // What is queued is written. A transaction that has not finished by then is refused.
    while (this.#state === 'open' && (this.#flight !== null || !this.#next.isEmpty)) {
      await new Promise(resolve => setImmediate(resolve))
      await this.#written
    }
    const wasOpen = this.#state === 'open'
    // A damaged store says so for ever.
    if (this.#state !== 'damaged') this.#state = 'closed'
    if (!wasOpen) this.#rejectPending(this.#refusal())
    await this.#written
    await this.#reopened
    this.#dropShot()
    await this.#engine.close()
  }
}

interface Ticket {
  readonly owners: readonly string[]
  readonly tx: Tx
  waitsFor: number
}

class Group {
  readonly rows = new Map<string, string | null>()
  readonly topics = new Set<Topic>()
  readonly transactions: Tx[] = []
  position = 0

  get isEmpty(): boolean {
    return this.transactions.length === 0
  }
}

function asStoreError(code: StoreErrorCode, message: string, cause: unknown): StoreError {
  return cause instanceof StoreError ? cause : new StoreError(code, message, { cause })
}

/** A listener that throws is a bug of its own; it must not stop a commit that is durable already. */
function contain(call: () => void): void {
  try {
    call()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function delay(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
