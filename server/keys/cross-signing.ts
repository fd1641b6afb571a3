/**
 * Cross-signing: a user's master, self-signing and user-signing keys, and the signatures that tie devices and people to
 * them.
 *
 * The server is not trusted with any of this: clients verify everything again. What is checked here keeps one user
 * from being shown rubbish that another uploaded, and a stolen token from replacing a person's identity.
 *
 * Spec: client-server-api#cross-signing
 */
import type { DeviceId, UserId } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject, memberOf } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import {
  crossSigningKeyTable,
  deviceKeysTable,
  type UserSignatureRow,
  userSignatureTable,
} from '../store/catalogue.ts'
import type { Transaction, View } from '../store/store.ts'
import { signingKeyOf } from './device-keys.ts'
import { KeysError, type KeysErrorCode } from './keys-error.ts'
import { isPublicKey, isSignedBy, signaturesOf, signedText, withSignatures } from './signed-object.ts'

export const usages = ['master', 'self_signing', 'user_signing'] as const
export type Usage = (typeof usages)[number]

/** A user's keys by usage, as uploaded or as stored. */
export type CrossSigningKeys = Readonly<Partial<Record<Usage, JsonObject>>>

export function publicKeyOf(key: JsonObject): string {
  return Object.values(key['keys'] as JsonObject)[0] as string
}

/** `master_key`, `self_signing_key`, `user_signing_key` of an upload: form, owner, usage. */
export function parseCrossSigningKeys(body: JsonObject, userId: UserId): CrossSigningKeys {
  const keys: Partial<Record<Usage, JsonObject>> = {}
  for (const usage of usages) {
    const value = body[`${usage}_key`]
    if (value !== undefined) keys[usage] = parseCrossSigningKey(value, usage, userId)
  }
  return keys
}

function parseCrossSigningKey(value: Json, usage: Usage, userId: UserId): JsonObject {
  const name = `${usage}_key`
  if (!isObject(value)) throw new KeysError('M_BAD_JSON', `${name} must be an object.`)
  if (value['user_id'] !== userId) {
    throw new KeysError('M_INVALID_PARAM', `${name}.user_id must be ${userId}, who is signed in.`)
  }
  const uses = value['usage']
  if (!Array.isArray(uses) || !uses.includes(usage)) {
    throw new KeysError('M_INVALID_PARAM', `${name}.usage must be a list with ${usage}.`)
  }
  const keys = isObject(value['keys']) ? Object.entries(value['keys']) : []
  const [keyId, publicKey] = keys[0] ?? []
  if (keys.length !== 1 || !isPublicKey(publicKey) || keyId !== `ed25519:${publicKey}`) {
    throw new KeysError(
      'M_INVALID_PARAM',
      `${name}.keys must hold exactly one key, named ed25519:<its own unpadded base64>.`,
    )
  }
  signedText(value, name)
  return withSignatures(value, userId, signaturesOf(value, userId))
}

export async function crossSigningKeysOf(view: View, userId: UserId): Promise<CrossSigningKeys> {
  const rows = await view.getMany(usages.map(usage => crossSigningKeyTable.key(userId, usage)))
  return Object.fromEntries(usages.flatMap((usage, i) => (rows[i] ? [[usage, rows[i]]] : [])))
}

/** Which of the uploaded keys are not the ones that the user has. */
function newUsages(stored: CrossSigningKeys, uploaded: CrossSigningKeys): readonly Usage[] {
  return usages.filter(usage => {
    const key = uploaded[usage]
    const before = stored[usage]
    return key && (!before || signedText(key, usage) !== signedText(before, usage))
  })
}

/**
 * Must the person authenticate again for this upload?
 *
 * Spec: client-server-api#post_matrixclientv3keysdevice_signingupload: not for the first keys, and not where nothing is new.
 */
export function needsAuthentication(stored: CrossSigningKeys, uploaded: CrossSigningKeys): boolean {
  return stored.master !== undefined && newUsages(stored, uploaded).length > 0
}

/** A self- or user-signing key counts if the master key that will stand signed it. */
export function checkCrossSigningKeys(
  stored: CrossSigningKeys,
  uploaded: CrossSigningKeys,
  userId: UserId,
  verify: Verify,
): void {
  const master = uploaded.master ?? stored.master
  if (!master)
    throw new KeysError('M_MISSING_PARAM', 'master_key is missing: no master key was uploaded before.')
  const masterKey = publicKeyOf(master)
  for (const usage of ['self_signing', 'user_signing'] as const) {
    const key = uploaded[usage]
    if (!key) continue
    if (!isSignedBy(key, signaturesOf(key, userId)[`ed25519:${masterKey}`], masterKey, verify)) {
      throw new KeysError('M_INVALID_SIGNATURE', `${usage}_key is not signed by the master key.`)
    }
  }
}

/**
 * Stores uploaded keys; false where nothing is new. The transaction owns the user.
 *
 * @param deviceIds the user's devices: a key that is named like one of them could be verified in its place.
 */
export async function storeCrossSigningKeys(
  tx: Transaction,
  userId: UserId,
  uploaded: CrossSigningKeys,
  options: { readonly authenticated: boolean; readonly deviceIds: Iterable<string>; readonly verify: Verify },
): Promise<boolean> {
  const stored = await crossSigningKeysOf(tx, userId)
  checkCrossSigningKeys(stored, uploaded, userId, options.verify)
  const changed = newUsages(stored, uploaded)
  if (changed.length === 0) return false
  if (!options.authenticated && needsAuthentication(stored, uploaded)) {
    throw new KeysError('M_FORBIDDEN', 'master_key: other keys were uploaded meanwhile. Try again.')
  }
  const publicKeys = new Map(changed.map(usage => [publicKeyOf(uploaded[usage]!), usage]))
  if (publicKeys.size < changed.length) {
    throw new KeysError('M_INVALID_PARAM', 'master_key, self_signing_key and user_signing_key must differ.')
  }
  // CVE-2022-39250 and its kin: device ids and cross-signing keys share one namespace of key ids.
  for (const deviceId of options.deviceIds) {
    const usage = publicKeys.get(deviceId)
    if (usage) throw new KeysError('M_FORBIDDEN', `${usage}_key has the id of one of the user's devices.`)
  }
  for (const usage of changed) tx.put(crossSigningKeyTable.key(userId, usage), uploaded[usage]!)
  // What an older master key signed says nothing under the new one.
  if (changed.includes('master')) {
    for (const usage of ['self_signing', 'user_signing'] as const) {
      if (!uploaded[usage]) tx.delete(crossSigningKeyTable.key(userId, usage))
    }
  }
  if (changed.includes('user_signing') || changed.includes('master')) await forgetSignaturesBy(tx, userId)
  return true
}

/** Signatures by a user-signing key that no longer counts. */
async function forgetSignaturesBy(tx: Transaction, userId: UserId): Promise<void> {
  for (const { key } of await tx.range(userSignatureTable.under(userId))) tx.delete(key)
}

export async function removeCrossSigning(tx: Transaction, userId: UserId): Promise<void> {
  for (const usage of usages) tx.delete(crossSigningKeyTable.key(userId, usage))
  await forgetSignaturesBy(tx, userId)
}

// ── signatures ───────────────────────────────────────────────────────────────────────────────────────

/** One object of `/keys/signatures/upload`: of whom, which key, with the new signatures in it. */
export interface SignedKey {
  readonly userId: UserId
  readonly keyId: string
  readonly object: JsonObject
}

export interface SignatureFailure {
  readonly userId: UserId
  readonly keyId: string
  readonly errcode: KeysErrorCode
  readonly error: string
}

export interface SignatureOutcome {
  readonly failures: readonly SignatureFailure[]
  /** The signer's own devices that have new signatures, which everybody sees; the same of the master key. */
  readonly ownDevices: readonly DeviceId[]
  readonly ownMaster: boolean
  /** Others about whom the signer, and nobody else, sees new signatures. */
  readonly signed: readonly UserId[]
}

/**
 * Adds the signatures that hold. Each key stands for itself: a bad one fails alone. The transaction owns the signer.
 *
 * Three signatures exist (spec: client-server-api#cross-signing): the user's self-signing key about an own device, an own
 * device about the own master key, the user-signing key about another user's master key.
 */
export async function storeSignatures(
  tx: Transaction,
  signer: UserId,
  keys: readonly SignedKey[],
  verify: Verify,
): Promise<SignatureOutcome> {
  const [own, masters, deviceKeys, before] = await Promise.all([
    crossSigningKeysOf(tx, signer),
    tx.getMany(keys.map(({ userId }) => crossSigningKeyTable.key(userId, 'master'))),
    tx.range(deviceKeysTable.under(signer)),
    tx.getMany(keys.map(({ userId }) => userSignatureTable.key(signer, userId))),
  ])
  const devices = new Map(deviceKeys.map(({ parts, value }) => [parts[1], value]))
  const failures: SignatureFailure[] = []
  const signed: UserId[] = []
  const ownDevices: DeviceId[] = []
  let ownMaster = false
  for (const [i, { userId, keyId, object }] of keys.entries()) {
    try {
      const master = masters[i]
      if (userId === signer && devices.has(keyId)) {
        const stored = devices.get(keyId)!
        const made = signaturesByKey(stored, object, signer, own.self_signing, 'self-signing', verify)
        if (addSignatures(tx, deviceKeysTable.key(signer, keyId), stored, signer, made))
          ownDevices.push(keyId as DeviceId)
      } else if (userId === signer && master && publicKeyOf(master) === keyId) {
        const made = signaturesByDevices(master, object, signer, devices, verify)
        const key = crossSigningKeyTable.key(signer, 'master')
        if (addSignatures(tx, key, master, signer, made)) ownMaster = true
      } else if (userId !== signer && master && publicKeyOf(master) === keyId) {
        const made = signaturesByKey(master, object, signer, own.user_signing, 'user-signing', verify)
        if (addUserSignatures(tx, signer, userId, keyId, made, before[i])) signed.push(userId)
      } else {
        throw new KeysError('M_NOT_FOUND', `${userId} has no key ${keyId} that you could sign.`)
      }
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      failures.push({ userId, keyId, errcode: error.code, error: error.message })
    }
  }
  return { failures, ownDevices, ownMaster, signed }
}

function signaturesByKey(
  stored: JsonObject,
  object: JsonObject,
  signer: UserId,
  signingKey: JsonObject | undefined,
  name: string,
  verify: Verify,
): Readonly<Record<string, string>> {
  if (!signingKey) throw new KeysError('M_NOT_FOUND', `You have no ${name} key.`)
  const publicKey = publicKeyOf(signingKey)
  const keyId = `ed25519:${publicKey}`
  checkSameObject(stored, object)
  const signature = signaturesOf(object, signer)[keyId]
  if (!isSignedBy(stored, signature, publicKey, verify)) {
    throw new KeysError('M_INVALID_SIGNATURE', `There is no valid signature by your ${name} key ${keyId}.`)
  }
  return { [keyId]: signature! }
}

function signaturesByDevices(
  stored: JsonObject,
  object: JsonObject,
  signer: UserId,
  devices: ReadonlyMap<string, JsonObject>,
  verify: Verify,
): Readonly<Record<string, string>> {
  checkSameObject(stored, object)
  const known = signaturesOf(stored, signer)
  const made: Record<string, string> = {}
  for (const [keyId, signature] of Object.entries(signaturesOf(object, signer))) {
    if (known[keyId] === signature) continue
    const deviceId = keyId.slice('ed25519:'.length)
    const device = keyId.startsWith('ed25519:') ? devices.get(deviceId) : undefined
    if (!device || !isSignedBy(stored, signature, signingKeyOf(device, deviceId), verify)) {
      throw new KeysError(
        'M_INVALID_SIGNATURE',
        `The signature by ${keyId} is not one of your devices', or invalid.`,
      )
    }
    made[keyId] = signature
  }
  if (Object.keys(made).length === 0 && Object.keys(known).length === 0) {
    throw new KeysError('M_INVALID_SIGNATURE', 'There is no signature by one of your devices.')
  }
  return made
}

function checkSameObject(stored: JsonObject, object: JsonObject): void {
  if (signedText(stored, 'The key') === signedText(object, 'The key')) return
  throw new KeysError('M_INVALID_SIGNATURE', 'The key that was signed is not the one that was uploaded.')
}

function addSignatures(
  tx: Transaction,
  row: Parameters<Transaction['delete']>[0],
  stored: JsonObject,
  signer: UserId,
  made: Readonly<Record<string, string>>,
): boolean {
  const known = signaturesOf(stored, signer)
  if (Object.entries(made).every(([keyId, signature]) => known[keyId] === signature)) return false
  tx.put(row, withSignatures(stored, signer, { ...known, ...made }))
  return true
}

function addUserSignatures(
  tx: Transaction,
  signer: UserId,
  userId: UserId,
  publicKey: string,
  made: Readonly<Record<string, string>>,
  before: UserSignatureRow | undefined,
): boolean {
  const known = before?.publicKey === publicKey ? before.signatures : {}
  if (Object.entries(made).every(([keyId, signature]) => memberOf(known, keyId) === signature)) return false
  tx.put(userSignatureTable.key(signer, userId), { publicKey, signatures: { ...known, ...made } })
  return true
}
