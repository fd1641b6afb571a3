/**
 * Rows in memory: for tests, and the proof that the store's promises do not rest on LevelDB. With `slow`
 * every answer comes later, in random order, as from an engine behind a network. It forgets at the end of
 * the process, but not at `close`: open the same engine again and the rows are there.
 */
import type { Engine, EngineRange, EngineSnapshot, Head, Rows, Texts } from './engine.ts'
import { type GroupCommitOptions, openGroupCommit } from './group-commit.ts'
import { type Store, StoreError } from './store.ts'

export interface MemoryOptions {
  /** Of the random delays, so that a failure can be seen again. */
  readonly seed?: number
  readonly slow?: boolean
}

export function openMemoryStore(options: MemoryOptions & GroupCommitOptions = {}): Promise<Store> {
  return openGroupCommit(new MemoryEngine(options), options)
}

interface Version {
  readonly since: number
  readonly text: string | null
}

class MemorySnapshot implements EngineSnapshot {
  readonly version: number
  readonly #release: (snapshot: MemorySnapshot) => void
  isOpen = true

  constructor(version: number, release: (snapshot: MemorySnapshot) => void) {
    this.version = version
    this.#release = release
  }

  close(): void {
    this.isOpen = false
    this.#release(this)
  }
}

export class MemoryEngine implements Engine {
  readonly #delay: (() => Promise<void>) | undefined
  /** All keys that have versions, in order. */
  readonly #keys: string[] = []
  /** Newest last; versions that no snapshot can see are dropped when their key is written again. */
  readonly #rows = new Map<string, Version[]>()
  readonly #snapshots = new Set<MemorySnapshot>()
  #version = 0
  #position = 2 ** 36
  #isOpen = false

  constructor(options: MemoryOptions = {}) {
    if (options.slow) this.#delay = randomDelay(options.seed ?? 1)
  }

  async open(): Promise<Head> {
    await this.#delay?.()
    for (const snapshot of [...this.#snapshots]) snapshot.close()
    this.#isOpen = true
    return { epoch: Math.floor(this.#position / 2 ** 36), position: this.#position }
  }

  getMany(keys: readonly string[], snapshot?: EngineSnapshot): Texts | Promise<Texts> {
    this.#mustBeOpen()
    if (this.#delay === undefined) return this.#texts(keys, snapshot)
    return this.#delay().then(() => this.#texts(keys, snapshot))
  }

  async range(range: EngineRange, snapshot?: EngineSnapshot): Promise<[string, string][]> {
    this.#mustBeOpen()
    await this.#delay?.()
    const version = this.#visible(snapshot)
    const found: [string, string][] = []
    const from = place(this.#keys, range.from)
    const to = place(this.#keys, range.to)
    for (let i = 0; i < to - from && found.length < range.limit; i++) {
      const key = this.#keys[range.reverse ? to - 1 - i : from + i]!
      const text = textAt(this.#rows.get(key)!, version)
      if (text !== undefined) found.push([key, text])
    }
    return found
  }

  async write(rows: Rows, position: number): Promise<void> {
    this.#mustBeOpen()
    await this.#delay?.()
    const version = this.#version + 1
    const oldest = Math.min(version, ...[...this.#snapshots].map(snapshot => snapshot.version))
    for (const [key, text] of rows) {
      const versions = this.#rows.get(key)
      if (versions === undefined) {
        if (text === null) continue
        this.#rows.set(key, [{ since: version, text }])
        this.#keys.splice(place(this.#keys, key), 0, key)
        continue
      }
      // The newest that the oldest snapshot can see stays, everything before it goes.
      let keep = versions.length - 1
      while (keep > 0 && versions[keep]!.since > oldest) keep--
      versions.splice(0, keep)
      versions.push({ since: version, text })
      if (text === null && this.#snapshots.size === 0) {
        this.#rows.delete(key)
        this.#keys.splice(place(this.#keys, key), 1)
      }
    }
    this.#version = version
    this.#position = Math.max(this.#position, position)
    await this.#delay?.()
  }

  snapshot(): EngineSnapshot {
    this.#mustBeOpen()
    const snapshot = new MemorySnapshot(this.#version, closed => this.#snapshots.delete(closed))
    this.#snapshots.add(snapshot)
    return snapshot
  }

  async hasSpace(): Promise<boolean> {
    return true
  }

  async close(): Promise<void> {
    await this.#delay?.()
    this.#isOpen = false
  }

  #texts(keys: readonly string[], snapshot?: EngineSnapshot): Texts {
    const version = this.#visible(snapshot)
    return keys.map(key => {
      const versions = this.#rows.get(key)
      return versions === undefined ? undefined : textAt(versions, version)
    })
  }

  #visible(snapshot?: EngineSnapshot): number {
    if (!(snapshot instanceof MemorySnapshot)) return this.#version
    if (!snapshot.isOpen) throw new StoreError('STORE_UNCERTAIN', 'the store was opened again: read again')
    return snapshot.version
  }

  #mustBeOpen(): void {
    if (!this.#isOpen) throw new StoreError('STORE_UNCERTAIN', 'the store is being opened again')
  }
}

function textAt(versions: readonly Version[], version: number): string | undefined {
  for (let i = versions.length - 1; i >= 0; i--) {
    if (versions[i]!.since <= version) return versions[i]!.text ?? undefined
  }
  return undefined
}

/** Index of the first key that is not below `key`. */
function place(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

/** A few turns of the event loop, seldom a millisecond or two: enough to change the order of any two answers. */
function randomDelay(seed: number): () => Promise<void> {
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return async () => {
    if (random(20) === 0) return new Promise(resolve => setTimeout(resolve, random(3)))
    for (let turns = random(6); turns >= 0; turns--) await new Promise(resolve => setImmediate(resolve))
  }
}
