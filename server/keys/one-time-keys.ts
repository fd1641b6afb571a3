/**
 * One-time and fallback keys: uploaded by a device, claimed by whoever starts an encrypted session with it.
 *
 * A one-time key is given out at most once, first uploaded first. It is deleted in the transaction that gives it
 * out, and the claim is answered when that is durable. What was given out last is remembered for a while: a
 * client that repeats an upload, because it never saw the answer, must not bring a claimed key back.
 *
 * After a restore or repair (another epoch) nobody knows which keys were given out since: all are dropped, and the
 * devices, seeing a count of none, upload new ones.
 *
 * Spec: client-server-api#one-time-and-fallback-keys, #post_matrixclientv3keysclaim
 */
import type { DeviceId, UserId } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import {
  fallbackKeyTable,
  givenKeyTable,
  type KeyCountsRow,
  keyCountsTable,
  type OneTimeKeyRow,
  oneTimeKeyTable,
} from '../store/catalogue.ts'
import type { Position, Transaction } from '../store/store.ts'
import { deviceTopic } from './device-lists.ts'
import { KeysError } from './keys-error.ts'
import { isPublicKey, signaturesOf, signedText, withSignatures } from './signed-object.ts'

/** Clients keep 50 or 100 on the server. */
const maxKeysHeld = 500
const maxAlgorithms = 8
/** More than a client uploads at a time, so that a repeated upload is recognised. */
const givenRemembered = 256

export interface UploadedKey {
  readonly algorithm: string
  readonly id: string
  readonly key: JsonObject
}

/** What sync tells a device about its own keys. */
export interface KeyCounts {
  /** Unclaimed one-time keys by algorithm; `signed_curve25519` is always there. */
  readonly counts: Readonly<Record<string, number>>
  /** Algorithms whose fallback key nobody claimed yet. */
  readonly unusedFallback: readonly string[]
  /** The last claim: the device should hear of it. 0 before any. */
  readonly changed: Position
}

export interface ClaimedKey {
  readonly userId: UserId
  readonly deviceId: DeviceId
  readonly algorithm: string
  readonly id: string
  readonly key: JsonObject
}

export interface KeyWanted {
  readonly userId: UserId
  readonly deviceId: DeviceId
  readonly algorithm: string
}

const none: KeyCountsRow = { counts: {}, unusedFallback: [], given: {}, changed: 0 as Position }

export function countsOf(row: KeyCountsRow | undefined): KeyCounts {
  const { counts, unusedFallback, changed } = row ?? none
  return { counts: { signed_curve25519: 0, ...counts }, unusedFallback, changed }
}

/**
 * Form only. Whether the device really signed each of them, only those who claim one can be hurt by, and they check it;
 * here it would cost 0.2 ms a key of everybody's time.
 */
export function parseUploadedKeys(
  value: Json | undefined,
  name: 'one_time_keys' | 'fallback_keys',
  userId: UserId,
  deviceId: DeviceId,
): readonly UploadedKey[] {
  if (value === undefined) return []
  if (!isObject(value)) throw new KeysError('M_BAD_JSON', `${name} must be an object.`)
  const keys = Object.entries(value).map(([keyId, key]) => {
    const [, algorithm, id] = /^([a-z0-9_.]{1,64}):([^\p{Cc}\p{Cs}]{1,128})$/u.exec(keyId) ?? []
    if (algorithm === undefined || id === undefined) {
      throw new KeysError('M_INVALID_PARAM', `${name}: ${keyId} is not named <algorithm>:<key id>.`)
    }
    if (!isObject(key) || typeof key['key'] !== 'string') {
      throw new KeysError('M_INVALID_PARAM', `${name}.${keyId} must be an object with key and signatures.`)
    }
    if (algorithm === 'signed_curve25519' && !isPublicKey(key['key'])) {
      throw new KeysError('M_INVALID_PARAM', `${name}.${keyId}.key must be 32 bytes in unpadded base64.`)
    }
    const signatures = signaturesOf(key, userId)
    if (signatures[`ed25519:${deviceId}`] === undefined) {
      throw new KeysError(
        'M_INVALID_PARAM',
        `${name}.${keyId}.signatures must hold one by ed25519:${deviceId}.`,
      )
    }
    signedText(key, `${name}.${keyId}`)
    return { algorithm, id, key: withSignatures(key, userId, signatures) }
  })
  const algorithms = new Set(keys.map(({ algorithm }) => algorithm))
  if (algorithms.size > maxAlgorithms) {
    throw new KeysError('M_INVALID_PARAM', `${name} has more than ${maxAlgorithms} algorithms.`)
  }
  if (name === 'fallback_keys' && algorithms.size < keys.length) {
    throw new KeysError('M_INVALID_PARAM', 'fallback_keys may hold one key an algorithm.')
  }
  return keys
}

/** Stores what is new. The transaction owns the user. */
export async function uploadKeys(
  tx: Transaction,
  userId: UserId,
  deviceId: DeviceId,
  oneTimeKeys: readonly UploadedKey[],
  fallbackKeys: readonly UploadedKey[],
): Promise<KeyCountsRow> {
  const [row] = await tx.getMany([keyCountsTable.key(userId, deviceId)])
  const before = row ?? none
  const added = await newKeys(tx, userId, deviceId, oneTimeKeys)
  const replaced = await newFallbackKeys(tx, userId, deviceId, fallbackKeys)
  if (added.length === 0 && replaced.length === 0) return before

  const counts: Record<string, number> = { ...before.counts }
  for (const { algorithm } of added) counts[algorithm] = (counts[algorithm] ?? 0) + 1
  for (const [algorithm, count] of Object.entries(counts)) {
    if (count <= maxKeysHeld) continue
    throw new KeysError(
      'M_INVALID_PARAM',
      `one_time_keys: a device may hold ${maxKeysHeld} keys of ${algorithm}, with these there would be ${count}.`,
    )
  }
  const unusedFallback = [...new Set([...before.unusedFallback, ...replaced.map(key => key.algorithm)])]
  if (Object.keys(counts).length > maxAlgorithms || unusedFallback.length > maxAlgorithms) {
    throw new KeysError('M_INVALID_PARAM', `A device may hold keys of ${maxAlgorithms} algorithms.`)
  }
  const after: KeyCountsRow = { ...before, counts, unusedFallback }
  tx.put(keyCountsTable.key(userId, deviceId), after)
  for (const { algorithm, id, key } of replaced) {
    tx.put(fallbackKeyTable.key(userId, deviceId, algorithm), { id, key, used: false })
  }
  // The position of the upload is what makes the order of claims. All keys of one upload are equal in it.
  tx.sequence((next, rows) => {
    const position = added.length > 0 ? next() : (0 as Position)
    for (const [i, { algorithm, id, key }] of added.entries()) {
      rows.put(oneTimeKeyTable.key(userId, deviceId, algorithm, position, i), { id, key })
    }
    rows.announce(deviceTopic(userId, deviceId))
  })
  return after
}

/** Without what we hold already or have given out; refuses an id that stands for another key. */
async function newKeys(
  tx: Transaction,
  userId: UserId,
  deviceId: DeviceId,
  keys: readonly UploadedKey[],
): Promise<readonly UploadedKey[]> {
  if (keys.length === 0) return []
  const [held, given] = await Promise.all([
    tx.range(oneTimeKeyTable.under(userId, deviceId)),
    tx.range(givenKeyTable.under(userId, deviceId)),
  ])
  const known = new Map<string, string>()
  for (const { parts, value } of held) known.set(`${parts[2]}:${value.id}`, publicPart(value.key))
  for (const { parts, value } of given) known.set(`${parts[2]}:${value.id}`, value.key)
  return keys.filter(({ algorithm, id, key }) => {
    const publicKey = known.get(`${algorithm}:${id}`)
    if (publicKey === undefined) return true
    if (publicKey === publicPart(key)) return false
    throw new KeysError(
      'M_INVALID_PARAM',
      `one_time_keys: ${algorithm}:${id} exists already with another key.`,
    )
  })
}

/** Without what is already the fallback key: uploaded again it does not become unused. */
async function newFallbackKeys(
  tx: Transaction,
  userId: UserId,
  deviceId: DeviceId,
  keys: readonly UploadedKey[],
): Promise<readonly UploadedKey[]> {
  if (keys.length === 0) return []
  const held = await tx.getMany(
    keys.map(({ algorithm }) => fallbackKeyTable.key(userId, deviceId, algorithm)),
  )
  return keys.filter(({ id, key }, i) => {
    const before = held[i]
    return !before || before.id !== id || publicPart(before.key) !== publicPart(key)
  })
}

/** A key that was signed again is still the same key. */
function publicPart(key: JsonObject): string {
  return key['key'] as string
}

/** Takes the oldest key of each device, or its fallback key. The transaction owns all users. Devices are named once. */
export async function claimKeys(tx: Transaction, wanted: readonly KeyWanted[]): Promise<ClaimedKey[]> {
  const [oldest, fallbacks, countRows] = await Promise.all([
    Promise.all(
      wanted.map(({ userId, deviceId, algorithm }) =>
        tx.range(oneTimeKeyTable.under(userId, deviceId, algorithm), { limit: 1 }),
      ),
    ),
    tx.getMany(
      wanted.map(({ userId, deviceId, algorithm }) => fallbackKeyTable.key(userId, deviceId, algorithm)),
    ),
    tx.getMany(wanted.map(({ userId, deviceId }) => keyCountsTable.key(userId, deviceId))),
  ])
  const claimed: ClaimedKey[] = []
  for (const [i, want] of wanted.entries()) {
    const counts = countRows[i] ?? none
    const first = oldest[i]?.[0]
    const fallback = fallbacks[i]
    if (first) {
      claimed.push({ ...want, id: first.value.id, key: first.value.key })
      tx.delete(first.key)
      rememberGiven(tx, want, first.value, counts)
    } else if (fallback) {
      claimed.push({ ...want, id: fallback.id, key: fallback.key })
      if (!fallback.used) useFallback(tx, want, fallback, counts)
    }
  }
  return claimed
}

function rememberGiven(tx: Transaction, want: KeyWanted, row: OneTimeKeyRow, counts: KeyCountsRow): void {
  const { userId, deviceId, algorithm } = want
  const given = counts.given[algorithm] ?? 0
  tx.put(givenKeyTable.key(userId, deviceId, algorithm, given % givenRemembered), {
    id: row.id,
    key: publicPart(row.key),
  })
  const left = { ...counts.counts, [algorithm]: Math.max(0, (counts.counts[algorithm] ?? 0) - 1) }
  changeCounts(tx, want, { ...counts, counts: left, given: { ...counts.given, [algorithm]: given + 1 } })
}

function useFallback(
  tx: Transaction,
  want: KeyWanted,
  fallback: { readonly id: string; readonly key: JsonObject },
  counts: KeyCountsRow,
): void {
  tx.put(fallbackKeyTable.key(want.userId, want.deviceId, want.algorithm), { ...fallback, used: true })
  const unusedFallback = counts.unusedFallback.filter(algorithm => algorithm !== want.algorithm)
  changeCounts(tx, want, { ...counts, unusedFallback })
}

function changeCounts(tx: Transaction, { userId, deviceId }: KeyWanted, row: KeyCountsRow): void {
  tx.sequence((next, rows) => {
    rows.put(keyCountsTable.key(userId, deviceId), { ...row, changed: next() })
    rows.announce(deviceTopic(userId, deviceId))
  })
}

/** The device goes: nobody may claim a key of it any more. */
export async function removeKeysOf(tx: Transaction, userId: UserId, deviceId: DeviceId): Promise<void> {
  const rows = await Promise.all([
    tx.range(oneTimeKeyTable.under(userId, deviceId)),
    tx.range(givenKeyTable.under(userId, deviceId)),
    tx.range(fallbackKeyTable.under(userId, deviceId)),
  ])
  for (const { key } of rows.flat()) tx.delete(key)
  tx.delete(keyCountsTable.key(userId, deviceId))
  tx.announce(deviceTopic(userId, deviceId))
}
