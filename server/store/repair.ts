/**
 * Repair: what can still be read with certainty becomes a new database; the damaged one is set aside.
 *
 * LevelDB's own repair looks at no checksum and keeps damaged blocks. This one reads LevelDB's files itself:
 * every block and log record with a good checksum, and out of damaged log records the rows whose own
 * checksum fits. For each key the newest such row counts. Rows of damaged blocks are lost; where an older
 * form of such a row, or a row that it deleted, stands in another file, that comes back. Hence the new epoch, which
 * makes areas revoke what must not come back.
 *
 * The new database begins a new epoch and a new journal. It takes its place in one step, after which a
 * crash is finished by the next opening; before it nothing has changed.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { cleanScrub, type JournalRow, journal, journalBase, repairs, schemaRow } from './catalogue.ts'
import { checksum, seal, unseal } from './checksum.ts'
import { epochAfterUnknown } from './epoch.ts'
import { readHead } from './head-file.ts'
import { epochSize, openLevel, ourSchema, tableName } from './level-engine.ts'
import {
  asides,
  type Completion,
  completeFile,
  type FolderLock,
  finishSwap,
  lockFolder,
  namesIn,
  pathsOf,
} from './level-folder.ts'
import {
  batchRows,
  batchSequence,
  FormatError,
  filesOnDisk,
  type RawRow,
  readLog,
  readManifest,
  readTable,
} from './leveldb-files.ts'
import type { Progress } from './scrub.ts'
import { StoreError } from './store.ts'

export interface RepairOptions {
  readonly clock?: () => number
  readonly onProgress?: (progress: Progress) => void
  readonly lock?: FolderLock
}

export interface RepairReport {
  readonly rowsKept: number
  /** Rows that were read but are not what was written, by table. */
  readonly rowsDropped: Readonly<Record<string, number>>
  /** Blocks of table files whose rows are lost, by file. */
  readonly blocksDropped: Readonly<Record<string, number>>
  readonly logRecordsDamaged: number
  /** Acknowledged commit groups that are in no file any more. */
  readonly groupsLost: number
  /** Whether LevelDB's list of its files was readable; without it deleted rows may well come back. */
  readonly manifestWasReadable: boolean
  readonly epoch: number
  /** Where the damaged database is. */
  readonly setAside: string
}

const keptDamaged = 2

export async function repairFolder(folder: string, options: RepairOptions = {}): Promise<RepairReport> {
  const lock = options.lock ?? (await lockFolder(folder))
  try {
    await finishSwap(folder)
    return await new Repair(folder, options).run()
  } finally {
    if (options.lock === undefined) await lock.release()
  }
}

class Repair {
  readonly #folder: string
  readonly #options: RepairOptions
  readonly #rowsDropped: Record<string, number> = {}
  readonly #blocksDropped: Record<string, number> = {}
  #logRecordsDamaged = 0
  #manifestWasReadable = false

  constructor(folder: string, options: RepairOptions) {
    this.#folder = folder
    this.#options = options
  }

  async run(): Promise<RepairReport> {
    const paths = pathsOf(this.#folder)
    await rm(paths.repaired, { recursive: true, force: true })
    await this.#removeOldDamaged()
    await this.#requireSpace()
    const work = join(this.#folder, 'salvage')
    await rm(work, { recursive: true, force: true })
    const salvage = await Salvage.open(work)
    try {
      await this.#salvageAll(salvage)
      return await this.#rewrite(salvage)
    } finally {
      await salvage.close()
      await rm(work, { recursive: true, force: true })
    }
  }

  async #removeOldDamaged(): Promise<void> {
    const old = (await namesIn(this.#folder))
      .filter(name => /^damaged-\d+$/.test(name))
      .sort((a, b) => Number(a.slice(8)) - Number(b.slice(8)))
    for (const name of old.slice(0, Math.max(0, old.length - keptDamaged + 1))) {
      await rm(join(this.#folder, name), { recursive: true })
    }
  }

  async #requireSpace(): Promise<void> {
    let bytes = 0
    const { db } = pathsOf(this.#folder)
    for (const name of await namesIn(db)) bytes += (await stat(join(db, name))).size
    const needed = 3 * bytes + 16 * 2 ** 20
    const { bavail, bsize } = await statfs(this.#folder)
    if (bavail * bsize < needed) {
      throw new StoreError(
        'STORE_FULL',
        `repair needs ${mebibytes(needed)} MiB of free space beside the data (there are ${mebibytes(bavail * bsize)}): ` +
          'the damaged database is kept, and a new one is written next to it',
      )
    }
  }

  async #salvageAll(salvage: Salvage): Promise<void> {
    const { db, aside } = pathsOf(this.#folder)
    const onDisk =
      (await namesIn(db)).length > 0 ? await filesOnDisk(db) : { tables: new Map(), logs: new Map() }
    const manifest = await this.#manifest(db)
    this.#manifestWasReadable = manifest !== null
    const tables = [...onDisk.tables].filter(([number]) => manifest?.tables.has(number) ?? true)
    let done = 0
    for (const [, name] of tables) {
      this.#options.onProgress?.({ step: 'salvage', done: done++, total: tables.length })
      const { damage } = readTable(await readFile(join(db, name)), (rows, isCertain) => {
        for (const row of rows) this.#take(salvage, row, isCertain)
      })
      if (damage.length > 0) this.#blocksDropped[name] = damage.length
      await salvage.flush()
    }
    const logs: string[] = []
    for (const [number, name] of onDisk.logs) {
      if (manifest === null || number >= manifest.logNumber) logs.push(join(db, name))
    }
    // Logs as they were before an opening that found damage: LevelDB has deleted them since. Copies of
    // openings that went well are left alone, their rows may have been deleted later.
    for (const copy of await asides(this.#folder)) {
      if (copy.endsWith('-served')) continue
      for (const name of await readdir(join(aside, copy))) {
        if (name.endsWith('.log')) logs.push(join(aside, copy, name))
      }
    }
    const seen = new Set<string>()
    for (const path of logs) await this.#salvageLog(salvage, path, seen)
  }

  /** LevelDB's own list; where CURRENT is gone, the newest MANIFEST that reads well. */
  async #manifest(db: string): Promise<Awaited<ReturnType<typeof readManifest>> | null> {
    try {
      return await readManifest(db)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
    const names = (await namesIn(db)).filter(name => /^MANIFEST-\d+$/.test(name)).sort()
    for (const name of names.reverse()) {
      try {
        return await readManifest(db, name)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
      }
    }
    return null
  }

  async #salvageLog(salvage: Salvage, path: string, seen: Set<string>): Promise<void> {
    const { records } = readLog(await readFile(path))
    let expected: bigint | undefined
    for (const { isGood, payload, offset } of records) {
      const { first, count } = batchSequence(payload)
      if (isGood) {
        for (const row of batchRows(payload)) this.#take(salvage, row)
        expected = first + BigInt(count)
        continue
      }
      const place = `${basename(path)}:${offset}`
      if (!seen.has(place)) this.#logRecordsDamaged++
      seen.add(place)
      // Its rows carry checksums of their own; which place they have in the order is only sure where the
      // batch follows the one before. Deletions carry none and are left out.
      if (expected === undefined || first !== expected) continue
      for (const row of batchRows(payload)) if (row.value !== null) this.#take(salvage, row)
      expected = undefined
    }
    await salvage.flush()
  }

  #take(salvage: Salvage, row: RawRow, isCertain = true): void {
    if (row.value !== null) {
      const key = row.key.toString('utf8')
      if (unseal(key, row.value.toString('utf8')) === null) {
        if (!isCertain) return
        const table = tableName(key)
        this.#rowsDropped[table] = (this.#rowsDropped[table] ?? 0) + 1
        return
      }
    }
    salvage.take(row)
  }

  async #rewrite(salvage: Salvage): Promise<RepairReport> {
    const paths = pathsOf(this.#folder)
    const head = (await readHead(paths.head)) ?? undefined
    await mkdir(paths.repaired, { mode: 0o700 })
    const level = await openLevel(paths.repaired)
    let rowsKept = 0
    let hasSchema = false
    let base = 1
    const groups = { highest: head?.sequence ?? 0, position: head?.position ?? 0, found: new Set<number>() }
    try {
      for await (const rows of salvage.rows()) {
        const batch = level.batch()
        for (const [key, sealed] of rows) {
          const text = unseal(key, sealed)!
          if (key.startsWith(journal.prefix)) {
            const [sequence] = journal.parts(key)
            groups.found.add(sequence)
            groups.highest = Math.max(groups.highest, sequence)
            groups.position = Math.max(groups.position, journal.decode(text)[0])
            continue
          }
          if (key === journalBase.key()) base = journalBase.decode(text).sequence
          if (key === journalBase.key() || key === cleanScrub.key()) continue
          if (key === schemaRow.key()) hasSchema = true
          batch.put(key, sealed)
          rowsKept++
        }
        await batch.write()
        this.#options.onProgress?.({ step: 'rewrite', done: rowsKept })
      }
      let groupsLost = 0
      for (let n = base; n <= groups.highest; n++) if (!groups.found.has(n)) groupsLost++
      const at = (this.#options.clock ?? Date.now)()
      const epoch = groups.position > 0 ? Math.floor(groups.position / epochSize) + 1 : epochAfterUnknown(at)
      const report: RepairReport = {
        rowsKept,
        rowsDropped: this.#rowsDropped,
        blocksDropped: this.#blocksDropped,
        logRecordsDamaged: this.#logRecordsDamaged,
        groupsLost,
        manifestWasReadable: this.#manifestWasReadable,
        epoch,
        setAside: join(this.#folder, `damaged-${epoch}`),
      }
      const sequence = groups.highest + 1
      const newHead = { sequence, position: epoch * epochSize, chain: epoch }
      const batch = level.batch()
      const put = (key: string, text: string) => batch.put(key, seal(checksum(key, text), text))
      const row: JournalRow = [newHead.position, 0, 0, newHead.chain]
      put(journal.key(sequence), journal.encode(row))
      put(journalBase.key(), journalBase.encode({ sequence, chain: newHead.chain }))
      put(repairs.key(epoch), repairs.encode({ at, reason: 'repair', report }))
      if (!hasSchema) put(schemaRow.key(), schemaRow.encode(ourSchema))
      // With fsync, and with it the log of everything before; tables were synced when LevelDB made them.
      await batch.write({ sync: true })
      await level.close()
      await complete(paths.repaired, { epoch, head: newHead })
      await finishSwap(this.#folder)
      return report
    } finally {
      await level.close()
    }
  }
}

/** From here on the repair counts, whatever happens. */
async function complete(folder: string, completion: Completion): Promise<void> {
  const path = join(folder, completeFile)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(completion))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

/** For each key the row with the highest sequence, on disk, because it may be more than memory holds. */
class Salvage {
  readonly #level: ClassicLevel<Buffer, Buffer>
  /** Keys as latin1. */
  #taken = new Map<string, RawRow>()

  constructor(level: ClassicLevel<Buffer, Buffer>) {
    this.#level = level
  }

  static async open(path: string): Promise<Salvage> {
    const level = new ClassicLevel<Buffer, Buffer>(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
    await level.open()
    return new Salvage(level)
  }

  take(row: RawRow): void {
    const key = row.key.toString('latin1')
    const other = this.#taken.get(key)
    if (other === undefined || row.sequence > other.sequence) this.#taken.set(key, row)
  }

  async flush(): Promise<void> {
    const taken = [...this.#taken.values()]
    this.#taken = new Map()
    for (let i = 0; i < taken.length; i += 1000) {
      const rows = taken.slice(i, i + 1000)
      const there = await this.#level.getMany(rows.map(row => row.key))
      const batch = this.#level.batch()
      for (const [k, row] of rows.entries()) {
        const other = there[k]
        if (other !== undefined && other.readBigUInt64BE(0) >= row.sequence) continue
        const tag = Buffer.alloc(9)
        tag.writeBigUInt64BE(row.sequence, 0)
        tag[8] = row.value === null ? 0 : 1
        batch.put(row.key, Buffer.concat([tag, row.value ?? Buffer.alloc(0)]))
      }
      await batch.write()
    }
  }

  /** What is not deleted, in key order, some at a time. */
  async *rows(): AsyncGenerator<[key: string, sealed: string][]> {
    const iterator = this.#level.iterator()
    try {
      for (;;) {
        const found = await iterator.nextv(1000)
        if (found.length === 0) return
        yield found
          .filter(([, value]) => value[8] === 1)
          .map(([key, value]) => [key.toString('utf8'), value.toString('utf8', 9)])
      }
    } finally {
      await iterator.close()
    }
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
