/**
 * What a person does in a verification between two devices, from the request to `done` or `cancel`.
 *
 * Spec: client-server-api#key-verification-framework. Messages go to-device between our own devices and in a room
 * between two people. What was compared is applied in the same step that checks it, to exactly the key that was
 * compared.
 */
import { E2eeError } from '../errors.ts'
import { type OwnDevice, randomName } from '../own-device.ts'
import { encodeSecret } from '../primitives.ts'
import type { Step } from '../records.ts'
import { cancel, sendMessage, sendToDevices } from './flow-messages.ts'
import {
  exchangeOf,
  expectFlow,
  type Flow,
  flows,
  isOver,
  newExchange,
  newFlow,
  type Outcome,
  putFlow,
  readFlow,
  timeoutMs,
} from './flow-record.ts'
import { answerable, commonMethods, type VerificationMethod, verificationMethods } from './methods.ts'
import {
  expectAbleToVerify,
  expectKnownIdentity,
  expectOtherDevice,
  finish,
  finishSas,
  judgeCode,
  keyBytes,
  keysToVerifyUsBy,
} from './outcome.ts'
import { encodeQr, parseQr, type QrMode, qrSecretBytes } from './qr.ts'
import { macContent, sasOffer } from './sas.ts'

export type { Verification } from './flow-record.ts'

/**
 * Asks our other devices, or another person in a room. In a room the verification is named by the event that this
 * makes: until `verificationRequestSent` it goes by the request's id, which is what is returned.
 *
 * @throws E2eeError OWN_IDENTITY_UNVERIFIED, IDENTITY_UNKNOWN
 */
export async function requestVerification(
  step: Step,
  own: OwnDevice,
  to:
    | { readonly deviceIds: readonly string[] }
    | { readonly userId: string; readonly roomId: string; readonly body: string },
  methods: readonly VerificationMethod[] = verificationMethods,
): Promise<string> {
  const flowId = randomName(own)
  const inRoom = 'roomId' in to
  if (inRoom) await expectAbleToVerify(step, own, to.userId)
  const flow: Flow = {
    ...newFlow(flowId, inRoom ? to.userId : own.userId, inRoom ? to.roomId : null, own.clock()),
    requestedByUs: true,
    methods,
    askedDevices: inRoom ? [] : to.deviceIds,
  }
  putFlow(step, flow)
  const content = { from_device: own.deviceId, methods: [...methods] }
  if (inRoom) {
    // Spec: client-server-api#mroommessagemkeyverificationrequest; `body` is for clients that know nothing of it.
    step.send({
      id: flowId,
      kind: 'room-message',
      roomId: to.roomId,
      eventType: 'm.room.message',
      body: { ...content, msgtype: 'm.key.verification.request', body: to.body, to: to.userId },
    })
  } else {
    const request = { ...content, transaction_id: flowId, timestamp: own.clock() }
    sendToDevices(step, own, own.userId, to.deviceIds, 'm.key.verification.request', request)
  }
  return flowId
}

/** The room took the request under this event id: that is the verification's name from now on. */
export async function verificationRequestSent(
  step: Step,
  input: { readonly requestId: string; readonly eventId: string },
): Promise<void> {
  const flow = await readFlow(step, input.requestId)
  if (!flow?.roomId) return
  step.delete('verification', input.requestId)
  putFlow(step, { ...flow, flowId: input.eventId })
}

/** A person says yes to a request. */
export async function acceptVerification(
  step: Step,
  own: OwnDevice,
  flowId: string,
  methods: readonly VerificationMethod[] = verificationMethods,
): Promise<void> {
  const flow = await expectFlow(step, own, flowId, 'requested')
  if (flow.requestedByUs) throw new E2eeError('VERIFICATION_WRONG_PHASE', 'the other end has to accept it')
  if (flow.userId !== own.userId) await expectAbleToVerify(step, own, flow.userId)
  const common = commonMethods(methods, flow.methods)
  if (common.length === 0) throw new E2eeError('VERIFICATION_NO_METHOD', 'no method that both ends know')
  sendMessage(step, own, flow, 'ready', {
    from_device: own.deviceId,
    methods: answerable(methods, flow.methods),
  })
  putFlow(step, { ...flow, phase: 'ready', methods: common, usedAt: own.clock() })
}

/** Begins to compare a short authentication string. */
export async function startSas(step: Step, own: OwnDevice, flowId: string): Promise<void> {
  const flow = await expectFlow(step, own, flowId, 'ready')
  if (!flow.methods.includes('m.sas.v1')) {
    throw new E2eeError('VERIFICATION_NO_METHOD', 'the other end does not compare strings')
  }
  const content = sendMessage(step, own, flow, 'start', { from_device: own.deviceId, ...sasOffer })
  putFlow(step, {
    ...flow,
    phase: 'exchanging',
    usedAt: own.clock(),
    started: newExchange(own, true, content),
  })
}

/** The person says that both ends show the same. */
export async function confirmSas(step: Step, own: OwnDevice, flowId: string): Promise<void> {
  const flow = await expectFlow(step, own, flowId, 'comparing')
  const started = flow.started!
  const keys = await keysToVerifyUsBy(step, own)
  const { sharedKey, us, them } = exchangeOf(own, flow)
  sendMessage(step, own, flow, 'mac', macContent(sharedKey, us, them, flow.flowId, keys))
  const waiting: Flow = {
    ...flow,
    phase: 'waiting',
    usedAt: own.clock(),
    started: { ...started, confirmed: true },
  }
  putFlow(step, waiting)
  if (started.theirMac) await finishSas(step, own, waiting, started.theirMac)
}

/** The code to show. Only after both ends are ready: its id and keys are then known. */
export async function qrCodeOf(step: Step, own: OwnDevice, flowId: string): Promise<Uint8Array> {
  const flow = await expectFlow(step, own, flowId, 'ready')
  if (!flow.methods.includes('m.qr_code.show.v1')) {
    throw new E2eeError('VERIFICATION_NO_METHOD', 'the other end does not scan codes')
  }
  const ours = await expectKnownIdentity(step, own.userId)
  const secret = own.randomBytes(qrSecretBytes)
  const oursTrusted = ours.verifiedKey === ours.masterKey
  let mode: QrMode
  let keys: [first: string, second: string]
  let outcome: Outcome
  if (flow.userId !== own.userId) {
    const theirs = await expectKnownIdentity(step, flow.userId)
    mode = 'other-user'
    keys = [ours.masterKey, theirs.masterKey]
    outcome = { masterKey: theirs.masterKey, deviceKey: null }
  } else if (oursTrusted) {
    const device = await expectOtherDevice(step, flow)
    mode = 'self-trusted'
    keys = [ours.masterKey, device.ed25519Key]
    outcome = { masterKey: null, deviceKey: device.ed25519Key }
  } else {
    mode = 'self-untrusted'
    keys = [own.account.ed25519Key, ours.masterKey]
    outcome = { masterKey: ours.masterKey, deviceKey: null }
  }
  putFlow(step, { ...flow, shownQr: { mode, secret: encodeSecret(secret), outcome } })
  return encodeQr({ mode, flowId, firstKey: keyBytes(keys[0]), secondKey: keyBytes(keys[1]), secret })
}

/**
 * The person scanned the other end's code. A wrong code cancels: somebody may sit in between.
 *
 * @throws E2eeError QR_MALFORMED, QR_UNKNOWN_VERSION, QR_OTHER_FLOW, without a change
 */
export async function scanQrCode(
  step: Step,
  own: OwnDevice,
  flowId: string,
  bytes: Uint8Array,
): Promise<void> {
  const flow = await expectFlow(step, own, flowId, 'ready')
  const code = parseQr(bytes)
  if (code.flowId !== flowId) throw new E2eeError('QR_OTHER_FLOW', 'the code is of another verification')
  const outcome = await judgeCode(step, own, flow, code.mode, code.firstKey, code.secondKey)
  if (!outcome) return cancel(step, own, flow, 'm.key_mismatch')
  const start = {
    from_device: own.deviceId,
    method: 'm.reciprocate.v1',
    secret: encodeSecret(code.secret),
  }
  sendMessage(step, own, flow, 'start', start)
  putFlow(step, { ...flow, phase: 'waiting', outcome, usedAt: own.clock() })
}

/** The person saw the other device show success. */
export async function confirmScanned(step: Step, own: OwnDevice, flowId: string): Promise<void> {
  const flow = await expectFlow(step, own, flowId, 'scanned')
  await finish(step, own, flow, flow.shownQr!.outcome)
}

/** The person gives up (`m.user`), or says that the strings differ (`m.mismatched_sas`). */
export async function cancelVerification(
  step: Step,
  own: OwnDevice,
  flowId: string,
  code: 'm.user' | 'm.mismatched_sas' = 'm.user',
): Promise<void> {
  const flow = await readFlow(step, flowId)
  if (flow && !isOver(flow)) cancel(step, own, flow, code)
}

/** Ends what took too long, and forgets what is over. To be called now and then. */
export async function expireVerifications(step: Step, own: OwnDevice): Promise<void> {
  for (const flow of await flows(step)) {
    if (own.clock() - flow.usedAt < timeoutMs && own.clock() - flow.requestedAt < timeoutMs) continue
    if (isOver(flow)) step.delete('verification', flow.flowId)
    else cancel(step, own, flow, 'm.timeout')
  }
}
