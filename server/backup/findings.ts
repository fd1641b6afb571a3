/** What people should know about backups: findings for the health page. Codes and numbers; sentences stand where they are shown. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finding } from '../protocol/finding.ts'
import type { BackupStatus } from './backups.ts'

const hourMs = 60 * 60 * 1000
const overdueMs = 48 * hourMs

export async function backupFindings(
  status: BackupStatus,
  dataFolder: string,
  now: number,
): Promise<Finding[]> {
  const findings: Finding[] = []
  const { success, failure, sinceTs, nextTs } = status
  const last = success === undefined ? {} : { last_success_ts: success.ts }
  const ageMs = now - (success?.ts ?? sinceTs)
  const why = failure ? { reason: failure.code } : {}
  if (success === undefined && (nextTs === null || ageMs > overdueMs)) {
    const severity = ageMs > overdueMs ? 'alarm' : 'warning'
    findings.push({ code: 'backup.none', severity, facts: { since_ts: sinceTs, ...why } })
  } else if (ageMs > overdueMs) {
    const facts = { ...last, hours: Math.floor(ageMs / hourMs), ...why }
    findings.push({ code: 'backup.old', severity: 'alarm', facts })
  }
  if (failure && failure.ts > (success?.ts ?? 0)) {
    findings.push({
      code: 'backup.failed',
      severity: 'warning',
      facts: { ...last, reason: failure.code, ts: failure.ts },
    })
  }
  if (status.folder !== null && status.sftp === null && (await isSameDisk(status.folder, dataFolder))) {
    findings.push({ code: 'backup.same-disk', severity: 'warning', facts: {} })
  }
  if (success && (await newestKey(dataFolder)) > success.ts) {
    findings.push({ code: 'backup.keys-newer', severity: 'warning', facts: last })
  }
  return findings
}

async function isSameDisk(folder: string, dataFolder: string): Promise<boolean> {
  try {
    return (await stat(folder)).dev === (await stat(dataFolder)).dev
  } catch {
    return false
  }
}

/** A signing key that was made after the last backup is lost with the disk: other servers would believe nothing signed with it. */
async function newestKey(dataFolder: string): Promise<number> {
  let newest = 0
  try {
    const folder = join(dataFolder, 'keys')
    // The card is made anew from keys; whom backups are for is no secret of ours.
    const names = (await readdir(folder)).filter(name => !/^(?:site-card|backup-recipients)\.json/.test(name))
    for (const name of names) newest = Math.max(newest, (await stat(join(folder, name))).mtimeMs)
  } catch {}
  return newest
}
