/**
 * Our own identity on this device: made, opened, or made anew.
 *
 * A new identity counts from the moment that the server took it. It waits in the vault until everything that belongs to it
 * is made: so the very same body can be sent again with the confirmation that the server asked for, and whatever is
 * broken off in between, by a crash or for want of a server, goes on where it was when it is asked for again.
 *
 * Spec: client-server-api#cross-signing
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { v3 } from '../api/http.ts'
import {
  adoptIdentity,
  crossSigningUploaded,
  isDeviceSigned,
  makeIdentity,
  type NewIdentity,
} from '../e2ee/cross-signing.ts'
import { isListKnown } from '../e2ee/device-lists.ts'
import { E2eeError } from '../e2ee/errors.ts'
import { readIdentity } from '../e2ee/identity.ts'
import { pendingBackups, readBackup } from '../e2ee/key-backup.ts'
import { knownDevice, knownDevices } from '../e2ee/known-device.ts'
import type { Step } from '../e2ee/records.ts'
import { TrustError } from './errors.ts'
import { learnBackup, newBackup } from './key-backups.ts'
import { sendSoon } from './leaving.ts'
import { refreshOwnList } from './own-list.ts'
import type { IdentityState, TrustDeps } from './ports.ts'
import { recoveryCheckedTs } from './recovery.ts'
import {
  knownStorage,
  newStorage,
  openStorage,
  type PasskeyOpener,
  passkeysOf,
  type StorageOpener,
} from './storage.ts'

const waitingId = 'new-identity'

/** Our identity is proved ours here, and vouches for this device, and nothing of it is still to be made. */
export async function isPartOfIdentity(deps: Pick<TrustDeps, 'machine' | 'records'>): Promise<boolean> {
  const isPart = await deps.machine.run(step => isReady(step, deps.machine))
  return isPart && !(await isHalfMade(deps))
}

/** The server has taken it, and storage or backup are still to come. */
async function isHalfMade(deps: Pick<TrustDeps, 'machine' | 'records'>): Promise<boolean> {
  const waiting = await waitingIdentity(deps)
  if (!waiting) return false
  const standing = await deps.machine.run(step => readIdentity(step, deps.machine.userId))
  return masterKeyOf(waiting) === standing?.masterKey
}

async function isReady(
  step: Pick<Step, 'get'>,
  { userId, deviceId }: Pick<TrustDeps['machine'], 'userId' | 'deviceId'>,
): Promise<boolean> {
  const identity = await readIdentity(step, userId)
  const device = await knownDevice(step, userId, deviceId)
  const isVerified = identity !== null && identity.verifiedKey === identity.masterKey
  return isVerified && device !== null && isDeviceSigned(identity, device)
}

/** Works offline. */
export async function identityState(deps: TrustDeps): Promise<IdentityState> {
  const { machine } = deps
  const { userId, deviceId } = machine
  const storage = await knownStorage(deps)
  const known = await machine.run(async step => {
    const identity = await readIdentity(step, userId)
    const others = (await knownDevices(step, userId)).filter(each => each.deviceId !== deviceId)
    const backup = await readBackup(step)
    const waiting = backup ? await pendingBackups(step) : 0
    return {
      isKnown: await isListKnown(step, userId),
      hasIdentity: identity !== null,
      isReady: await isReady(step, machine),
      otherDevices: identity !== null && others.some(other => isDeviceSigned(identity, other)),
      backup: backup && { version: backup.version, waiting, total: backup.count + waiting },
    }
  })
  const state = (await isHalfMade(deps)) ? 'none' : stateOf(known)
  return {
    // Before the first sync nobody knows what opens it: people would be told that nothing does.
    state: state === 'locked' && storage === null && !(await deps.hasSynced()) ? 'unknown' : state,
    passkeys: storage ? passkeysOf(storage) : [],
    hasRecoveryKey: storage !== null,
    otherDevices: known.otherDevices,
    backup: known.backup,
    recoveryCheckedTs: await recoveryCheckedTs(deps),
  }
}

function stateOf(known: {
  readonly isKnown: boolean
  readonly hasIdentity: boolean
  readonly isReady: boolean
}): IdentityState['state'] {
  if (!known.hasIdentity) return known.isKnown ? 'none' : 'unknown'
  return known.isReady ? 'ready' : 'locked'
}

/**
 * Makes our identity, secret storage and key backup. The recovery key, once.
 *
 * @throws TrustError IDENTITY_EXISTS where it is the `first` one that is meant, ApiError CONFIRMATION_NEEDED
 */
export async function makeOurIdentity(
  deps: TrustDeps,
  which: 'first' | 'anew',
  passkey: PasskeyOpener | null,
  auth: JsonObject | null,
): Promise<string> {
  const { machine, http } = deps
  await refreshOwnList(deps)
  const waiting = await waitingIdentity(deps)
  const standing = await machine.run(step => readIdentity(step, machine.userId))
  const isTaken = waiting !== null && masterKeyOf(waiting) === standing?.masterKey
  if (which === 'first' && standing && !isTaken) {
    await forgetWaiting(deps)
    throw new TrustError('IDENTITY_EXISTS', 'this person has an identity already: it is opened, not made')
  }
  const made = waiting ?? (await machine.run(async (_step, own) => makeIdentity(own)))
  if (!waiting) {
    const value = { version: 1, ...made } as unknown as JsonObject
    await deps.records.commit([{ collection: 'trust', id: waitingId, value }])
  }
  if (!isTaken) {
    const body = auth ? { ...made.body, auth } : made.body
    await http.request('POST', `${v3}/keys/device_signing/upload`, { body })
  }
  await machine.run(async (step, own) => {
    adoptIdentity(step, own, made)
    await crossSigningUploaded(step, own)
  })
  await sendSoon(deps)
  await newBackup(deps)
  const recoveryKey = await newStorage(deps, passkey)
  await forgetWaiting(deps)
  deps.tell({ kind: 'identity' })
  return recoveryKey
}

/** Opens secret storage: this device becomes part of our identity. Restoring the backup is left to be done. */
export async function openOurIdentity(deps: TrustDeps, opener: StorageOpener): Promise<void> {
  const { machine } = deps
  await refreshOwnList(deps)
  const standing = await machine.run(step => readIdentity(step, machine.userId))
  if (!standing) throw new TrustError('IDENTITY_MISSING', 'this person has no identity that could be opened')
  // The backup's key counts by the public key that the server has for it.
  try {
    await learnBackup(deps)
  } catch (error) {
    // Another client's backup, of a kind that we do not have.
    if (!(error instanceof E2eeError)) throw error
  }
  await openStorage(deps, opener)
  await sendSoon(deps)
}

async function waitingIdentity({ records }: Pick<TrustDeps, 'records'>): Promise<NewIdentity | null> {
  const record = await records.get('trust', waitingId)
  return record ? (record as unknown as NewIdentity) : null
}

async function forgetWaiting({ records }: TrustDeps): Promise<void> {
  await records.commit([{ collection: 'trust', id: waitingId, value: null }])
}

function masterKeyOf({ body }: NewIdentity): string | null {
  const master = body['master_key']
  const keys = isObject(master) && isObject(master['keys']) ? Object.values(master['keys']) : []
  return typeof keys[0] === 'string' ? keys[0] : null
}
