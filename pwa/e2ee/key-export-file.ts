/**
 * Room keys in a file under a passphrase, as all Matrix clients write and read it.
 *
 * Spec: client-server-api#key-exports. The passphrase is stretched by PBKDF2, which is what the format has; the file is
 * for moving between clients, and our own backup file (vault) uses Argon2id.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { megolmAlgorithm } from './account.ts'
import { concat } from './bytes.ts'
import { E2eeError } from './errors.ts'
import { aesCtr, equal, hmacSha256, pbkdf2Sha512 } from './primitives.ts'
import type { Step } from './records.ts'
import { historyMembersOf, keepSession, type RoomSession, saysHistoryIsShared } from './room-sessions.ts'

const header = '-----BEGIN MEGOLM SESSION DATA-----'
const trailer = '-----END MEGOLM SESSION DATA-----'
const fileVersion = 1
const saltBytes = 16
const macBytes = 32
/** OWASP's figure for PBKDF2-HMAC-SHA-512, and beyond it. */
const iterations = 500_000
/** Somebody else's file must not keep us busy for minutes. */
const maxIterations = 10_000_000
const maxFileChars = 128 * 1024 * 1024

export async function writeKeyFile(
  sessions: readonly JsonObject[],
  passphrase: string,
  randomBytes: (size: number) => Uint8Array,
  rounds = iterations,
): Promise<string> {
  const salt = randomBytes(saltBytes)
  const iv = randomBytes(16)
  // Bit 63 is zero: some implementations of AES-CTR count in 64 bits, and would go on differently at its end.
  iv[8] = iv[8]! & 0x7f
  const { aesKey, hmacKey } = await keysOf(passphrase, salt, rounds)
  const ciphertext = await aesCtr(aesKey, iv, 64, utf8Bytes(JSON.stringify(sessions)))
  const count = new Uint8Array(4)
  new DataView(count.buffer).setUint32(0, rounds)
  const body = concat([Uint8Array.of(fileVersion), salt, iv, count, ciphertext])
  const text = concat([body, hmacSha256(hmacKey, body)]).toBase64()
  return `${[header, ...(text.match(/.{1,96}/g) ?? []), trailer].join('\n')}\n`
}

/** The objects in the file. @throws E2eeError KEY_FILE_MALFORMED, KEY_FILE_WRONG_PASSPHRASE (or the file was changed) */
export async function readKeyFile(text: string, passphrase: string): Promise<JsonObject[]> {
  const bytes = bytesOf(text)
  const bodyEnd = bytes.length - macBytes
  if (bytes[0] !== fileVersion || bodyEnd < 1 + saltBytes + 16 + 4) throw malformed('not a version 1 file')
  const salt = bytes.subarray(1, 17)
  const iv = bytes.subarray(17, 33)
  const rounds = new DataView(bytes.buffer, bytes.byteOffset).getUint32(33)
  if (rounds < 1 || rounds > maxIterations) throw malformed(`${rounds} iterations`)
  const { aesKey, hmacKey } = await keysOf(passphrase, salt, rounds)
  if (!equal(hmacSha256(hmacKey, bytes.subarray(0, bodyEnd)), bytes.subarray(bodyEnd))) {
    throw new E2eeError('KEY_FILE_WRONG_PASSPHRASE', 'the passphrase is wrong, or the file was changed')
  }
  const plaintext = await aesCtr(aesKey, iv, 64, bytes.subarray(37, bodyEnd))
  const sessions: unknown = parse(plaintext)
  if (!Array.isArray(sessions)) throw malformed('the file holds no list')
  return sessions.filter(each => isObject(each))
}

/** All sessions that we have, as the file's objects. */
export async function exportSessions(step: Pick<Step, 'entries'>): Promise<JsonObject[]> {
  const records = await step.entries('inbound-group-session')
  return records.map(([, record]) => {
    const session = record as unknown as RoomSession
    return {
      algorithm: megolmAlgorithm,
      room_id: session.roomId,
      session_id: session.sessionId,
      session_key: session.key,
      sender_key: session.senderCurve25519Key,
      sender_claimed_keys: session.senderEd25519Key === null ? {} : { ed25519: session.senderEd25519Key },
      forwarding_curve25519_key_chain: [],
      ...historyMembersOf(session.isHistoryShared),
    }
  })
}

/** Takes the sessions of a file. What a file says of a session's owner proves nothing. The number that was new. */
export async function importSessions(step: Step, sessions: readonly JsonObject[]): Promise<number> {
  let fresh = 0
  for (const { algorithm, room_id: roomId, session_id: sessionId, ...rest } of sessions) {
    const { session_key: key, sender_key: senderKey, sender_claimed_keys: claimed } = rest
    if (algorithm !== megolmAlgorithm || typeof roomId !== 'string' || typeof sessionId !== 'string') continue
    if (typeof key !== 'string' || typeof senderKey !== 'string') continue
    const ed25519 = isObject(claimed) ? claimed['ed25519'] : undefined
    try {
      const isNew = await keepSession(step, {
        roomId,
        sessionId,
        key,
        source: 'file',
        senderUserId: null,
        senderDeviceId: null,
        senderCurve25519Key: senderKey,
        senderEd25519Key: typeof ed25519 === 'string' ? ed25519 : null,
        givenBy: null,
        isHistoryShared: saysHistoryIsShared(rest),
      })
      if (isNew) fresh++
    } catch (error) {
      if (!(error instanceof E2eeError)) throw error
      step.tell({ kind: 'refused', code: error.code })
    }
  }
  return fresh
}

async function keysOf(passphrase: string, salt: Uint8Array, rounds: number) {
  const keys = await pbkdf2Sha512(passphrase, salt, rounds, 64)
  return { aesKey: keys.subarray(0, 32), hmacKey: keys.subarray(32) }
}

function bytesOf(text: string): Uint8Array {
  if (text.length > maxFileChars) throw malformed('too large')
  const lines = text.split(/\r?\n/).map(line => line.trim())
  const [begin, end] = [lines.indexOf(header), lines.indexOf(trailer)]
  if (begin < 0 || end < begin) throw malformed('the first or the last line is missing')
  try {
    return Uint8Array.fromBase64(lines.slice(begin + 1, end).join(''))
  } catch {
    throw malformed('not base64')
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw malformed('the content is not JSON')
  }
}

function malformed(message: string): E2eeError {
  return new E2eeError('KEY_FILE_MALFORMED', `not a file of room keys: ${message}`)
}
