/** What administrators should know about updates: findings for the health page. That the machine went back, its own report says. */
import type { Finding } from '../protocol/finding.ts'
import type { UpdateStatus } from '../protocol/update-status.ts'

const dayMs = 24 * 60 * 60 * 1000
/** Longer than a restart is put off for good reasons. */
const waitingTooLongMs = 7 * dayMs

export function updateFindings(status: UpdateStatus, now: number): Finding[] {
  const { waiting, events } = status
  const findings: Finding[] = []
  if (waiting) {
    const severity = now - waiting.ts > waitingTooLongMs ? 'warning' : 'note'
    const facts = { version: waiting.version, applied_ts: waiting.ts, window: status.window ?? 'none' }
    findings.push({ code: 'update.waiting', severity, facts })
  }
  const last = events.at(-1)
  if (last && (last.kind === 'refused' || last.kind === 'interrupted') && now - last.ts < dayMs) {
    const facts = { reason: last.code ?? 'INTERRUPTED', ts: last.ts }
    findings.push({ code: 'update.refused', severity: 'note', facts })
  }
  return findings
}
