/**
 * Which sessions are still to be backed up: a mark beside the session, made in the step that stores it, so that it
 * is found again after a crash. A session that is stored anew gets another mark than the one that is on its way.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Step } from './records.ts'

const prefix = 'pending|'

export function markForBackup(step: Step, roomId: string, sessionId: string, copy: string): void {
  step.put('key-backup', `${prefix}${roomId}/${sessionId}`, { roomId, sessionId, copy })
}

export function clearMark(step: Step, roomId: string, sessionId: string): void {
  step.delete('key-backup', `${prefix}${roomId}/${sessionId}`)
}

export interface BackupMark {
  readonly id: string
  readonly roomId: string
  readonly sessionId: string
  /** Which copy of the session is meant. */
  readonly copy: string
}

export async function backupMarks(step: Pick<Step, 'entries'>): Promise<BackupMark[]> {
  const marks = await step.entries('key-backup', prefix)
  return marks.map(([id, mark]) => ({ id, ...(mark as JsonObject & Omit<BackupMark, 'id'>) }))
}
