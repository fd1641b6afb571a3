/**
 * Encrypted messages from device to device: finding or beginning a session, and the checks on what comes out of one.
 *
 * The payload of an Olm message names who sent it and for whom; the server can put any sender on the outside, so the
 * two must agree, and the keys inside must be those of the session (attacks 10 and 14). A session that cannot be
 * read is replaced, at most once an hour a device.
 *
 * Spec: client-server-api#molmv1curve25519-aes-sha2; MSC4147 (sender_device_keys).
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { isObject, type Json, type JsonObject, memberOf } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { olmAlgorithm } from './account.ts'
import type { Context } from './context.ts'
import { type DeviceKeys, ownDeviceKeys, parseDeviceKeys } from './device-keys.ts'
import { E2eeError } from './errors.ts'
import { type KnownDevice, knownDevices } from './known-device.ts'
import { isNestedTooDeep } from './nesting.ts'
import { decodePreKeyMessage, type PreKeyMessage } from './olm-message.ts'
import { type OlmMessage, OlmSession } from './olm-session.ts'
import { claimedKey, findKey, signedCurve25519, useUp } from './one-time-keys.ts'
import { randomName } from './own-device.ts'
import type { Step } from './records.ts'
import { isSignedBy } from './signing-key.ts'
import { makeRoomFor } from './strangers.ts'

/** The specification advises an hour: whoever sends rubbish must not make us use up their victims' one-time keys. */
const unwedgeIntervalMs = 60 * 60 * 1000
/** A device that had no one-time key gets the next chance then. */
const claimAgainMs = 60 * 60 * 1000
/** Sessions with one device; the one that was used longest ago goes first. */
const maxSessions = 8

export interface OlmPayload {
  readonly type: string
  readonly content: JsonObject
  readonly sender: string
  readonly senderCurve25519Key: string
  readonly senderEd25519Key: string
  /** As the sender put them into the message, self-signature checked; null where they did not. */
  readonly senderDeviceKeys: DeviceKeys | null
}

interface StoredSession {
  readonly session: JsonObject
  /** When it was made, or a message came through it: the newest is the one to write with. */
  readonly usedTs: number
}

// ── sending ────────────────────────────────────────────────────────────────────────────────────────

/**
 * Sees to it that there is a session with each device. The id of a claim to wait for, or null: then devices without a
 * session have no keys at present.
 */
export async function claimMissingSessions(
  step: Step,
  context: Context,
  devices: readonly KnownDevice[],
): Promise<string | null> {
  const wanted: Record<string, Record<string, Json>> = {}
  for (const { userId, deviceId, curve25519Key } of devices) {
    if (await hasSession(step, curve25519Key)) continue
    const claim = await step.get('engine', claimId(userId, deviceId))
    if (typeof claim?.['request'] === 'string') return claim['request']
    if (claim && context.clock() - Number(claim['ts']) < claimAgainMs) continue
    wanted[userId] = { ...wanted[userId], [deviceId]: signedCurve25519 }
  }
  return claim(step, context, wanted)
}

async function claim(
  step: Step,
  context: Context,
  wanted: Record<string, Record<string, Json>>,
): Promise<string | null> {
  const targets = Object.entries(wanted)
  if (targets.length === 0) return null
  const id = randomName(context)
  for (const [userId, devices] of targets) {
    for (const deviceId of Object.keys(devices)) {
      step.put('engine', claimId(userId, deviceId), { request: id, ts: context.clock() })
    }
  }
  step.send({ id, kind: 'keys-claim', body: { one_time_keys: wanted } })
  return id
}

/** The answer to a claim; null where it failed. */
export async function receiveKeysClaim(
  step: Step,
  context: Context,
  requestId: string,
  answer: JsonObject | null,
): Promise<void> {
  const keys = answer && isObject(answer['one_time_keys']) ? answer['one_time_keys'] : {}
  for (const [id, record] of await step.entries('engine', 'claim|')) {
    if (record['request'] !== requestId) continue
    // Nobody answered: ask again soon. Answered without a key: not before long.
    if (answer) step.put('engine', id, { ts: context.clock() })
    else step.delete('engine', id)
  }
  for (const [userId, devices] of Object.entries(keys)) {
    if (!isObject(devices)) continue
    for (const device of await knownDevices(step, userId)) {
      const key = claimedKey(memberOf(devices, device.deviceId))
      if (!key) continue
      try {
        await beginSession(step, context, device, key)
        step.delete('engine', claimId(userId, device.deviceId))
      } catch (error) {
        if (!(error instanceof E2eeError)) throw error
        step.tell({ kind: 'refused', code: error.code, from: userId })
      }
    }
  }
}

async function beginSession(
  step: Step,
  context: Context,
  device: KnownDevice,
  key: JsonObject,
): Promise<void> {
  const publicKey = typeof key['key'] === 'string' ? decodeBase64(key['key']) : null
  const identityKey = decodeBase64(device.curve25519Key)
  if (publicKey?.length !== 32 || !identityKey) throw new E2eeError('BAD_KEY', 'a one-time key has 32 bytes')
  if (!isSignedBy(key, device.userId, device.ed25519Key, device.deviceId)) {
    throw new E2eeError('ONE_TIME_KEY_BAD_SIGNATURE', 'a one-time key is not signed by its device')
  }
  const { account, randomBytes } = context
  const session = OlmSession.outbound(account.identityKey, identityKey, publicKey, randomBytes)
  await store(step, context, device.curve25519Key, session)
}

export async function hasSession(step: Step, curve25519Key: string): Promise<boolean> {
  return (await step.entries('olm-session', `${curve25519Key}|`)).length > 0
}

/** The content of an `m.room.encrypted` to-device message; null where there is no session with the device. */
export async function encryptForDevice(
  step: Step,
  context: Context,
  device: KnownDevice,
  type: string,
  content: JsonObject,
): Promise<JsonObject | null> {
  const newest = (await sessionsWith(step, device.curve25519Key))[0]
  if (!newest) return null
  const payload: JsonObject = {
    type,
    content,
    sender: context.userId,
    recipient: device.userId,
    recipient_keys: { ed25519: device.ed25519Key },
    keys: { ed25519: context.account.ed25519Key },
    sender_device_keys: await publishedDeviceKeys(step, context),
  }
  const { message, session } = await newest.session.encrypt(
    utf8Bytes(JSON.stringify(payload)),
    context.randomBytes,
  )
  put(step, device.curve25519Key, session, newest.usedTs)
  return {
    algorithm: olmAlgorithm,
    sender_key: context.account.curve25519Key,
    ciphertext: { [device.curve25519Key]: { type: message.type, body: encodeBase64(message.body) } },
  }
}

/** With the signature of our self-signing key, once the server has it: so that the reader can tell whose device it is. */
async function publishedDeviceKeys(step: Step, context: Context): Promise<JsonObject> {
  const list = await step.get('device-list', context.userId)
  const devices = isObject(list?.['devices']) ? list['devices'] : {}
  const published = memberOf(devices, context.deviceId)
  return isObject(published) ? published : ownDeviceKeys(context)
}

// ── receiving ──────────────────────────────────────────────────────────────────────────────────────

/**
 * What an `m.room.encrypted` to-device event says.
 * @throws E2eeError OLM_MALFORMED, OLM_NOT_FOR_US, OLM_UNDECRYPTABLE, OLM_WRONG_SENDER, OLM_WRONG_RECIPIENT, OLM_WRONG_KEYS,
 * OLM_WRONG_DEVICE_KEYS. Only after OLM_UNDECRYPTABLE may the session be replaced.
 */
export async function decryptFromDevice(
  step: Step,
  context: Context,
  event: JsonObject,
): Promise<OlmPayload> {
  const { sender, content } = event
  if (typeof sender !== 'string' || !isObject(content) || content['algorithm'] !== olmAlgorithm) {
    throw new E2eeError('OLM_MALFORMED', 'not an Olm message')
  }
  const senderKey = content['sender_key']
  const ciphertexts = content['ciphertext']
  if (typeof senderKey !== 'string' || decodeBase64(senderKey)?.length !== 32 || !isObject(ciphertexts)) {
    throw new E2eeError('OLM_MALFORMED', 'sender_key or ciphertext is missing')
  }
  const ours = memberOf(ciphertexts, context.account.curve25519Key)
  if (!isObject(ours)) throw new E2eeError('OLM_NOT_FOR_US', 'there is no ciphertext for this device')
  const plaintext = await open(step, context, sender, senderKey, messageOf(ours))
  return checkPayload(context, sender, senderKey, parse(plaintext))
}

function messageOf(value: JsonObject): OlmMessage {
  const body = typeof value['body'] === 'string' ? decodeBase64(value['body']) : null
  const type = value['type']
  if (!body || (type !== 0 && type !== 1)) throw new E2eeError('OLM_MALFORMED', 'type or body is wrong')
  return { type, body }
}

async function open(
  step: Step,
  context: Context,
  sender: string,
  senderKey: string,
  message: OlmMessage,
): Promise<Uint8Array> {
  const first = message.type === 0 ? decodePreKeyMessage(message.body) : null
  if (first && encodeBase64(first.identityKey) !== senderKey) {
    throw new E2eeError('OLM_WRONG_KEYS', 'sender_key is not the key that the message was made with')
  }
  const sessions = await sessionsWith(step, senderKey)
  for (const { session } of sessions) {
    if (first && !session.isBegunBy(first)) continue
    try {
      const opened = await session.decrypt(message)
      put(step, senderKey, opened.session, context.clock())
      return opened.plaintext
    } catch (error) {
      if (!(error instanceof E2eeError)) throw error
      // A pre-key message belongs to this session and to no other.
      if (first) throw undecryptable(error)
    }
  }
  if (!first) throw undecryptable()
  return openFirst(step, context, sender, senderKey, first, message)
}

async function openFirst(
  step: Step,
  context: Context,
  sender: string,
  senderKey: string,
  first: PreKeyMessage,
  message: OlmMessage,
): Promise<Uint8Array> {
  const oneTimeKey = await findKey(step, first.oneTimeKey)
  if (!oneTimeKey) throw undecryptable()
  try {
    const fresh = OlmSession.inbound(context.account.identityKey, oneTimeKey, first)
    const { plaintext, session } = await fresh.decrypt(message)
    useUp(step, oneTimeKey)
    await makeRoomFor(step, sender, 'olm-session', sessionRecordId(senderKey, session))
    await store(step, context, senderKey, session)
    return plaintext
  } catch (error) {
    throw error instanceof E2eeError ? undecryptable(error) : error
  }
}

function undecryptable(cause?: E2eeError): E2eeError {
  return new E2eeError('OLM_UNDECRYPTABLE', 'no session with this device reads the message', { cause })
}

function parse(plaintext: Uint8Array): JsonObject {
  try {
    const payload: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext))
    if (isObject(payload) && !isNestedTooDeep(payload)) return payload
  } catch {
    // Said below.
  }
  throw new E2eeError('OLM_MALFORMED', 'the payload is not a JSON object, or nests too deep')
}

/** Spec: client-server-api#molmv1curve25519-aes-sha2, the list of what a client must check. */
function checkPayload(context: Context, sender: string, senderKey: string, payload: JsonObject): OlmPayload {
  const { type, content } = payload
  if (typeof type !== 'string' || !isObject(content)) {
    throw new E2eeError('OLM_MALFORMED', 'the payload has no type or content')
  }
  if (payload['sender'] !== sender)
    throw new E2eeError('OLM_WRONG_SENDER', 'sent by another user than it says')
  const recipientKeys = payload['recipient_keys']
  if (
    payload['recipient'] !== context.userId ||
    !isObject(recipientKeys) ||
    recipientKeys['ed25519'] !== context.account.ed25519Key
  ) {
    throw new E2eeError('OLM_WRONG_RECIPIENT', 'meant for another user or device')
  }
  const keys = payload['keys']
  const ed25519 = isObject(keys) ? keys['ed25519'] : undefined
  if (typeof ed25519 !== 'string') throw new E2eeError('OLM_WRONG_KEYS', 'keys.ed25519 is missing')
  return {
    type,
    content,
    sender,
    senderCurve25519Key: senderKey,
    senderEd25519Key: ed25519,
    senderDeviceKeys: senderDeviceKeysOf(payload, sender, senderKey, ed25519),
  }
}

/** MSC4147. What is there has to be right: keys of somebody else, or another device's, are an attack (10). */
function senderDeviceKeysOf(
  payload: JsonObject,
  sender: string,
  curve25519Key: string,
  ed25519Key: string,
): DeviceKeys | null {
  const value = payload['sender_device_keys'] ?? payload['org.matrix.msc4147.device_keys']
  if (value === undefined) return null
  const deviceId = isObject(value) && typeof value['device_id'] === 'string' ? value['device_id'] : ''
  try {
    const keys = parseDeviceKeys(value, sender, deviceId, () => false)
    if (keys.curve25519Key === curve25519Key && keys.ed25519Key === ed25519Key) return keys
  } catch (cause) {
    throw new E2eeError('OLM_WRONG_DEVICE_KEYS', 'sender_device_keys are not the sender’s', { cause })
  }
  throw new E2eeError('OLM_WRONG_DEVICE_KEYS', 'sender_device_keys are not those of the session')
}

/** Begins a new session with a device whose message could not be read. The claim's answer sends an `m.dummy`. */
export async function unwedge(step: Step, context: Context, device: KnownDevice): Promise<void> {
  const id = `unwedge|${device.curve25519Key}`
  const last = await step.get('engine', id)
  if (last && context.clock() - Number(last['ts']) < unwedgeIntervalMs) return
  step.put('engine', id, {
    ts: context.clock(),
    userId: device.userId,
    deviceId: device.deviceId,
    isOpen: true,
  })
  await claim(step, context, { [device.userId]: { [device.deviceId]: signedCurve25519 } })
}

/** The devices whose new session waits for its first message. */
export async function unwedged(step: Step): Promise<{ userId: string; deviceId: string }[]> {
  const open: { userId: string; deviceId: string }[] = []
  for (const [id, { isOpen, userId, deviceId, ts }] of await step.entries('engine', 'unwedge|')) {
    if (isOpen !== true || typeof userId !== 'string' || typeof deviceId !== 'string') continue
    if (await step.get('engine', claimId(userId, deviceId))) continue
    step.put('engine', id, { ts: ts!, userId, deviceId, isOpen: false })
    open.push({ userId, deviceId })
  }
  return open
}

// ── sessions ───────────────────────────────────────────────────────────────────────────────────────

/** Newest use first. */
async function sessionsWith(
  step: Step,
  curve25519Key: string,
): Promise<{ id: string; session: OlmSession; usedTs: number }[]> {
  const records = await step.entries('olm-session', `${curve25519Key}|`)
  return records
    .map(([id, record]) => ({ id, record: record as unknown as StoredSession }))
    .sort((a, b) => b.record.usedTs - a.record.usedTs)
    .map(({ id, record }) => ({ id, session: OlmSession.fromRecord(record.session), usedTs: record.usedTs }))
}

async function store(
  step: Step,
  context: Context,
  curve25519Key: string,
  session: OlmSession,
): Promise<void> {
  for (const { id } of (await sessionsWith(step, curve25519Key)).slice(maxSessions - 1)) {
    step.delete('olm-session', id)
  }
  put(step, curve25519Key, session, context.clock())
}

function put(step: Step, curve25519Key: string, session: OlmSession, usedTs: number): void {
  step.put('olm-session', sessionRecordId(curve25519Key, session), { session: session.toRecord(), usedTs })
}

function sessionRecordId(curve25519Key: string, session: OlmSession): string {
  return `${curve25519Key}|${session.id}`
}

function claimId(userId: string, deviceId: string): string {
  return `claim|${userId} ${deviceId}`
}
