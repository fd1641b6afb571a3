/**
 * Is a backup worth something? It is restored whole, into scratch that goes afterwards, and what came out is looked at
 * as a stopped server's data is: every row, the journal, and every media file against its row.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type CheckReport, checkFolder } from '../store/check.ts'
import { storeFolder } from '../store/level-folder.ts'
import { type RestoreOptions, type RestoreReport, restoreBackup } from './restore.ts'

export interface VerifyReport {
  readonly restored: RestoreReport
  readonly check: CheckReport
  readonly isSound: boolean
}

/** `scratch`: a folder with room for all of the data; what is made in it is removed. */
export async function verifyBackup(
  path: string,
  scratch: string,
  options: RestoreOptions,
): Promise<VerifyReport> {
  const made = await mkdtemp(join(scratch, 'letro-verify-'))
  try {
    const target = join(made, 'data')
    const restored = await restoreBackup(path, target, { ...options, checkMedia: true })
    const check = await checkFolder(storeFolder(target))
    const isSound = check.findings.length === 0 && check.isComplete && restored.mediaMissing === 0
    return { restored, check, isSound }
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}
