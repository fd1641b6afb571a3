/**
 * Messages from device to device, each handled as if it came alone: what one of them does wrong touches no other.
 *
 * Spec: client-server-api#send-to-device-messaging. What carries a key or a secret has to come over Olm; the same type in
 * the clear is somebody else's (attack 5).
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { Context } from './context.ts'
import { E2eeError } from './errors.ts'
import { receiveHistoryOffer } from './history-sharing.ts'
import { receiveForwardedKey, receiveRoomKeyRequest } from './key-requests.ts'
import { knownDevice, knownDevices } from './known-device.ts'
import { isNestedTooDeep } from './nesting.ts'
import { decryptFromDevice, encryptForDevice, type OlmPayload, unwedge, unwedged } from './olm-channel.ts'
import { randomName } from './own-device.ts'
import { receiveRoomKey, receiveWithheld, senderDevice } from './received-room-keys.ts'
import type { Step } from './records.ts'
import { receiveSecret, receiveSecretRequest } from './secret-sharing.ts'
import { openStep } from './step.ts'
import { receiveVerificationEvent } from './verification/received.ts'

const verificationPrefix = 'm.key.verification.'

/** What is not for the engine: the host's own features. */
export interface DeviceMessage {
  readonly type: string
  readonly content: JsonObject
  readonly sender: string
  /** The device whose session it came through; null where it came in the clear. */
  readonly encryptedBy: string | null
}

export async function receiveToDevice(
  step: Step,
  context: Context,
  events: readonly unknown[],
): Promise<DeviceMessage[]> {
  const messages: DeviceMessage[] = []
  for (const event of events) {
    if (!isObject(event)) continue
    const message = await handleAlone(step, context, event)
    if (message) messages.push(message)
  }
  return messages
}

async function handleAlone(step: Step, context: Context, event: JsonObject): Promise<DeviceMessage | null> {
  const own = openStep(step)
  const from = typeof event['sender'] === 'string' ? { from: event['sender'] } : {}
  try {
    const message = await handle(own, context, event)
    for (const { collection, id, value } of own.writes()) {
      if (value === null) step.delete(collection, id)
      else step.put(collection, id, value)
    }
    for (const request of own.requests) step.send(request)
    for (const notice of own.notices) step.tell(notice)
    return message
  } catch (error) {
    if (!(error instanceof E2eeError)) throw error
    step.tell({ kind: 'refused', code: error.code, ...from })
    if (error.code === 'OLM_UNDECRYPTABLE') await unwedgeSender(step, context, event)
    return null
  }
}

async function handle(step: Step, context: Context, event: JsonObject): Promise<DeviceMessage | null> {
  const { type, content, sender } = event
  if (typeof type !== 'string' || typeof sender !== 'string' || !isObject(content)) {
    throw new E2eeError('EVENT_MALFORMED', 'a to-device event lacks type, sender or content')
  }
  if (isNestedTooDeep(content)) throw new E2eeError('EVENT_MALFORMED', 'a to-device event nests too deep')
  switch (type) {
    case 'm.room.encrypted':
      return handleEncrypted(step, context, await decryptFromDevice(step, context, event))
    case 'm.room_key_request':
      await receiveRoomKeyRequest(step, context, sender, content)
      return null
    case 'm.room_key.withheld':
      await receiveWithheld(step, sender, content)
      return null
    case 'm.secret.request':
      await receiveSecretRequest(step, context, sender, content)
      return null
    case 'm.room_key':
    case 'm.forwarded_room_key':
    case 'm.room_key_bundle':
    case 'io.element.msc4268.room_key_bundle':
    case 'm.secret.send':
    case 'm.dummy':
      throw new E2eeError('NOT_ENCRYPTED', 'a message that has to be encrypted came in the clear')
    default:
      if (!type.startsWith(verificationPrefix)) return { type, content, sender, encryptedBy: null }
      await receiveVerificationEvent(step, context, { sender, type, content, room: null })
      return null
  }
}

async function handleEncrypted(
  step: Step,
  context: Context,
  payload: OlmPayload,
): Promise<DeviceMessage | null> {
  const { type, content, sender } = payload
  switch (type) {
    case 'm.room_key':
      await receiveRoomKey(step, payload)
      return null
    case 'm.forwarded_room_key':
      await receiveForwardedKey(step, context, payload)
      return null
    case 'm.room_key_bundle':
    case 'io.element.msc4268.room_key_bundle':
      await receiveHistoryOffer(step, context, payload)
      return null
    case 'm.secret.send':
      await receiveSecret(step, context, payload)
      return null
    case 'm.dummy':
      return null
    case 'm.room.encrypted':
      throw new E2eeError('OLM_NESTED', 'an encrypted message inside another')
    default:
      if (!type.startsWith(verificationPrefix)) {
        return { type, content, sender, encryptedBy: (await senderDevice(step, payload))?.deviceId ?? null }
      }
      await receiveVerificationEvent(step, context, { sender, type, content, room: null })
      return null
  }
}

async function unwedgeSender(step: Step, context: Context, event: JsonObject): Promise<void> {
  const { sender, content } = event
  const senderKey = isObject(content) ? content['sender_key'] : undefined
  const devices = typeof sender === 'string' ? await knownDevices(step, sender) : []
  const device = devices.find(each => each.curve25519Key === senderKey)
  if (device) await unwedge(step, context, device)
}

/** The first message through each session that replaces a broken one. Spec: client-server-api#recovering-from-undecryptable-messages */
export async function sendDummies(step: Step, context: Context): Promise<void> {
  for (const { userId, deviceId } of await unwedged(step)) {
    const device = await knownDevice(step, userId, deviceId)
    const encrypted = device && (await encryptForDevice(step, context, device, 'm.dummy', {}))
    if (!encrypted) continue
    step.send({
      id: randomName(context),
      kind: 'to-device',
      eventType: 'm.room.encrypted',
      body: { messages: { [userId]: { [deviceId]: encrypted } } },
    })
  }
}
