/**
 * Keys with which others begin sessions while we are away: one-time keys, each good for one session, and a fallback
 * key for when they run out.
 *
 * A private key is stored before its public half leaves, and goes with the step that stores the session it made: a
 * second message with the same key finds nothing (attack 20). Up to 5,000 are kept, because messages by courier come
 * weeks after their keys were claimed; an old fallback key is kept for 90 days for the same reason.
 *
 * Spec: client-server-api#one-time-and-fallback-keys
 */
import { encodeBase64 } from '#protocol/base64.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { Context } from './context.ts'
import { signAsDevice } from './own-device.ts'
import { curve25519KeyPair, decodeSecret, encodeSecret, type KeyPair } from './primitives.ts'
import type { Step } from './records.ts'

export const signedCurve25519 = 'signed_curve25519'
const maxKept = 5_000
/** On the server at a time. The specification's clients keep about as many. */
const wantedOnServer = 50
const fallbackKeptMs = 90 * 24 * 60 * 60 * 1000
/** Used or not, a fallback key is replaced: what was sent to it is readable as long as it lives. */
const fallbackRenewedMs = 7 * 24 * 60 * 60 * 1000

const oneTime = 'one-time-key|'
const fallback = 'fallback-key|'
/** What the next key is named by. */
export const sequenceId = 'key-sequence'

/** The members of a `/keys/upload` body that the server lacks; null where it lacks none. */
export async function keysToUpload(
  step: Step,
  context: Context,
  countOnServer: number,
  isFallbackUnused: boolean,
): Promise<JsonObject | null> {
  const body: Record<string, JsonObject> = {}
  if (countOnServer < wantedOnServer) {
    body['one_time_keys'] = await makeOneTimeKeys(step, context, wantedOnServer - countOnServer)
  }
  const fallbackKeys = await replaceFallbackKey(step, context, isFallbackUnused)
  if (fallbackKeys) body['fallback_keys'] = fallbackKeys
  return Object.keys(body).length === 0 ? null : body
}

/** The private half of a key that somebody began a session with, or null: used up, too old, never ours. */
export async function findKey(step: Step, publicKey: Uint8Array): Promise<KeyPair | null> {
  const name = encodeBase64(publicKey)
  const [single, reusable] = await step.getMany('account', [oneTime + name, fallback + name])
  const privateKey = (single ?? reusable)?.['privateKey']
  const secret = typeof privateKey === 'string' ? decodeSecret(privateKey) : null
  return secret ? curve25519KeyPair(secret) : null
}

/** A session was made with it. A fallback key stays. */
export function useUp(step: Step, { publicKey }: KeyPair): void {
  step.delete('account', oneTime + encodeBase64(publicKey))
}

async function makeOneTimeKeys(step: Step, context: Context, count: number): Promise<JsonObject> {
  const kept = await step.entries('account', oneTime)
  const oldestFirst = kept.sort(([, a], [, b]) => sequenceOf(a) - sequenceOf(b))
  for (const [id] of oldestFirst.slice(0, Math.max(0, kept.length + count - maxKept)))
    step.delete('account', id)
  const keys: Record<string, JsonObject> = {}
  for (let i = 0; i < count; i++) {
    const { sequence, signed } = await makeKey(step, context, oneTime, false)
    keys[`${signedCurve25519}:${keyName(sequence)}`] = signed
  }
  return keys
}

async function replaceFallbackKey(
  step: Step,
  context: Context,
  isUnused: boolean,
): Promise<JsonObject | null> {
  const now = context.clock()
  const kept = await step.entries('account', fallback)
  let isFresh = false
  for (const [id, record] of kept) {
    const replacedTs = record['replacedTs']
    if (typeof replacedTs === 'number') {
      if (now - replacedTs > fallbackKeptMs) step.delete('account', id)
    } else if (isUnused && now - Number(record['createdTs']) < fallbackRenewedMs) isFresh = true
    else step.put('account', id, { ...record, replacedTs: now })
  }
  if (isFresh) return null
  const { sequence, signed } = await makeKey(step, context, fallback, true)
  return { [`${signedCurve25519}:${keyName(sequence)}`]: signed }
}

/**
 * The server may have keys of ours whose private halves a restored profile does not know, under names that we would
 * use again, and servers refuse a second key of one name: `missed` inputs may each have made as many as an upload
 * holds. The fallback key is replaced with the next upload.
 */
export async function skipNames(step: Step, missed: number): Promise<void> {
  const counter = await step.get('account', sequenceId)
  const next = typeof counter?.['next'] === 'number' ? counter['next'] : 1
  step.put('account', sequenceId, { next: next + missed * (wantedOnServer + 1) })
  for (const [id, record] of await step.entries('account', fallback)) {
    step.put('account', id, { ...record, createdTs: 0 })
  }
}

/** The counter is lost: far behind every key that is still here, so that no name is used twice. */
export async function countAnew(step: Step): Promise<void> {
  const kept = [...(await step.entries('account', oneTime)), ...(await step.entries('account', fallback))]
  const last = Math.max(0, ...kept.map(([, record]) => sequenceOf(record)))
  step.put('account', sequenceId, { next: last + maxKept })
}

async function makeKey(step: Step, context: Context, prefix: string, isFallback: boolean) {
  const counter = await step.get('account', sequenceId)
  const sequence = typeof counter?.['next'] === 'number' ? counter['next'] : 1
  step.put('account', sequenceId, { next: sequence + 1 })
  const pair = curve25519KeyPair(context.randomBytes(32))
  const publicKey = encodeBase64(pair.publicKey)
  step.put('account', prefix + publicKey, {
    algorithm: 'curve25519',
    privateKey: encodeSecret(pair.privateKey),
    sequence,
    createdTs: context.clock(),
  })
  const signed = signAsDevice<JsonObject>(context, { key: publicKey, ...(isFallback && { fallback: true }) })
  return { sequence, signed }
}

function sequenceOf(record: JsonObject): number {
  return typeof record['sequence'] === 'number' ? record['sequence'] : 0
}

/** The sequence as the 32 bits that other clients name theirs by. */
function keyName(sequence: number): string {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, sequence)
  return encodeBase64(bytes)
}

/** A one-time or fallback key in an answer to `/keys/claim`, still to be checked against its device. */
export function claimedKey(keys: unknown): JsonObject | null {
  if (!isObject(keys)) return null
  for (const [name, key] of Object.entries(keys)) {
    if (name.startsWith(`${signedCurve25519}:`) && isObject(key)) return key
  }
  return null
}
