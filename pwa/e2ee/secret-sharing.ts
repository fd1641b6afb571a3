/**
 * Secrets between our own devices: asked for in the clear, answered encrypted, to verified devices of ours alone.
 *
 * Spec: client-server-api#sharing. A secret is taken only from a verified device that we asked, for a request that is
 * still open, and only if it makes the public key that it should (see secrets.ts).
 */
import type { JsonObject } from '#protocol/json.ts'
import { deviceTrust, importCrossSigningSecret, isVerifiedOwnDevice } from './cross-signing.ts'
import { readIdentity } from './identity.ts'
import { importBackupSecret } from './key-backup.ts'
import { type OwnDevice, randomName } from './own-device.ts'
import type { Step } from './records.ts'
import { backupSecret, crossSigningSecrets, parseSecretName, readSecret, type SecretName } from './secrets.ts'

/** Encrypts for one device with Olm and sends: the machine's Olm channel. */
export type SendEncrypted = (
  step: Step,
  to: { readonly userId: string; readonly deviceId: string; readonly type: string },
  content: JsonObject,
) => Promise<void>

/** An open request is forgotten after a day: nobody who was asked will answer any more. */
const requestLifetimeMs = 24 * 3_600_000

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
  for (const name of [...crossSigningSecrets, backupSecret] as const) {
    if ((await readSecret(step, name)) !== null) continue
    const requestId = randomName(own)
    const request: OpenRequest = { name, askedDevices: deviceIds, askedAt: own.clock() }
    step.put('key-request', `secret:${requestId}`, { version: 1, ...request })
    sendRequest(step, own, deviceIds, {
      action: 'request',
      name,
      request_id: requestId,
      requesting_device_id: own.deviceId,
    })
  }
}

/** `m.secret.request`. Whoever is not a verified device of ours gets silence. */
export async function receiveSecretRequest(
  step: Step,
  own: OwnDevice,
  event: { readonly sender: string; readonly content: JsonObject },
  sendEncrypted: SendEncrypted,
): Promise<void> {
  const { action, name, request_id: requestId, requesting_device_id: deviceId } = event.content
  if (action !== 'request' || typeof requestId !== 'string' || typeof deviceId !== 'string') return
  if (event.sender === own.userId && deviceId === own.deviceId) return
  const trust = await deviceTrust(step, own, event.sender, deviceId)
  if (!isVerifiedOwnDevice(own, event.sender, trust)) {
    step.tell({ kind: 'refused', code: 'SECRET_REQUEST_NOT_VERIFIED', from: event.sender })
    return
  }
  const secretName = parseSecretName(name)
  const secret = secretName ? await readSecret(step, secretName) : null
  if (secret === null) return
  const to = { userId: own.userId, deviceId, type: 'm.secret.send' }
  await sendEncrypted(step, to, { request_id: requestId, secret })
}

/** A decrypted `m.secret.send`; `deviceId` is the device whose Olm session it came through. */
export async function receiveSecret(
  step: Step,
  own: OwnDevice,
  event: { readonly sender: string; readonly deviceId: string; readonly content: JsonObject },
): Promise<void> {
  const { request_id: requestId, secret } = event.content
  const refuse = (code: string) => step.tell({ kind: 'refused', code, from: event.sender })
  if (typeof requestId !== 'string' || typeof secret !== 'string') return refuse('SECRET_MALFORMED')
  const record = await step.get('key-request', `secret:${requestId}`)
  if (!record) return refuse('SECRET_UNSOLICITED')
  const { name, askedDevices, askedAt } = record as unknown as OpenRequest
  if (own.clock() - askedAt > requestLifetimeMs || !askedDevices.includes(event.deviceId)) {
    return refuse('SECRET_UNSOLICITED')
  }
  const trust = await deviceTrust(step, own, event.sender, event.deviceId)
  if (!isVerifiedOwnDevice(own, event.sender, trust)) return refuse('SECRET_NOT_VERIFIED')
  if (name === backupSecret) await importBackupSecret(step, secret)
  else await importCrossSigningSecret(step, own, { name, secret })
  step.delete('key-request', `secret:${requestId}`)
  const others = askedDevices.filter(asked => asked !== event.deviceId)
  if (others.length === 0) return
  const cancellation = { action: 'request_cancellation', request_id: requestId }
  sendRequest(step, own, others, { ...cancellation, requesting_device_id: own.deviceId })
}

/** Forgets requests that nobody will answer any more. To be called now and then. */
export async function expireSecretRequests(step: Step, own: OwnDevice): Promise<void> {
  for (const [id, record] of await step.entries('key-request', 'secret:')) {
    const { askedAt } = record as unknown as OpenRequest
    if (own.clock() - askedAt > requestLifetimeMs) step.delete('key-request', id)
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
