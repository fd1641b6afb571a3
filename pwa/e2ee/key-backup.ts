/**
 * Room keys backed up on the server, encrypted to a key that our devices share.
 *
 * Spec: client-server-api#server-side-key-backups. Anybody who knows the backup's public key, the server before all, can
 * put sessions into it: what is restored decrypts, and is never shown as authentic (attack 6).
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { backupMarks, markForBackup } from './backup-marks.ts'
import { deviceTrust, isVerifiedOwnDevice } from './cross-signing.ts'
import { encryptForBackup } from './ecies-backup.ts'
import { E2eeError } from './errors.ts'
import { readIdentity } from './identity.ts'
import { InboundGroupSession } from './inbound-group-session.ts'
import { knownDevices } from './known-device.ts'
import { type OwnDevice, randomName, signAsDevice } from './own-device.ts'
import { curve25519KeyPair, decodeSecret, encodeSecret } from './primitives.ts'
import type { Step } from './records.ts'
import { historyMembersOf, type RoomSession, readSession } from './room-sessions.ts'
import { backupSecret, expectSigningKey, forgetSecret, putSecret, readSecret } from './secrets.ts'
import { isSignedBy } from './signing-key.ts'

export const backupAlgorithm = 'm.megolm_backup.v1.curve25519-aes-sha2'

/** A request of this many sessions stays under 100 kB, as other clients have it. */
const batchSize = 100
const batchId = 'batch'

export interface Backup {
  readonly version: string
  readonly publicKey: string
  /** Ours: made here, signed by our identity or a verified device, or we hold its key. Only then is it written to. */
  readonly trusted: boolean
  /** Sessions in it, as the server said last. */
  readonly count: number
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
  const { algorithm, auth_data: authData, version, count } = info
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
  const backup: Backup = {
    version,
    publicKey: encodeBase64(bytes),
    trusted,
    count: countOf(count, 0),
  }
  step.put('key-backup', 'backup', { algorithm: backupAlgorithm, ...backup })
  if (secret !== null && !ours) forgetSecret(step, backupSecret)
  if (trusted && (before?.version !== version || before.publicKey !== backup.publicKey)) {
    for (const [, record] of await step.entries('inbound-group-session')) {
      const { roomId, sessionId } = record as unknown as RoomSession
      markForBackup(step, roomId, sessionId, version)
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

/** How many sessions wait. */
export async function pendingBackups(step: Pick<Step, 'entries'>): Promise<number> {
  return (await backupMarks(step)).length
}

/** Sends the next batch, unless one is under way. True where one was sent. */
export async function backUpNextBatch(step: Step, own: OwnDevice): Promise<boolean> {
  const backup = await readBackup(step)
  if (!backup?.trusted || (await step.get('key-backup', batchId))) return false
  const publicKey = decodeBase64(backup.publicKey)!
  const rooms: Record<string, { sessions: Record<string, JsonObject> }> = {}
  const copies: Record<string, string> = {}
  for (const { id, roomId, sessionId, copy } of (await backupMarks(step)).slice(0, batchSize)) {
    const session = await readSession(step, roomId, sessionId)
    if (!session) {
      step.delete('key-backup', id)
      continue
    }
    const plaintext = utf8Bytes(JSON.stringify(sessionDataOf(session)))
    rooms[roomId] ??= { sessions: {} }
    rooms[roomId].sessions[sessionId] = {
      first_message_index: InboundGroupSession.fromExport(session.key).firstKnownIndex,
      forwarded_count: session.source === 'owner' ? 0 : 1,
      is_verified: session.source === 'owner',
      session_data: await encryptForBackup(publicKey, own.randomBytes(32), plaintext),
    }
    copies[id] = copy
  }
  if (Object.keys(copies).length === 0) return false
  const requestId = randomName(own)
  step.put('key-backup', batchId, { requestId, copies })
  step.send({ id: requestId, kind: 'backup-keys', version: backup.version, body: { rooms } })
  return true
}

/**
 * The answer to a batch. What was stored anew in the meantime keeps its mark. Null: the server refused it, because there
 * is another version or none; everything waits until the host asked which.
 */
export async function receiveBackupAnswer(
  step: Step,
  requestId: string,
  answer: JsonObject | null,
): Promise<void> {
  const batch = await step.get('key-backup', batchId)
  if (batch?.['requestId'] !== requestId) return
  step.delete('key-backup', batchId)
  if (!answer) {
    step.delete('key-backup', 'backup')
    step.tell({ kind: 'refused', code: 'BACKUP_VERSION_GONE' })
    return
  }
  const backup = await readBackup(step)
  if (backup) {
    const count = countOf(answer['count'], backup.count)
    step.put('key-backup', 'backup', { algorithm: backupAlgorithm, ...backup, count })
  }
  for (const [id, copy] of Object.entries(batch['copies'] as JsonObject)) {
    if ((await step.get('key-backup', id))?.['copy'] === copy) step.delete('key-backup', id)
  }
}

function sessionDataOf(session: RoomSession): JsonObject {
  const { senderEd25519Key } = session
  return {
    algorithm: 'm.megolm.v1.aes-sha2',
    forwarding_curve25519_key_chain: [],
    sender_claimed_keys: senderEd25519Key === null ? {} : { ed25519: senderEd25519Key },
    sender_key: session.senderCurve25519Key,
    session_key: session.key,
    ...historyMembersOf(session.isHistoryShared),
  }
}

function countOf(count: unknown, before: number): number {
  return typeof count === 'number' && count >= 0 ? count : before
}

function publicKeyOf(secret: string): string | null {
  const bytes = decodeSecret(secret)
  return bytes?.length === 32 ? encodeBase64(curve25519KeyPair(bytes).publicKey) : null
}
