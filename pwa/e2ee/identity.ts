/**
 * A person's identity: their master key and the two keys it signs, and what we think of them.
 *
 * Spec: client-server-api#cross-signing. The first master key seen is pinned (MSC4153: trust on first use). Another
 * one is taken down but not believed: nothing is encrypted to this person until somebody accepts it or compares
 * it, and a key that was compared once has to be compared again (attack 18). A server that leaves an identity
 * out, or drops our signature from it, changes nothing.
 *
 * Nobody counts as verified while our own identity does not (attack 12).
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { parseUserId } from '#protocol/ids.ts'
import { isObject, type Json, type JsonObject, memberOf } from '#protocol/json.ts'
import { E2eeError } from './errors.ts'
import { isNestedTooDeep } from './nesting.ts'
import type { OwnDevice } from './own-device.ts'
import type { Step } from './records.ts'
import { crossSigningSecrets, forgetSecret, readSecret } from './secrets.ts'
import { isSignedBy, type PublicKeyText, SigningKey, signingKeyId } from './signing-key.ts'

/** How a person's identity stands with us. */
export type Standing =
  /** They have none: no device of theirs can be told from one that the server made up. */
  | 'none'
  /** The one that we saw first, or that somebody accepted. */
  | 'pinned'
  /** Compared by a person, and our own identity too. */
  | 'verified'
  /** Not the one that we saw first. Blocks until it is accepted. */
  | 'changed'
  /** Not the one that was compared. Blocks until it is compared or the verification is withdrawn. */
  | 'verification-lost'

export interface Identity {
  readonly userId: string
  readonly masterKey: PublicKeyText
  readonly selfSigningKey: PublicKeyText
  /** Only of ourselves: the server shows nobody else's. */
  readonly userSigningKey: PublicKeyText | null
  /** The signed objects, as they were verified. */
  readonly master: JsonObject
  readonly selfSigning: JsonObject
  readonly userSigning: JsonObject | null
  /** The master key that was seen first or accepted last. */
  readonly pinnedKey: PublicKeyText
  /** The master key that a person compared, of whoever it is. Ours: compared, made here, or its secret is here. */
  readonly verifiedKey: PublicKeyText | null
  /** Master keys before this one, of which a person decided that they were the same person's. */
  readonly earlierKeys?: readonly PublicKeyText[]
}

export async function readIdentity(step: Pick<Step, 'get'>, userId: string): Promise<Identity | null> {
  const record = await step.get('identity', userId)
  return record ? (record as unknown as Identity) : null
}

/** How this person stands with us. One Ed25519 verification. */
export async function standingOf(step: Pick<Step, 'get'>, own: OwnDevice, userId: string): Promise<Standing> {
  const identity = await readIdentity(step, userId)
  if (!identity) return 'none'
  return judge(own, identity, userId === own.userId ? identity : await readIdentity(step, own.userId))
}

/** Those among these people in whose rooms nothing may be encrypted before somebody decided. */
export async function blockedPeople(
  step: Pick<Step, 'getMany'>,
  own: OwnDevice,
  userIds: readonly string[],
): Promise<string[]> {
  const records = await step.getMany('identity', [own.userId, ...userIds])
  const [ours, ...theirs] = records as unknown as (Identity | undefined)[]
  return userIds.filter((_, i) => {
    const standing = theirs[i] ? judge(own, theirs[i], ours ?? null) : 'none'
    return standing === 'changed' || standing === 'verification-lost'
  })
}

function judge(own: OwnDevice, identity: Identity, ours: Identity | null): Standing {
  const { userId, masterKey, pinnedKey, verifiedKey } = identity
  const compared =
    userId === own.userId ? verifiedKey === masterKey : ours !== null && isVerifiedBy(ours, identity)
  if (compared) return 'verified'
  if (verifiedKey !== null && verifiedKey !== masterKey) return 'verification-lost'
  return pinnedKey === masterKey ? 'pinned' : 'changed'
}

/** Only what our verified identity signed counts (attack 12). */
function isVerifiedBy(ours: Identity, identity: Identity): boolean {
  return ours.verifiedKey === ours.masterKey && isUserSigned(ours, identity.master)
}

function isUserSigned(ours: Identity, master: JsonObject): boolean {
  return ours.userSigningKey !== null && isSignedBy(master, ours.userId, ours.userSigningKey)
}

/**
 * Takes the cross-signing keys in an answer to `/keys/query`. What is malformed or not signed is refused and
 * leaves the person as they were; the rest of the answer counts.
 */
export async function receiveIdentities(step: Step, own: OwnDevice, answer: JsonObject): Promise<void> {
  const masters = objectAt(answer, 'master_keys')
  const selfSignings = objectAt(answer, 'self_signing_keys')
  const userSignings = objectAt(answer, 'user_signing_keys')
  // Ours first: whether others count as verified hangs on it.
  const userIds = Object.keys(masters).sort((a, b) => Number(b === own.userId) - Number(a === own.userId))
  for (const userId of userIds) {
    try {
      const keys = parseKeys(
        userId,
        memberOf(masters, userId),
        memberOf(selfSignings, userId),
        userId === own.userId ? memberOf(userSignings, userId) : undefined,
      )
      await receiveIdentity(step, own, keys)
    } catch (error) {
      if (!(error instanceof E2eeError)) throw error
      step.tell({ kind: 'refused', code: error.code, from: userId })
    }
  }
}

type Keys = Omit<Identity, 'pinnedKey' | 'verifiedKey' | 'earlierKeys'>

async function receiveIdentity(step: Step, own: OwnDevice, keys: Keys): Promise<void> {
  const { userId, masterKey } = keys
  const before = await readIdentity(step, userId)
  // A server that leaves out our own user-signing key would make everybody unverified.
  const withoutOurs = keys.userSigningKey === null && before?.masterKey === masterKey
  const { userSigning, userSigningKey } = withoutOurs ? before : keys
  const identity: Identity = {
    ...keys,
    userSigning,
    userSigningKey,
    master: before ? keepOurSignatures(own, before, keys) : keys.master,
    pinnedKey: before?.pinnedKey ?? masterKey,
    verifiedKey: before?.verifiedKey ?? null,
    earlierKeys: before?.earlierKeys ?? [],
  }
  const ours = userId === own.userId ? identity : await readIdentity(step, own.userId)
  // Once seen as verified, it is remembered: the next key then is a verification lost, not merely a change.
  const verified = judge(own, identity, ours) === 'verified'
  putIdentity(step, { ...identity, verifiedKey: verified ? masterKey : identity.verifiedKey })
  if (userId === own.userId) await forgetStaleSecrets(step, identity)
  if (before?.masterKey !== masterKey || before.selfSigningKey !== keys.selfSigningKey) {
    step.tell({ kind: 'identity-changed', userId })
  }
}

/** Ours was replaced, by another device of ours or by the server: secrets of the old one sign nothing any more. */
async function forgetStaleSecrets(step: Step, identity: Identity): Promise<void> {
  const publicKeys = [identity.masterKey, identity.selfSigningKey, identity.userSigningKey]
  for (const [i, name] of crossSigningSecrets.entries()) {
    const secret = await readSecret(step, name)
    if (secret !== null && SigningKey.fromSecret(secret).publicKey !== publicKeys[i]) forgetSecret(step, name)
  }
}

/** Our signature on a key that we compared outlives a server that leaves it out or puts another in its place. */
function keepOurSignatures(own: OwnDevice, before: Identity, keys: Keys): JsonObject {
  if (before.verifiedKey !== keys.masterKey) return keys.master
  const kept = objectAt(objectAt(before.master, 'signatures'), own.userId)
  const signatures = objectAt(keys.master, 'signatures')
  const fresh = objectAt(signatures, own.userId)
  return {
    ...keys.master,
    signatures: { ...signatures, [own.userId]: { ...fresh, ...kept } },
  }
}

/**
 * Somebody looked at the change and goes on with this key. Given by its value: a key that arrived while they were
 * looking is not the one they accepted. A lost verification is withdrawn by it.
 */
export async function acceptIdentity(
  step: Step,
  own: OwnDevice,
  input: { readonly userId: string; readonly masterKey: PublicKeyText },
): Promise<void> {
  const identity = await expectIdentity(step, input.userId, input.masterKey)
  if (input.userId === own.userId) {
    throw new E2eeError('IDENTITY_IS_OURS', 'our own identity is compared or reset, never merely accepted')
  }
  putIdentity(step, { ...decided(identity), verifiedKey: null })
  step.tell({ kind: 'identity-changed', userId: input.userId })
}

/** A person compared this key, or we hold its secret. Called by cross-signing, which signs it as well. */
export function markVerified(step: Step, identity: Identity): void {
  const { userId, masterKey } = identity
  putIdentity(step, { ...decided(identity), verifiedKey: masterKey })
  step.tell({ kind: 'identity-changed', userId })
}

function decided(identity: Identity): Identity {
  const { masterKey, pinnedKey, earlierKeys = [] } = identity
  const earlier = new Set([...earlierKeys, pinnedKey])
  earlier.delete(masterKey)
  return { ...identity, pinnedKey: masterKey, earlierKeys: [...earlier] }
}

/** Whose key this is or was, as far as a person decided so. */
export function isKeyOf({ masterKey, pinnedKey, earlierKeys = [] }: Identity, key: PublicKeyText): boolean {
  return masterKey === key || (pinnedKey === masterKey && earlierKeys.includes(key))
}

/** @throws E2eeError IDENTITY_UNKNOWN, IDENTITY_CHANGED where it is no longer the key that the caller means */
export async function expectIdentity(
  step: Pick<Step, 'get'>,
  userId: string,
  masterKey: PublicKeyText,
): Promise<Identity> {
  const identity = await readIdentity(step, userId)
  if (!identity) throw new E2eeError('IDENTITY_UNKNOWN', `${userId} has no cross-signing keys`)
  if (identity.masterKey !== masterKey) {
    throw new E2eeError('IDENTITY_CHANGED', `the master key of ${userId} is another one by now`)
  }
  return identity
}

export function putIdentity(step: Step, identity: Identity): void {
  step.put('identity', identity.userId, { version: 1, ...identity })
}

/** @throws E2eeError IDENTITY_MALFORMED, IDENTITY_NOT_SIGNED */
export function parseKeys(
  userId: string,
  master: Json | undefined,
  selfSigning: Json | undefined,
  userSigning: Json | undefined,
): Keys {
  if (!parseUserId(userId)) throw new E2eeError('IDENTITY_MALFORMED', 'cross-signing keys of no user id')
  const masterKey = keyOf(userId, 'master', master)
  const selfSigningKey = keyOf(userId, 'self_signing', selfSigning)
  const userSigningKey = userSigning === undefined ? null : keyOf(userId, 'user_signing', userSigning)
  // One key in two roles would let a signature for the one count for the other.
  const distinct = new Set([masterKey, selfSigningKey, userSigningKey ?? ''])
  if (distinct.size !== 3)
    throw new E2eeError('IDENTITY_MALFORMED', `${userId} uses one key for two purposes`)
  for (const signed of userSigningKey === null ? [selfSigning] : [selfSigning, userSigning]) {
    if (!isSignedBy(signed as JsonObject, userId, masterKey)) {
      throw new E2eeError('IDENTITY_NOT_SIGNED', `the master key of ${userId} did not sign the key below it`)
    }
  }
  return {
    userId,
    masterKey,
    selfSigningKey,
    userSigningKey,
    master: master as JsonObject,
    selfSigning: selfSigning as JsonObject,
    userSigning: (userSigning as JsonObject | undefined) ?? null,
  }
}

/** Spec: client-server-api#post_matrixclientv3keysdevice_signingupload (CrossSigningKey) */
function keyOf(userId: string, usage: string, object: Json | undefined): PublicKeyText {
  const fail = (what: string) => new E2eeError('IDENTITY_MALFORMED', `the ${usage} key of ${userId}: ${what}`)
  if (!isObject(object)) throw fail('is missing')
  if (isNestedTooDeep(object)) throw fail('nests too deep')
  if (object['user_id'] !== userId) throw fail('names another user')
  const usages = object['usage']
  if (!Array.isArray(usages) || !usages.includes(usage)) throw fail('is not for this use')
  const keys = object['keys']
  const entries = isObject(keys) ? Object.entries(keys) : []
  const [name, value] = entries[0] ?? []
  if (entries.length !== 1 || typeof value !== 'string') throw fail('is not one key')
  const bytes = decodeBase64(value)
  if (bytes?.length !== 32) throw fail('is not 32 bytes of base64')
  const publicKey = encodeBase64(bytes)
  if (name !== signingKeyId(publicKey) || value !== publicKey) throw fail('is not named by its own value')
  return publicKey
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const member = memberOf(object, name)
  return isObject(member) ? member : {}
}
