/**
 * One verification between two devices, from the request to `done` or `cancel`.
 *
 * Spec: client-server-api#key-verification-framework. Messages go to-device between our own devices and in a room
 * between two people. What the other end does wrong cancels the verification with the specification's code: it is
 * the one refusal that has to change state. What was compared is applied in the same step that checks it, to
 * exactly the key that was compared.
 *
 * Deviation: client-server-api#key-verification-framework. A `start` without a request is deprecated; refused.
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { signOwnDevice, verifyIdentity } from '../cross-signing.ts'
import { E2eeError } from '../errors.ts'
import { type Identity, readIdentity } from '../identity.ts'
import { knownDevice } from '../known-device.ts'
import { type OwnDevice, randomName } from '../own-device.ts'
import { curve25519KeyPair, decodeSecret, encodeSecret, equal } from '../primitives.ts'
import type { Step } from '../records.ts'
import { requestMissingSecrets } from '../secret-sharing.ts'
import { readSecret } from '../secrets.ts'
import { encodeQr, parseQr, type QrMode, qrSecretBytes } from './qr.ts'
import {
  checkMacs,
  chooseFrom,
  commitmentOf,
  isOurOffer,
  macContent,
  type Party,
  type ShortAuthenticationString,
  sasOffer,
  sharedSecret,
  shortAuthenticationString,
} from './sas.ts'

export const verificationMethods = [
  'm.sas.v1',
  'm.qr_code.show.v1',
  'm.qr_code.scan.v1',
  'm.reciprocate.v1',
] as const
export type VerificationMethod = (typeof verificationMethods)[number]

/** Spec: client-server-api#error-and-exception-handling: a verification, and a pause within one, ends after this. */
export const timeoutMs = 10 * 60_000
/** A request from further in the future is ignored. Spec: m.key.verification.request, `timestamp` */
const clockSkewMs = 5 * 60_000
/** A user id sends no more than this many requests that we keep at once: the rest is refused. */
const maxOpenFlows = 20

export type Phase =
  /** We sent it, or were asked and have not answered. */
  | 'requested'
  /** Both ends agreed to verify; a method may be started, a code shown. */
  | 'ready'
  /** SAS: the keys are on their way. */
  | 'exchanging'
  /** SAS: two people compare what `sas` says. */
  | 'comparing'
  /** SAS: we confirmed, the other end's MAC is to come. QR: we scanned, the other end is to confirm. */
  | 'waiting'
  /** QR: our code was scanned; a person says whether the other device shows success. */
  | 'scanned'
  | 'done'
  | 'cancelled'

/** What a view may see of a verification. */
export interface Verification {
  readonly flowId: string
  readonly userId: string
  readonly deviceId: string | null
  readonly roomId: string | null
  readonly requestedByUs: boolean
  readonly phase: Phase
  /** What both ends can do, seen from ours. */
  readonly methods: readonly VerificationMethod[]
  readonly sas: ShortAuthenticationString | null
  readonly cancelCode: string | null
}

interface Flow extends Verification {
  readonly version: 1
  /** Devices that the request went to. */
  readonly askedDevices: readonly string[]
  /** When it was requested and when a message last came or went. */
  readonly requestedAt: number
  readonly usedAt: number
  readonly started: Started | null
  readonly shownQr: ShownQr | null
  /** What counts as verified once the verification is done. */
  readonly outcome: Outcome | null
}

type Started = {
  readonly byUs: boolean
  readonly content: JsonObject
  /** Ours, ephemeral; gone as soon as the verification ends. */
  readonly privateKey: string
  readonly publicKey: string
  readonly commitment: string | null
  readonly theirKey: string | null
  readonly confirmed: boolean
  readonly theirMac: JsonObject | null
}

type ShownQr = { readonly mode: QrMode; readonly secret: string; readonly outcome: Outcome }

interface Outcome {
  /** Of the other person; of ourselves in a self-verification. */
  readonly masterKey: string | null
  /** The Ed25519 key of our own other device. */
  readonly deviceKey: string | null
}

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

export async function readVerification(
  step: Pick<Step, 'get'>,
  flowId: string,
): Promise<Verification | null> {
  const flow = await readFlow(step, flowId)
  if (!flow) return null
  const { userId, deviceId, roomId, requestedByUs, phase, methods, sas, cancelCode } = flow
  return { flowId, userId, deviceId, roomId, requestedByUs, phase, methods, sas, cancelCode }
}

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

/** The MACs are held against the keys as we know them now, and exactly these become verified. */
async function finishSas(step: Step, own: OwnDevice, flow: Flow, content: JsonObject): Promise<void> {
  const device = flow.deviceId === null ? null : await knownDevice(step, flow.userId, flow.deviceId)
  const identity = await readIdentity(step, flow.userId)
  if (!device || device.deviceId === identity?.masterKey) return cancel(step, own, flow, 'm.key_mismatch')
  const deviceKeyId = `ed25519:${device.deviceId}`
  const masterKeyId = identity ? `ed25519:${identity.masterKey}` : null
  const known = {
    [deviceKeyId]: device.ed25519Key,
    ...(masterKeyId && { [masterKeyId]: identity!.masterKey }),
  }
  const { sharedKey, us, them } = exchangeOf(own, flow)
  const right = checkMacs(sharedKey, them, us, flow.flowId, content, known)
  const masterKey = masterKeyId && right?.has(masterKeyId) ? identity!.masterKey : null
  const ours = flow.userId === own.userId
  const deviceKey = ours && right?.has(deviceKeyId) ? device.ed25519Key : null
  // Of another person the identity is what counts; of ourselves, the device.
  if (!right || (ours ? deviceKey === null : masterKey === null)) {
    return cancel(step, own, flow, 'm.key_mismatch')
  }
  await finish(step, own, flow, { masterKey, deviceKey })
}

/** Applies what was compared, says `done`, and forgets the ephemeral key. */
async function finish(step: Step, own: OwnDevice, flow: Flow, outcome: Outcome): Promise<void> {
  const { userId, deviceId } = flow
  const device = outcome.deviceKey === null ? null : await knownDevice(step, userId, deviceId!)
  if (outcome.deviceKey !== (device?.ed25519Key ?? null)) return cancel(step, own, flow, 'm.key_mismatch')
  try {
    if (outcome.masterKey !== null) await verifyIdentity(step, own, { userId, masterKey: outcome.masterKey })
  } catch (error) {
    // Replaced since it was compared, or not ours to sign.
    if (!(error instanceof E2eeError)) throw error
    return cancel(step, own, flow, 'm.key_mismatch')
  }
  // Without the self-signing key here it is the other device that signs us.
  const maySign = device && (await readSecret(step, 'm.cross_signing.self_signing')) !== null
  if (maySign) await signOwnDevice(step, own, device.deviceId)
  sendMessage(step, own, flow, 'done', {})
  putFlow(step, { ...flow, phase: 'done', started: null, shownQr: null, outcome, usedAt: own.clock() })
  if (userId === own.userId) await requestMissingSecrets(step, own, [deviceId!])
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

/** Which keys of ours the other end is to verify. Our identity only if it counts for us (attack 12). */
async function keysToVerifyUsBy(step: Step, own: OwnDevice): Promise<Record<string, string>> {
  const identity = await readIdentity(step, own.userId)
  const trusted = identity !== null && identity.verifiedKey === identity.masterKey
  return {
    [`ed25519:${own.deviceId}`]: own.account.ed25519Key,
    ...(trusted && { [`ed25519:${identity.masterKey}`]: identity.masterKey }),
  }
}

/** What a scanned code proves; null where a key in it is not the one that we know. */
async function judgeCode(
  step: Step,
  own: OwnDevice,
  flow: Flow,
  mode: QrMode,
  first: Uint8Array,
  second: Uint8Array,
): Promise<Outcome | null> {
  const ours = await readIdentity(step, own.userId)
  const is = (bytes: Uint8Array, key: string) => equal(bytes, keyBytes(key))
  if (!ours) return null
  const oursTrusted = ours.verifiedKey === ours.masterKey
  const toSelf = flow.userId === own.userId
  if ((mode === 'other-user') === toSelf) return null
  if (mode === 'other-user') {
    const theirs = await readIdentity(step, flow.userId)
    const right = theirs && oursTrusted && is(first, theirs.masterKey) && is(second, ours.masterKey)
    return right ? { masterKey: theirs.masterKey, deviceKey: null } : null
  }
  if (mode === 'self-trusted') {
    const right = is(first, ours.masterKey) && is(second, own.account.ed25519Key)
    return right ? { masterKey: ours.masterKey, deviceKey: null } : null
  }
  const device = await knownDevice(step, flow.userId, flow.deviceId!)
  const right = device && oursTrusted && is(first, device.ed25519Key) && is(second, ours.masterKey)
  return right ? { masterKey: null, deviceKey: device.ed25519Key } : null
}

function newFlow(flowId: string, userId: string, roomId: string | null, now: number): Flow {
  return {
    version: 1,
    flowId,
    userId,
    deviceId: null,
    roomId,
    requestedByUs: false,
    phase: 'requested',
    methods: [],
    sas: null,
    cancelCode: null,
    askedDevices: [],
    requestedAt: now,
    usedAt: now,
    started: null,
    shownQr: null,
    outcome: null,
  }
}

function newExchange(own: OwnDevice, byUs: boolean, content: JsonObject): Started {
  const { publicKey, privateKey } = curve25519KeyPair(own.randomBytes(32))
  return {
    byUs,
    content,
    privateKey: encodeSecret(privateKey),
    publicKey: encodeBase64(publicKey),
    commitment: null,
    theirKey: null,
    confirmed: false,
    theirMac: null,
  }
}

function exchangeOf(own: OwnDevice, flow: Flow) {
  const { privateKey, publicKey, theirKey } = flow.started!
  return {
    sharedKey: sharedSecret(decodeSecret(privateKey)!, theirKey!),
    us: { userId: own.userId, deviceId: own.deviceId, publicKey },
    them: { userId: flow.userId, deviceId: flow.deviceId!, publicKey: theirKey! },
  }
}

/** Seen from our end: what we show, they have to scan. */
function commonMethods(
  ours: readonly VerificationMethod[],
  theirs: readonly VerificationMethod[],
): VerificationMethod[] {
  const reciprocate = ours.includes('m.reciprocate.v1') && theirs.includes('m.reciprocate.v1')
  return ours.filter(method => {
    if (method === 'm.qr_code.show.v1') return reciprocate && theirs.includes('m.qr_code.scan.v1')
    if (method === 'm.qr_code.scan.v1') return reciprocate && theirs.includes('m.qr_code.show.v1')
    if (method === 'm.reciprocate.v1') return false
    return theirs.includes(method)
  })
}

/** Those of our methods that answer one of theirs, as `ready` names them. */
function answerable(
  ours: readonly VerificationMethod[],
  theirs: readonly VerificationMethod[],
): VerificationMethod[] {
  const common = commonMethods(ours, theirs)
  const codes = common.some(method => method.startsWith('m.qr_code.'))
  return ours.filter(method => common.includes(method) || (codes && method === 'm.reciprocate.v1'))
}

function isSmaller(a: Party, b: Party): boolean {
  return a.userId === b.userId ? a.deviceId < b.deviceId : a.userId < b.userId
}

/** Sends and returns the content as it was sent: the commitment is made over it. */
function sendMessage(step: Step, own: OwnDevice, flow: Flow, kind: string, content: JsonObject): JsonObject {
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

function sendToDevices(
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
function cancel(step: Step, own: OwnDevice, flow: Flow, code: string): void {
  sendMessage(step, own, flow, 'cancel', { code, reason: code })
  putFlow(step, over(flow, own, code))
}

function over(flow: Flow, own: OwnDevice, cancelCode: string): Flow {
  return {
    ...flow,
    phase: 'cancelled',
    cancelCode,
    started: null,
    shownQr: null,
    outcome: null,
    usedAt: own.clock(),
  }
}

function refuse(step: Step, event: { readonly sender: string }, code: string): void {
  step.tell({ kind: 'refused', code, from: event.sender })
}

/** Spec: client-server-api#error-and-exception-handling. No answer to what could itself be an answer: no loops. */
function refuseUnknown(step: Step, own: OwnDevice, event: VerificationEvent, kind: string): void {
  refuse(step, event, 'VERIFICATION_UNKNOWN')
  const { transaction_id: flowId, from_device: deviceId } = event.content
  if (kind === 'cancel' || kind === 'done') return
  if (typeof flowId !== 'string' || typeof deviceId !== 'string') return
  const content = { code: 'm.unknown_transaction', reason: 'm.unknown_transaction', transaction_id: flowId }
  sendToDevices(step, own, event.sender, [deviceId], 'm.key.verification.cancel', content)
}

function relatedEvent(content: JsonObject): unknown {
  const relation = content['m.relates_to']
  return isObject(relation) && relation['rel_type'] === 'm.reference' ? relation['event_id'] : undefined
}

async function expectAbleToVerify(step: Step, own: OwnDevice, userId: string): Promise<void> {
  const ours = await expectKnownIdentity(step, own.userId)
  const signs = (await readSecret(step, 'm.cross_signing.user_signing')) !== null
  if (!signs || ours.verifiedKey !== ours.masterKey) {
    throw new E2eeError('OWN_IDENTITY_UNVERIFIED', 'verify this device before verifying others (attack 12)')
  }
  await expectKnownIdentity(step, userId)
}

async function expectKnownIdentity(step: Step, userId: string): Promise<Identity> {
  const identity = await readIdentity(step, userId)
  if (!identity) throw new E2eeError('IDENTITY_UNKNOWN', `${userId} has no cross-signing keys`)
  return identity
}

async function expectOtherDevice(step: Step, flow: Flow) {
  const device = await knownDevice(step, flow.userId, flow.deviceId!)
  if (!device) throw new E2eeError('DEVICE_UNKNOWN', 'the other device is not in our device list')
  return device
}

async function expectFlow(step: Step, own: OwnDevice, flowId: string, phase: Phase): Promise<Flow> {
  const flow = await readFlow(step, flowId)
  if (!flow) throw new E2eeError('VERIFICATION_UNKNOWN', 'there is no such verification')
  if (own.clock() - flow.requestedAt >= timeoutMs) {
    throw new E2eeError('VERIFICATION_TIMED_OUT', 'the verification took longer than ten minutes')
  }
  if (flow.phase !== phase) {
    throw new E2eeError('VERIFICATION_WRONG_PHASE', `the verification is ${flow.phase}, not ${phase}`)
  }
  return flow
}

async function readFlow(step: Pick<Step, 'get'>, flowId: string): Promise<Flow | null> {
  return ((await step.get('verification', flowId)) as unknown as Flow | undefined) ?? null
}

async function flows(step: Step): Promise<Flow[]> {
  return (await step.entries('verification')).map(([, record]) => record as unknown as Flow)
}

function putFlow(step: Step, flow: Flow): void {
  step.put('verification', flow.flowId, flow as unknown as JsonObject)
  step.tell({ kind: 'verification', flowId: flow.flowId })
}

function isOver(flow: Flow): boolean {
  return flow.phase === 'done' || flow.phase === 'cancelled'
}

function keyBytes(key: string): Uint8Array {
  return decodeBase64(key) ?? new Uint8Array(0)
}
