/**
 * Cross-signing with our own keys: making them, signing our devices and other people's master keys, and the verdict
 * on a device that everything else goes by.
 *
 * Spec: client-server-api#cross-signing; MSC4153. Only what was verified is signed: the stored object, never one
 * rebuilt from parts that an event named (attack 3).
 */
import type { JsonObject } from '#protocol/json.ts'
import { E2eeError } from './errors.ts'
import {
  expectIdentity,
  type Identity,
  markVerified,
  parseKeys,
  putIdentity,
  readIdentity,
  standingOf,
} from './identity.ts'
import { type KnownDevice, knownDevice } from './known-device.ts'
import { type OwnDevice, randomName, signAsDevice } from './own-device.ts'
import type { Step } from './records.ts'
import { type CrossSigningSecret, crossSigningSecrets, expectSigningKey, putSecret } from './secrets.ts'
import { isSignedBy, type PublicKeyText, SigningKey, signingKeyId } from './signing-key.ts'

/** What a device is to us. Keys go to `own`, `verified` and `cross-signed`, to nobody else (attack 2). */
export type DeviceTrust =
  /** The device that we run on. */
  | 'own'
  /** Its owner signed it, and their identity was compared by a person. */
  | 'verified'
  /** Its owner signed it with the identity that we pinned. */
  | 'cross-signed'
  /** Its owner signed it with an identity that nobody accepted yet (attack 18), ours among them. */
  | 'identity-unaccepted'
  /** Its owner did not sign it, or has no identity: the server could have made it up. */
  | 'unsigned'
  /** Not in the owner's device list. */
  | 'unknown'

export function mayReceiveKeys(trust: DeviceTrust): boolean {
  return trust === 'own' || trust === 'verified' || trust === 'cross-signed'
}

/** May this device of ours be handed our secrets and the room keys that it asks for? */
export function isVerifiedOwnDevice(own: OwnDevice, userId: string, trust: DeviceTrust): boolean {
  return userId === own.userId && trust === 'verified'
}

export async function deviceTrust(
  step: Pick<Step, 'get'>,
  own: OwnDevice,
  userId: string,
  deviceId: string,
): Promise<DeviceTrust> {
  const device = await knownDevice(step, userId, deviceId)
  if (!device) return 'unknown'
  if (userId === own.userId && deviceId === own.deviceId) {
    return device.ed25519Key === own.account.ed25519Key ? 'own' : 'unsigned'
  }
  const identity = await readIdentity(step, userId)
  if (!identity || !isDeviceSigned(identity, device)) return 'unsigned'
  const standing = await standingOf(step, own, userId)
  if (standing === 'verified') return 'verified'
  // An own identity that nobody compared here could be the server's: it vouches for no device of ours.
  return standing === 'pinned' && userId !== own.userId ? 'cross-signed' : 'identity-unaccepted'
}

export function isDeviceSigned(identity: Identity, device: KnownDevice): boolean {
  return (
    device.userId === identity.userId &&
    isSignedBy(device.deviceKeys, identity.userId, identity.selfSigningKey)
  )
}

/** An identity that was made and that the server has not taken yet: the body of its upload, and its private keys. */
export interface NewIdentity {
  readonly body: JsonObject
  readonly secrets: readonly string[]
}

/**
 * Makes an identity. Nobody has it before the server took `body` and `adoptIdentity` was called. The server may ask for
 * authentication, and for the very same body again.
 *
 * Spec: client-server-api#post_matrixclientv3keysdevice_signingupload
 */
export function makeIdentity(own: OwnDevice): NewIdentity {
  const { userId } = own
  const [master, selfSigning, userSigning] = crossSigningSecrets.map(
    () => new SigningKey(own.randomBytes(32)),
  ) as [SigningKey, SigningKey, SigningKey]
  return {
    body: {
      master_key: signAsDevice(own, publicObject(userId, 'master', master)),
      self_signing_key: master.sign(publicObject(userId, 'self_signing', selfSigning), userId),
      user_signing_key: master.sign(publicObject(userId, 'user_signing', userSigning), userId),
    },
    secrets: [master, selfSigning, userSigning].map(key => key.toSecret()),
  }
}

/**
 * This identity is ours from now on. It replaces whatever identity there was: people who compared the old one will have
 * to compare again.
 */
export function adoptIdentity(step: Step, own: OwnDevice, { body, secrets }: NewIdentity): Identity {
  const { userId } = own
  const keys = parseKeys(userId, body['master_key'], body['self_signing_key'], body['user_signing_key'])
  const identity = { ...keys, pinnedKey: keys.masterKey, verifiedKey: keys.masterKey }
  putIdentity(step, identity)
  step.tell({ kind: 'identity-changed', userId })
  for (const [i, name] of crossSigningSecrets.entries()) putSecret(step, name, secrets[i]!)
  return identity
}

/** Makes a new identity and has it sent: for hosts that need no confirmation. */
export async function bootstrapCrossSigning(step: Step, own: OwnDevice): Promise<Identity> {
  const made = makeIdentity(own)
  step.send({ id: randomName(own), kind: 'cross-signing-upload', body: made.body })
  return adoptIdentity(step, own, made)
}

function publicObject(userId: string, usage: string, { publicKey }: SigningKey): JsonObject {
  return { user_id: userId, usage: [usage], keys: { [signingKeyId(publicKey)]: publicKey } }
}

/** The server took our new identity: now it can take signatures made with it. */
export async function crossSigningUploaded(step: Step, own: OwnDevice): Promise<void> {
  if (await knownDevice(step, own.userId, own.deviceId)) await signOwnDevice(step, own, own.deviceId)
}

/** Signs a device of ours with the self-signing key. Whoever calls has compared it, or it is the one we run on. */
export async function signOwnDevice(step: Step, own: OwnDevice, deviceId: string): Promise<void> {
  const { userId } = own
  const device = await knownDevice(step, userId, deviceId)
  if (!device) throw new E2eeError('DEVICE_UNKNOWN', `${deviceId} is not in our device list`)
  if (deviceId === own.deviceId && device.ed25519Key !== own.account.ed25519Key) {
    throw new E2eeError('DEVICE_NOT_OURS', 'the server lists another key for this device')
  }
  const identity = await readIdentity(step, userId)
  const selfSigning = await expectSigningKey(step, 'm.cross_signing.self_signing')
  if (!identity || identity.selfSigningKey !== selfSigning.publicKey) {
    throw new E2eeError('IDENTITY_CHANGED', 'our self-signing key is no longer the one that we hold')
  }
  if (isDeviceSigned(identity, device)) return
  const signed = selfSigning.sign(withoutSignatures(device.deviceKeys), userId)
  await mergeDeviceSignature(step, device, signed)
  step.send({
    id: randomName(own),
    kind: 'signatures-upload',
    body: { [userId]: { [deviceId]: signed } },
  })
}

/** We know what we signed before the server says it again. */
async function mergeDeviceSignature(step: Step, device: KnownDevice, signed: JsonObject): Promise<void> {
  const { userId, deviceId, deviceKeys } = device
  const list = (await step.get('device-list', userId)) as { devices: JsonObject }
  const ours = (signed['signatures'] as Record<string, JsonObject>)[userId]!
  const signatures = deviceKeys['signatures'] as Record<string, JsonObject> | undefined
  const merged = {
    ...deviceKeys,
    signatures: { ...signatures, [userId]: { ...signatures?.[userId], ...ours } },
  }
  step.put('device-list', userId, { ...list, devices: { ...list.devices, [deviceId]: merged } })
  step.tell({ kind: 'devices-changed', userId })
}

/**
 * A person compared this master key: it counts as verified from now on, and where our user-signing key is here,
 * everybody's devices of ours learn it from the signature.
 *
 * For ourselves it says that the identity on the server is the one our other device holds; our device key then
 * signs the master key. Spec: client-server-api#key-and-signature-security
 */
export async function verifyIdentity(
  step: Step,
  own: OwnDevice,
  input: { readonly userId: string; readonly masterKey: PublicKeyText },
): Promise<void> {
  const { userId } = input
  const identity = await expectIdentity(step, userId, input.masterKey)
  const ours = userId === own.userId
  let signed: JsonObject
  if (ours) {
    signed = signAsDevice(own, withoutSignatures(identity.master))
  } else {
    const userSigning = await expectUserSigningKey(step, own)
    signed = userSigning.sign(withoutSignatures(identity.master), own.userId)
  }
  const signatures = identity.master['signatures'] as Record<string, JsonObject> | undefined
  const ownSignatures = (signed['signatures'] as Record<string, JsonObject>)[own.userId]!
  const master = {
    ...identity.master,
    signatures: { ...signatures, [own.userId]: { ...signatures?.[own.userId], ...ownSignatures } },
  }
  markVerified(step, { ...identity, master })
  step.send({
    id: randomName(own),
    kind: 'signatures-upload',
    body: { [userId]: { [identity.masterKey]: signed } },
  })
}

/** @throws E2eeError SECRET_MISSING, OWN_IDENTITY_UNVERIFIED, IDENTITY_CHANGED */
async function expectUserSigningKey(step: Step, own: OwnDevice): Promise<SigningKey> {
  const userSigning = await expectSigningKey(step, 'm.cross_signing.user_signing')
  const identity = await readIdentity(step, own.userId)
  if (identity?.verifiedKey !== identity?.masterKey) {
    throw new E2eeError('OWN_IDENTITY_UNVERIFIED', 'verify this device before verifying others (attack 12)')
  }
  if (identity?.userSigningKey !== userSigning.publicKey) {
    throw new E2eeError('IDENTITY_CHANGED', 'our user-signing key is no longer the one that we hold')
  }
  return userSigning
}

/**
 * Takes a cross-signing secret from secret storage or from another device of ours. It counts only if it makes the
 * public key of our identity. The master key's secret proves the identity ours: whoever holds it is its person.
 *
 * @throws E2eeError IDENTITY_UNKNOWN, SECRET_MISMATCH, SECRET_BAD_LENGTH
 */
export async function importCrossSigningSecret(
  step: Step,
  own: OwnDevice,
  input: { readonly name: CrossSigningSecret; readonly secret: string },
): Promise<void> {
  const { name } = input
  const identity = await readIdentity(step, own.userId)
  if (!identity) throw new E2eeError('IDENTITY_UNKNOWN', 'we have no cross-signing keys')
  const key = SigningKey.fromSecret(input.secret)
  const expected = {
    'm.cross_signing.master': identity.masterKey,
    'm.cross_signing.self_signing': identity.selfSigningKey,
    'm.cross_signing.user_signing': identity.userSigningKey,
  }[name]
  if (key.publicKey !== expected) {
    throw new E2eeError('SECRET_MISMATCH', `what came as ${name} does not make our public key`)
  }
  putSecret(step, name, key.toSecret())
  if (name === 'm.cross_signing.master' && identity.verifiedKey !== identity.masterKey) {
    await verifyIdentity(step, own, { userId: own.userId, masterKey: identity.masterKey })
  }
  if (name === 'm.cross_signing.self_signing') await crossSigningUploaded(step, own)
}

/** The upload of a signature holds this signature alone; the server adds it to those it has. */
function withoutSignatures(object: JsonObject): JsonObject {
  const { signatures: _signatures, unsigned: _unsigned, ...rest } = object
  return rest
}
