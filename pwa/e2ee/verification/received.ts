/**
 * Messages of a verification that came in.
 *
 * What the other end does wrong cancels the verification with the specification's code: it is the one refusal that
 * has to change state.
 *
 * Deviation: client-server-api#key-verification-framework. A `start` without a request is deprecated; refused.
 */
import { decodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { E2eeError } from '../errors.ts'
import type { OwnDevice } from '../own-device.ts'
import { decodeSecret, equal } from '../primitives.ts'
import type { Step } from '../records.ts'
import {
  cancel,
  refuse,
  refuseUnknown,
  relatedEvent,
  sendMessage,
  sendToDevices,
  type VerificationEvent,
} from './flow-messages.ts'
import {
  exchangeOf,
  type Flow,
  flows,
  isOver,
  newExchange,
  newFlow,
  over,
  putFlow,
  readFlow,
  timeoutMs,
} from './flow-record.ts'
import { commonMethods, verificationMethods } from './methods.ts'
import { finish, finishSas } from './outcome.ts'
import {
  chooseFrom,
  commitmentOf,
  isOurOffer,
  type Party,
  type ShortAuthenticationString,
  shortAuthenticationString,
} from './sas.ts'

/** A request from further in the future is ignored. Spec: m.key.verification.request, `timestamp` */
const clockSkewMs = 5 * 60_000
/** A user id sends no more than this many requests that we keep at once: the rest is refused. */
const maxOpenFlows = 20

/** An event whose type begins with `m.key.verification.`, or a room message of that `msgtype`. */
export async function receiveVerificationEvent(
  step: Step,
  own: OwnDevice,
  event: VerificationEvent,
): Promise<void> {
  const { content, room } = event
  const kind =
    event.type === 'm.room.message'
      ? content['msgtype'] === 'm.key.verification.request' && 'request'
      : event.type.startsWith('m.key.verification.') && event.type.slice('m.key.verification.'.length)
  if (!kind) return
  // Spec: in a room two people verify each other, to-device one person's devices do. We keep to it.
  if (!room && event.sender !== own.userId) return refuse(step, event, 'VERIFICATION_NOT_IN_ROOM')
  if (kind === 'request') return receiveRequest(step, own, event)
  const flowId = room ? relatedEvent(content) : content['transaction_id']
  const flow = typeof flowId === 'string' ? await readFlow(step, flowId) : null
  if (!flow || flow.roomId !== (room?.roomId ?? null)) {
    return room ? undefined : refuseUnknown(step, own, event, kind)
  }
  if (isOver(flow)) return
  if (own.clock() - flow.usedAt >= timeoutMs || own.clock() - flow.requestedAt >= timeoutMs) {
    return cancel(step, own, flow, 'm.timeout')
  }
  if (room && event.sender === own.userId) return seeOurOtherDevice(step, own, flow, kind, content)
  if (event.sender !== flow.userId) return refuse(step, event, 'VERIFICATION_OTHER_SENDER')
  // Only the device that took part from the start goes on; ready, start and request say which they are.
  const from = content['from_device']
  if (kind !== 'ready' && from !== undefined && from !== flow.deviceId) {
    return refuse(step, event, 'VERIFICATION_OTHER_DEVICE')
  }
  switch (kind) {
    case 'ready':
      return receiveReady(step, own, flow, content)
    case 'start':
      return receiveStart(step, own, flow, content)
    case 'accept':
      return receiveAccept(step, own, flow, content)
    case 'key':
      return receiveKey(step, own, flow, content)
    case 'mac':
      return receiveMac(step, own, flow, content)
    case 'done':
      return receiveDone(step, own, flow)
    case 'cancel':
      return receiveCancel(step, own, flow, content)
    default:
      return cancel(step, own, flow, 'm.unexpected_message')
  }
}

async function receiveRequest(step: Step, own: OwnDevice, event: VerificationEvent): Promise<void> {
  const { sender, content, room } = event
  const flowId = room ? room.eventId : content['transaction_id']
  const fromDevice = content['from_device']
  const methods = content['methods']
  if (typeof flowId !== 'string' || typeof fromDevice !== 'string' || !Array.isArray(methods)) {
    return refuse(step, event, 'VERIFICATION_MALFORMED')
  }
  if (flowId === '' || flowId.length > 255 || fromDevice.length > 255 || methods.length > 50) {
    return refuse(step, event, 'VERIFICATION_MALFORMED')
  }
  if (sender === own.userId && (room || fromDevice === own.deviceId)) return
  if (room && content['to'] !== own.userId) return
  const timestamp = room ? room.originServerTs : content['timestamp']
  const age = typeof timestamp === 'number' ? own.clock() - timestamp : Number.NaN
  if (!(age <= timeoutMs && age >= -clockSkewMs)) return refuse(step, event, 'VERIFICATION_TOO_OLD')
  if (await readFlow(step, flowId)) return refuse(step, event, 'VERIFICATION_REPEATED')
  const open = (await flows(step)).filter(flow => flow.userId === sender && !isOver(flow))
  if (open.length >= maxOpenFlows) return refuse(step, event, 'VERIFICATION_TOO_MANY')
  const flow: Flow = {
    ...newFlow(flowId, sender, room?.roomId ?? null, own.clock()),
    deviceId: fromDevice,
    methods: verificationMethods.filter(method => methods.includes(method)),
  }
  // Spec: client-server-api#error-and-exception-handling: several attempts of one device cancel each other.
  const earlier = open.filter(other => other.deviceId === fromDevice)
  if (earlier.length === 0) return putFlow(step, flow)
  for (const attempt of [...earlier, flow]) cancel(step, own, attempt, 'm.unexpected_message')
}

async function receiveReady(step: Step, own: OwnDevice, flow: Flow, content: JsonObject): Promise<void> {
  const { from_device: deviceId, methods } = content
  if (flow.phase !== 'requested' || !flow.requestedByUs) {
    return cancel(step, own, flow, 'm.unexpected_message')
  }
  if (typeof deviceId !== 'string' || !Array.isArray(methods)) {
    return cancel(step, own, flow, 'm.invalid_message')
  }
  if (flow.roomId === null && !flow.askedDevices.includes(deviceId)) {
    return refuse(step, { sender: flow.userId }, 'VERIFICATION_OTHER_DEVICE')
  }
  const others = flow.askedDevices.filter(asked => asked !== deviceId)
  const cancelled = {
    code: 'm.accepted',
    reason: 'accepted on another device',
    transaction_id: flow.flowId,
  }
  if (others.length > 0) sendToDevices(step, own, flow.userId, others, 'm.key.verification.cancel', cancelled)
  const theirs = verificationMethods.filter(method => methods.includes(method))
  const common = commonMethods(flow.methods, theirs)
  const ready = { ...flow, deviceId, phase: 'ready', methods: common, usedAt: own.clock() } as const
  if (common.length === 0) return cancel(step, own, ready, 'm.unknown_method')
  putFlow(step, ready)
}

async function receiveStart(step: Step, own: OwnDevice, flow: Flow, content: JsonObject): Promise<void> {
  const { method } = content
  if (flow.phase === 'exchanging' && flow.started?.byUs && flow.started.commitment === null) {
    // Both started. Spec: client-server-api#key-verification-framework: the lexicographically smaller one's counts.
    if (method !== 'm.sas.v1') return cancel(step, own, flow, 'm.unexpected_message')
    if (isSmaller(own, { userId: flow.userId, deviceId: flow.deviceId! })) return
  } else if (flow.phase !== 'ready') {
    return cancel(step, own, flow, 'm.unexpected_message')
  }
  if (method === 'm.reciprocate.v1') return receiveReciprocate(step, own, flow, content)
  if (method !== 'm.sas.v1' || !flow.methods.includes('m.sas.v1')) {
    return cancel(step, own, flow, 'm.unknown_method')
  }
  const choice = chooseFrom(content)
  if (!choice) return cancel(step, own, flow, 'm.unknown_method')
  const started = newExchange(own, false, content)
  sendMessage(step, own, flow, 'accept', {
    ...choice,
    commitment: commitmentOf(started.publicKey, content),
  })
  putFlow(step, { ...flow, phase: 'exchanging', started, usedAt: own.clock() })
}

/** They scanned our code. The secret says that it was ours. */
async function receiveReciprocate(
  step: Step,
  own: OwnDevice,
  flow: Flow,
  content: JsonObject,
): Promise<void> {
  const secret = typeof content['secret'] === 'string' ? decodeSecret(content['secret']) : null
  const shown = flow.shownQr ? decodeSecret(flow.shownQr.secret) : null
  if (!shown) return cancel(step, own, flow, 'm.unexpected_message')
  if (!secret || !equal(secret, shown)) return cancel(step, own, flow, 'm.key_mismatch')
  putFlow(step, { ...flow, phase: 'scanned', usedAt: own.clock() })
}

async function receiveAccept(step: Step, own: OwnDevice, flow: Flow, content: JsonObject): Promise<void> {
  const { started } = flow
  if (flow.phase !== 'exchanging' || !started?.byUs || started.commitment !== null) {
    return cancel(step, own, flow, 'm.unexpected_message')
  }
  if (!isOurOffer(content)) return cancel(step, own, flow, 'm.unknown_method')
  const commitment = content['commitment'] as string
  sendMessage(step, own, flow, 'key', { key: started.publicKey })
  putFlow(step, { ...flow, started: { ...started, commitment }, usedAt: own.clock() })
}

async function receiveKey(step: Step, own: OwnDevice, flow: Flow, content: JsonObject): Promise<void> {
  const { started } = flow
  const { key } = content
  if (flow.phase !== 'exchanging' || !started || (started.byUs && started.commitment === null)) {
    return cancel(step, own, flow, 'm.unexpected_message')
  }
  if (typeof key !== 'string' || decodeBase64(key)?.length !== 32) {
    return cancel(step, own, flow, 'm.invalid_message')
  }
  // The key is the one that was promised before they saw ours, for the start that we sent.
  if (started.byUs && commitmentOf(key, started.content) !== started.commitment) {
    return cancel(step, own, flow, 'm.mismatched_commitment')
  }
  const exchanged = { ...flow, started: { ...started, theirKey: key } }
  let sas: ShortAuthenticationString
  try {
    const { sharedKey, us, them } = exchangeOf(own, exchanged)
    const [starter, accepter] = started.byUs ? [us, them] : [them, us]
    sas = shortAuthenticationString(sharedKey, starter, accepter, flow.flowId)
  } catch (error) {
    if (!(error instanceof E2eeError)) throw error
    return cancel(step, own, flow, 'm.invalid_message')
  }
  if (!started.byUs) sendMessage(step, own, flow, 'key', { key: started.publicKey })
  putFlow(step, { ...exchanged, phase: 'comparing', sas, usedAt: own.clock() })
}

async function receiveMac(step: Step, own: OwnDevice, flow: Flow, content: JsonObject): Promise<void> {
  const { started, phase } = flow
  const expected = (phase === 'comparing' || phase === 'waiting') && started?.theirKey && !started.theirMac
  if (!expected) return cancel(step, own, flow, 'm.unexpected_message')
  const received: Flow = { ...flow, started: { ...started, theirMac: content }, usedAt: own.clock() }
  if (started.confirmed) return finishSas(step, own, received, content)
  putFlow(step, received)
}

async function receiveDone(step: Step, own: OwnDevice, flow: Flow): Promise<void> {
  // We scanned, and the other end's person confirmed it.
  if (flow.phase === 'waiting' && flow.outcome) return finish(step, own, flow, flow.outcome)
  // They were faster: our person has yet to compare, or to say that the scan went well.
  if (flow.phase === 'comparing' || flow.phase === 'waiting' || flow.phase === 'scanned') return
  cancel(step, own, flow, 'm.unexpected_message')
}

async function receiveCancel(step: Step, own: OwnDevice, flow: Flow, content: JsonObject): Promise<void> {
  const { code } = content
  const others = flow.deviceId === null ? flow.askedDevices : []
  // Nobody of them is asked any more. Spec: client-server-api#key-verification-framework
  if (others.length > 1) {
    const rejected = { code: 'm.user', reason: 'rejected on another device', transaction_id: flow.flowId }
    sendToDevices(step, own, flow.userId, others, 'm.key.verification.cancel', rejected)
  }
  putFlow(step, over(flow, own, typeof code === 'string' ? code.slice(0, 100) : 'm.unknown'))
}

/** In a room we see what our other devices say: one of them may have taken the request. */
async function seeOurOtherDevice(
  step: Step,
  own: OwnDevice,
  flow: Flow,
  kind: string,
  content: JsonObject,
): Promise<void> {
  const taken = kind === 'ready' || kind === 'start' || kind === 'cancel'
  if (!taken || flow.phase !== 'requested' || flow.requestedByUs) return
  if (content['from_device'] !== own.deviceId) putFlow(step, over(flow, own, 'm.accepted'))
}

function isSmaller(a: Party, b: Party): boolean {
  return a.userId === b.userId ? a.deviceId < b.deviceId : a.userId < b.userId
}
