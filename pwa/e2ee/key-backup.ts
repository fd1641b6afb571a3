/**
 * Room keys backed up on the server, encrypted to a key that our devices share.
 *
 * Spec: client-server-api#server-side-key-backups. Anybody who knows the backup's public key, the server before all, can
 * put sessions into it: what is restored decrypts, and is never shown as authentic (attack 6).
 *
 * What is still to be backed up is a mark of its own beside the session, made in the step that stored it: after
 * a crash it is found again.
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { deviceTrust, isVerifiedOwnDevice } from './cross-signing.ts'
import { decryptFromBackup, encryptForBackup } from './ecies-backup.ts'
import { E2eeError } from './errors.ts'
import { readIdentity } from './identity.ts'
import { knownDevices } from './known-device.ts'
import { type OwnDevice, randomName, signAsDevice } from './own-device.ts'
import { curve25519KeyPair, decodeSecret, encodeSecret } from './primitives.ts'
import type { Step } from './records.ts'
import { backupSecret, expectSigningKey, forgetSecret, putSecret, readSecret } from './secrets.ts'
import { isSignedBy } from './signing-key.ts'

export const backupAlgorithm = 'm.megolm_backup.v1.curve25519-aes-sha2'

/** A request of this many sessions stays under 100 kB, as other clients have it. */
const batchSize = 100
/** Spec: client-server-api#mmegolmv1aes-sha2-1, session export: version, index, ratchet, signing key. */
const sessionExportBytes = 1 + 4 + 128 + 32

/** A session as it is backed up and as it comes back. Spec: `BackedUpSessionData` and the object around it. */
export interface BackedUpSession {
  readonly roomId: string
  readonly sessionId: string
  readonly firstMessageIndex: number
  readonly forwardedCount: number
  /** The Curve25519 key of the device that made it. */
  readonly senderKey: string
  /** The Ed25519 key of that device, as it was claimed. */
  readonly senderEd25519Key: string
  readonly forwardingChain: readonly string[]
  /** Unpadded base64 of the session export. */
  readonly sessionKey: string
  /** MSC4268: may be passed on to people who join later. */
  readonly sharedHistory: boolean
}

/** Stores a session. It is never authentic: nobody vouches for where it came from. */
export type ImportSession = (
  step: Step,
  session: BackedUpSession & { readonly authentic: false },
) => Promise<void>

/** Null where the session is no longer here. `authentic` says whether it came to us by Olm from its owner. */
export type ExportSession = (
  step: Step,
  roomId: string,
  sessionId: string,
) => Promise<(BackedUpSession & { readonly authentic: boolean }) | null>

export interface Backup {
  readonly version: string
  readonly publicKey: string
  /** Ours: made here, signed by our identity or a verified device, or we hold its key. Only then is it written to. */
  readonly trusted: boolean
}

/**
 * The body for POST /room_keys/version. The key is here from now on, and `receiveBackupInfo` with the answer's
 * version begins the backup. Share the key and put it into secret storage.
 */
export async function createBackup(step: Step, own: OwnDevice): Promise<JsonObject> {
  const { privateKey, publicKey } = curve25519KeyPair(own.randomBytes(32))
  const unsigned: JsonObject = { public_key: encodeBase64(publicKey) }
  let authData = signAsDevice(own, unsigned)
  if ((await readSecret(step, 'm.cross_signing.master')) !== null) {
    const master = await expectSigningKey(step, 'm.cross_signing.master')
    authData = master.sign(authData, own.userId)
  }
  putSecret(step, backupSecret, encodeSecret(privateKey))
  return { algorithm: backupAlgorithm, auth_data: authData }
}

export async function readBackup(step: Pick<Step, 'get'>): Promise<Backup | null> {
  return ((await step.get('key-backup', 'backup')) as unknown as Backup | undefined) ?? null
}

/**
 * What GET /room_keys/version said, or POST with its answer. Null: there is none (any more).
 *
 * @throws E2eeError BACKUP_MALFORMED, BACKUP_UNKNOWN_ALGORITHM
 */
export async function receiveBackupInfo(
  step: Step,
  own: OwnDevice,
  info: JsonObject | null,
): Promise<Backup | null> {
  const before = await readBackup(step)
  if (info === null) {
    step.delete('key-backup', 'backup')
    return null
  }
  const { algorithm, auth_data: authData, version } = info
  const publicKey = isObject(authData) ? authData['public_key'] : undefined
  if (algorithm !== backupAlgorithm) {
    throw new E2eeError('BACKUP_UNKNOWN_ALGORITHM', 'a backup by an algorithm that we do not have')
  }
  const bytes = typeof publicKey === 'string' ? decodeBase64(publicKey) : null
  if (bytes?.length !== 32 || typeof version !== 'string') {
    throw new E2eeError('BACKUP_MALFORMED', 'the backup has no public key of 32 bytes, or no version')
  }
  const secret = await readSecret(step, backupSecret)
  const ours = secret !== null && publicKeyOf(secret) === encodeBase64(bytes)
  const trusted = ours || (await isSignedByUs(step, own, authData as JsonObject))
  const backup: Backup = { version, publicKey: encodeBase64(bytes), trusted }
  step.put('key-backup', 'backup', { algorithm: backupAlgorithm, ...backup })
  if (secret !== null && !ours) forgetSecret(step, backupSecret)
  if (trusted && (before?.version !== version || before.publicKey !== backup.publicKey)) {
    for (const [, value] of await step.entries('inbound-group-session')) {
      const { room_id: roomId, session_id: sessionId } = value
      if (typeof roomId === 'string' && typeof sessionId === 'string') {
        markForBackup(step, own, roomId, sessionId)
      }
    }
  }
  return backup
}

async function isSignedByUs(step: Step, own: OwnDevice, authData: JsonObject): Promise<boolean> {
  const { userId } = own
  const identity = await readIdentity(step, userId)
  const verified = identity !== null && identity.verifiedKey === identity.masterKey
  if (verified && isSignedBy(authData, userId, identity.masterKey)) return true
  if (isSignedBy(authData, userId, own.account.ed25519Key, own.deviceId)) return true
  for (const { deviceId, ed25519Key } of await knownDevices(step, userId)) {
    if (!isSignedBy(authData, userId, ed25519Key, deviceId)) continue
    if (isVerifiedOwnDevice(own, userId, await deviceTrust(step, own, userId, deviceId))) return true
  }
  return false
}

/** The backup's key, from secret storage or another device. @throws E2eeError BACKUP_UNKNOWN, SECRET_MISMATCH */
export async function importBackupSecret(step: Step, secret: string): Promise<void> {
  const backup = await readBackup(step)
  if (!backup) throw new E2eeError('BACKUP_UNKNOWN', 'there is no backup that the key could be for')
  if (publicKeyOf(secret) !== backup.publicKey) {
    throw new E2eeError('SECRET_MISMATCH', `what came as ${backupSecret} does not make the public key`)
  }
  putSecret(step, backupSecret, encodeSecret(decodeSecret(secret)!))
  if (!backup.trusted)
    step.put('key-backup', 'backup', { algorithm: backupAlgorithm, ...backup, trusted: true })
}

/** To be called in the step that stores a session or a better copy of one. */
export function markForBackup(step: Step, own: OwnDevice, roomId: string, sessionId: string): void {
  step.put('key-backup', `pending:${roomId}|${sessionId}`, { roomId, sessionId, mark: randomName(own) })
}

/** How many sessions wait. */
export async function pendingBackups(step: Pick<Step, 'entries'>): Promise<number> {
  return (await step.entries('key-backup', 'pending:')).length
}

/** Sends the next batch, unless one is under way. True where one was sent. */
export async function backUpNextBatch(
  step: Step,
  own: OwnDevice,
  exportSession: ExportSession,
): Promise<boolean> {
  const backup = await readBackup(step)
  if (!backup?.trusted || (await step.get('key-backup', 'batch'))) return false
  const pending = (await step.entries('key-backup', 'pending:')).slice(0, batchSize)
  const publicKey = decodeBase64(backup.publicKey)!
  const rooms: Record<string, { sessions: Record<string, JsonObject> }> = {}
  const marks: Record<string, string> = {}
  for (const [id, mark] of pending) {
    const { roomId, sessionId } = mark as { roomId: string; sessionId: string }
    const session = await exportSession(step, roomId, sessionId)
    if (!session) {
      step.delete('key-backup', id)
      continue
    }
    const plaintext = utf8Bytes(JSON.stringify(sessionDataOf(session)))
    rooms[roomId] ??= { sessions: {} }
    rooms[roomId].sessions[sessionId] = {
      first_message_index: session.firstMessageIndex,
      forwarded_count: session.forwardedCount,
      is_verified: session.authentic,
      session_data: await encryptForBackup(publicKey, own.randomBytes(32), plaintext),
    }
    marks[id] = mark['mark'] as string
  }
  if (Object.keys(marks).length === 0) return false
  const requestId = randomName(own)
  step.put('key-backup', 'batch', { requestId, marks })
  step.send({ id: requestId, kind: 'backup-keys', version: backup.version, body: { rooms } })
  return true
}

/** The server has the batch. What was stored anew in the meantime keeps its mark. */
export async function backupUploaded(step: Step, requestId: string): Promise<void> {
  const batch = await step.get('key-backup', 'batch')
  if (batch?.['requestId'] !== requestId) return
  for (const [id, mark] of Object.entries(batch['marks'] as JsonObject)) {
    if ((await step.get('key-backup', id))?.['mark'] === mark) step.delete('key-backup', id)
  }
  step.delete('key-backup', 'batch')
}

/** The server refused it: there is another version, or none. Everything waits until the host asked which. */
export async function backupRefused(step: Step, requestId: string): Promise<void> {
  const batch = await step.get('key-backup', 'batch')
  if (batch?.['requestId'] !== requestId) return
  step.delete('key-backup', 'batch')
  step.delete('key-backup', 'backup')
  step.tell({ kind: 'refused', code: 'BACKUP_VERSION_GONE' })
}

/**
 * Restores what GET /room_keys/keys answered, whole or the part that fits one step. A session that is broken is
 * counted and passed over; the rest counts.
 *
 * @throws E2eeError SECRET_MISSING, BACKUP_MALFORMED
 */
export async function restoreBackup(
  step: Step,
  answer: JsonObject,
  importSession: ImportSession,
): Promise<{ restored: number; refused: number }> {
  const secret = await readSecret(step, backupSecret)
  if (secret === null) throw new E2eeError('SECRET_MISSING', `${backupSecret} is not on this device`)
  const privateKey = decodeSecret(secret)!
  const rooms = answer['rooms']
  if (!isObject(rooms)) throw new E2eeError('BACKUP_MALFORMED', 'the answer has no rooms')
  let restored = 0
  let refused = 0
  const restoredIn = new Map<string, string[]>()
  for (const [roomId, room] of Object.entries(rooms)) {
    const sessions = isObject(room) && isObject(room['sessions']) ? room['sessions'] : {}
    for (const [sessionId, backedUp] of Object.entries(sessions)) {
      try {
        const session = await openSession(privateKey, roomId, sessionId, backedUp)
        await importSession(step, { ...session, authentic: false })
        restoredIn.set(roomId, [...(restoredIn.get(roomId) ?? []), sessionId])
        restored++
      } catch (error) {
        if (!(error instanceof E2eeError)) throw error
        refused++
      }
    }
  }
  for (const [roomId, sessionIds] of restoredIn) step.tell({ kind: 'room-keys', roomId, sessionIds })
  if (refused > 0) step.tell({ kind: 'refused', code: 'BACKUP_SESSIONS_REFUSED' })
  return { restored, refused }
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
  const forwardingChain = data['forwarding_curve25519_key_chain']
  const senderEd25519Key = isObject(claimed) ? claimed['ed25519'] : undefined
  if (data['algorithm'] !== 'm.megolm.v1.aes-sha2') throw malformed('is of an unknown algorithm')
  if (typeof senderKey !== 'string' || typeof senderEd25519Key !== 'string') throw malformed('has no sender')
  const exported = typeof sessionKey === 'string' ? decodeSecret(sessionKey) : null
  if (exported?.length !== sessionExportBytes || exported[0] !== 1) throw malformed('has no session key')
  // The id is the session's signing key: the server cannot label one session as another.
  if (encodeBase64(exported.subarray(133)) !== sessionId) throw malformed('stands under another id')
  const index = new DataView(exported.buffer, exported.byteOffset).getUint32(1)
  const chain = Array.isArray(forwardingChain) ? forwardingChain.filter(key => typeof key === 'string') : []
  return {
    roomId,
    sessionId,
    firstMessageIndex: index,
    forwardedCount: chain.length,
    senderKey,
    senderEd25519Key,
    forwardingChain: chain,
    sessionKey: encodeSecret(exported),
    sharedHistory: data[sharedHistoryMember] === true,
  }
}

/** MSC4268 by the name that implementations write. */
const sharedHistoryMember = 'org.matrix.msc3061.shared_history'

function sessionDataOf(session: BackedUpSession): JsonObject {
  return {
    algorithm: 'm.megolm.v1.aes-sha2',
    forwarding_curve25519_key_chain: session.forwardingChain,
    sender_claimed_keys: { ed25519: session.senderEd25519Key },
    sender_key: session.senderKey,
    session_key: session.sessionKey,
    [sharedHistoryMember]: session.sharedHistory,
  }
}

function publicKeyOf(secret: string): string | null {
  const bytes = decodeSecret(secret)
  return bytes?.length === 32 ? encodeBase64(curve25519KeyPair(bytes).publicKey) : null
}
