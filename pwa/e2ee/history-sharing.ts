/**
 * The keys of what was said before, for somebody whom we invite (MSC4268).
 *
 * Only sessions that were begun while the room's history was open to those who come later. The bundle travels as an
 * encrypted file; its key goes to the invitee's devices over Olm. It is taken from the person who invited us, for the
 * room that they invited us to, and what it opens is shown as given by them (attack 16).
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { megolmAlgorithm } from './account.ts'
import type { Context } from './context.ts'
import { deviceTrust, mayReceiveKeys } from './cross-signing.ts'
import { trackStranger } from './device-lists.ts'
import { E2eeError } from './errors.ts'
import { knownDevices } from './known-device.ts'
import { claimMissingSessions, encryptForDevice, type OlmPayload } from './olm-channel.ts'
import { randomName } from './own-device.ts'
import type { Step } from './records.ts'
import { keepSession, type RoomSession } from './room-sessions.ts'
import { makeRoomFor } from './strangers.ts'

const bundleType = 'm.room_key_bundle'
/** 40,000 sessions: rooms that were busy for years. */
const maxBundleBytes = 32 * 1024 * 1024
/** Of the JSON that describes the encrypted file: address, key, hash. */
const maxFileLength = 4096
const wishPrefix = 'awaited|'
/** A server that is away for longer has other troubles. */
const longestWaitMs = 7 * 86_400_000

/** The bundle as bytes, to be encrypted as an attachment and uploaded; null where there is nothing to share. */
export async function buildHistoryBundle(step: Step, roomId: string): Promise<Uint8Array | null> {
  const sessions = (await step.entries('inbound-group-session', `${roomId}|`)).map(
    ([, record]) => record as unknown as RoomSession,
  )
  const shared = sessions.filter(each => each.isHistoryShared)
  if (shared.length === 0) return null
  const withheld = sessions.filter(each => !each.isHistoryShared)
  return utf8Bytes(
    JSON.stringify({
      room_keys: shared.map(each => ({
        algorithm: megolmAlgorithm,
        room_id: roomId,
        session_id: each.sessionId,
        session_key: each.key,
        sender_key: each.senderCurve25519Key,
        sender_claimed_keys: each.senderEd25519Key === null ? {} : { ed25519: each.senderEd25519Key },
      })),
      withheld: withheld.map(each => ({
        algorithm: megolmAlgorithm,
        room_id: roomId,
        session_id: each.sessionId,
        sender_key: each.senderCurve25519Key,
        code: 'm.history_not_shared',
        reason: 'The sender disabled sharing encrypted history.',
      })),
    }),
  )
}

/** Sends the file's key to the invitee's devices. The id of a claim to wait for, or null once it is on its way. */
export async function shareHistory(
  step: Step,
  context: Context,
  roomId: string,
  userId: string,
  file: JsonObject,
): Promise<string | null> {
  const devices = []
  for (const device of await knownDevices(step, userId)) {
    if (mayReceiveKeys(await deviceTrust(step, context, userId, device.deviceId))) devices.push(device)
  }
  const waiting = await claimMissingSessions(step, context, devices)
  if (waiting !== null) return waiting
  const messages: Record<string, JsonObject> = {}
  for (const device of devices) {
    const encrypted = await encryptForDevice(step, context, device, bundleType, { room_id: roomId, file })
    if (encrypted) messages[device.deviceId] = encrypted
  }
  if (Object.keys(messages).length > 0) {
    step.send({
      id: randomName(context),
      kind: 'to-device',
      eventType: 'm.room.encrypted',
      body: { messages: { [userId]: messages } },
    })
  }
  return null
}

/** A decrypted `m.room_key_bundle`: kept until we join. @throws E2eeError BUNDLE_MALFORMED */
export async function receiveHistoryOffer(step: Step, context: Context, payload: OlmPayload): Promise<void> {
  const { room_id: roomId, file } = payload.content
  if (typeof roomId !== 'string' || !isObject(file)) {
    throw new E2eeError('BUNDLE_MALFORMED', 'room_id or file is missing')
  }
  // Anybody can offer, and each offer is kept: so they are small.
  if (roomId.length > 255 || JSON.stringify(file).length > maxFileLength) {
    throw new E2eeError('BUNDLE_MALFORMED', 'room_id or file is too long')
  }
  await makeRoomFor(step, payload.sender, 'key-request', offerId(roomId, payload.sender))
  await makeRoomFor(step, payload.sender, 'device-list', payload.sender)
  step.put('key-request', offerId(roomId, payload.sender), {
    file,
    senderKey: payload.senderCurve25519Key,
    ts: context.clock(),
  })
  // Whether the device is theirs is asked when the offer is looked at: by then we know their devices.
  await trackStranger(step, payload.sender)
}

/** We joined by this person's invitation: their offer may come later than we did, from another server above all. */
export function awaitHistory(step: Step, context: Context, roomId: string, inviter: string): void {
  step.put('key-request', wishId(roomId), { inviter, ts: context.clock() })
}

/** Rooms whose history somebody may still offer us, and who. */
export async function awaitedHistories(
  step: Step,
  context: Context,
): Promise<readonly { readonly roomId: string; readonly inviter: string }[]> {
  const awaited = []
  for (const [id, { inviter, ts }] of await step.entries('key-request', wishPrefix)) {
    const roomId = id.slice(wishPrefix.length)
    if (context.clock() - Number(ts) > longestWaitMs) giveUpHistory(step, roomId)
    else awaited.push({ roomId, inviter: String(inviter) })
  }
  return awaited
}

/** It is here, or will never be. */
export function giveUpHistory(step: Step, roomId: string): void {
  step.delete('key-request', wishId(roomId))
}

/**
 * The file that whoever invited us offers for this room. Nobody else's offer is looked at, nor one from a device that
 * the inviter did not sign: the server can make such a device.
 */
export async function historyOffer(
  step: Step,
  context: Context,
  roomId: string,
  inviter: string,
): Promise<JsonObject | null> {
  const offer = await step.get('key-request', offerId(roomId, inviter))
  const devices = await knownDevices(step, inviter)
  const device = devices.find(each => each.curve25519Key === offer?.['senderKey'])
  const trust = device ? await deviceTrust(step, context, inviter, device.deviceId) : 'unknown'
  return mayReceiveKeys(trust) && isObject(offer?.['file']) ? offer['file'] : null
}

/** The downloaded and decrypted bundle of that offer. The number of sessions that were new. @throws E2eeError BUNDLE_MALFORMED */
export async function importHistory(
  step: Step,
  context: Context,
  roomId: string,
  inviter: string,
  bundle: Uint8Array,
): Promise<number> {
  if (!(await historyOffer(step, context, roomId, inviter))) {
    throw new E2eeError('BUNDLE_UNSOLICITED', 'this person offered no history of this room')
  }
  const keys = parseBundle(bundle)
  let fresh = 0
  for (const { room_id, session_id, session_key, sender_key, sender_claimed_keys: claimed } of keys) {
    if (room_id !== roomId || typeof session_id !== 'string') continue
    if (typeof session_key !== 'string' || typeof sender_key !== 'string') continue
    const ed25519 = isObject(claimed) ? claimed['ed25519'] : undefined
    try {
      const isNew = await keepSession(step, {
        roomId,
        sessionId: session_id,
        key: session_key,
        source: 'history',
        senderUserId: null,
        senderDeviceId: null,
        senderCurve25519Key: sender_key,
        senderEd25519Key: typeof ed25519 === 'string' ? ed25519 : null,
        givenBy: inviter,
        isHistoryShared: true,
      })
      if (isNew) fresh++
    } catch (error) {
      if (!(error instanceof E2eeError)) throw error
      step.tell({ kind: 'refused', code: error.code, from: inviter })
    }
  }
  step.delete('key-request', offerId(roomId, inviter))
  giveUpHistory(step, roomId)
  return fresh
}

function parseBundle(bytes: Uint8Array): JsonObject[] {
  if (bytes.length <= maxBundleBytes) {
    try {
      const bundle: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
      const keys = isObject(bundle) ? bundle['room_keys'] : undefined
      if (Array.isArray(keys)) return keys.filter(each => isObject(each))
    } catch {
      // Said below.
    }
  }
  throw new E2eeError('BUNDLE_MALFORMED', 'the bundle is not one, or too large')
}

function wishId(roomId: string): string {
  return `${wishPrefix}${roomId}`
}

function offerId(roomId: string, sender: string): string {
  return `bundle|${roomId} ${sender}`
}
