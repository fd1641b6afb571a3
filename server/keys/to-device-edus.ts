/**
 * Messages between devices of different servers, as EDUs.
 *
 * Spec: server-server-api#send-to-device-messaging (m.direct_to_device)
 */
import type { Edu } from '../peers/outbound.ts'
import {
  type DeviceId,
  parseDeviceId,
  parseUserId,
  type ServerName,
  serverOf,
  type UserId,
} from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { ToDeviceMessage } from './to-device.ts'

/** One large share of room keys is cut into EDUs that fit a transaction in dozens. */
const maxEduBytes = 65_536
/** Spec: `message_id` and `type` are not bounded there; ours are shorter than this. */
const maxIdLength = 255
/** As many as one request of a client may carry. */
const maxMessages = 5_000

/** @param messageId a new one for each EDU, never used again. */
export function toDeviceEdus(
  sender: UserId,
  type: string,
  messages: readonly ToDeviceMessage[],
  messageId: () => string,
): { server: ServerName; edu: Edu }[] {
  const edus: { server: ServerName; edu: Edu }[] = []
  for (const [server, ofServer] of Map.groupBy(messages, ({ userId }) => serverOf(userId))) {
    let portion: ToDeviceMessage[] = []
    let bytes = 0
    const close = () => {
      if (portion.length === 0) return
      const content = { sender, type, message_id: messageId(), messages: byUserAndDevice(portion) }
      edus.push({ server, edu: { edu_type: 'm.direct_to_device', content } })
      portion = []
      bytes = 0
    }
    for (const message of ofServer) {
      const size = JSON.stringify(message).length
      if (bytes + size > maxEduBytes) close()
      portion.push(message)
      bytes += size
    }
    close()
  }
  return edus
}

function byUserAndDevice(messages: readonly ToDeviceMessage[]): JsonObject {
  const users = Map.groupBy(messages, ({ userId }) => userId)
  return Object.fromEntries(
    [...users].map(([userId, list]) => [
      userId,
      Object.fromEntries(list.map(({ deviceId, content }) => [deviceId, content])),
    ]),
  )
}

export interface DirectToDevice {
  readonly sender: UserId
  readonly messageId: string
  readonly type: string
  readonly messages: readonly ToDeviceMessage[]
}

/** null: not what it should be, or not from a person of that server. */
export function parseDirectToDevice(origin: ServerName, content: JsonObject): DirectToDevice | null {
  const sender = parseUserId(content['sender'])
  const { message_id: messageId, type, messages: users } = content
  if (!sender || serverOf(sender) !== origin || !isId(messageId) || !isId(type) || !isObject(users))
    return null
  const messages: ToDeviceMessage[] = []
  for (const [user, devices] of Object.entries(users)) {
    const userId = parseUserId(user)
    if (!userId || !isObject(devices)) continue
    for (const [device, message] of Object.entries(devices)) {
      const deviceId: DeviceId | '*' | null = device === '*' ? '*' : parseDeviceId(device)
      if (!deviceId || !isObject(message)) continue
      if (messages.length === maxMessages) return null
      messages.push({ userId, deviceId, content: message })
    }
  }
  return { sender, messageId, type, messages }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxIdLength
}
