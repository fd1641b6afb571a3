/**
 * What two people have compared, held against the keys that we know, and applied to exactly these.
 */
import { decodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { signOwnDevice, verifyIdentity } from '../cross-signing.ts'
import { E2eeError } from '../errors.ts'
import { type Identity, readIdentity } from '../identity.ts'
import { knownDevice } from '../known-device.ts'
import type { OwnDevice } from '../own-device.ts'
import { equal } from '../primitives.ts'
import type { Step } from '../records.ts'
import { requestMissingSecrets } from '../secret-sharing.ts'
import { readSecret } from '../secrets.ts'
import { cancel, sendMessage } from './flow-messages.ts'
import { exchangeOf, type Flow, type Outcome, putFlow } from './flow-record.ts'
import type { QrMode } from './qr.ts'
import { checkMacs } from './sas.ts'

/** The MACs are held against the keys as we know them now, and exactly these become verified. */
export async function finishSas(step: Step, own: OwnDevice, flow: Flow, content: JsonObject): Promise<void> {
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
export async function finish(step: Step, own: OwnDevice, flow: Flow, outcome: Outcome): Promise<void> {
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

/** What a scanned code proves; null where a key in it is not the one that we know. */
export async function judgeCode(
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

/** Which keys of ours the other end is to verify. Our identity only if it counts for us (attack 12). */
export async function keysToVerifyUsBy(step: Step, own: OwnDevice): Promise<Record<string, string>> {
  const identity = await readIdentity(step, own.userId)
  const trusted = identity !== null && identity.verifiedKey === identity.masterKey
  return {
    [`ed25519:${own.deviceId}`]: own.account.ed25519Key,
    ...(trusted && { [`ed25519:${identity.masterKey}`]: identity.masterKey }),
  }
}

export async function expectAbleToVerify(step: Step, own: OwnDevice, userId: string): Promise<void> {
  const ours = await expectKnownIdentity(step, own.userId)
  const signs = (await readSecret(step, 'm.cross_signing.user_signing')) !== null
  if (!signs || ours.verifiedKey !== ours.masterKey) {
    throw new E2eeError('OWN_IDENTITY_UNVERIFIED', 'verify this device before verifying others (attack 12)')
  }
  await expectKnownIdentity(step, userId)
}

export async function expectKnownIdentity(step: Step, userId: string): Promise<Identity> {
  const identity = await readIdentity(step, userId)
  if (!identity) throw new E2eeError('IDENTITY_UNKNOWN', `${userId} has no cross-signing keys`)
  return identity
}

export async function expectOtherDevice(step: Step, flow: Flow) {
  const device = await knownDevice(step, flow.userId, flow.deviceId!)
  if (!device) throw new E2eeError('DEVICE_UNKNOWN', 'the other device is not in our device list')
  return device
}

export function keyBytes(key: string): Uint8Array {
  return decodeBase64(key) ?? new Uint8Array(0)
}
