/**
 * The store as the server has it: serving, or in maintenance because data is damaged or missing.
 *
 * Guaranteed: a damaged store is never served. Damage is noticed when the folder is opened (files, journal,
 * head), on every read (checksums) and by the background scrub (everything); from then on `state` is
 * `maintenance`, the store rejects with STORE_DAMAGED, and check and repair work without it. The folder's
 * lock is held throughout, so no other process repairs at the same time.
 *
 * After a repair, `reopen` gives a new `Store`; whoever held the old one is wired anew.
 */
import { type CheckReport, checkFolder } from './check.ts'
import { exportRows, type StoreExport } from './export.ts'
import { type GroupCommit, openGroupCommit } from './group-commit.ts'
import { damaged, LevelEngine, type LevelOptions } from './level-engine.ts'
import { type FolderLock, lockFolder, recordDamage } from './level-folder.ts'
import { type RepairReport, repairFolder } from './repair.ts'
import { type Progress, Scrubber, type ScrubberOptions, type ScrubCheck } from './scrub.ts'
import { type Finding, type Store, StoreError } from './store.ts'

export type StoreState =
  | { readonly kind: 'serving'; readonly store: Store }
  | { readonly kind: 'maintenance'; readonly findings: readonly Finding[] }
  | { readonly kind: 'closed' }

export interface StoreHostOptions extends Omit<LevelOptions, 'lock'> {
  readonly clock?: () => number
  /** What areas verify beyond checksums, in scrubs and checks. */
  readonly checks?: readonly ScrubCheck[]
  readonly scrub?: Omit<ScrubberOptions, 'checks' | 'clock' | 'onDamage'>
  readonly retryMs?: number
}

/** About 1 % of a core, and a disk that hardly notices. */
const scrubRate = { rowsPerSecond: 1500, bytesPerSecond: 2 * 2 ** 20 }

export class StoreHost {
  readonly #folder: string
  readonly #options: StoreHostOptions
  readonly #lock: FolderLock
  #state: StoreState = { kind: 'closed' }
  #engine: LevelEngine | undefined
  #scrubber: Scrubber | undefined
  #work: Promise<unknown> = Promise.resolve()
  readonly #listeners = new Set<(findings: readonly Finding[]) => void>()

  constructor(folder: string, lock: FolderLock, options: StoreHostOptions) {
    this.#folder = folder
    this.#lock = lock
    this.#options = options
  }

  /** Rejects with STORE_LOCKED, STORE_FULL or STORE_NEWER; damage is a state, not a rejection. */
  static async open(folder: string, options: StoreHostOptions = {}): Promise<StoreHost> {
    const lock = await lockFolder(folder)
    const host = new StoreHost(folder, lock, options)
    try {
      await host.#open()
      return host
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  get state(): StoreState {
    return this.#state
  }

  /** Called when a serving store turns out to be damaged. */
  onMaintenance(listener: (findings: readonly Finding[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Everything, at full speed: on the running store, or on the folder while in maintenance. */
  check(onProgress?: (progress: Progress) => void): Promise<CheckReport> {
    return this.#alone(async () => {
      const options = onProgress === undefined ? {} : { onProgress }
      if (this.#state.kind === 'serving') {
        const { epoch } = this.#state.store
        const { sequence } = this.#engine!.head
        const report = await this.#scrubber!.scrub(options)
        return { ...report, isNew: false, isComplete: true, sequence, epoch }
      }
      this.#mustNotBeClosed()
      const report = await checkFolder(this.#folder, {
        ...options,
        lock: this.#lock,
        checks: this.#options.checks ?? [],
      })
      this.#state = { kind: 'maintenance', findings: report.findings }
      return report
    })
  }

  /** All rows as they are now, for a backup; the store goes on meanwhile. A damaged one is not backed up. */
  exportRows(): Promise<StoreExport> {
    if (this.#state.kind !== 'serving') {
      return Promise.reject(
        new StoreError('STORE_DAMAGED', 'the store is damaged: repair it, then back it up'),
      )
    }
    return exportRows(this.#engine!)
  }

  /** Only in maintenance. Afterwards `reopen`. */
  repair(onProgress?: (progress: Progress) => void): Promise<RepairReport> {
    return this.#alone(async () => {
      if (this.#state.kind === 'serving') throw new TypeError('a store that serves needs no repair')
      this.#mustNotBeClosed()
      return repairFolder(this.#folder, {
        lock: this.#lock,
        ...(this.#options.clock === undefined ? {} : { clock: this.#options.clock }),
        ...(onProgress === undefined ? {} : { onProgress }),
      })
    })
  }

  /** Tries to serve again; a store that serves already stays as it is. */
  reopen(): Promise<StoreState> {
    return this.#alone(async () => {
      this.#mustNotBeClosed()
      if (this.#state.kind === 'maintenance') await this.#open()
      return this.#state
    })
  }

  async close(): Promise<void> {
    await this.#alone(async () => {
      const state = this.#state
      this.#state = { kind: 'closed' }
      await this.#scrubber?.stop()
      await this.#closing
      if (state.kind === 'serving') await state.store.close()
      await this.#lock.release()
    })
  }

  async #open(): Promise<void> {
    const engine = new LevelEngine(this.#folder, { ...this.#options, lock: this.#lock })
    try {
      const { retryMs } = this.#options
      const store = await openGroupCommit(engine, {
        onDamage: error => this.#enterMaintenance(store, error.findings),
        ...(retryMs === undefined ? {} : { retryMs }),
      })
      this.#engine = engine
      this.#scrubber = new Scrubber(engine, store, {
        ...scrubRate,
        ...this.#options.scrub,
        checks: this.#options.checks ?? [],
        clock: this.#options.clock ?? Date.now,
        onDamage: findings => store.damage(damaged(findings)),
      })
      this.#state = { kind: 'serving', store }
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'STORE_DAMAGED') throw error
      this.#state = { kind: 'maintenance', findings: error.findings }
    }
  }

  #enterMaintenance(store: GroupCommit, findings: readonly Finding[]): void {
    if (this.#state.kind !== 'serving' || this.#state.store !== store) return
    this.#state = { kind: 'maintenance', findings }
    const scrubber = this.#scrubber
    this.#scrubber = undefined
    // What runs meanwhile in `check` waits for this; it is not part of the queue, because check may be the finder.
    this.#closing = Promise.allSettled([
      recordDamage(this.#folder, findings),
      scrubber?.stop(),
      store.close(),
    ])
    for (const listener of this.#listeners) listener(findings)
  }

  #closing: Promise<unknown> = Promise.resolve()

  /** Checks, repairs and openings, one after another. */
  #alone<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#work.then(async () => {
      await this.#closing
      return run()
    })
    this.#work = result.catch(() => {})
    return result
  }

  #mustNotBeClosed(): void {
    if (this.#state.kind === 'closed') throw new StoreError('STORE_CLOSED', 'the store is closed')
  }
}
