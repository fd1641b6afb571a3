/**
 * Findings: what an administrator should know about their server, and what can be found at all.
 *
 * The server finds, the command line and the app say it in words: all three hold their texts against this list, so that
 * no finding is without a sentence. A code is for ever; a new one is a line here, and the compiler asks for its texts.
 */
import type { JsonObject } from './json.ts'

export const findingCodes = [
  // The machine.
  'disk.filling',
  'disk.full-soon',
  'memory.short',
  'temperature.high',
  'smart.failing',
  'clock.jumped',
  'clock.not-synchronised',
  'clock.behind',
  'store.slow',
  'store.maintenance',
  'worker.restarting',
  // What others and we have agreed on.
  'peer.unreachable',
  'peer.queue-long',
  'rooms.frozen',
  // Certificates.
  'certificate.expires',
  'certificate.expired',
  'certificate.not-yet-valid',
  'certificate.unreadable',
  'certificate.renewal-failed',
  'certificate.authority-expires',
  'certificate.authority-expired',
  'certificate.peer-expires',
  'certificate.peer-expired',
  // Backup.
  'backup.none',
  'backup.old',
  'backup.failed',
  'backup.same-disk',
  'backup.keys-newer',
  // People.
  'administrators.only-one',
  'administrators.one-passkey',
  'external.ends-soon',
  // The appliance.
  'appliance.went-back',
  'appliance.development',
  'appliance.secure-boot-off',
  'appliance.tpm-absent',
  'appliance.tpm-failed',
  // Updates of the appliance.
  'update.waiting',
  'update.refused',
  // Reporting itself.
  'syslog.behind',
  'health.source-failed',
] as const

export type FindingCode = (typeof findingCodes)[number]

/** note: worth knowing · warning: do something in the next days · alarm: do something now. */
export const severities = ['note', 'warning', 'alarm'] as const
export type Severity = (typeof severities)[number]

export interface Finding {
  readonly code: FindingCode
  readonly severity: Severity
  /** What it is about, where a code can be found several times at once: a peer's name, a certificate's use. */
  readonly subject?: string
  /** What the sentence needs: numbers, server names, times in milliseconds. Never content, rooms or people. */
  readonly facts: JsonObject
}

/** The same finding at another time has the same key, whatever its facts are by then. */
export function findingKey({ code, subject }: Pick<Finding, 'code' | 'subject'>): string {
  return subject === undefined ? code : `${code} ${subject}`
}

/** Alarms first, notes last; among themselves as they were found. */
export function worstFirst<F extends Pick<Finding, 'severity'>>(findings: readonly F[]): F[] {
  return [...findings].sort((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity))
}

export function isFindingCode(code: unknown): code is FindingCode {
  return (findingCodes as readonly unknown[]).includes(code)
}
