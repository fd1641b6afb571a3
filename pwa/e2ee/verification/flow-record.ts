/**
 * A verification as it is kept between two messages, and what a view may see of it.
 *
 * The ephemeral private key and the secret of a code that was shown are in it only as long as it is under way.
 */
import { encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { E2eeError } from '../errors.ts'
import type { OwnDevice } from '../own-device.ts'
import { curve25519KeyPair, decodeSecret, encodeSecret } from '../primitives.ts'
import type { Step } from '../records.ts'
import type { VerificationMethod } from './methods.ts'
import type { QrMode } from './qr.ts'
import { type ShortAuthenticationString, sharedSecret } from './sas.ts'

/** Spec: client-server-api#error-and-exception-handling: a verification, and a pause within one, ends after this. */
export const timeoutMs = 10 * 60_000

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

export interface Flow extends Verification {
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

export interface Outcome {
  /** Of the other person; of ourselves in a self-verification. */
  readonly masterKey: string | null
  /** The Ed25519 key of our own other device. */
  readonly deviceKey: string | null
}

export function newFlow(flowId: string, userId: string, roomId: string | null, now: number): Flow {
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

export function newExchange(own: OwnDevice, byUs: boolean, content: JsonObject): Started {
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

export function exchangeOf(own: OwnDevice, flow: Flow) {
  const { privateKey, publicKey, theirKey } = flow.started!
  return {
    sharedKey: sharedSecret(decodeSecret(privateKey)!, theirKey!),
    us: { userId: own.userId, deviceId: own.deviceId, publicKey },
    them: { userId: flow.userId, deviceId: flow.deviceId!, publicKey: theirKey! },
  }
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

export async function readFlow(step: Pick<Step, 'get'>, flowId: string): Promise<Flow | null> {
  return ((await step.get('verification', flowId)) as unknown as Flow | undefined) ?? null
}

export async function expectFlow(step: Step, own: OwnDevice, flowId: string, phase: Phase): Promise<Flow> {
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

export async function flows(step: Step): Promise<Flow[]> {
  return (await step.entries('verification')).map(([, record]) => record as unknown as Flow)
}

export function putFlow(step: Step, flow: Flow): void {
  step.put('verification', flow.flowId, flow as unknown as JsonObject)
  step.tell({ kind: 'verification', flowId: flow.flowId })
}

export function isOver(flow: Flow): boolean {
  return flow.phase === 'done' || flow.phase === 'cancelled'
}

export function over(flow: Flow, own: OwnDevice, cancelCode: string): Flow {
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
