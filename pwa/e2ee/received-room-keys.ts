/**
 * Room keys that come from other devices, and the word that there will be none.
 *
 * Spec: client-server-api#mroom_key, #mforwarded_room_key, #mroom_keywithheld
 */
import type { JsonObject } from '#protocol/json.ts'
import { megolmAlgorithm } from './account.ts'
import { E2eeError } from './errors.ts'
import { InboundGroupSession } from './inbound-group-session.ts'
import { type KnownDevice, knownDevices } from './known-device.ts'
import type { OlmPayload } from './olm-channel.ts'
import type { Step } from './records.ts'
import { withheldId } from './room-decryption.ts'
import { keepSession, saysHistoryIsShared, sessionRecordId } from './room-sessions.ts'
import { makeRoomFor } from './strangers.ts'

export interface NamedSession {
  readonly roomId: string
  readonly sessionId: string
}

/** @throws E2eeError ROOM_KEY_MALFORMED */
export function namedSession(content: JsonObject): NamedSession {
  const { algorithm, room_id: roomId, session_id: sessionId } = content
  if (algorithm !== megolmAlgorithm || typeof roomId !== 'string' || typeof sessionId !== 'string') {
    throw new E2eeError('ROOM_KEY_MALFORMED', 'algorithm, room_id or session_id is missing or unknown')
  }
  return { roomId, sessionId }
}

/** A decrypted `m.room_key`. @throws E2eeError as `keepSession`, ROOM_KEY_MALFORMED */
export async function receiveRoomKey(step: Step, payload: OlmPayload): Promise<void> {
  const { content } = payload
  const { roomId, sessionId } = namedSession(content)
  if (typeof content['session_key'] !== 'string') {
    throw new E2eeError('ROOM_KEY_MALFORMED', 'session_key is missing')
  }
  await makeRoomFor(step, payload.sender, 'inbound-group-session', sessionRecordId(roomId, sessionId))
  await keepSession(step, {
    roomId,
    sessionId,
    key: InboundGroupSession.fromSessionKey(content['session_key']).export(),
    source: 'owner',
    senderUserId: payload.sender,
    // By its word: decryption looks whether the owner's list has this device with these keys.
    senderDeviceId:
      payload.senderDeviceKeys?.deviceId ?? (await senderDevice(step, payload))?.deviceId ?? null,
    senderCurve25519Key: payload.senderCurve25519Key,
    senderEd25519Key: payload.senderEd25519Key,
    givenBy: null,
    isHistoryShared: saysHistoryIsShared(content),
  })
}

/**
 * The device behind an Olm message, in its owner's list: the one whose keys the session has. What a message says of
 * its device by name alone (MSC4147) could be the name of another.
 */
export async function senderDevice(step: Step, payload: OlmPayload): Promise<KnownDevice | null> {
  const devices = await knownDevices(step, payload.sender)
  const isBehind = (each: KnownDevice) =>
    each.curve25519Key === payload.senderCurve25519Key && each.ed25519Key === payload.senderEd25519Key
  return devices.find(isBehind) ?? null
}

/** `m.room_key.withheld` comes in the clear: it is worth a sentence to the reader, no more. */
export async function receiveWithheld(step: Step, sender: string, content: JsonObject): Promise<void> {
  const { roomId, sessionId } = namedSession(content)
  const { code } = content
  // Anybody can send them, and each is kept: so they are small.
  if (typeof code !== 'string' || code.length > 64 || roomId.length > 255 || sessionId.length > 64) {
    throw new E2eeError('ROOM_KEY_MALFORMED', 'code is missing, or something is too long')
  }
  await makeRoomFor(step, sender, 'key-request', withheldId(roomId, sessionId))
  step.put('key-request', withheldId(roomId, sessionId), { code })
  step.tell({ kind: 'room-keys', roomId, sessionIds: [sessionId] })
}
