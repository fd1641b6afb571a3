/** When the next backup is due. */
import type { BackupRecord } from './backup-record.ts'

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs

/**
 * The first one at once: a server without any backup does not wait for the night. After that each night at this
 * minute; after a failure again within the hour.
 */
export function dueAt(minutes: number, { success, failure, sinceTs }: BackupRecord, now: number): number {
  if (failure && failure.ts <= now && failure.ts > (success?.ts ?? 0)) return failure.ts + hourMs
  // A clock that was set back must not put it off for years.
  if (!success || success.ts > now) return Math.min(sinceTs, now)
  return nightAfter(success.ts, minutes)
}

/** By the machine's own time zone: that is where it is night. */
function nightAfter(ts: number, minutes: number): number {
  const night = new Date(ts)
  night.setHours(Math.floor(minutes / 60), minutes % 60, 0, 0)
  return night.getTime() > ts ? night.getTime() : new Date(night.getTime() + dayMs).getTime()
}
