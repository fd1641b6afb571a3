/**
 * The folder of a store on disk, before and after LevelDB has it.
 *
 *     db/          LevelDB
 *     head         the last durable group (head-file.ts)
 *     lock/        a tiny LevelDB: its lock belongs to this process and ends with it, kill -9 included
 *     damage       what was found while it was served; until a check finds nothing or a repair is done, no
 *                  opening serves it
 *     aside/N/     CURRENT, MANIFEST and logs as they were before opening N; LevelDB deletes logs that it
 *                  has read, damaged ones too. The newest three are kept.
 *     repaired/    what a repair is building; it takes the place of db/ once it holds a `complete` file
 *     damaged-E/   what db/ was before the repair that began epoch E; the newest two are kept
 *
 * Nothing here is changed by looking.
 */

import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { HeadFile, type HeadRecord, readHead, syncFolder } from './head-file.ts'
import { FormatError, filesOnDisk, type Manifest, readLog, readManifest } from './leveldb-files.ts'
import { type Finding, StoreError } from './store.ts'

const keptAsides = 3

/** Where a server with this data folder (`server.data`) has its store. */
export function storeFolder(data: string): string {
  return join(data, 'store')
}

export interface FolderPaths {
  readonly folder: string
  readonly db: string
  readonly head: string
  readonly lock: string
  readonly aside: string
  readonly repaired: string
}

export function pathsOf(folder: string): FolderPaths {
  return {
    folder,
    db: join(folder, 'db'),
    head: join(folder, 'head'),
    lock: join(folder, 'lock'),
    aside: join(folder, 'aside'),
    repaired: join(folder, 'repaired'),
  }
}

// ── lock ───────────────────────────────────────────────────────────────────────────────────────────────

export interface FolderLock {
  release(): Promise<void>
}

export async function lockFolder(folder: string): Promise<FolderLock> {
  const { lock } = pathsOf(folder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (let attempt = 0; ; attempt++) {
    const level = new ClassicLevel(lock)
    try {
      await level.open()
      return { release: () => level.close() }
    } catch (error) {
      if (causeCode(error) === 'LEVEL_LOCKED') {
        throw new StoreError('STORE_LOCKED', `another process has the store ${folder} open`, { cause: error })
      }
      if (isNoSpace(error)) throw noSpace(error)
      // It holds nothing: a damaged one is made anew.
      if (attempt > 0) throw error
      await ClassicLevel.destroy(lock)
    }
  }
}

// ── before opening ─────────────────────────────────────────────────────────────────────────────────────

export interface FolderState {
  /** Whether there is no data yet, and none is missing. */
  readonly isNew: boolean
  readonly head: HeadRecord | undefined
  readonly findings: readonly Finding[]
}

/** What can be said in milliseconds and without LevelDB: head file, CURRENT, MANIFEST, tables there, logs whole. */
export async function inspectFolder(folder: string): Promise<FolderState> {
  const paths = pathsOf(folder)
  const head = await readHead(paths.head)
  const hasDb = (await namesIn(paths.db)).some(name => name === 'CURRENT' || /\.(ldb|sst|log)$/.test(name))
  if (!hasDb) {
    const isNew = head === undefined || (head !== null && head.sequence === 0)
    const message = 'The database is gone, but the head file says that there was one.'
    return { isNew, head: undefined, findings: isNew ? [] : [{ kind: 'manifest', message }] }
  }
  const findings: Finding[] = []
  if (head === undefined) {
    findings.push({
      kind: 'head',
      message: 'The head file is missing: what the last durable write was is unknown.',
    })
  } else if (head === null) {
    findings.push({ kind: 'head', message: 'Both slots of the head file are damaged.' })
  }
  let manifest: Manifest | undefined
  try {
    manifest = await readManifest(paths.db)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    findings.push({ kind: 'manifest', message: `${error.message}.` })
  }
  const onDisk = await filesOnDisk(paths.db)
  for (const [number, size] of manifest?.tables ?? []) {
    const name = onDisk.tables.get(number)
    if (name === undefined) {
      findings.push({ kind: 'table-file', message: `Table file ${number} is missing.` })
    } else if ((await stat(join(paths.db, name))).size !== size) {
      findings.push({ kind: 'table-file', message: `Table file ${name} does not have the size that it had.` })
    }
  }
  for (const [number, name] of onDisk.logs) {
    if (manifest !== undefined && number < manifest.logNumber) continue
    const { damagedAt } = readLog(await readFile(join(paths.db, name)))
    if (damagedAt.length > 0) {
      const places = `${damagedAt.length} ${damagedAt.length === 1 ? 'place' : 'places'}`
      findings.push({
        kind: 'log',
        message: `Log ${name} is damaged in ${places}, first at byte ${damagedAt[0]}.`,
      })
    }
  }
  return { isNew: false, head: head ?? undefined, findings }
}

const damageFile = 'damage'

/** A restart must not serve what was found to be damaged. */
export async function recordDamage(folder: string, findings: readonly Finding[]): Promise<void> {
  await writeFile(join(folder, damageFile), JSON.stringify(findings), { mode: 0o600, flush: true })
  await syncFolder(folder)
}

export async function recordedDamage(folder: string): Promise<readonly Finding[]> {
  const text = await readFile(join(folder, damageFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return []
  try {
    return JSON.parse(text) as Finding[]
  } catch {
    return [{ kind: 'open', message: 'Damage was found earlier; what it was cannot be read any more.' }]
  }
}

export async function forgetDamage(folder: string): Promise<void> {
  await rm(join(folder, damageFile), { force: true })
}

/** Copies what opening may delete or replace. Gives the folder of the copy. */
export async function copyAside(folder: string): Promise<string> {
  const { db, aside } = pathsOf(folder)
  await mkdir(aside, { recursive: true, mode: 0o700 })
  const older = await asides(folder)
  // The first copy since work last began is the one that repair needs: openings that found damage follow it,
  // and what they copied LevelDB had changed already.
  const needed = older.find(name => !name.endsWith('-served'))
  const removable = older.filter(name => name !== needed)
  for (const name of removable.slice(0, Math.max(0, older.length - keptAsides + 1))) {
    await rm(join(aside, name), { recursive: true })
  }
  const target = join(aside, String(Number.parseInt(older.at(-1) ?? '0', 10) + 1))
  await mkdir(target, { mode: 0o700 })
  for (const name of await namesIn(db)) {
    if (!/^(CURRENT|MANIFEST-\d+|\d+\.log)$/.test(name)) continue
    await copyFile(join(db, name), join(target, name), constants.COPYFILE_FICLONE)
  }
  return target
}

/**
 * Work has begun on top of what that copy holds. From now on it is for looking at only: rows in its logs may
 * have been deleted since, and repair must not bring them back.
 */
export async function markServed(aside: string): Promise<void> {
  if (!aside.endsWith('-served')) await rename(aside, `${aside}-served`)
}

/** Copies of openings, oldest first. */
export async function asides(folder: string): Promise<string[]> {
  const names = (await namesIn(pathsOf(folder).aside)).filter(name => /^\d+(-served)?$/.test(name))
  return names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
}

// ── the swap at the end of a repair ────────────────────────────────────────────────────────────────────

export const completeFile = 'complete'

export interface Completion {
  readonly epoch: number
  readonly head: HeadRecord
}

/**
 * Puts a finished repair in its place. Each step can be repeated: after a crash anywhere, the next opening
 * goes on here. Without its `complete` file, `repaired/` is an unfinished attempt and stays unused.
 */
export async function finishSwap(folder: string): Promise<void> {
  const paths = pathsOf(folder)
  const waiting = await readCompletion(join(paths.repaired, completeFile))
  if (waiting !== undefined) {
    const damaged = join(folder, `damaged-${waiting.epoch}`)
    const names = await namesIn(folder)
    if (names.includes('db')) {
      await mkdir(damaged, { recursive: true, mode: 0o700 })
      await rename(paths.db, join(damaged, 'db'))
    }
    if (names.includes('aside')) {
      await mkdir(damaged, { recursive: true, mode: 0o700 })
      await rename(paths.aside, join(damaged, 'aside'))
    }
    await rename(paths.repaired, paths.db)
    await syncFolder(folder)
  }
  const placed = await readCompletion(join(paths.db, completeFile))
  if (placed !== undefined) {
    await (await HeadFile.open(paths.head, placed.head)).close()
    await forgetDamage(folder)
    await rm(join(paths.db, completeFile))
    await syncFolder(paths.db)
  }
}

async function readCompletion(path: string): Promise<Completion | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as Completion)
}

// ── small things ───────────────────────────────────────────────────────────────────────────────────────

export async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

/** abstract-level wraps what LevelDB said. */
export function causeCode(error: unknown): string | undefined {
  const { code, cause } = error as { code?: string; cause?: { code?: string } }
  return cause?.code ?? code
}

export function isNoSpace(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (/ENOSPC|EDQUOT|No space left|quota exceeded/i.test(at.message)) return true
  }
  return false
}

export function noSpace(cause: unknown): StoreError {
  return new StoreError('STORE_FULL', 'the disk is full', { cause })
}
