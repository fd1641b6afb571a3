/** What becomes of a message that could not be sent. Pure. */
import { isObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import type { ItemProblem } from '../sync/timeline-item.ts'
import { VaultError } from '../vault/errors.ts'
import { Paused } from './uploads.ts'

export type Outcome =
  /** The same again, later. */
  | 'again'
  /** Its room waits until somebody has done something: made room, unlocked the account. */
  | 'hold'
  /** Nothing can be sent any more: the session has ended. */
  | 'sleep'
  /** Somebody stopped its upload. */
  | 'paused'
  /** Never. A person decides; those behind it go on. */
  | 'failed'

/** About the account, not about the message. Spec: client-server-api#account-locking, #account-suspension, #server-notices */
const heldUp = new Set([
  'M_USER_LOCKED',
  'M_USER_SUSPENDED',
  'M_USER_LIMIT_EXCEEDED',
  'M_RESOURCE_LIMIT_EXCEEDED',
  'M_CONSENT_NOT_GIVEN',
])

export function outcomeOf(error: unknown): Outcome {
  if (error instanceof Paused) return 'paused'
  if (error instanceof VaultError) {
    if (error.code === 'VAULT_LOCKED') return 'sleep'
    return error.code === 'WAITING_FILE_GONE' ? 'failed' : 'hold'
  }
  if (!(error instanceof ApiError)) return 'failed'
  const { code, status } = error
  if (code === 'M_UNKNOWN_TOKEN') return 'sleep'
  if (heldUp.has(code)) return 'hold'
  // An answer without a Matrix code is not the homeserver's: something that stands before it, while it is away.
  const isForeign = code.startsWith('HTTP_') && status !== 413
  return error.isPassing || isForeign || standstillOf(error) ? 'again' : 'failed'
}

/** As of a room of which our server says so beforehand: see sync/frozen.ts. */
export const standstill: ItemProblem = { code: 'ROOM_FROZEN', message: '', blockedBy: [] }

/** The room stood still before the notice of it was here. Null: something else. Spec: server/rooms/freezer.ts */
export function standstillOf(error: unknown): ItemProblem | null {
  return error instanceof ApiError && isObject(error.body['org.letro.frozen']) ? standstill : null
}

export function problemOf(error: unknown): ItemProblem {
  const { code, message } = error as { code?: unknown; message?: unknown }
  const known = code === 'HTTP_413' ? 'M_TOO_LARGE' : code
  return {
    code: typeof known === 'string' ? known : 'INTERNAL',
    message: String(message ?? ''),
    blockedBy: [],
  }
}
