/**
 * What a verification sends: to-device between our own devices, in the room between two people.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { type OwnDevice, randomName } from '../own-device.ts'
import type { Step } from '../records.ts'
import { type Flow, over, putFlow } from './flow-record.ts'

/** A verification event: to-device, or decrypted from a room. */
export interface VerificationEvent {
  readonly sender: string
  readonly type: string
  readonly content: JsonObject
  /** Null for a to-device event. */
  readonly room: {
    readonly roomId: string
    readonly eventId: string
    readonly originServerTs: number
  } | null
}

/** Sends and returns the content as it was sent: the commitment is made over it. */
export function sendMessage(
  step: Step,
  own: OwnDevice,
  flow: Flow,
  kind: string,
  content: JsonObject,
): JsonObject {
  const eventType = `m.key.verification.${kind}`
  const { flowId, roomId, userId, deviceId } = flow
  if (roomId === null) {
    const body = { ...content, transaction_id: flowId }
    sendToDevices(step, own, userId, deviceId === null ? flow.askedDevices : [deviceId], eventType, body)
    return body
  }
  const body = { ...content, 'm.relates_to': { rel_type: 'm.reference', event_id: flowId } }
  step.send({ id: randomName(own), kind: 'room-message', roomId, eventType, body })
  return body
}

export function sendToDevices(
  step: Step,
  own: OwnDevice,
  userId: string,
  deviceIds: readonly string[],
  eventType: string,
  content: JsonObject,
): void {
  const messages = { [userId]: Object.fromEntries(deviceIds.map(deviceId => [deviceId, content])) }
  step.send({ id: randomName(own), kind: 'to-device', eventType, body: { messages } })
}

/** Spec: client-server-api#mkeyverificationcancel. The reason is for developers; the code is what counts. */
export function cancel(step: Step, own: OwnDevice, flow: Flow, code: string): void {
  sendMessage(step, own, flow, 'cancel', { code, reason: code })
  putFlow(step, over(flow, own, code))
}

export function refuse(step: Step, event: { readonly sender: string }, code: string): void {
  step.tell({ kind: 'refused', code, from: event.sender })
}

/** Spec: client-server-api#error-and-exception-handling. No answer to what could itself be an answer: no loops. */
export function refuseUnknown(step: Step, own: OwnDevice, event: VerificationEvent, kind: string): void {
  refuse(step, event, 'VERIFICATION_UNKNOWN')
  const { transaction_id: flowId, from_device: deviceId } = event.content
  if (kind === 'cancel' || kind === 'done') return
  if (typeof flowId !== 'string' || typeof deviceId !== 'string') return
  const content = { code: 'm.unknown_transaction', reason: 'm.unknown_transaction', transaction_id: flowId }
  sendToDevices(step, own, event.sender, [deviceId], 'm.key.verification.cancel', content)
}

export function relatedEvent(content: JsonObject): unknown {
  const relation = content['m.relates_to']
  return isObject(relation) && relation['rel_type'] === 'm.reference' ? relation['event_id'] : undefined
}
