/**
 * A new store out of a backup's rows, in a folder that has none.
 *
 * Pieces of a full backup and of the incremental ones after it are put in one after another: each replaces all rows
 * between its borders. `finish` reads everything again, compares it with what the backup says it is, and begins a new
 * epoch, so that areas revoke what must not come back and no position is given twice. Until then the folder is no
 * store: it has no head file and no journal, and no opening serves it.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { type JournalRow, journal, journalBase, repairs, type Schema, schemaRow } from './catalogue.ts'
import { checksum, seal, unseal } from './checksum.ts'
import { nextEpoch } from './epoch.ts'
import { HeadFile, type HeadRecord } from './head-file.ts'
import { type Key, tableOf } from './key.ts'
import { damaged, epochSize, type Level, openLevel, ourSchema, tableName } from './level-engine.ts'
import { isNoSpace, noSpace, pathsOf } from './level-folder.ts'
import { type RowText, rowChunks } from './row-chunks.ts'
import { StoreError } from './store.ts'

export interface ImportedFrom {
  /** The last group and epoch of the backup. */
  readonly head: HeadRecord
  readonly epoch: number
  readonly rows: number
  /** SHA-256 over the ids of all pieces in their order (see `chunksDigest`). */
  readonly digest: string
  /** What stands in the row of the new epoch, beside the time. */
  readonly report: object
}

export interface Imported {
  readonly epoch: number
  readonly rows: number
}

const rowsAtOnce = 1_000

/** What a backup says about all its pieces together. */
export function chunksDigest(): { add(id: string): void; digest(): string } {
  const hash = createHash('sha256')
  return { add: id => void hash.update(`${id}\n`), digest: () => hash.digest('base64') }
}

/** @throws StoreError STORE_NEWER, in words, where this release cannot read such data. */
export function requireReadable(schema: Schema): void {
  if (schema.oldestReader <= ourSchema.writer) return
  throw new StoreError(
    'STORE_NEWER',
    `the data was written by a newer release (schema ${schema.writer}) and needs at least schema ` +
      `${schema.oldestReader}; this release has ${ourSchema.writer}`,
  )
}

export class StoreImport {
  readonly #folder: string
  readonly #level: Level

  constructor(folder: string, level: Level) {
    this.#folder = folder
    this.#level = level
  }

  /** `folder` does not exist yet, or is empty. */
  static async begin(folder: string): Promise<StoreImport> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if ((await readdir(folder)).length > 0) throw new TypeError(`${folder} is not empty`)
    return new StoreImport(folder, await openLevel(pathsOf(folder).db))
  }

  /** All rows above `after`, up to and including `upTo`, are these from now on. */
  async replace(
    after: string,
    upTo: string | null,
    rows: readonly RowText[],
    isFirst: boolean,
  ): Promise<void> {
    try {
      if (!isFirst) await this.#level.clear({ gt: after, ...(upTo === null ? {} : { lte: upTo }) })
      for (let i = 0; i < rows.length; i += rowsAtOnce) {
        const batch = this.#level.batch()
        for (const [key, text] of rows.slice(i, i + rowsAtOnce))
          batch.put(key, seal(checksum(key, text), text))
        await batch.write()
      }
    } catch (error) {
      throw isNoSpace(error) ? noSpace(error) : error
    }
  }

  /** Rejects with STORE_DAMAGED where the rows are not those that the backup was made of. */
  async finish(from: ImportedFrom, now: number): Promise<Imported> {
    const { rows, digest } = await this.#read()
    if (rows !== from.rows || digest !== from.digest) {
      throw damaged([
        {
          kind: 'open',
          message: `The backup is not whole: it has ${rows} rows where ${from.rows} were written.`,
        },
      ])
    }
    const epoch = nextEpoch(from.epoch, now)
    const head: HeadRecord = { sequence: from.head.sequence + 1, position: epoch * epochSize, chain: epoch }
    const batch = this.#level.batch()
    const put = (key: string, text: string) => batch.put(key, seal(checksum(key, text), text))
    const row: JournalRow = [head.position, 0, 0, head.chain]
    put(journal.key(head.sequence), journal.encode(row))
    put(journalBase.key(), journalBase.encode({ sequence: head.sequence, chain: head.chain }))
    put(repairs.key(epoch), repairs.encode({ at: now, reason: 'restore', report: from.report }))
    if (!(await this.#level.has(schemaRow.key()))) put(schemaRow.key(), schemaRow.encode(ourSchema))
    try {
      // With fsync, and with it the log of everything before; tables were synced when LevelDB made them.
      await batch.write({ sync: true })
      await this.#level.close()
      await (await HeadFile.open(pathsOf(this.#folder).head, head)).close()
    } catch (error) {
      throw isNoSpace(error) ? noSpace(error) : error
    }
    return { epoch, rows }
  }

  /** The rows of one table, some at a time: for whoever compares them with files. */
  async *rowsOf<P extends readonly unknown[], V>(range: {
    readonly table: { decode(text: string): V; parts(key: string): P }
    readonly from: string
    readonly to: string
  }): AsyncGenerator<readonly { readonly parts: P; readonly value: V }[]> {
    for await (const rows of this.#rows(range.from, range.to)) {
      yield rows.map(([key, text]) => ({ parts: range.table.parts(key), value: range.table.decode(text) }))
    }
  }

  async get<V>(key: Key<V>): Promise<V | undefined> {
    const sealed = await this.#level.get(key)
    const text = sealed === undefined ? null : unseal(key, sealed)
    return text === null ? undefined : (tableOf(key).decode(text) as V)
  }

  close(): Promise<void> {
    return this.#level.close()
  }

  async #read(): Promise<{ rows: number; digest: string }> {
    const digest = chunksDigest()
    let rows = 0
    for await (const chunk of rowChunks(this.#rows('', '\xff'))) {
      rows += chunk.rows
      digest.add(chunk.id)
    }
    return { rows, digest: digest.digest() }
  }

  async *#rows(from: string, to: string): AsyncGenerator<RowText[]> {
    const iterator = this.#level.iterator({ gte: from, lt: to })
    try {
      for (;;) {
        const found = await iterator.nextv(rowsAtOnce)
        if (found.length === 0) return
        yield found.map(([key, sealed]): RowText => {
          const text = unseal(key, sealed)
          if (text !== null) return [key, text]
          throw damaged([{ kind: 'row', message: `A row of "${tableName(key)}" is not what was written.` }])
        })
      }
    } finally {
      await iterator.close()
    }
  }
}
