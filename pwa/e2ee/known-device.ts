/**
 * A device as its owner published it and as `device-lists` found it worth keeping: self-signature checked, no name
 * that could be taken for another key's.
 */
import { decodeBase64 } from '#protocol/base64.ts'
import { isObject, type JsonObject, memberOf } from '#protocol/json.ts'
import type { Step } from './records.ts'

export interface KnownDevice {
  readonly userId: string
  readonly deviceId: string
  /** The `device_keys` object with all its signatures: what was verified is what gets signed (attack 3). */
  readonly deviceKeys: JsonObject
  readonly ed25519Key: string
  readonly curve25519Key: string
}

export async function knownDevice(
  step: Pick<Step, 'get'>,
  userId: string,
  deviceId: string,
): Promise<KnownDevice | null> {
  const list = await step.get('device-list', userId)
  const devices = list?.['devices']
  const deviceKeys = isObject(devices) ? memberOf(devices, deviceId) : undefined
  return isObject(deviceKeys) ? readDevice(userId, deviceId, deviceKeys) : null
}

export async function knownDevices(step: Pick<Step, 'get'>, userId: string): Promise<KnownDevice[]> {
  const list = await step.get('device-list', userId)
  const devices = list?.['devices']
  if (!isObject(devices)) return []
  return Object.entries(devices).flatMap(([deviceId, deviceKeys]) => {
    const device = isObject(deviceKeys) ? readDevice(userId, deviceId, deviceKeys) : null
    return device ? [device] : []
  })
}

function readDevice(userId: string, deviceId: string, deviceKeys: JsonObject): KnownDevice | null {
  const ed25519Key = keyOf(deviceKeys, `ed25519:${deviceId}`)
  const curve25519Key = keyOf(deviceKeys, `curve25519:${deviceId}`)
  if (deviceKeys['user_id'] !== userId || deviceKeys['device_id'] !== deviceId) return null
  return ed25519Key && curve25519Key ? { userId, deviceId, deviceKeys, ed25519Key, curve25519Key } : null
}

function keyOf(deviceKeys: JsonObject, keyId: string): string | null {
  const keys = deviceKeys['keys']
  const key = isObject(keys) ? memberOf(keys, keyId) : undefined
  return typeof key === 'string' && decodeBase64(key)?.length === 32 ? key : null
}
