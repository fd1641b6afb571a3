/**
 * Checking a store that nobody serves. Files are looked at first; LevelDB opens them only if they are whole,
 * because its opening deletes logs. So a check never makes things worse.
 */
import { LevelEngine } from './level-engine.ts'
import {
  type FolderLock,
  finishSwap,
  forgetDamage,
  inspectFolder,
  lockFolder,
  recordedDamage,
} from './level-folder.ts'
import { FormatError } from './leveldb-files.ts'
import { Findings, type Progress, type ScrubCheck, scrubRows, scrubTables } from './scrub.ts'
import { type Finding, StoreError } from './store.ts'

export interface CheckOptions {
  readonly checks?: readonly ScrubCheck[]
  readonly onProgress?: (progress: Progress) => void
  /** The folder's lock, where the caller holds it. */
  readonly lock?: FolderLock
}

export interface CheckReport {
  /** There is no data yet, and none is missing. */
  readonly isNew: boolean
  readonly findings: readonly Finding[]
  /** False: files were damaged, so their rows were not looked at. */
  readonly isComplete: boolean
  readonly rows: number
  readonly bytes: number
  /** The last durable commit group, and the epoch. */
  readonly sequence: number
  readonly epoch: number
}

export async function checkFolder(folder: string, options: CheckOptions = {}): Promise<CheckReport> {
  const lock = options.lock ?? (await lockFolder(folder))
  try {
    return await check(folder, { ...options, lock })
  } finally {
    if (options.lock === undefined) await lock.release()
  }
}

async function check(folder: string, options: CheckOptions & { lock: FolderLock }): Promise<CheckReport> {
  await finishSwap(folder)
  const findings = new Findings()
  const report = { isNew: false, isComplete: false, rows: 0, bytes: 0, sequence: 0, epoch: 0 }
  const state = await inspectFolder(folder)
  findings.add(...state.findings)
  if (state.isNew) return { ...report, isNew: true, isComplete: true, findings: [] }
  try {
    const files = await scrubTables(folder, options)
    report.bytes = files.bytes
    findings.add(...files.findings)
  } catch (error) {
    // Without a MANIFEST nobody knows which tables count; that is a finding already.
    if (!(error instanceof FormatError)) throw error
  }
  if (findings.list.length > 0) return { ...report, findings: findings.all() }

  // What an area computed and did not find right is not seen without that area.
  if ((options.checks ?? []).length === 0) {
    findings.add(...(await recordedDamage(folder)).filter(finding => finding.kind === 'event'))
  }
  const engine = new LevelEngine(folder, { lock: options.lock, ignoreRecordedDamage: true })
  try {
    const head = await engine.open()
    report.epoch = head.epoch
    report.sequence = engine.head.sequence
    const rows = await scrubRows(engine, options)
    report.rows = rows.rows
    report.isComplete = true
    findings.add(...rows.findings)
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'STORE_DAMAGED') throw error
    findings.add(...error.findings)
  } finally {
    await engine.close()
  }
  if (findings.list.length === 0) await forgetDamage(folder)
  return { ...report, findings: findings.all() }
}
