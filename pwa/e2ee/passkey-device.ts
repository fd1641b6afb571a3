/**
 * Passkey-signed devices: "enrolled with passkey …".
 *
 * Our own format, in two signed extra members of `device_keys` (other clients keep and ignore them):
 *
 * `org.letro.passkeys` lists the person's passkeys: { version: 1, user_id, serial, passkeys: [{ credential_id,
 * public_key, name }] }, signed by their master key, so that comparing identities covers it. `public_key` is the COSE
 * key in unpadded base64. The list with the highest serial that we ever saw counts, under the current master key.
 *
 * `org.letro.passkey_assertion` is one passkey's gesture for this very device: { version: 1, credential_id, nonce,
 * authenticator_data, client_data, signature }, unpadded base64, with
 *   challenge = SHA-256(nonce ‖ SHA-256(canonical device_keys without signatures, unsigned and this member)).
 *
 * It adds to cross-signing and never stands in for it: an enrolled device that its owner did not sign gets no keys.
 */
import { decodeBase64, encodeBase64, encodeBase64Url } from '#protocol/base64.ts'
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { signedBytes } from '#protocol/signing.ts'
import { concat } from './bytes.ts'
import { type CoseKey, parseCoseKey, verifyWithCoseKey } from './cose-key.ts'
import { isDeviceSigned, signOwnDevice } from './cross-signing.ts'
import { E2eeError } from './errors.ts'
import { readIdentity } from './identity.ts'
import { knownDevice, knownDevices } from './known-device.ts'
import { type OwnDevice, randomName, signAsDevice } from './own-device.ts'
import { equal, sha256 } from './primitives.ts'
import type { Step } from './records.ts'
import { expectSigningKey, readSecret } from './secrets.ts'
import { isSignedBy } from './signing-key.ts'

export const passkeysMember = 'org.letro.passkeys'
export const assertionMember = 'org.letro.passkey_assertion'

/** A passkey as its owner lists it. */
export interface ListedPasskey {
  /** As WebAuthn gives it: base64url without padding. */
  readonly credentialId: string
  /** The COSE key, unpadded base64. */
  readonly publicKey: string
  /** What the owner calls it. */
  readonly name: string
}

/** What the server's card says of where passkeys belong. */
export interface PasskeyOrigin {
  readonly rpId: string
  readonly origins: readonly string[]
}

/** An answer of `navigator.credentials.get`. */
export interface Assertion {
  readonly credentialId: string
  readonly authenticatorData: Uint8Array
  readonly clientDataJson: Uint8Array
  readonly signature: Uint8Array
}

export type Enrolment =
  /** The device does not say that it was enrolled with a passkey. */
  | { readonly kind: 'none' }
  /** It says so, and it does not hold: to be shown as a warning. */
  | { readonly kind: 'invalid'; readonly code: string }
  | {
      readonly kind: 'enrolled'
      readonly credentialId: string
      readonly name: string
      /**
       * `synced`: the passkey may be on several of the person's devices. `says-it-is`: the authenticator says that it
       * does not leave its hardware. Nothing here verifies an attestation, so that nothing says more than that.
       */
      readonly hardwareBound: 'says-it-is' | 'synced'
    }

export const nonceBytes = 32
const maxPasskeys = 100
/** WebAuthn lets a credential id have at most 1,023 bytes. */
const maxCredentialIdLength = 1364
const maxNameLength = 200
/** What an authenticator and a browser make has some hundred bytes. */
const maxAssertionBytes = 4096

/** What the passkey signs, by way of the browser. */
export function enrolmentChallenge(nonce: Uint8Array, deviceKeys: JsonObject): Uint8Array {
  const { [assertionMember]: _assertion, ...rest } = deviceKeys
  const hash = sha256(signedBytes(rest))
  return sha256(concat([nonce, hash]))
}

/**
 * Begins to enrol the device that we run on: its keys with the newest list of passkeys in them, a nonce, and the
 * challenge for the gesture. Nothing is stored: the person may turn away.
 */
export async function beginEnrolment(
  step: Step,
  own: OwnDevice,
): Promise<{ nonce: Uint8Array; challenge: Uint8Array; deviceKeys: JsonObject }> {
  const device = await knownDevice(step, own.userId, own.deviceId)
  if (device?.ed25519Key !== own.account.ed25519Key) {
    throw new E2eeError('DEVICE_UNKNOWN', 'our device is not in our device list as it is here')
  }
  const list = await readList(step, own.userId)
  if (!list) throw new E2eeError('PASSKEYS_NOT_LISTED', 'the master key has to sign a list of passkeys first')
  const { signatures: _s, unsigned: _u, [assertionMember]: _a, ...keys } = device.deviceKeys
  const deviceKeys = { ...keys, [passkeysMember]: list }
  const nonce = own.randomBytes(nonceBytes)
  return { nonce, challenge: enrolmentChallenge(nonce, deviceKeys), deviceKeys }
}

/**
 * The gesture was made: the device's keys carry it from now on. They are uploaded anew, and signed anew by the
 * self-signing key, which is here or is not: then another device of ours has to.
 *
 * @throws E2eeError PASSKEY_… where others would not believe it
 */
export async function completeEnrolment(
  step: Step,
  own: OwnDevice,
  input: { readonly nonce: Uint8Array; readonly deviceKeys: JsonObject; readonly assertion: Assertion },
  origin: PasskeyOrigin,
): Promise<void> {
  const { assertion } = input
  const deviceKeys = signAsDevice<JsonObject>(own, {
    ...input.deviceKeys,
    [assertionMember]: {
      version: 1,
      credential_id: assertion.credentialId,
      nonce: encodeBase64(input.nonce),
      authenticator_data: encodeBase64(assertion.authenticatorData),
      client_data: encodeBase64(assertion.clientDataJson),
      signature: encodeBase64(assertion.signature),
    },
  })
  const listed = parseList(own.userId, deviceKeys[passkeysMember])
  await checkAssertion(deviceKeys, listed?.passkeys ?? [], origin)
  const list = (await step.get('device-list', own.userId)) as { devices: JsonObject } | undefined
  const devices = { ...list?.devices, [own.deviceId]: deviceKeys }
  step.put('device-list', own.userId, { ...list, devices })
  step.send({ id: randomName(own), kind: 'keys-upload', body: { device_keys: deviceKeys } })
  const maySign = (await readSecret(step, 'm.cross_signing.self_signing')) !== null
  if (maySign) await signOwnDevice(step, own, own.deviceId)
}

/** Signs a new list of our passkeys with the master key. It reaches others with the next device that carries it. */
export async function signPasskeyList(
  step: Step,
  own: OwnDevice,
  passkeys: readonly ListedPasskey[],
): Promise<JsonObject> {
  const master = await expectSigningKey(step, 'm.cross_signing.master')
  const before = await readList(step, own.userId)
  const list = master.sign<JsonObject>(
    {
      version: 1,
      user_id: own.userId,
      serial: Number(before?.['serial'] ?? 0) + 1,
      passkeys: passkeys.map(({ credentialId, publicKey, name }) => ({
        credential_id: credentialId,
        public_key: publicKey,
        name,
      })),
    },
    own.userId,
  )
  if (!parseList(own.userId, list)) {
    throw new E2eeError('PASSKEYS_MALFORMED', 'others would refuse this list of passkeys')
  }
  step.put('identity', listId(own.userId), list)
  return list
}

/** The passkeys that this person's master key vouches for; null: no list is known. */
export async function passkeyList(
  step: Pick<Step, 'get'>,
  userId: string,
): Promise<readonly ListedPasskey[] | null> {
  const identity = await readIdentity(step, userId)
  const list = parseList(userId, await readList(step, userId))
  return identity && list && isSignedBy(list.object, userId, identity.masterKey) ? list.passkeys : null
}

/** Takes the newest list among those that a person's devices carry. To be called when their device list came in. */
export async function receivePasskeyLists(step: Step, userId: string): Promise<void> {
  const identity = await readIdentity(step, userId)
  if (!identity) return
  // The serial of a list under an older master key means nothing.
  const isTheirs = (list: PasskeyList | null) =>
    list !== null && isSignedBy(list.object, userId, identity.masterKey)
  const stored = parseList(userId, await readList(step, userId))
  let newest = isTheirs(stored) ? stored : null
  for (const { deviceKeys } of await knownDevices(step, userId)) {
    const list = parseList(userId, deviceKeys[passkeysMember])
    if (list && list.serial > (newest?.serial ?? 0) && isTheirs(list)) newest = list
  }
  if (newest) step.put('identity', listId(userId), newest.object)
}

/** What a view may say of how this device was enrolled. */
export async function enrolmentOf(
  step: Pick<Step, 'get'>,
  userId: string,
  deviceId: string,
  origin: PasskeyOrigin,
): Promise<Enrolment> {
  const device = await knownDevice(step, userId, deviceId)
  if (!device || device.deviceKeys[assertionMember] === undefined) return { kind: 'none' }
  const identity = await readIdentity(step, userId)
  if (!identity || !isDeviceSigned(identity, device)) return { kind: 'invalid', code: 'DEVICE_NOT_SIGNED' }
  const passkeys = await passkeyList(step, userId)
  if (!passkeys) return { kind: 'invalid', code: 'PASSKEYS_NOT_LISTED' }
  try {
    return await checkAssertion(device.deviceKeys, passkeys, origin)
  } catch (error) {
    if (!(error instanceof E2eeError)) throw error
    return { kind: 'invalid', code: error.code }
  }
}

/** WebAuthn level 3, "Verifying an authentication assertion", as far as it concerns a party that is not the server. */
async function checkAssertion(
  deviceKeys: JsonObject,
  passkeys: readonly ListedPasskey[],
  origin: PasskeyOrigin,
): Promise<Enrolment> {
  const object = deviceKeys[assertionMember]
  if (!isObject(object) || object['version'] !== 1) {
    throw new E2eeError('PASSKEY_MALFORMED', 'the assertion is not of a version that we know')
  }
  const nonce = bytesOf(object['nonce'])
  const data = bytesOf(object['authenticator_data'])
  const clientData = bytesOf(object['client_data'])
  const signature = bytesOf(object['signature'])
  const { credential_id: credentialId } = object
  const passkey = passkeys.find(listed => listed.credentialId === credentialId)
  if (!passkey) throw new E2eeError('PASSKEY_NOT_LISTED', 'no passkey of this person has that id')
  if (nonce.length !== nonceBytes) throw new E2eeError('PASSKEY_MALFORMED', 'the nonce has not 32 bytes')

  const client = parseClientData(clientData)
  if (client['type'] !== 'webauthn.get')
    throw new E2eeError('PASSKEY_WRONG_TYPE', 'this is no authentication')
  if (client['challenge'] !== encodeBase64Url(enrolmentChallenge(nonce, deviceKeys))) {
    throw new E2eeError('PASSKEY_OTHER_DEVICE', 'the gesture was made for another device or other keys')
  }
  const from = client['origin']
  if (
    typeof from !== 'string' ||
    !origin.origins.includes(from) ||
    (client['crossOrigin'] ?? false) !== false
  ) {
    throw new E2eeError('PASSKEY_WRONG_ORIGIN', "the gesture was made on another site than the server's")
  }

  // authenticator data: 32 rpIdHash, 1 flags, 4 counter, extensions
  if (data.length < 37) throw new E2eeError('PASSKEY_MALFORMED', 'the authenticator data is cut off')
  if (!equal(data.subarray(0, 32), sha256(origin.rpId))) {
    throw new E2eeError('PASSKEY_WRONG_SITE', "the passkey is of another site than the server's")
  }
  const flags = data[32]!
  const [present, verified, eligible, backedUp] = [0x01, 0x04, 0x08, 0x10].map(bit => (flags & bit) !== 0)
  if (!present || !verified) {
    throw new E2eeError('PASSKEY_NO_USER', 'the authenticator did not verify that it was its person')
  }
  if (backedUp && !eligible)
    throw new E2eeError('PASSKEY_MALFORMED', 'backed up, though it says it cannot be')

  const signed = concat([data, sha256(clientData)])
  const key: CoseKey = parseCoseKey(bytesOf(passkey.publicKey))
  if (!(await verifyWithCoseKey(key, signed, signature))) {
    throw new E2eeError('PASSKEY_BAD_SIGNATURE', 'the passkey did not sign this')
  }
  return {
    kind: 'enrolled',
    credentialId: passkey.credentialId,
    name: passkey.name,
    hardwareBound: eligible ? 'synced' : 'says-it-is',
  }
}

function parseClientData(bytes: Uint8Array): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new E2eeError('PASSKEY_MALFORMED', 'the client data is not JSON', { cause })
  }
  if (!isObject(value)) throw new E2eeError('PASSKEY_MALFORMED', 'the client data is not an object')
  return value
}

function bytesOf(text: Json | undefined): Uint8Array {
  const bytes = typeof text === 'string' && text.length <= maxAssertionBytes * 2 ? decodeBase64(text) : null
  if (!bytes || bytes.length > maxAssertionBytes) {
    throw new E2eeError('PASSKEY_MALFORMED', 'a part of the assertion is not base64 of a sensible size')
  }
  return bytes
}

interface PasskeyList {
  readonly object: JsonObject
  readonly serial: number
  readonly passkeys: readonly ListedPasskey[]
}

/** Null where it is not such a list. Who signed it, the caller checks. */
function parseList(userId: string, object: Json | undefined): PasskeyList | null {
  if (!isObject(object) || object['version'] !== 1 || object['user_id'] !== userId) return null
  const { serial, passkeys } = object
  if (!Number.isSafeInteger(serial) || Number(serial) < 1) return null
  if (!Array.isArray(passkeys) || passkeys.length > maxPasskeys) return null
  const listed: ListedPasskey[] = []
  for (const passkey of passkeys as readonly Json[]) {
    if (!isObject(passkey)) return null
    const { credential_id: credentialId, public_key: publicKey, name } = passkey
    if (typeof credentialId !== 'string' || credentialId.length > maxCredentialIdLength) return null
    if (typeof publicKey !== 'string' || publicKey.length > maxAssertionBytes) return null
    if (typeof name !== 'string' || name.length > maxNameLength) return null
    listed.push({ credentialId, publicKey, name })
  }
  return { object, serial: Number(serial), passkeys: listed }
}

async function readList(step: Pick<Step, 'get'>, userId: string): Promise<JsonObject | undefined> {
  return step.get('identity', listId(userId))
}

const listPrefix = 'passkeys:'

function listId(userId: string): string {
  return listPrefix + userId
}

/** Whose identity, or list of passkeys, a record is. */
export function ownerOfIdentityRecord(id: string): string {
  return id.startsWith(listPrefix) ? id.slice(listPrefix.length) : id
}
