/**
 * An engine whose writes fail on demand, for the fault tables of every area:
 *
 *     const { store, faults } = await openFaultyStore()
 *     faults.next = 'after'     // the next write lands and is reported as failed
 */
import type { Engine, EngineRange, EngineSnapshot, Head, Rows, Texts } from '../../server/store/engine.ts'
import { type GroupCommitOptions, openGroupCommit } from '../../server/store/group-commit.ts'
import { MemoryEngine, type MemoryOptions } from '../../server/store/memory-engine.ts'
import { type Store, StoreError } from '../../server/store/store.ts'

/** before: nothing lands · after: it lands, and the answer is an error · full: nothing lands, no space · damaged: reads say so. */
export type Fault = 'before' | 'after' | 'full' | 'damaged'

export class FaultEngine implements Engine {
  readonly #engine: Engine
  /** What happens to the next write; then writes work again. */
  next: Fault | undefined
  /** Openings that fail before one works. */
  failedOpenings = 0
  isFull = false
  writes = 0
  opened = 0

  constructor(engine: Engine) {
    this.#engine = engine
  }

  open(): Promise<Head> {
    this.opened++
    if (this.failedOpenings > 0) {
      this.failedOpenings--
      return Promise.reject(new Error('the opening failed'))
    }
    return this.#engine.open()
  }

  getMany(keys: readonly string[], snapshot?: EngineSnapshot): Texts | Promise<Texts> {
    this.#refuseReads()
    return this.#engine.getMany(keys, snapshot)
  }

  async range(range: EngineRange, snapshot?: EngineSnapshot): Promise<[string, string][]> {
    this.#refuseReads()
    return this.#engine.range(range, snapshot)
  }

  async write(rows: Rows, position: number): Promise<void> {
    const fault = this.next
    if (fault !== 'damaged') this.next = undefined
    this.writes++
    if (fault === 'full' || this.isFull) {
      this.isFull = true
      throw new StoreError('STORE_FULL', 'no space')
    }
    if (fault === 'before') throw new Error('the write failed')
    await this.#engine.write(rows, position)
    if (fault === 'after') throw new Error('the write failed')
  }

  snapshot(): EngineSnapshot {
    return this.#engine.snapshot()
  }

  async hasSpace(): Promise<boolean> {
    return !this.isFull
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  #refuseReads(): void {
    if (this.next === 'damaged') throw new StoreError('STORE_DAMAGED', 'a row is not what was written')
  }
}

export async function openFaultyStore(
  options: MemoryOptions & GroupCommitOptions = {},
): Promise<{ store: Store; faults: FaultEngine }> {
  const faults = new FaultEngine(new MemoryEngine(options))
  return { faults, store: await openGroupCommit(faults, { retryMs: 5, ...options }) }
}
