/**
 * What a transaction and a read see, and how a transaction keeps what it writes until it is queued.
 *
 * A read sees one snapshot of durable rows. A transaction sees, newest first: its own rows, rows that are finished but
 * not yet durable, and the engine's. The promises stand in store.ts.
 */
import type { EngineRange, EngineSnapshot, Texts } from './engine.ts'
import { type Key, type KeyRange, tableOf } from './key.ts'
import type { Entry, Position, RangeOptions, RowWriter, Topic, Transaction, View } from './store.ts'

/** Where rows come from: the engine, and what is finished but not durable. */
export interface RowSource {
  engineGetMany(keys: readonly string[], snapshot?: EngineSnapshot): Texts | Promise<Texts>
  engineRange(range: EngineRange, snapshot?: EngineSnapshot): Promise<[string, string][]>
  /** undefined: not pending; null: a pending deletion. */
  pendingText(key: string): string | null | undefined
  /** Pending rows of a range, newest value each; null where the row is deleted. */
  pendingRange(from: string, to: string): Map<string, string | null>
}

/** A snapshot that several readers share until the next group is durable. */
export class Shot {
  readonly snapshot: EngineSnapshot
  readonly position: Position
  readers = 0
  stale = false
  #closed = false

  constructor(snapshot: EngineSnapshot, position: Position) {
    this.snapshot = snapshot
    this.position = position
  }

  closeIfUnused(): void {
    if (!this.stale || this.readers > 0 || this.#closed) return
    this.#closed = true
    this.snapshot.close()
  }
}

export class ReadView implements View {
  readonly #store: RowSource
  readonly #shot: Shot

  constructor(store: RowSource, shot: Shot) {
    this.#store = store
    this.#shot = shot
  }

  async get<V>(key: Key<V>): Promise<V | undefined> {
    const texts = this.#store.engineGetMany([key], this.#shot.snapshot)
    return decode(key, (Array.isArray(texts) ? texts : await texts)[0]) as V | undefined
  }

  async getMany<const K extends readonly Key<unknown>[]>(keys: K) {
    const found = this.#store.engineGetMany(keys, this.#shot.snapshot)
    const texts = Array.isArray(found) ? found : await found
    const values = new Array<unknown>(keys.length)
    for (let i = 0; i < values.length; i++) values[i] = decode(keys[i]!, texts[i])
    return values as ValuesOf<K>
  }

  async range<P extends readonly unknown[], V>(range: KeyRange<P, V>, options: RangeOptions = {}) {
    const bounds = boundsOf(range, options)
    if (bounds.from >= bounds.to || bounds.limit <= 0) return []
    const found = await this.#store.engineRange(bounds, this.#shot.snapshot)
    return found.map(([key, text]) => entry(range, key, text))
  }
}

export class Tx implements Transaction {
  readonly #store: RowSource
  readonly fn: (tx: Transaction) => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly rows = new Map<string, string | null>()
  topics: Set<Topic> | undefined
  fills: ((next: () => Position, rows: RowWriter) => void)[] | undefined
  generation = 0
  isOver = false
  result: unknown

  constructor(
    store: RowSource,
    fn: (tx: Transaction) => unknown,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#store = store
    this.fn = fn
    this.resolve = resolve
    this.reject = reject
  }

  put<V>(key: Key<V>, value: V): void {
    this.#mustBeOpen()
    this.rows.set(key, encode(key, value))
  }

  delete(key: Key<unknown>): void {
    this.#mustBeOpen()
    this.rows.set(key, null)
  }

  announce(topic: Topic): void {
    this.#mustBeOpen()
    this.topics ??= new Set()
    this.topics.add(topic)
  }

  sequence(fill: (next: () => Position, rows: RowWriter) => void): void {
    this.#mustBeOpen()
    this.fills ??= []
    this.fills.push(fill)
  }

  /** Handed to `sequence`: the transaction is over for everybody else. */
  get sequencedRows(): RowWriter {
    return {
      put: (key, value) => {
        this.rows.set(key, encode(key, value))
      },
      delete: key => {
        this.rows.set(key, null)
      },
      announce: topic => {
        this.topics ??= new Set()
        this.topics.add(topic)
      },
    }
  }

  /** A write that nobody waits for any more would be lost without a word. */
  #mustBeOpen(): void {
    if (this.isOver) throw new TypeError('the transaction is over: something in it was not awaited')
  }

  async get<V>(key: Key<V>): Promise<V | undefined> {
    const pending = this.#pending(key)
    if (pending !== undefined) return pending === null ? undefined : (decode(key, pending) as V)
    const texts = this.#store.engineGetMany([key])
    return decode(key, (Array.isArray(texts) ? texts : await texts)[0]) as V | undefined
  }

  async getMany<const K extends readonly Key<unknown>[]>(keys: K) {
    const values = new Array<unknown>(keys.length)
    let missing: string[] | undefined
    let places: number[] | undefined
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      const pending = this.#pending(key)
      if (pending === undefined) {
        missing ??= []
        places ??= []
        missing.push(key)
        places.push(i)
      } else if (pending !== null) values[i] = decode(key, pending)
    }
    if (missing !== undefined) {
      const found = this.#store.engineGetMany(missing)
      const texts = Array.isArray(found) ? found : await found
      for (let i = 0; i < texts.length; i++) values[places![i]!] = decode(missing[i]!, texts[i])
    }
    return values as ValuesOf<K>
  }

  async range<P extends readonly unknown[], V>(range: KeyRange<P, V>, options: RangeOptions = {}) {
    const bounds = boundsOf(range, options)
    if (bounds.from >= bounds.to || bounds.limit <= 0) return []
    // Taken before the engine is asked: a group that becomes durable meanwhile is then seen twice, never not at all.
    const pending = this.#store.pendingRange(bounds.from, bounds.to)
    for (const [key, text] of this.rows) if (key >= bounds.from && key < bounds.to) pending.set(key, text)
    // Each pending row may hide one durable row.
    const found = await this.#store.engineRange({ ...bounds, limit: bounds.limit + pending.size })
    const rows = pending.size === 0 ? found : overlay(found, pending, bounds)
    return rows.slice(0, bounds.limit).map(([key, text]) => entry(range, key, text))
  }

  #pending(key: string): string | null | undefined {
    if (this.rows.size > 0) {
      const own = this.rows.get(key)
      if (own !== undefined) return own
    }
    return this.#store.pendingText(key)
  }
}

type ValuesOf<K extends readonly Key<unknown>[]> = {
  -readonly [I in keyof K]: K[I] extends Key<infer V> ? V | undefined : never
}

function encode(key: string, value: unknown): string {
  const text = tableOf(key).encode(value)
  if (typeof text !== 'string') throw new TypeError(`${tableOf(key).name}: the value has no encoding`)
  return text
}

function decode(key: string, text: string | undefined): unknown {
  return text === undefined ? undefined : tableOf(key).decode(text)
}

function entry<P extends readonly unknown[], V>(
  range: KeyRange<P, V>,
  key: string,
  text: string,
): Entry<P, V> {
  return { key: key as Key<V>, parts: range.table.parts(key), value: range.table.decode(text) }
}

function boundsOf(range: KeyRange<readonly unknown[], unknown>, options: RangeOptions): EngineRange {
  const { after, before } = options
  return {
    // The first key above `after` is `after` and one zero byte.
    from: after !== undefined && after >= range.from ? `${after}\x00` : range.from,
    to: before !== undefined && before < range.to ? before : range.to,
    reverse: options.reverse ?? false,
    limit: options.limit ?? Number.MAX_SAFE_INTEGER,
  }
}

function overlay(
  found: readonly [string, string][],
  pending: ReadonlyMap<string, string | null>,
  bounds: EngineRange,
): [string, string][] {
  const rows = found.filter(([key]) => !pending.has(key))
  // Where the limit cut the durable rows off, pending rows beyond the cut cannot be placed, nor are they needed.
  const last = found.length === bounds.limit + pending.size ? found.at(-1)![0] : undefined
  for (const [key, text] of pending) {
    const isBeyond = last !== undefined && (bounds.reverse ? key < last : key > last)
    if (text !== null && !isBeyond) rows.push([key, text])
  }
  return rows.sort(([a], [b]) => (a < b === bounds.reverse ? 1 : -1))
}
