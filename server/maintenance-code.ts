/**
 * A code in place of the maintenance token, for a machine whose disk nobody can read (an appliance): its console shows it, and
 * somebody far away types it.
 *
 * It follows from the token and the hour, so nothing is stored: it holds where the disk is full, over the restart in the middle of
 * a restore, and ends by itself, four to eight hours after it was shown. Sixty bits, guessed at by rate limit only.
 */
import { createHmac } from 'node:crypto'
import { newCode, secretIn, shownCode } from './accounts/enrolment-code.ts'

const periodMs = 4 * 60 * 60 * 1000

export interface MaintenanceCode {
  /** As people read it. */
  readonly code: string
  readonly expiresTs: number
}

export function maintenanceCode(token: string, now: number): MaintenanceCode {
  const period = periodAt(now)
  return { code: shownCode(codeOf(token, period)), expiresTs: (period + 2) * periodMs }
}

/** Those that hold now: of this period, and of the one before. */
export function codesThatHold(token: string, now: number): readonly string[] {
  const period = periodAt(now)
  return [codeOf(token, period), codeOf(token, period - 1)]
}

/** What was typed, as `codesThatHold` has it. */
export const typedCode = secretIn

const periodAt = (now: number) => Math.floor(now / periodMs)

function codeOf(token: string, period: number): string {
  const bytes = createHmac('sha256', token).update(`maintenance code ${period}`).digest()
  return newCode(size => bytes.subarray(0, size), 2 * periodMs)
}
