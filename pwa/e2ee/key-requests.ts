/**
 * Room keys that our own devices ask each other for: a new device, or one that was away.
 *
 * Only verified devices of ours are answered, and only they are believed, for what we asked and did not get yet: a key
 * that comes unasked is dropped (attack 4, CVE-2022-39249). Spec: client-server-api#key-requests
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { megolmAlgorithm } from './account.ts'
import type { Context } from './context.ts'
import { deviceTrust, isVerifiedOwnDevice } from './cross-signing.ts'
import { E2eeError } from './errors.ts'
import { knownDevice } from './known-device.ts'
import { claimMissingSessions, encryptForDevice, type OlmPayload } from './olm-channel.ts'
import { randomName } from './own-device.ts'
import { type NamedSession, namedSession, senderDevice } from './received-room-keys.ts'
import type { Step } from './records.ts'
import {
  historyMembersOf,
  keepSession,
  readSession,
  saysHistoryIsShared,
  sessionRecordId,
} from './room-sessions.ts'

/** Nobody answers a request of last week. */
const requestLifetimeMs = 7 * 24 * 60 * 60 * 1000

const answerPrefix = 'room-answer|'

function requestId(roomId: string, sessionId: string): string {
  return `room|${sessionRecordId(roomId, sessionId)}`
}

/** Asks our other devices, once. */
export async function requestRoomKey(
  step: Step,
  context: Context,
  roomId: string,
  sessionId: string,
): Promise<void> {
  const id = requestId(roomId, sessionId)
  const open = await step.get('key-request', id)
  if (open && context.clock() - Number(open['ts']) < requestLifetimeMs) return
  const request = randomName(context)
  step.put('key-request', id, { request, ts: context.clock() })
  sendToOwnDevices(step, context, {
    action: 'request',
    request_id: request,
    requesting_device_id: context.deviceId,
    body: { algorithm: megolmAlgorithm, room_id: roomId, session_id: sessionId },
  })
}

/** `m.room_key_request`. Whoever is not a verified device of ours gets silence. */
export async function receiveRoomKeyRequest(
  step: Step,
  context: Context,
  sender: string,
  content: JsonObject,
): Promise<void> {
  const { action, requesting_device_id: deviceId, body } = content
  if (action !== 'request' || typeof deviceId !== 'string') return
  if (sender !== context.userId || deviceId === context.deviceId) return
  if (!isVerifiedOwnDevice(context, sender, await deviceTrust(step, context, sender, deviceId))) {
    throw new E2eeError('KEY_REQUEST_NOT_VERIFIED', 'a device that is not verified asks for a room key')
  }
  const asked = namedSession(isObject(body) ? body : {})
  if (!(await readSession(step, asked.roomId, asked.sessionId))) return
  if (await sendKey(step, context, deviceId, asked)) return
  // There is no Olm session with that device: the answer waits for one.
  const device = await knownDevice(step, sender, deviceId)
  if (device) await claimMissingSessions(step, context, [device])
  const { roomId, sessionId } = asked
  step.put('key-request', `${answerPrefix}${deviceId} ${sessionRecordId(roomId, sessionId)}`, {
    deviceId,
    roomId,
    sessionId,
    ts: context.clock(),
  })
}

/** New Olm sessions came: sends what waited for one, to devices that are verified still. */
export async function sendWaitingKeys(step: Step, context: Context): Promise<void> {
  for (const [id, { deviceId, roomId, sessionId, ts }] of await step.entries('key-request', answerPrefix)) {
    const trust = await deviceTrust(step, context, context.userId, String(deviceId))
    const isOver =
      context.clock() - Number(ts) >= requestLifetimeMs ||
      !isVerifiedOwnDevice(context, context.userId, trust)
    const session = { roomId: String(roomId), sessionId: String(sessionId) }
    if (isOver || (await sendKey(step, context, String(deviceId), session))) step.delete('key-request', id)
  }
}

/** False where there is no Olm session with the device. */
async function sendKey(
  step: Step,
  context: Context,
  deviceId: string,
  { roomId, sessionId }: NamedSession,
): Promise<boolean> {
  const session = await readSession(step, roomId, sessionId)
  const device = await knownDevice(step, context.userId, deviceId)
  if (!session || !device) return true
  const encrypted = await encryptForDevice(step, context, device, 'm.forwarded_room_key', {
    algorithm: megolmAlgorithm,
    room_id: roomId,
    session_id: sessionId,
    session_key: session.key,
    sender_key: session.senderCurve25519Key,
    ...(session.senderEd25519Key !== null && { sender_claimed_ed25519_key: session.senderEd25519Key }),
    forwarding_curve25519_key_chain: [],
    ...historyMembersOf(session.isHistoryShared),
  })
  if (!encrypted) return false
  step.send({
    id: randomName(context),
    kind: 'to-device',
    eventType: 'm.room.encrypted',
    body: { messages: { [context.userId]: { [deviceId]: encrypted } } },
  })
  return true
}

/** A decrypted `m.forwarded_room_key`. @throws E2eeError FORWARDED_KEY_UNSOLICITED, FORWARDED_KEY_NOT_VERIFIED, as `keepSession` */
export async function receiveForwardedKey(step: Step, context: Context, payload: OlmPayload): Promise<void> {
  const { content, sender } = payload
  const { roomId, sessionId } = namedSession(content)
  const id = requestId(roomId, sessionId)
  const open = await step.get('key-request', id)
  if (!open || context.clock() - Number(open['ts']) >= requestLifetimeMs) {
    throw new E2eeError('FORWARDED_KEY_UNSOLICITED', 'a room key was forwarded that nobody asked for')
  }
  const device = await senderDevice(step, payload)
  const trust = device ? await deviceTrust(step, context, sender, device.deviceId) : 'unknown'
  if (!device || !isVerifiedOwnDevice(context, sender, trust)) {
    throw new E2eeError('FORWARDED_KEY_NOT_VERIFIED', 'a room key was forwarded by a device that is not ours')
  }
  const { session_key: key, sender_key: senderKey, sender_claimed_ed25519_key: claimed } = content
  if (typeof key !== 'string' || typeof senderKey !== 'string') {
    throw new E2eeError('ROOM_KEY_MALFORMED', 'session_key or sender_key is missing')
  }
  await keepSession(step, {
    roomId,
    sessionId,
    key,
    source: 'forwarded',
    senderUserId: null,
    senderDeviceId: null,
    senderCurve25519Key: senderKey,
    senderEd25519Key: typeof claimed === 'string' ? claimed : null,
    givenBy: device.deviceId,
    isHistoryShared: saysHistoryIsShared(content),
  })
  step.delete('key-request', id)
  sendToOwnDevices(step, context, {
    action: 'request_cancellation',
    request_id: open['request']!,
    requesting_device_id: context.deviceId,
  })
}

function sendToOwnDevices(step: Step, context: Context, content: JsonObject): void {
  step.send({
    id: randomName(context),
    kind: 'to-device',
    eventType: 'm.room_key_request',
    body: { messages: { [context.userId]: { '*': content } } },
  })
}
