/**
 * A device's identity keys: what it may publish, and what others get to see of it.
 *
 * The identity of a device is fixed once it is published: a device that changes its keys is another device, and
 * whoever verified the first would trust the second. Spec: client-server-api#device-keys
 */
import { canonicalJson } from '../protocol/canonical-json.ts'
import type { DeviceId, UserId } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject, memberOf } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import { KeysError } from './keys-error.ts'
import { isPublicKey, isSignedBy, signaturesOf, signedText, withSignatures } from './signed-object.ts'

/** Far more than any device has; each is a line in everybody's /keys/query. */
const maxKeys = 16
const maxAlgorithms = 16

/** Checked: who it belongs to, its form, its own signature. Only the user's signatures are kept. */
export function parseDeviceKeys(
  value: Json | undefined,
  userId: UserId,
  deviceId: DeviceId,
  verify: Verify,
): JsonObject {
  if (!isObject(value)) throw new KeysError('M_BAD_JSON', 'device_keys must be an object.')
  if (value['user_id'] !== userId) {
    throw new KeysError('M_INVALID_PARAM', `device_keys.user_id must be ${userId}, who is signed in.`)
  }
  if (value['device_id'] !== deviceId) {
    throw new KeysError('M_INVALID_PARAM', `device_keys.device_id must be ${deviceId}, which is signed in.`)
  }
  const algorithms = value['algorithms']
  if (!isTextList(algorithms) || algorithms.length > maxAlgorithms) {
    throw new KeysError(
      'M_BAD_JSON',
      `device_keys.algorithms must be a list of at most ${maxAlgorithms} names.`,
    )
  }
  const keys = value['keys']
  if (!isObject(keys) || Object.keys(keys).length > maxKeys) {
    throw new KeysError('M_BAD_JSON', `device_keys.keys must be an object of at most ${maxKeys} keys.`)
  }
  for (const [name, key] of Object.entries(keys)) {
    if (!name.endsWith(`:${deviceId}`) || name.indexOf(':') !== name.length - deviceId.length - 1) {
      throw new KeysError(
        'M_INVALID_PARAM',
        `device_keys.keys: ${name} is not named <algorithm>:${deviceId}.`,
      )
    }
    if (typeof key !== 'string')
      throw new KeysError('M_BAD_JSON', `device_keys.keys.${name} must be a string.`)
  }
  for (const algorithm of ['ed25519', 'curve25519']) {
    if (!isPublicKey(memberOf(keys, `${algorithm}:${deviceId}`))) {
      throw new KeysError(
        'M_INVALID_PARAM',
        `device_keys.keys must hold ${algorithm}:${deviceId}, 32 bytes in unpadded base64.`,
      )
    }
  }
  signedText(value, 'device_keys')
  const signatures = signaturesOf(value, userId)
  const own = `ed25519:${deviceId}`
  if (!isSignedBy(value, signatures[own], keys[own] as string, verify)) {
    throw new KeysError('M_INVALID_SIGNATURE', `device_keys is not signed by its own key ${own}.`)
  }
  return withSignatures(value, userId, signatures)
}

/**
 * What the store should hold after this upload; null: nothing changes.
 *
 * A repeated upload keeps the signatures that others of the user's keys have made meanwhile.
 */
export function mergeDeviceKeys(
  stored: JsonObject | undefined,
  uploaded: JsonObject,
  userId: UserId,
): JsonObject | null {
  if (!stored) return uploaded
  const now = uploaded['keys'] as JsonObject
  for (const [name, key] of Object.entries(stored['keys'] as JsonObject)) {
    if (memberOf(now, name) === key) continue
    throw new KeysError(
      'M_FORBIDDEN',
      `device_keys.keys: ${name} differs from the one that this device published. Sign in as a new device instead.`,
    )
  }
  if (signedText(stored, 'device_keys') !== signedText(uploaded, 'device_keys')) return uploaded
  const merged = withSignatures(uploaded, userId, {
    ...signaturesOf(stored, userId),
    ...signaturesOf(uploaded, userId),
  })
  return canonicalJson(merged) === canonicalJson(stored) ? null : merged
}

/** The device's own signing key. */
export function signingKeyOf(deviceKeys: JsonObject, deviceId: string): string {
  return (deviceKeys['keys'] as JsonObject)[`ed25519:${deviceId}`] as string
}

function isTextList(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string' && item.length <= 255)
}
