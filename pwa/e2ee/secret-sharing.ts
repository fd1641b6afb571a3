/**
 * Secrets between our own devices: asked for in the clear, answered encrypted, to verified devices of ours alone.
 *
 * Spec: client-server-api#sharing. A secret is taken only from a verified device that we asked, for a request that is
 * still open, and only if it makes the public key that it should (see secrets.ts).
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Context } from './context.ts'
import { deviceTrust, importCrossSigningSecret, isVerifiedOwnDevice } from './cross-signing.ts'
import { E2eeError } from './errors.ts'
import { readIdentity } from './identity.ts'
import { importBackupSecret } from './key-backup.ts'
import { knownDevice } from './known-device.ts'
import { claimMissingSessions, encryptForDevice, type OlmPayload } from './olm-channel.ts'
import { type OwnDevice, randomName } from './own-device.ts'
import { senderDevice } from './received-room-keys.ts'
import type { Step } from './records.ts'
import {
  backupSecret,
  crossSigningSecrets,
  parseSecretName,
  putSecret,
  readSecret,
  type SecretName,
  storageSecret,
} from './secrets.ts'

/** An open request is forgotten after a day: nobody who was asked will answer any more. */
const requestLifetimeMs = 24 * 3_600_000

/** A name and 59 characters. */
const maxStorageSecret = 500

const requestPrefix = 'secret|'
const answerPrefix = 'secret-answer|'

/** What another device asked for and could not be told yet. */
interface OpenAnswer {
  readonly name: SecretName
  readonly requestId: string
  readonly deviceId: string
  readonly askedAt: number
}

interface OpenRequest {
  readonly name: SecretName
  readonly askedDevices: readonly string[]
  readonly askedAt: number
}

/** Asks these devices of ours for every secret that is not here. */
export async function requestMissingSecrets(
  step: Step,
  own: OwnDevice,
  deviceIds: readonly string[],
): Promise<void> {
  for (const name of [storageSecret, ...crossSigningSecrets, backupSecret] as const) {
    if ((await readSecret(step, name)) !== null) continue
    const requestId = randomName(own)
    const request: OpenRequest = { name, askedDevices: deviceIds, askedAt: own.clock() }
    step.put('key-request', `${requestPrefix}${requestId}`, { version: 1, ...request })
    sendRequest(step, own, deviceIds, {
      action: 'request',
      name,
      request_id: requestId,
      requesting_device_id: own.deviceId,
    })
  }
}

/** `m.secret.request`. Whoever is not a verified device of ours gets silence. @throws E2eeError SECRET_REQUEST_NOT_VERIFIED */
export async function receiveSecretRequest(
  step: Step,
  context: Context,
  sender: string,
  content: JsonObject,
): Promise<void> {
  const { action, name, request_id: requestId, requesting_device_id: deviceId } = content
  if (action !== 'request' || typeof requestId !== 'string' || typeof deviceId !== 'string') return
  if (sender === context.userId && deviceId === context.deviceId) return
  if (!isVerifiedOwnDevice(context, sender, await deviceTrust(step, context, sender, deviceId))) {
    throw new E2eeError('SECRET_REQUEST_NOT_VERIFIED', 'a device that is not verified asks for a secret')
  }
  const secretName = parseSecretName(name)
  if (secretName === null || (await readSecret(step, secretName)) === null) return
  const answer: OpenAnswer = { name: secretName, requestId, deviceId, askedAt: context.clock() }
  if (await sendSecret(step, context, answer)) return
  // There is no Olm session with that device: the answer waits for one.
  const device = await knownDevice(step, sender, deviceId)
  if (device) await claimMissingSessions(step, context, [device])
  step.put('key-request', `${answerPrefix}${deviceId}/${secretName}`, { version: 1, ...answer })
}

/** New Olm sessions came: sends what waited for one, to devices that are verified still. */
export async function sendWaitingSecrets(step: Step, context: Context): Promise<void> {
  for (const [id, record] of await step.entries('key-request', answerPrefix)) {
    const answer = record as unknown as OpenAnswer
    const trust = await deviceTrust(step, context, context.userId, answer.deviceId)
    const expired = context.clock() - answer.askedAt > requestLifetimeMs
    const obsolete = expired || !isVerifiedOwnDevice(context, context.userId, trust)
    if (obsolete || (await sendSecret(step, context, answer))) step.delete('key-request', id)
  }
}

/** False where there is no Olm session with the device. */
async function sendSecret(step: Step, context: Context, answer: OpenAnswer): Promise<boolean> {
  const { deviceId, requestId } = answer
  const device = await knownDevice(step, context.userId, deviceId)
  const secret = await readSecret(step, answer.name)
  if (!device || secret === null) return true
  const content = { request_id: requestId, secret }
  const encrypted = await encryptForDevice(step, context, device, 'm.secret.send', content)
  if (!encrypted) return false
  const messages = { [context.userId]: { [deviceId]: encrypted } }
  step.send({
    id: randomName(context),
    kind: 'to-device',
    eventType: 'm.room.encrypted',
    body: { messages },
  })
  return true
}

/** A decrypted `m.secret.send`. @throws E2eeError SECRET_MALFORMED, SECRET_UNSOLICITED, SECRET_NOT_VERIFIED, SECRET_MISMATCH */
export async function receiveSecret(step: Step, context: Context, payload: OlmPayload): Promise<void> {
  const { request_id: requestId, secret } = payload.content
  if (typeof requestId !== 'string' || typeof secret !== 'string') {
    throw new E2eeError('SECRET_MALFORMED', 'request_id or secret is missing')
  }
  const deviceId = await verifiedSender(step, context, payload)
  const record = await step.get('key-request', `${requestPrefix}${requestId}`)
  const { name, askedDevices, askedAt } = (record ?? {}) as unknown as Partial<OpenRequest>
  const open = askedAt !== undefined && context.clock() - askedAt <= requestLifetimeMs
  if (!name || !askedDevices || !open || !askedDevices.includes(deviceId)) {
    throw new E2eeError('SECRET_UNSOLICITED', 'a secret came that this device was not asked for')
  }
  if (name === backupSecret) await importBackupSecret(step, secret)
  // What it is worth is seen where it is used: it has to fit the description of the storage.
  else if (name === storageSecret) putSecret(step, name, secret.slice(0, maxStorageSecret))
  else await importCrossSigningSecret(step, context, { name, secret })
  step.delete('key-request', `${requestPrefix}${requestId}`)
  const others = askedDevices.filter(asked => asked !== deviceId)
  if (others.length === 0) return
  const cancellation = { action: 'request_cancellation', request_id: requestId }
  sendRequest(step, context, others, { ...cancellation, requesting_device_id: context.deviceId })
}

/** The device whose Olm session the message came through, if it is ours and verified: by its keys, not by its word. */
async function verifiedSender(step: Step, context: Context, payload: OlmPayload): Promise<string> {
  const { sender } = payload
  const device = await senderDevice(step, payload)
  const trust = device ? await deviceTrust(step, context, sender, device.deviceId) : 'unknown'
  if (!device || !isVerifiedOwnDevice(context, sender, trust)) {
    throw new E2eeError(
      'SECRET_NOT_VERIFIED',
      'a secret came from a device that is not a verified one of ours',
    )
  }
  return device.deviceId
}

/** Forgets requests that nobody will answer any more. To be called now and then. */
export async function expireSecretRequests(step: Step, own: OwnDevice): Promise<void> {
  for (const prefix of [requestPrefix, answerPrefix]) {
    for (const [id, { askedAt }] of await step.entries('key-request', prefix)) {
      if (own.clock() - Number(askedAt) > requestLifetimeMs) step.delete('key-request', id)
    }
  }
}

/** Has our identity been shown to be ours, and is a secret still missing? Then asking makes sense. */
export async function shouldRequestSecrets(step: Step, own: OwnDevice): Promise<boolean> {
  const identity = await readIdentity(step, own.userId)
  if (!identity || identity.verifiedKey !== identity.masterKey) return false
  for (const name of crossSigningSecrets) if ((await readSecret(step, name)) === null) return true
  return false
}

function sendRequest(step: Step, own: OwnDevice, deviceIds: readonly string[], content: JsonObject): void {
  const messages = { [own.userId]: Object.fromEntries(deviceIds.map(deviceId => [deviceId, content])) }
  step.send({ id: randomName(own), kind: 'to-device', eventType: 'm.secret.request', body: { messages } })
}
