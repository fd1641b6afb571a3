/**
 * Reading everything again, to find rot before somebody needs the data: every block of every table file,
 * every row's checksum, the journal from its base, and what areas can recompute (event ids).
 *
 * A flipped bit in an index or a filter hides rows that exist; only the blocks' own checksums show that.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanScrub, journal, journalBase } from './catalogue.ts'
import { tableOf } from './key.ts'
import { type LevelEngine, tableName } from './level-engine.ts'
import { pathsOf } from './level-folder.ts'
import { filesOnDisk, readManifest, readTable } from './leveldb-files.ts'
import { type Finding, type Store, StoreError } from './store.ts'

export interface ScrubRow {
  /** The table's name in the catalogue. */
  readonly table: string
  readonly key: string
  readonly value: unknown
}

/**
 * Port: what an area can verify beyond checksums. Gets rows of all tables, in key order, some hundred at a
 * time, and a way to read rows that belong to them. Findings name no key and no value.
 */
export type ScrubCheck = (
  rows: readonly ScrubRow[],
  getMany: (keys: readonly string[]) => readonly unknown[],
) => readonly Finding[] | Promise<readonly Finding[]>

export interface Progress {
  readonly step: 'files' | 'rows' | 'journal' | 'salvage' | 'rewrite'
  readonly done: number
  /** Unknown for rows. */
  readonly total?: number
}

export interface ScrubOptions {
  readonly checks?: readonly ScrubCheck[]
  readonly onProgress?: (progress: Progress) => void
  /** Both unbounded if absent. */
  readonly bytesPerSecond?: number
  readonly rowsPerSecond?: number
  readonly isStopped?: () => boolean
}

export interface ScrubReport {
  readonly rows: number
  readonly bytes: number
  readonly findings: readonly Finding[]
}

/** More of the same kind is counted, not listed. */
const listedFindings = 100

export class Findings {
  readonly list: Finding[] = []
  #unlisted = 0

  add(...findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (this.list.length < listedFindings) this.list.push(finding)
      else this.#unlisted++
    }
  }

  all(): readonly Finding[] {
    if (this.#unlisted === 0) return this.list
    return [...this.list, { kind: 'row', message: `${this.#unlisted} more findings are not listed.` }]
  }
}

/** Every block of every table file that is in use. */
export async function scrubTables(folder: string, options: ScrubOptions = {}): Promise<ScrubReport> {
  const { db } = pathsOf(folder)
  const findings = new Findings()
  const { tables } = await readManifest(db)
  const onDisk = await filesOnDisk(db)
  const pace = paced(options.bytesPerSecond)
  let bytes = 0
  let done = 0
  for (const number of tables.keys()) {
    if (options.isStopped?.()) break
    options.onProgress?.({ step: 'files', done: done++, total: tables.size })
    const name = onDisk.tables.get(number)
    const content = name === undefined ? undefined : await readFile(join(db, name)).catch(() => undefined)
    if (content === undefined) {
      // A compaction may have replaced it meanwhile; then the MANIFEST no longer names it.
      if ((await readManifest(db)).tables.has(number)) {
        findings.add({ kind: 'table-file', message: `Table file ${number} is missing or cannot be read.` })
      }
      continue
    }
    const { damage } = readTable(content)
    if (damage.length > 0) {
      const places = damage.length === 1 ? 'one place' : `${damage.length} places`
      findings.add({
        kind: 'table-file',
        message: `Table file ${name} is damaged in ${places} (${damage[0]}).`,
      })
    }
    bytes += content.length
    await pace(content.length)
  }
  return { rows: 0, bytes, findings: findings.all() }
}

/** Every row, through LevelDB. */
export async function scrubRows(engine: LevelEngine, options: ScrubOptions = {}): Promise<ScrubReport> {
  const findings = new Findings()
  const pace = paced(options.rowsPerSecond)
  const checks = options.checks ?? []
  const getMany = (keys: readonly string[]) =>
    engine.getMany(keys).map((text, i) => (text === undefined ? undefined : tableOf(keys[i]!).decode(text)))
  const chunk = 500
  let rows = 0
  let from = ''
  for (;;) {
    if (options.isStopped?.()) break
    // A new iterator each time: a long-lived one would keep LevelDB from deleting replaced files.
    const found = await engine.scan(from, '\xff', chunk)
    const readable: ScrubRow[] = []
    for (const { key, text } of found) {
      const table = tableName(key)
      if (text === null) {
        findings.add({ kind: 'row', message: `A row of "${table}" is not what was written.` })
      } else if (checks.length > 0) {
        try {
          readable.push({ table, key, value: tableOf(key).decode(text) })
        } catch {
          // A table of another release: its rows are whole, what they mean is not known here.
        }
      }
    }
    for (const check of checks) findings.add(...(await check(readable, getMany)))
    rows += found.length
    options.onProgress?.({ step: 'rows', done: rows })
    if (found.length < chunk) break
    from = `${found.at(-1)!.key}\x00`
    await pace(chunk)
  }
  return { rows, bytes: 0, findings: findings.all() }
}

export interface ScrubberOptions {
  readonly checks?: readonly ScrubCheck[]
  readonly clock?: () => number
  readonly bytesPerSecond?: number
  readonly rowsPerSecond?: number
  /** From one clean scrub to the next. */
  readonly everyMs?: number
  /** The journal is trimmed once it is this long; opening walks at most about this many rows. */
  readonly journalRows?: number
  readonly onDamage: (findings: readonly Finding[]) => void
}

const lookEveryMs = 5000

/** In the background of a running store, at a bounded rate. */
export class Scrubber {
  readonly #engine: LevelEngine
  readonly #store: Store
  readonly #options: ScrubberOptions
  readonly #clock: () => number
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #isStopped = false
  /** Where the next trim begins. At first at the very first row, because an earlier trim may have been interrupted. */
  #trimmedTo: string = journal.under().from

  constructor(engine: LevelEngine, store: Store, options: ScrubberOptions) {
    this.#engine = engine
    this.#store = store
    this.#options = options
    this.#clock = options.clock ?? Date.now
    this.#schedule()
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#look()
        .catch((error: unknown) => {
          // Everything else (full, reopening, closing) passes, and the next look comes soon.
          if (error instanceof StoreError && error.code === 'STORE_DAMAGED') {
            this.#options.onDamage(error.findings)
          }
        })
        .then(() => {
          if (!this.#isStopped) this.#schedule()
        })
    }, lookEveryMs)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    const [last] = await this.#store.read(view => view.getMany([cleanScrub.key()]))
    const every = this.#options.everyMs ?? 24 * 3_600_000
    if (last === undefined) await this.#recordClean(0)
    else if (this.#clock() >= last.at + every) await this.scrub()
    await this.trimJournal(this.#options.journalRows ?? 5000)
  }

  /** One whole pass. Without a finding it is recorded and the journal trimmed. */
  async scrub(options: ScrubOptions = this.#options): Promise<ScrubReport> {
    const checks = this.#options.checks ?? []
    const all = { checks, ...options, isStopped: () => this.#isStopped }
    const files = await scrubTables(this.#engine.folder, all)
    const rows = await scrubRows(this.#engine, all)
    const walk = await this.#engine.walkJournal(this.#engine.head)
    const findings = [...files.findings, ...rows.findings, ...walk.findings]
    if (findings.length > 0) this.#options.onDamage(findings)
    else if (!this.#isStopped) {
      await this.#recordClean(rows.rows)
      await this.trimJournal(0)
    }
    return { rows: rows.rows, bytes: files.bytes, findings }
  }

  async #recordClean(rows: number): Promise<void> {
    const at = this.#clock()
    await this.#store.transact('_store', tx => tx.put(cleanScrub.key(), { at, rows }))
  }

  /** Walks the journal, if it is longer than `rows`, and begins it anew at the last group that was reached. */
  async trimJournal(rows: number): Promise<void> {
    const [base] = await this.#store.read(view => view.getMany([journalBase.key()]))
    if (this.#engine.head.sequence - (base?.sequence ?? 1) <= rows) return
    const { last, findings } = await this.#engine.walkJournal(this.#engine.head)
    if (findings.length > 0) {
      this.#options.onDamage(findings)
      return
    }
    await this.#store.transact('_store', tx =>
      tx.put(journalBase.key(), { sequence: last.sequence, chain: last.chain }),
    )
    for (;;) {
      const found = await this.#engine.scan(this.#trimmedTo, journal.key(last.sequence), 500)
      if (found.length === 0 || this.#isStopped) return
      this.#trimmedTo = found.at(-1)!.key
      await this.#store.transact('_store', tx => {
        for (const { key } of found) tx.delete(key as ReturnType<typeof journal.key>)
      })
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#running
  }
}

/** Waits as long as the given amount may take at the given rate. */
function paced(perSecond: number | undefined): (amount: number) => Promise<void> {
  return amount =>
    perSecond === undefined
      ? new Promise(resolve => setImmediate(resolve))
      : new Promise(resolve => setTimeout(resolve, (amount / perSecond) * 1000))
}
