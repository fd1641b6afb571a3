/**
 * What stands below `group-commit.ts`: ordered rows of text, and nothing else. LevelDB and the in-memory
 * engine implement it; another ordered key-value engine can stand here.
 *
 * - Keys are strings of U+0000–U+00FF, ordered by `<` (see key.ts). Values are texts; null deletes.
 * - `write` is atomic, and durable when it resolves. The caller never starts a second one before the first
 *   has settled. When it rejects, its rows may or may not be there; the caller then calls `open` again.
 * - `getMany` and `range` see every write that has resolved before the call; a snapshot sees exactly those
 *   that had resolved when it was taken. An engine answers at once where it can (no promise), else later.
 * - What is wrong is a `StoreError`: `STORE_DAMAGED` (a value that is not what was written), `STORE_FULL`.
 */
export interface Head {
  readonly epoch: number
  /** The highest position of the last group that is durable. */
  readonly position: number
}

export interface EngineSnapshot {
  close(): void
}

export interface EngineRange {
  /** First key, and the first that is no longer part of it. */
  readonly from: string
  readonly to: string
  readonly reverse: boolean
  readonly limit: number
}

export type Rows = ReadonlyMap<string, string | null>
export type Texts = (string | undefined)[]

export interface Engine {
  /** Opens; after a failed write opens again. Gives what is durable now. */
  open(): Promise<Head>
  getMany(keys: readonly string[], snapshot?: EngineSnapshot): Texts | Promise<Texts>
  range(range: EngineRange, snapshot?: EngineSnapshot): Promise<[key: string, text: string][]>
  /** `position`: the highest that these rows carry; `open` gives it back once they are durable. */
  write(rows: Rows, position: number): Promise<void>
  snapshot(): EngineSnapshot
  /** After STORE_FULL: whether opening again is worth a try. Reads go on until then. */
  hasSpace(): Promise<boolean>
  close(): Promise<void>
}
