/** People's devices and identities in words that a view can show. Works offline; names and times of ours are the server's. */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { isPassing } from '../api/api-error.ts'
import { inPath, v3 } from '../api/http.ts'
import { deviceTrust } from '../e2ee/cross-signing.ts'
import { acceptIdentity, readIdentity, standingOf } from '../e2ee/identity.ts'
import { type KnownDevice, knownDevices } from '../e2ee/known-device.ts'
import { enrolmentOf, type PasskeyOrigin } from '../e2ee/passkey-device.ts'
import { TrustError } from './errors.ts'
import type { DeviceEntry, PersonTrust, TrustDeps } from './ports.ts'

/** What the server says of a device of ours, kept for when it is not within reach. */
interface Listed {
  readonly displayName: string | null
  readonly lastSeenTs: number | null
}

const listedId = 'own-devices'
const unlisted: Listed = { displayName: null, lastSeenTs: null }

export async function personTrust(deps: TrustDeps, userId: string): Promise<PersonTrust> {
  return deps.machine.run(async (step, own) => {
    const identity = await readIdentity(step, userId)
    const devices = await knownDevices(step, userId)
    const entries: DeviceEntry[] = []
    for (const device of devices) entries.push(await entryOf(deps, step, own, device, namedInKeys(device)))
    return {
      userId,
      standing: await standingOf(step, own, userId),
      fingerprint: identity && inGroups(identity.masterKey),
      devices: entries,
    }
  })
}

/** The key that the person looked at, by `personTrust`; another one that came meanwhile is not accepted. */
export async function acceptPerson(deps: TrustDeps, userId: string, masterKey: string): Promise<void> {
  await deps.machine.run((step, own) => acceptIdentity(step, own, { userId, masterKey }))
}

/** This one first. @throws ApiError where the server refuses; where it is out of reach, what it said last is shown */
export async function ourDevices(deps: TrustDeps): Promise<DeviceEntry[]> {
  const listed = await listedDevices(deps)
  const { userId, deviceId } = deps.machine
  const entries = await deps.machine.run(async (step, own) => {
    const known = new Map((await knownDevices(step, userId)).map(device => [device.deviceId, device]))
    const result: DeviceEntry[] = []
    for (const id of new Set([...known.keys(), ...Object.keys(listed)])) {
      const device = known.get(id)
      const names = listed[id] ?? unlisted
      // Signed in, and no keys yet: it can read nothing.
      if (!device) result.push(withoutKeys(id, names))
      else result.push(await entryOf(deps, step, own, device, names))
    }
    return result
  })
  return entries.sort(
    (a, b) =>
      Number(b.deviceId === deviceId) - Number(a.deviceId === deviceId) ||
      (b.lastSeenTs ?? 0) - (a.lastSeenTs ?? 0),
  )
}

export async function renameDevice({ http }: TrustDeps, deviceId: string, name: string): Promise<void> {
  await http.request('PUT', `${v3}/devices/${inPath(deviceId)}`, { body: { display_name: name } })
}

/** Signs them out. @throws ApiError CONFIRMATION_NEEDED, TrustError DEVICE_IS_THIS_ONE */
export async function deleteDevices(
  { http, machine }: TrustDeps,
  deviceIds: readonly string[],
  auth: JsonObject | null,
): Promise<void> {
  // This one signs itself out, which wipes the vault.
  if (deviceIds.includes(machine.deviceId)) {
    throw new TrustError('DEVICE_IS_THIS_ONE', 'this device is signed out by itself')
  }
  const body = { devices: [...deviceIds], ...(auth && { auth }) }
  await http.request('POST', `${v3}/delete_devices`, { body })
}

/** What our server's card says of passkeys: they are of its host, and made on its page. */
export function passkeyOrigin({ http }: Pick<TrustDeps, 'http'>): PasskeyOrigin {
  return { rpId: new URL(http.origin).hostname, origins: [http.origin] }
}

export function inGroups(key: string): string {
  return key.replace(/.{4}(?=.)/g, '$& ')
}

type Run = Parameters<Parameters<TrustDeps['machine']['run']>[0]>

async function entryOf(
  deps: TrustDeps,
  step: Run[0],
  own: Run[1],
  device: KnownDevice,
  names: Listed,
): Promise<DeviceEntry> {
  const { userId, deviceId } = device
  const enrolment = await enrolmentOf(step, userId, deviceId, passkeyOrigin(deps))
  return {
    deviceId,
    isOurs: userId === own.userId && deviceId === own.deviceId,
    ...names,
    trust: await deviceTrust(step, own, userId, deviceId),
    enrolment: { ...enrolment },
    fingerprint: inGroups(device.ed25519Key),
  }
}

function withoutKeys(deviceId: string, names: Listed): DeviceEntry {
  return {
    deviceId,
    isOurs: false,
    ...names,
    trust: 'unknown',
    enrolment: { kind: 'none' },
    fingerprint: '',
  }
}

/** Spec: client-server-api#post_matrixclientv3keysquery: `unsigned` is the server's word, not the device's. */
function namedInKeys({ deviceKeys }: KnownDevice): Listed {
  const unsigned = deviceKeys['unsigned']
  const name = isObject(unsigned) ? unsigned['device_display_name'] : undefined
  return { displayName: typeof name === 'string' ? name : null, lastSeenTs: null }
}

async function listedDevices({ http, records }: TrustDeps): Promise<Record<string, Listed>> {
  try {
    const { devices } = await http.request('GET', `${v3}/devices`)
    const listed: Record<string, Listed> = {}
    for (const device of Array.isArray(devices) ? devices : []) {
      if (!isObject(device) || typeof device['device_id'] !== 'string') continue
      const { device_id: id, display_name: name, last_seen_ts: ts } = device
      listed[id as string] = {
        displayName: typeof name === 'string' ? name : null,
        lastSeenTs: typeof ts === 'number' ? ts : null,
      }
    }
    const value = { devices: listed } as unknown as JsonObject
    await records.commit([{ collection: 'trust', id: listedId, value }])
    return listed
  } catch (error) {
    if (!isPassing(error)) throw error
    const kept = await records.get('trust', listedId)
    return (kept?.['devices'] ?? {}) as unknown as Record<string, Listed>
  }
}
