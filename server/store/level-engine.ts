/**
 * LevelDB behind the store, with what LevelDB does not promise: loss and rot are noticed.
 *
 * - Every value carries a checksum over key and value (checksum.ts), looked at on every read.
 * - Each commit group adds one `journal` row to its own batch, chained to the one before. Opening walks them
 *   from the base to the end: a hole, a broken chain, or a head file that is ahead means loss.
 * - The head file outside LevelDB (head-file.ts) notices a lost end, which the walk alone cannot.
 * - CURRENT, MANIFEST and logs are verified and copied aside before LevelDB opens them, because it deletes
 *   logs that it has read, damaged ones as well.
 *
 * Reads answer at once (`getSync`, no thread hop); ranges take one hop. One batch with fsync a group.
 * A crash leaves: LevelDB with the last group or without it, the head file at that group or before it.
 */
import { mkdir, statfs } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { type JournalRow, journal, journalBase, type Schema, schemaRow } from './catalogue.ts'
import { checksum, seal, unseal } from './checksum.ts'
import type { Engine, EngineRange, EngineSnapshot, Head, Rows, Texts } from './engine.ts'
import { type GroupCommitOptions, openGroupCommit } from './group-commit.ts'
import { emptyHead, HeadFile, type HeadRecord } from './head-file.ts'
import { type Key, tableOf } from './key.ts'
import {
  causeCode,
  copyAside,
  type FolderLock,
  finishSwap,
  inspectFolder,
  isNoSpace,
  lockFolder,
  markServed,
  noSpace,
  pathsOf,
  recordedDamage,
} from './level-folder.ts'
import { type Finding, type Store, StoreError } from './store.ts'

/** Raised when a release writes what the release before `oldestReader` cannot read and write. */
export const ourSchema: Schema = { writer: 1, oldestReader: 1 }

/** Positions are epoch · 2³⁶ + counter. */
export const epochSize = 2 ** 36

export interface LevelOptions {
  readonly cacheBytes?: number
  /** A disk with less free space than this counts as full still. */
  readonly minimumFreeBytes?: number
  /** Open although damage was recorded earlier: to look whether it is still there. */
  readonly ignoreRecordedDamage?: boolean
  /** The folder's lock, where somebody holds it already and keeps it. */
  readonly lock?: FolderLock
}

/** For whoever needs no maintenance mode (tools, tests); the server uses `StoreHost`. Rejects with the
 * `StoreError` that says why: STORE_DAMAGED with its findings, STORE_LOCKED, STORE_FULL, STORE_NEWER. */
export function openLevelStore(
  folder: string,
  options: LevelOptions & GroupCommitOptions = {},
): Promise<Store> {
  return openGroupCommit(new LevelEngine(folder, options), options)
}

export type Level = ClassicLevel<string, string>

class LevelSnapshot implements EngineSnapshot {
  readonly level: Level
  readonly options: { readonly snapshot: ReturnType<Level['snapshot']> }

  constructor(level: Level) {
    this.level = level
    this.options = { snapshot: level.snapshot() }
  }

  close(): void {
    // It is closed together with its database, if that was faster.
    this.options.snapshot.close().catch(() => {})
  }
}

export interface ScannedRow {
  readonly key: string
  /** Null: not what was written under this key. */
  readonly text: string | null
}

export class LevelEngine implements Engine {
  readonly #folder: string
  readonly #options: LevelOptions
  #lock: FolderLock | undefined
  #level: Level | undefined
  #headFile: HeadFile | undefined
  #head: HeadRecord = emptyHead

  constructor(folder: string, options: LevelOptions = {}) {
    this.#folder = folder
    this.#options = options
  }

  get folder(): string {
    return this.#folder
  }

  /** The last durable group: the scrub walks the journal up to here. */
  get head(): HeadRecord {
    return this.#head
  }

  async open(): Promise<Head> {
    await this.#closeLevel()
    if (this.#options.lock === undefined) this.#lock ??= await lockFolder(this.#folder)
    try {
      await this.#open()
    } catch (error) {
      await this.close()
      if (error instanceof StoreError) throw error
      if (isNoSpace(error)) throw noSpace(error)
      const message = `It cannot be opened: ${(error as Error).message}.`
      throw damaged([{ kind: 'open', message }], error)
    }
    return { epoch: Math.floor(this.#head.position / epochSize), position: this.#head.position }
  }

  async #open(): Promise<void> {
    const { db, head } = pathsOf(this.#folder)
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await finishSwap(this.#folder)
    const recorded = this.#options.ignoreRecordedDamage ? [] : await recordedDamage(this.#folder)
    if (recorded.length > 0) throw damaged(recorded)
    const state = await inspectFolder(this.#folder)
    if (state.findings.length > 0) throw damaged(state.findings)
    // The head file is durable before the first row: a database that vanishes later is missed.
    if (state.isNew) this.#headFile = await HeadFile.open(head, emptyHead)
    const aside = state.isNew ? undefined : await this.#copyAside()
    const level: Level = await openLevel(db, this.#options.cacheBytes)
    this.#level = level
    const isFresh = state.isNew || (state.head?.sequence === 0 && (await isEmpty(level)))
    if (isFresh) {
      this.#head = emptyHead
      this.#headFile ??= await HeadFile.open(head, emptyHead)
      await this.write(new Map([[schemaRow.key(), schemaRow.encode(ourSchema)]]), epochSize)
    } else {
      const schema = this.#checkSchema()
      const walk = await this.walkJournal(state.head)
      if (walk.findings.length > 0) throw damaged(walk.findings)
      this.#head = walk.last
      this.#headFile = await HeadFile.open(head, walk.last)
      if (schema.writer < ourSchema.writer) {
        await this.write(new Map([[schemaRow.key(), schemaRow.encode(ourSchema)]]), walk.last.position)
      }
    }
    if (aside !== undefined) await markServed(aside)
  }

  async #copyAside(): Promise<string | undefined> {
    try {
      return await copyAside(this.#folder)
    } catch (error) {
      // A copy is worth less than a server that works; the oldest copies are gone by now, to make room.
      if (isNoSpace(error)) return undefined
      throw error
    }
  }

  #checkSchema(): Schema {
    const text = this.getMany([schemaRow.key()])[0]
    if (text === undefined) {
      throw damaged([{ kind: 'row', message: 'The schema row is missing.' }])
    }
    const schema = schemaRow.decode(text)
    if (schema.oldestReader > ourSchema.writer) {
      throw new StoreError(
        'STORE_NEWER',
        `the data was written by a newer release (schema ${schema.writer}) and needs at least schema ` +
          `${schema.oldestReader}; this release has ${ourSchema.writer}: install the newer release again`,
      )
    }
    return schema
  }

  /** From the base to the end. `head`: what the head file says. */
  async walkJournal(head: HeadRecord | undefined): Promise<{ last: HeadRecord; findings: Finding[] }> {
    const findings: Finding[] = []
    const find = (message: string) => findings.push({ kind: 'journal', message })
    const [baseText] = this.getMany([journalBase.key()])
    const base = baseText === undefined ? { sequence: 1, chain: undefined } : journalBase.decode(baseText)
    let last: HeadRecord | undefined
    let isHeadKnown = head === undefined || head.sequence < base.sequence
    const { to } = journal.under()
    let from: string = journal.key(base.sequence)
    for (;;) {
      const rows = await this.scan(from, to, 2000)
      for (const { key, text } of rows) {
        if (text === null) {
          find('A journal row is damaged.')
          continue
        }
        const [sequence] = journal.parts(key)
        const [position, , chainBefore, chain] = journal.decode(text)
        const expected = last === undefined ? base.sequence : last.sequence + 1
        if (sequence !== expected) {
          find(`${sequence - expected} acknowledged commit groups are missing before group ${sequence}.`)
        } else if (
          last === undefined ? base.chain !== undefined && base.chain !== chain : chainBefore !== last.chain
        ) {
          find(`Group ${sequence} does not follow the one before it.`)
        }
        if (head !== undefined && sequence === head.sequence) {
          isHeadKnown = true
          if (chain !== head.chain) find(`Group ${sequence} is not the one that the head file names.`)
        }
        last = { sequence, position, chain }
      }
      if (rows.length < 2000) break
      from = `${rows.at(-1)!.key}\x00`
    }
    if (last === undefined) {
      find('The journal is gone.')
    } else if (head !== undefined && head.sequence > last.sequence) {
      find(`The last ${head.sequence - last.sequence} acknowledged commit groups are missing.`)
    } else if (!isHeadKnown) {
      find('The group that the head file names is missing.')
    }
    return { last: last ?? emptyHead, findings }
  }

  // ── Engine ───────────────────────────────────────────────────────────────────────────────────────

  getMany(keys: readonly string[], snapshot?: EngineSnapshot): Texts {
    const level = this.#mustBeOpen(snapshot)
    const options = snapshot instanceof LevelSnapshot ? snapshot.options : noOptions
    const texts: Texts = new Array(keys.length)
    for (let i = 0; i < texts.length; i++) {
      const key = keys[i]!
      let sealed: string | undefined
      try {
        sealed = level.getSync(key, options)
      } catch (error) {
        throw unreadable(error)
      }
      texts[i] = sealed === undefined ? undefined : opened(key, sealed)
    }
    return texts
  }

  async range(range: EngineRange, snapshot?: EngineSnapshot): Promise<[string, string][]> {
    const found = await this.#entries(range, snapshot)
    for (const row of found) row[1] = opened(row[0], row[1])
    return found
  }

  /** Rows as they are, damaged ones too: for the scrub, checks and the journal. */
  async scan(from: string, to: string, limit: number): Promise<ScannedRow[]> {
    const found = await this.#entries({ from, to, limit, reverse: false })
    return found.map(([key, sealed]) => ({ key, text: unseal(key, sealed) }))
  }

  async #entries(range: EngineRange, snapshot?: EngineSnapshot): Promise<[string, string][]> {
    const level = this.#mustBeOpen(snapshot)
    try {
      const iterator = level.iterator({
        gte: range.from,
        lt: range.to,
        reverse: range.reverse,
        // Without it the first look reads ahead far beyond what is wanted.
        limit: Math.min(range.limit, 2 ** 31 - 1),
        ...(snapshot instanceof LevelSnapshot ? snapshot.options : noOptions),
      })
      try {
        let found = await iterator.nextv(Math.min(range.limit, 1000))
        while (found.length < range.limit) {
          const more = await iterator.nextv(Math.min(range.limit - found.length, 1000))
          if (more.length === 0) break
          found = found.concat(more)
        }
        return found
      } finally {
        await iterator.close()
      }
    } catch (error) {
      throw unreadable(error)
    }
  }

  async write(rows: Rows, highestPosition: number): Promise<void> {
    const level = this.#mustBeOpen()
    const before = this.#head
    const batch = level.batch()
    let chain = before.chain
    for (const [key, text] of rows) {
      if (text === null) {
        batch.del(key)
        chain = mix(chain, key.length)
      } else {
        const crc = checksum(key, text)
        batch.put(key, seal(crc, text))
        chain = mix(chain, crc)
      }
    }
    const head: HeadRecord = {
      sequence: before.sequence + 1,
      position: Math.max(before.position, highestPosition),
      chain,
    }
    const row: JournalRow = [head.position, rows.size, before.chain, chain]
    const key = journal.key(head.sequence)
    const text = journal.encode(row)
    batch.put(key, seal(checksum(key, text), text))
    try {
      await batch.write({ sync: true })
      this.#head = head
      this.#headFile!.write(head)
    } catch (error) {
      throw isNoSpace(error) ? noSpace(error) : error
    }
  }

  snapshot(): EngineSnapshot {
    return new LevelSnapshot(this.#mustBeOpen())
  }

  async hasSpace(): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.#folder)
    return bavail * bsize >= (this.#options.minimumFreeBytes ?? 64 * 2 ** 20)
  }

  async close(): Promise<void> {
    await this.#closeLevel()
    await this.#lock?.release()
    this.#lock = undefined
  }

  async #closeLevel(): Promise<void> {
    const level = this.#level
    const headFile = this.#headFile
    this.#level = undefined
    this.#headFile = undefined
    // After a failed write both may refuse; what counts is that nobody holds them any more.
    await level?.close().catch(() => {})
    await headFile?.close().catch(() => {})
  }

  #mustBeOpen(snapshot?: EngineSnapshot): Level {
    const level = this.#level
    if (level === undefined || (snapshot instanceof LevelSnapshot && snapshot.level !== level)) {
      throw new StoreError('STORE_UNCERTAIN', 'the store was opened again: read again')
    }
    return level
  }
}

const noOptions = {}

export async function openLevel(path: string, cacheBytes = 16 * 2 ** 20): Promise<Level> {
  const level: Level = new ClassicLevel(path, {
    keyEncoding: 'utf8',
    valueEncoding: 'utf8',
    cacheSize: cacheBytes,
    // Larger tables are merged less often, and two of this size are in memory. A start after a crash reads the log
    // again, up to this size: about 0.1 s.
    writeBufferSize: 8 * 2 ** 20,
  })
  await level.open()
  return level
}

/** The part of the table that a damaged row belongs to can be named; the key cannot (see `Finding`). */
export function tableName(key: string): string {
  try {
    return tableOf(key as Key<unknown>).name
  } catch {
    return `prefix ${JSON.stringify(key.slice(0, 2))}`
  }
}

export function damaged(findings: readonly Finding[], cause?: unknown): StoreError {
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : ''
  return new StoreError('STORE_DAMAGED', `the store is damaged. ${findings[0]!.message}${more}`, {
    findings,
    cause,
  })
}

function opened(key: string, sealed: string): string {
  const text = unseal(key, sealed)
  if (text !== null) return text
  throw damaged([{ kind: 'row', message: `A row of "${tableName(key)}" is not what was written.` }])
}

/** Only what LevelDB says about its files is damage; a wrong call is the caller's bug and stays what it is. */
function unreadable(error: unknown): unknown {
  if (error instanceof StoreError) return error
  const { message } = error as Error
  switch (causeCode(error)) {
    case 'LEVEL_DATABASE_NOT_OPEN':
    case 'LEVEL_ITERATOR_NOT_OPEN':
    case 'LEVEL_SNAPSHOT_NOT_OPEN':
    case 'LEVEL_ABORTED':
      return new StoreError(
        'STORE_UNCERTAIN',
        'the view is over, or the store was opened again: read again',
        {
          cause: error,
        },
      )
    case 'LEVEL_CORRUPTION':
    case 'LEVEL_IO_ERROR':
      if (/too many open files/i.test(message)) {
        return new StoreError('STORE_UNCERTAIN', 'the process has too many files open', { cause: error })
      }
      return damaged([{ kind: 'row', message: `LevelDB cannot read a row: ${message}.` }], error)
    default:
      return error
  }
}

async function isEmpty(level: Level): Promise<boolean> {
  return (await level.keys({ limit: 1 }).all()).length === 0
}

/** FNV-1a over whole checksums: nobody attacks the chain, rot and loss break it. */
function mix(chain: number, crc: number): number {
  return Math.imul(chain ^ crc, 0x01000193) >>> 0
}
