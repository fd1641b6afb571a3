/**
 * The Megolm sessions that we can read, with what we know of where each came from.
 *
 * Only a key that its owner sent us over Olm proves who wrote its messages. One that came by a backup, a file, another
 * device or an invitation opens messages, and the reader is told that it proves nothing (attacks 6, 16).
 */
import type { JsonObject } from '#protocol/json.ts'
import { megolmAlgorithm } from './account.ts'
import { markForBackup } from './backup-marks.ts'
import { E2eeError } from './errors.ts'
import { InboundGroupSession } from './inbound-group-session.ts'
import type { Step } from './records.ts'

export type SessionSource =
  /** From its owner, over Olm; or our own. */
  | 'owner'
  /** From a verified device of ours, which we asked. */
  | 'forwarded'
  | 'backup'
  | 'file'
  /** From whoever invited us (MSC4268). */
  | 'history'

export interface RoomSession {
  readonly roomId: string
  readonly sessionId: string
  /** As exported, from the first index that we have. */
  readonly key: string
  readonly source: SessionSource
  /** Whose session it is: proved for `owner`; else as whoever gave it said, or null. */
  readonly senderUserId: string | null
  readonly senderDeviceId: string | null
  readonly senderCurve25519Key: string
  readonly senderEd25519Key: string | null
  /** Who gave it to us, for sources other than the owner. */
  readonly givenBy: string | null
  /** May be handed to people whom we invite. */
  readonly isHistoryShared: boolean
}

export function sessionRecordId(roomId: string, sessionId: string): string {
  return `${roomId}|${sessionId}`
}

export async function readSession(
  step: Pick<Step, 'get'>,
  roomId: string,
  sessionId: string,
): Promise<RoomSession | null> {
  const record = await step.get('inbound-group-session', sessionRecordId(roomId, sessionId))
  return record ? (record as unknown as RoomSession) : null
}

/** From where on we can read this session. Null: not at all. */
export async function firstReadableIndex(
  step: Pick<Step, 'get'>,
  roomId: string,
  sessionId: string,
): Promise<number | null> {
  const session = await readSession(step, roomId, sessionId)
  return session && InboundGroupSession.fromExport(session.key).firstKnownIndex
}

/**
 * Keeps a session, or what is better of it and the copy that we have: the proved owner before any other source, the
 * earlier index before the later. False where there was nothing better.
 *
 * @throws E2eeError SESSION_ID_MISMATCH, SESSION_NOT_THE_SAME (other key material under the same id),
 * SESSION_OWNER_MISMATCH, BAD_SESSION_KEY
 */
export async function keepSession(step: Step, fresh: RoomSession): Promise<boolean> {
  const session = InboundGroupSession.fromExport(fresh.key)
  if (session.id !== fresh.sessionId) {
    throw new E2eeError('SESSION_ID_MISMATCH', 'a Megolm session has another id than it was given as')
  }
  const known = await readSession(step, fresh.roomId, fresh.sessionId)
  const kept = known ? better(known, fresh, session) : fresh
  if (kept === known) return false
  step.put('inbound-group-session', sessionRecordId(fresh.roomId, fresh.sessionId), {
    algorithm: megolmAlgorithm,
    ...kept,
  } as unknown as JsonObject)
  const copy = `${kept.source} ${InboundGroupSession.fromExport(kept.key).firstKnownIndex}`
  markForBackup(step, fresh.roomId, fresh.sessionId, copy)
  step.tell({ kind: 'room-keys', roomId: fresh.roomId, sessionIds: [fresh.sessionId] })
  return true
}

function better(known: RoomSession, fresh: RoomSession, session: InboundGroupSession): RoomSession {
  const before = InboundGroupSession.fromExport(known.key)
  if (!before.isSameAs(session)) {
    throw new E2eeError('SESSION_NOT_THE_SAME', 'another Megolm session has the same id')
  }
  if (known.senderCurve25519Key !== fresh.senderCurve25519Key && known.source === 'owner') {
    throw new E2eeError('SESSION_OWNER_MISMATCH', 'a Megolm session is said to be another device’s')
  }
  const isEarlier = session.firstKnownIndex < before.firstKnownIndex
  const provesMore = fresh.source === 'owner' && known.source !== 'owner'
  if (!isEarlier && !provesMore) return known
  // Who proved to be its owner stays; the same ratchet from an earlier index opens more.
  const owner = known.source === 'owner' ? known : fresh
  return { ...owner, key: isEarlier ? fresh.key : known.key }
}

// Spec: v1.19 calls it `shared_history`; clients read and write two other names. The Rust SDK takes the last two for one
// member that is there twice, and drops the key.
const historyMembers = ['shared_history', 'm.shared_history', 'org.matrix.msc3061.shared_history']

export function historyMembersOf(isShared: boolean): JsonObject {
  return { shared_history: isShared, 'org.matrix.msc3061.shared_history': isShared }
}

export function saysHistoryIsShared(content: JsonObject): boolean {
  return historyMembers.some(name => content[name] === true)
}
