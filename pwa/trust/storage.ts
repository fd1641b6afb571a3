/**
 * Secret storage at the server, and its key as this device keeps it, sealed in the vault.
 *
 * The key is kept, and shared with verified devices of ours, so that a passkey can be added, a new secret stored, and the
 * recovery key checked when it is typed back. Whoever has the vault open has the secrets themselves; the key gives no more.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { inPath, v3 } from '../api/http.ts'
import {
  defaultKeyOf,
  defaultKeyType,
  encodeRecoveryKey,
  keyFromPasskey,
  keyFromPassphrase,
  keyFromRecoveryKey,
  keyType,
  openSecrets,
  prfMember,
  removePasskey,
  StorageKey,
  storeSecrets,
} from '../e2ee/secret-storage.ts'
import {
  backupSecret,
  crossSigningSecrets,
  forgetSecret,
  putSecret,
  readSecret,
  storageSecret,
} from '../e2ee/secrets.ts'
import type { Opener } from '../vault/vault-key.ts'
import { TrustError } from './errors.ts'
import { sendSoon } from './leaving.ts'
import type { TrustDeps } from './ports.ts'

export type StorageOpener = Opener | { readonly kind: 'recovery-text'; readonly text: string }
export type PasskeyOpener = Extract<Opener, { kind: 'passkey' }>

/** The key that clients use, as described. */
export interface Storage {
  readonly keyId: string
  readonly description: JsonObject
}

/** The key as it is here. */
interface KeptKey {
  readonly keyId: string
  readonly recoveryKey: string
}

/** What we made or opened, until a sync brings it. */
interface Made extends Storage {
  /** The key that syncs had then, where it is another one: until they have this one, it is the older of the two. */
  readonly replaces: string | null
}

const madeId = 'secret-storage'

/** As the last sync had it, or as we just made it; null: not set up. */
export async function knownStorage(
  deps: Pick<TrustDeps, 'accountData' | 'machine'>,
): Promise<Storage | null> {
  const keyId = deps.accountData(defaultKeyType)?.['key']
  const made = (await deps.machine.run(step => step.get('engine', madeId))) as unknown as Made | undefined
  // The sync that brings what we made is still to come.
  if (made && (keyId === undefined || keyId === made.replaces)) return made
  if (typeof keyId !== 'string') return null
  const description = deps.accountData(keyType(keyId))
  return description ? { keyId, description } : null
}

export function passkeysOf({ description }: Storage): string[] {
  const sealed = description[prfMember]
  return isObject(sealed) ? Object.keys(sealed) : []
}

/** A new key over the secrets that are here. What opened the old one opens nothing any more. The recovery key. */
export async function newStorage(deps: TrustDeps, passkey: PasskeyOpener | null): Promise<string> {
  const { machine } = deps
  const before = await fetchStorage(deps)
  const made = await machine.run(async (_step, own) => {
    const key = StorageKey.random(own)
    const description = await key.describe(own)
    return { key, description: passkey ? withPasskey(key, description, passkey) : description }
  })
  const recoveryKey = made.key.toRecoveryKey()
  const { keyId } = made.key
  await keep(deps, { keyId, recoveryKey }, made.description)
  await machine.run((step, own) => storeSecrets(step, own, made.key, made.description))
  if (before) await putAccountData(deps, keyType(before.keyId), {})
  await sendSoon(deps)
  return recoveryKey
}

/** Stores what is here under the key that is there, after a secret was made anew. Not where the key is not here. */
export async function storeAgain(deps: TrustDeps): Promise<void> {
  const kept = await keptKey(deps)
  const storage = await knownStorage(deps)
  if (!kept || storage?.keyId !== kept.keyId) return
  const key = await keyFromRecoveryKey(kept.keyId, storage.description, kept.recoveryKey)
  await deps.machine.run((step, own) => storeSecrets(step, own, key, storage.description))
  await sendSoon(deps)
}

/** @throws TrustError STORAGE_KEY_NOT_HERE */
export async function addPasskey(deps: TrustDeps, passkey: PasskeyOpener): Promise<void> {
  await deps.flush()
  const { storage, kept } = await expectKept(deps, await fetchStorage(deps))
  const { keyId, recoveryKey } = kept
  const key = await keyFromRecoveryKey(keyId, storage.description, recoveryKey)
  const description = withPasskey(key, storage.description, passkey)
  await keep(deps, kept, description)
  await putAccountData(deps, keyType(keyId), description)
  await sendSoon(deps)
}

/** It opens nothing from now on, where it did. @throws ApiError */
export async function dropPasskey(deps: TrustDeps, credentialId: string): Promise<void> {
  await deps.flush()
  const storage = await fetchStorage(deps)
  if (!storage || !passkeysOf(storage).includes(credentialId)) return
  await putAccountData(deps, keyType(storage.keyId), removePasskey(storage.description, credentialId))
  await sendSoon(deps)
}

/** The key in use here, as a person wrote it down. @throws TrustError STORAGE_KEY_NOT_HERE */
export async function recoveryKeyHere(deps: TrustDeps): Promise<string> {
  return (await expectKept(deps, await knownStorage(deps))).kept.recoveryKey
}

/**
 * Opens secret storage as the server has it now, and takes what is in it.
 *
 * @throws ApiError, TrustError STORAGE_NOT_SET_UP, E2eeError STORAGE_KEY_WRONG, RECOVERY_KEY_MALFORMED, SECRET_MISMATCH, …
 */
export async function openStorage(deps: TrustDeps, opener: StorageOpener): Promise<void> {
  const { machine } = deps
  const storage = await fetchStorage(deps)
  if (!storage) throw new TrustError('STORAGE_NOT_SET_UP', 'there is no secret storage to open')
  const { keyId, description } = storage
  const key = await keyOf(storage, opener)
  const secrets: Record<string, JsonObject> = {}
  for (const name of [...crossSigningSecrets, backupSecret]) {
    const content = await fetchAccountData(deps, name)
    if (content) secrets[name] = content
  }
  await machine.run((step, own) => openSecrets(step, own, key, secrets))
  await keep(deps, { keyId, recoveryKey: key.toRecoveryKey() }, description)
}

function keyOf({ keyId, description }: Storage, opener: StorageOpener): Promise<StorageKey> {
  switch (opener.kind) {
    case 'passkey':
      return keyFromPasskey(keyId, description, opener.credentialId, opener.prfOutput)
    case 'recovery-key':
      return keyFromRecoveryKey(keyId, description, encodeRecoveryKey(opener.recoveryKey))
    case 'recovery-text':
      return keyFromRecoveryKey(keyId, description, opener.text)
    case 'passphrase':
      return keyFromPassphrase(keyId, description, opener.passphrase)
    default:
      return opener satisfies never
  }
}

async function fetchStorage(deps: TrustDeps): Promise<Storage | null> {
  const chosen = await fetchAccountData(deps, defaultKeyType)
  const keyId = chosen?.['key']
  if (!chosen || typeof keyId !== 'string') return null
  const description = await fetchAccountData(deps, keyType(keyId))
  return description && defaultKeyOf({ [defaultKeyType]: chosen, [keyType(keyId)]: description })
}

/** Spec: client-server-api#get_matrixclientv3useruseridaccount_datatype. Null: there is none. */
async function fetchAccountData({ machine, http }: TrustDeps, type: string): Promise<JsonObject | null> {
  try {
    return await http.request('GET', `${v3}/user/${inPath(machine.userId)}/account_data/${inPath(type)}`)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}

function putAccountData({ machine }: TrustDeps, type: string, body: JsonObject): Promise<void> {
  return machine.run(async (step, own) => {
    step.send({ id: own.randomBytes(18).toHex(), kind: 'account-data', type, body })
  })
}

function withPasskey(key: StorageKey, description: JsonObject, passkey: PasskeyOpener): JsonObject {
  return key.addPasskey(description, passkey.credentialId, passkey.prfOutput)
}

/** The key is not here, or another device of ours made a new one: then the one that is here is forgotten. */
export async function lacksKey(deps: TrustDeps): Promise<boolean> {
  const storage = await knownStorage(deps)
  if (!storage) return false
  const kept = await keptKey(deps)
  if (kept?.keyId === storage.keyId) return false
  if (kept) await deps.machine.run(async step => forgetSecret(step, storageSecret))
  return true
}

async function expectKept(
  deps: TrustDeps,
  storage: Storage | null,
): Promise<{ storage: Storage; kept: KeptKey }> {
  const kept = await keptKey(deps)
  if (!storage || !kept || storage.keyId !== kept.keyId) {
    throw new TrustError('STORAGE_KEY_NOT_HERE', 'this device does not have the key of secret storage')
  }
  return { storage, kept }
}

async function keptKey({ machine }: Pick<TrustDeps, 'machine'>): Promise<KeptKey | null> {
  const secret = await machine.run(step => readSecret(step, storageSecret))
  const [keyId = '', ...groups] = secret?.split(' ') ?? []
  return groups.length === 0 ? null : { keyId, recoveryKey: groups.join(' ') }
}

async function keep(
  { machine, accountData }: TrustDeps,
  { keyId, recoveryKey }: KeptKey,
  description: JsonObject,
): Promise<void> {
  const synced = accountData(defaultKeyType)?.['key']
  const replaces = typeof synced === 'string' && synced !== keyId ? synced : null
  // Together: between the two it would seem that another device had made a new key.
  await machine.run(async step => {
    putSecret(step, storageSecret, `${keyId} ${recoveryKey}`)
    step.put('engine', madeId, { version: 1, keyId, description, replaces })
  })
}
