/**
 * Structured log lines: one JSON object a line, for a machine and for `journalctl`.
 *
 * Never in a log: secrets, content, identities (user ids, addresses, room ids, device ids). What a caller
 * passes is written as it is, so callers pass names of things, codes, counts and durations only.
 */
export type LogFields = Readonly<Record<string, string | number | boolean>>

export interface Log {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export function openLog(write: (line: string) => void, clock: () => number): Log {
  const line = (level: string) => (message: string, fields?: LogFields) =>
    write(`${JSON.stringify({ time: new Date(clock()).toISOString(), level, message, ...fields })}\n`)
  return { info: line('info'), warn: line('warn'), error: line('error') }
}

export const silentLog: Log = { info() {}, warn() {}, error() {} }
