/**
 * Which state of a row somebody saw. Who changes what another may have changed meanwhile says what they saw, and the
 * transaction that writes compares: the second of two is told, and nothing is silently overwritten.
 */
import { hash } from 'node:crypto'

/** Rows of the same content have the same version, whenever and by whichever release they were written. */
export function rowVersion(row: object): string {
  const text = JSON.stringify(row, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
  return hash('sha256', text, 'base64url').slice(0, 22)
}
