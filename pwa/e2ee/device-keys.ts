/**
 * A `device_keys` object from somebody else: taken only if the device itself signed it under its own name.
 *
 * Spec: client-server-api#device-keys, #post_matrixclientv3keysquery. What a self-signature proves is that the keys
 * belong together, not whose they are: that, cross-signing.ts says.
 */
import { decodeBase64 } from '#protocol/base64.ts'
import { isObject, type JsonObject, memberOf } from '#protocol/json.ts'
import { megolmAlgorithm, olmAlgorithm } from './account.ts'
import type { Context } from './context.ts'
import { E2eeError } from './errors.ts'
import { isNestedTooDeep } from './nesting.ts'
import { signAsDevice } from './own-device.ts'
import { isSignedBy } from './signing-key.ts'

/** A device's keys are a few hundred bytes; signatures and a passkey's assertion make them a few thousand. */
const maxDeviceKeysChars = 64 * 1024

export interface DeviceKeys {
  readonly userId: string
  readonly deviceId: string
  readonly ed25519Key: string
  readonly curve25519Key: string
  /** As it came, with all signatures. */
  readonly object: JsonObject
}

/**
 * @param isCrossSigningKey whether the owner has a cross-signing key of this name: a device so called could have
 * its signature taken for that key's (attack 3)
 * @throws E2eeError DEVICE_MALFORMED, DEVICE_NOT_ITS_OWN, DEVICE_NAMED_LIKE_A_KEY, DEVICE_BAD_SIGNATURE
 */
export function parseDeviceKeys(
  value: unknown,
  userId: string,
  deviceId: string,
  isCrossSigningKey: (name: string) => boolean,
): DeviceKeys {
  if (!isObject(value) || isNestedTooDeep(value)) {
    throw new E2eeError('DEVICE_MALFORMED', 'device_keys is no object, or nests too deep')
  }
  if (value['user_id'] !== userId || value['device_id'] !== deviceId) {
    throw new E2eeError('DEVICE_NOT_ITS_OWN', 'device_keys names another user or device')
  }
  if (isCrossSigningKey(deviceId)) {
    throw new E2eeError('DEVICE_NAMED_LIKE_A_KEY', 'a device has the name of a cross-signing key')
  }
  const ed25519Key = keyOf(value, `ed25519:${deviceId}`)
  const curve25519Key = keyOf(value, `curve25519:${deviceId}`)
  if (!ed25519Key || !curve25519Key || JSON.stringify(value).length > maxDeviceKeysChars) {
    throw new E2eeError('DEVICE_MALFORMED', 'device_keys lacks a key, or is too large')
  }
  if (!isSignedBy(value, userId, ed25519Key, deviceId)) {
    throw new E2eeError('DEVICE_BAD_SIGNATURE', 'device_keys is not signed by its device')
  }
  return { userId, deviceId, ed25519Key, curve25519Key, object: value }
}

/** What this device publishes of itself. `more` are further members that its signature covers: a passkey's assertion. */
export function ownDeviceKeys(context: Context, more: JsonObject = {}): JsonObject {
  const { userId, deviceId, account } = context
  return signAsDevice<JsonObject>(context, {
    ...more,
    user_id: userId,
    device_id: deviceId,
    algorithms: [olmAlgorithm, megolmAlgorithm],
    keys: {
      [`ed25519:${deviceId}`]: account.ed25519Key,
      [`curve25519:${deviceId}`]: account.curve25519Key,
    },
  })
}

function keyOf(deviceKeys: JsonObject, name: string): string | null {
  const keys = deviceKeys['keys']
  const key = isObject(keys) ? memberOf(keys, name) : undefined
  return typeof key === 'string' && decodeBase64(key)?.length === 32 ? key : null
}
