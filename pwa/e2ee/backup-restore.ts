/**
 * Room keys taken back from the backup on the server.
 *
 * Spec: client-server-api#server-side-key-backups. Anybody who knows the backup's public key, the server before all, can
 * put sessions into it: what is restored decrypts, and is never shown as authentic (attack 6). A backup of years is
 * taken in many steps, so that messages that come meanwhile do not wait for it.
 */
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { clearMark } from './backup-marks.ts'
import { decryptFromBackup } from './ecies-backup.ts'
import { E2eeError } from './errors.ts'
import { decodeSecret } from './primitives.ts'
import type { Step } from './records.ts'
import { keepSession, saysHistoryIsShared } from './room-sessions.ts'
import { backupSecret, readSecret } from './secrets.ts'

/** In one step: some tens of milliseconds. */
const sessionsPerStep = 100

/** A session as it comes out of a backup. Spec: `BackedUpSessionData` and the object around it. */
interface BackedUpSession {
  readonly roomId: string
  readonly sessionId: string
  /** As exported: `session_key`. */
  readonly key: string
  /** The Curve25519 key of the device that is said to have made it, and its Ed25519 key. */
  readonly senderCurve25519Key: string
  readonly senderEd25519Key: string | null
  /** MSC4268: may be passed on to people who join later. */
  readonly isHistoryShared: boolean
}

export interface RestoreCount {
  readonly restored: number
  readonly refused: number
}

/**
 * All that GET /room_keys/keys answered, step by step: `run` is the machine's. What was taken before it was broken off
 * stays, and to begin again is harmless.
 *
 * @throws E2eeError SECRET_MISSING, BACKUP_MALFORMED
 */
export async function restoreWholeBackup(
  run: <T>(input: (step: Step) => Promise<T>) => Promise<T>,
  answer: JsonObject,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<RestoreCount> {
  const sum = { restored: 0, refused: 0 }
  const { parts, total } = partsOf(answer)
  onProgress(0, total)
  for (const part of parts) {
    const { restored, refused } = await run(step => restoreBackup(step, part))
    sum.restored += restored
    sum.refused += refused
    onProgress(sum.restored + sum.refused, total)
  }
  return sum
}

/** The answer cut into answers of a hundred sessions. @throws E2eeError BACKUP_MALFORMED */
function partsOf(answer: JsonObject): { parts: JsonObject[]; total: number } {
  const { rooms } = answer
  if (!isObject(rooms)) throw new E2eeError('BACKUP_MALFORMED', 'the answer has no rooms')
  const parts: JsonObject[] = []
  let total = 0
  for (const [roomId, room] of Object.entries(rooms)) {
    const sessions = Object.entries(isObject(room) && isObject(room['sessions']) ? room['sessions'] : {})
    for (let at = 0; at < sessions.length; at += sessionsPerStep) {
      const some = Object.fromEntries(sessions.slice(at, at + sessionsPerStep))
      parts.push({ rooms: { [roomId]: { sessions: some } } })
    }
    total += sessions.length
  }
  return { parts, total }
}

/**
 * Restores what GET /room_keys/keys answered, or a part of it, in one step. A session that is broken is counted and
 * passed over; the rest counts.
 *
 * @throws E2eeError SECRET_MISSING, BACKUP_MALFORMED
 */
export async function restoreBackup(step: Step, answer: JsonObject): Promise<RestoreCount> {
  const secret = await readSecret(step, backupSecret)
  if (secret === null) throw new E2eeError('SECRET_MISSING', `${backupSecret} is not on this device`)
  const privateKey = decodeSecret(secret)!
  const rooms = answer['rooms']
  if (!isObject(rooms)) throw new E2eeError('BACKUP_MALFORMED', 'the answer has no rooms')
  let restored = 0
  let refused = 0
  for (const [roomId, room] of Object.entries(rooms)) {
    const sessions = isObject(room) && isObject(room['sessions']) ? room['sessions'] : {}
    for (const [sessionId, backedUp] of Object.entries(sessions)) {
      try {
        await keepBackedUp(step, await openSession(privateKey, roomId, sessionId, backedUp))
        restored++
      } catch (error) {
        if (!(error instanceof E2eeError)) throw error
        refused++
      }
    }
  }
  if (refused > 0) step.tell({ kind: 'refused', code: 'BACKUP_SESSIONS_REFUSED' })
  return { restored, refused }
}

/** Whatever it says of itself, its source is the backup: nobody vouches for it (attack 6). */
async function keepBackedUp(step: Step, session: BackedUpSession): Promise<void> {
  const isNew = await keepSession(step, {
    ...session,
    source: 'backup',
    senderUserId: null,
    senderDeviceId: null,
    givenBy: null,
  })
  // It is in the backup already.
  if (isNew) clearMark(step, session.roomId, session.sessionId)
}

async function openSession(
  privateKey: Uint8Array,
  roomId: string,
  sessionId: string,
  backedUp: Json | undefined,
): Promise<BackedUpSession> {
  const malformed = (what: string) => new E2eeError('BACKUP_MALFORMED', `a backed-up session ${what}`)
  const sessionData = isObject(backedUp) ? backedUp['session_data'] : undefined
  if (!isObject(sessionData)) throw malformed('has no session_data')
  const plaintext = await decryptFromBackup(privateKey, sessionData)
  let data: unknown
  try {
    data = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext))
  } catch (cause) {
    throw new E2eeError('BACKUP_MALFORMED', 'a backed-up session is not JSON', { cause })
  }
  if (!isObject(data)) throw malformed('is not an object')
  const { session_key: sessionKey, sender_key: senderKey, sender_claimed_keys: claimed } = data
  const senderEd25519Key = isObject(claimed) ? claimed['ed25519'] : undefined
  if (data['algorithm'] !== 'm.megolm.v1.aes-sha2') throw malformed('is of an unknown algorithm')
  if (typeof senderKey !== 'string' || typeof sessionKey !== 'string') throw malformed('lacks a key')
  // That the key is one, and belongs to the id, `keepSession` checks.
  return {
    roomId,
    sessionId,
    key: sessionKey,
    senderCurve25519Key: senderKey,
    senderEd25519Key: typeof senderEd25519Key === 'string' ? senderEd25519Key : null,
    isHistoryShared: saysHistoryIsShared(data),
  }
}
