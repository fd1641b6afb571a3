/**
 * Health: asks all sources what is the case, remembers what was found and who was told, and tells what is new, once.
 *
 * A finding is in the report from the look that found it to the look that does not; administrators are told when it comes,
 * when it grows worse, and when it is over. It is over for them only after a quarter of an hour without it, so that what
 * comes and goes rings nobody each minute.
 *
 * What was told stands in the store in the batch that tells it: a crash tells nothing twice and forgets nothing. While the
 * store takes no writes (disk full), the report goes on from memory and telling is taken up later.
 */
import type { JsonObject } from '../protocol/json.ts'
import { type FindingLogRow, type FindingRow, findingLogTable, findingTable } from '../store/catalogue.ts'
import type { Position, Store, Transaction } from '../store/store.ts'
import {
  type Finding,
  findingKey,
  type HealthSource,
  type Reading,
  type Severity,
  worstFirst,
} from './finding.ts'
import { withinTime } from './time-limit.ts'

export interface ReportedFinding extends Finding {
  readonly sinceTs: number
}

export interface HealthReport {
  readonly ts: number
  /** The worst finding's; `ok` where there is none. */
  readonly state: 'ok' | Severity
  /** Alarms first. */
  readonly findings: readonly ReportedFinding[]
  readonly readings: Readonly<Record<string, JsonObject>>
}

/** Who is told: the rows of each are part of the transaction that remembers it. */
export interface Administrators {
  owners(): Promise<readonly string[]>
  /** In a transaction that owns all `owners`. */
  tellIn(tx: Transaction, owners: readonly string[], changes: readonly FindingLogRow[]): Promise<void>
}

export interface LoggedFinding extends FindingLogRow {
  readonly number: number
}

export interface Health {
  /** From now on it is asked at every look. A name has one source. */
  addSource(name: string, source: HealthSource): void
  addReading(name: string, reading: Reading): void
  /** At most a minute old. */
  report(): Promise<HealthReport>
  /** Now. Looks do not overlap: whoever comes while one is at work gets its report. */
  look(): Promise<HealthReport>
  /** What came and went, oldest first; `after` is a number of it. */
  log(options: { readonly after?: number; readonly limit: number }): Promise<LoggedFinding[]>
}

export interface HealthDeps {
  readonly store: Store
  readonly clock: () => number
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  readonly administrators: Administrators
  readonly report: (message: string) => void
  readonly sourceLimitMs?: number
}

const freshMs = 60_000
const overAfterMs = 15 * 60_000
const keptLogRows = 1_000
const owner = 'health'

export async function openHealth(deps: HealthDeps): Promise<Health> {
  const watch = new Watch(deps)
  await watch.load()
  deps.store.onReset(() => void watch.load().catch(() => deps.report('findings could not be read')))
  return watch
}

interface Found extends FindingRow {
  /** The source could not say: what it said before stands. */
  readonly isAssumed?: boolean
}

class Watch implements Health {
  readonly #deps: HealthDeps
  readonly #sources = new Map<string, HealthSource>()
  readonly #readings = new Map<string, Reading>()
  /** What the store says was told. */
  #known = new Map<string, FindingRow>()
  /** When each was found last, by the clock that never jumps. */
  readonly #foundAt = new Map<string, number>()
  #last: { readonly report: HealthReport; readonly at: number } | null = null
  #looking: Promise<HealthReport> | null = null

  constructor(deps: HealthDeps) {
    this.#deps = deps
  }

  async load(): Promise<void> {
    const rows = await this.#deps.store.read(view => view.range(findingTable.under()))
    this.#known = new Map(rows.map(({ parts, value }) => [parts[0], value]))
    const at = this.#deps.monotonic()
    for (const key of this.#known.keys()) if (!this.#foundAt.has(key)) this.#foundAt.set(key, at)
  }

  addSource(name: string, source: HealthSource): void {
    this.#sources.set(name, source)
  }

  addReading(name: string, reading: Reading): void {
    this.#readings.set(name, reading)
  }

  async report(): Promise<HealthReport> {
    const isFresh = this.#last !== null && this.#deps.monotonic() - this.#last.at < freshMs
    return isFresh ? this.#last!.report : this.look()
  }

  look(): Promise<HealthReport> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  log({ after = 0, limit }: { readonly after?: number; readonly limit: number }): Promise<LoggedFinding[]> {
    return this.#deps.store.read(async view => {
      const rows = await view.range(findingLogTable.under(), {
        limit,
        after: findingLogTable.key(after as Position),
      })
      return rows.map(({ parts, value }) => ({ number: parts[0], ...value }))
    })
  }

  async #look(): Promise<HealthReport> {
    const now = this.#deps.clock()
    const [found, readings] = await Promise.all([this.#askSources(now), this.#askReadings(now)])
    const at = this.#deps.monotonic()
    for (const [key, { isAssumed }] of found) if (!isAssumed) this.#foundAt.set(key, at)
    try {
      await this.#remember(found, now, at)
    } catch {
      this.#deps.report('findings could not be stored: administrators are told later')
    }
    const findings = worstFirst(
      [...found.values()].map(({ source: _, isAssumed: __, ...finding }) => finding),
    )
    const report: HealthReport = { ts: now, state: findings[0]?.severity ?? 'ok', findings, readings }
    this.#last = { report, at }
    return report
  }

  async #askSources(now: number): Promise<Map<string, Found>> {
    const found = new Map<string, Found>()
    const add = (source: string, finding: Finding) => {
      const key = findingKey(finding)
      found.set(key, { ...finding, source, sinceTs: this.#known.get(key)?.sinceTs ?? now })
    }
    const limitMs = this.#deps.sourceLimitMs ?? 10_000
    await Promise.all(
      [...this.#sources].map(async ([name, source]) => {
        try {
          for (const finding of await withinTime(source(now), limitMs)) add(name, finding)
        } catch {
          add(name, { code: 'health.source-failed', severity: 'warning', subject: name, facts: {} })
          for (const [key, row] of this.#known) {
            if (row.source === name && !found.has(key)) found.set(key, { ...row, isAssumed: true })
          }
        }
      }),
    )
    return found
  }

  async #askReadings(now: number): Promise<Record<string, JsonObject>> {
    const limitMs = this.#deps.sourceLimitMs ?? 10_000
    const read = await Promise.all(
      [...this.#readings].map(async ([name, reading]) => {
        const value = await withinTime(reading(now), limitMs).catch(() => null)
        return value === null ? [] : [[name, value] as const]
      }),
    )
    return Object.fromEntries(read.flat())
  }

  /** One batch: what changed, its place in the log, and the notices about it. */
  async #remember(found: ReadonlyMap<string, Found>, now: number, at: number): Promise<void> {
    const changed: Found[] = [...found.values()].filter(
      finding => this.#known.get(findingKey(finding))?.severity !== finding.severity,
    )
    const over = [...this.#known.values()].filter(row => {
      const key = findingKey(row)
      return !found.has(key) && at - (this.#foundAt.get(key) ?? at) >= overAfterMs
    })
    if (changed.length + over.length === 0) return
    const { store, administrators } = this.#deps
    const owners = await administrators.owners()
    await store.transact([owner, ...owners], async tx => {
      const log: FindingLogRow[] = []
      const told: FindingLogRow[] = []
      for (const { isAssumed: _, ...row } of changed) {
        const { source: __, sinceTs: ___, ...finding } = row
        const entry: FindingLogRow = { ...finding, ts: now, change: 'found' }
        const before = this.#known.get(findingKey(row))
        tx.put(findingTable.key(findingKey(row)), row)
        log.push(entry)
        if (row.severity !== 'note' && isWorse(row, before)) told.push(entry)
      }
      for (const row of over) {
        const { source: _, sinceTs: __, ...finding } = row
        const entry: FindingLogRow = { ...finding, ts: now, change: 'over' }
        tx.delete(findingTable.key(findingKey(row)))
        log.push(entry)
        if (row.severity !== 'note') told.push(entry)
      }
      await appendLog(tx, log)
      if (told.length > 0) await administrators.tellIn(tx, owners, told)
    })
    for (const { isAssumed: _, ...row } of changed) this.#known.set(findingKey(row), row)
    for (const row of over) {
      this.#known.delete(findingKey(row))
      this.#foundAt.delete(findingKey(row))
    }
  }
}

function isWorse(now: Finding, before: Finding | undefined): boolean {
  return before === undefined || before.severity === 'note' || now.severity === 'alarm'
}

async function appendLog(tx: Transaction, entries: readonly FindingLogRow[]): Promise<void> {
  const [last] = await tx.range(findingLogTable.under(), { reverse: true, limit: 1 })
  let number = last?.parts[0] ?? 0
  for (const entry of entries) tx.put(findingLogTable.key(++number as Position), entry)
  const keepFrom = number - keptLogRows + 1
  if (keepFrom <= 1) return
  const old = await tx.range(findingLogTable.under(), { before: findingLogTable.key(keepFrom as Position) })
  for (const { key } of old) tx.delete(key)
}
