/**
 * The key with which we write into a room: when it changes, who gets it, who is told that they do not.
 *
 * It goes to devices that their owners signed, and to no others (attack 2, MSC4153). It changes after so many messages,
 * after so much time, when somebody leaves and when a device that has it goes or is no longer trusted. A key is stored,
 * with whom it went to, before anything encrypted with it leaves.
 *
 * Spec: client-server-api#sending-messages-to-a-room, #reporting-that-decryption-keys-are-withheld
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { megolmAlgorithm } from './account.ts'
import type { Context } from './context.ts'
import { deviceTrust, mayReceiveKeys } from './cross-signing.ts'
import { isListKnown, outdatedAmong, queryOutdatedLists, trackPeople } from './device-lists.ts'
import { E2eeError } from './errors.ts'
import { blockedPeople } from './identity.ts'
import { InboundGroupSession } from './inbound-group-session.ts'
import { type KnownDevice, knownDevices } from './known-device.ts'
import { claimMissingSessions, encryptForDevice, hasSession } from './olm-channel.ts'
import { OutboundGroupSession } from './outbound-group-session.ts'
import { randomName } from './own-device.ts'
import type { Step } from './records.ts'
import { historyMembersOf, keepSession } from './room-sessions.ts'
import { type RoomSettings, readersOf } from './room-settings.ts'
import { undecidedNewcomers } from './signed-invite.ts'

/** A request holds so many messages; servers refuse bodies without end. */
const devicesPerRequest = 100

export interface RoomKey {
  readonly session: OutboundGroupSession
  /** As it was before the first message. */
  readonly first: string
  readonly createdTs: number
  readonly messageCount: number
  /** Device (as `user device`) → the Curve25519 key that it went to. */
  readonly sharedWith: Readonly<Record<string, string>>
  /** Devices that were told that they do not get it, and the code. */
  readonly withheldFrom: Readonly<Record<string, string>>
  /**
   * Person → the key as it was when something was first written that a device of theirs could not be given: their server did
   * not answer. They get it from there on.
   */
  readonly owed: Readonly<Record<string, string>>
}

export type PreparedKey =
  | { readonly kind: 'ready'; readonly key: RoomKey }
  /** The answer to this request comes first; then ask again. */
  | { readonly kind: 'waiting'; readonly request: string }
  /** Somebody has to decide first: about an identity that changed, or a newcomer whom nobody vouched for. */
  | { readonly kind: 'blocked'; readonly userIds: readonly string[] }

/** The key for the next message, with everybody who should have it having it. */
export async function prepareRoomKey(
  step: Step,
  context: Context,
  roomId: string,
  room: RoomSettings,
): Promise<PreparedKey> {
  const userIds = readersOf(room)
  const changed = await blockedPeople(step, context, userIds)
  if (changed.length > 0) return blocked(step, roomId, changed)
  await trackPeople(step, userIds)
  if ((await outdatedAmong(step, context, userIds)).length > 0) {
    const request = await queryOutdatedLists(step, context)
    if (request !== null) return { kind: 'waiting', request }
  }
  const newcomers = await undecidedNewcomers(step, context, roomId, userIds)
  if (newcomers.length > 0) return blocked(step, roomId, newcomers)
  const { trusted, others } = await devicesOf(step, context, userIds)
  let key = await currentKey(step, context, roomId, room, trusted)
  const missing = trusted.filter(device => !(nameOf(device) in key.sharedWith))
  const request = await claimMissingSessions(step, context, missing)
  if (request !== null) return { kind: 'waiting', request }
  key = await share(step, context, roomId, room, key, missing)
  key = { ...key, owed: await owedOf(step, context, key, userIds, trusted) }
  key = withhold(step, context, roomId, key, others)
  putKey(step, roomId, key)
  return { kind: 'ready', key }
}

function blocked(step: Step, roomId: string, userIds: readonly string[]): PreparedKey {
  step.tell({ kind: 'room-blocked', roomId, userIds })
  return { kind: 'blocked', userIds }
}

interface Devices {
  readonly trusted: readonly KnownDevice[]
  readonly others: readonly KnownDevice[]
}

async function devicesOf(step: Step, context: Context, userIds: readonly string[]): Promise<Devices> {
  const trusted: KnownDevice[] = []
  const others: KnownDevice[] = []
  for (const userId of userIds) {
    for (const device of await knownDevices(step, userId)) {
      const trust = await deviceTrust(step, context, userId, device.deviceId)
      if (trust === 'own') continue
      if (mayReceiveKeys(trust)) trusted.push(device)
      else others.push(device)
    }
  }
  return { trusted, others }
}

async function currentKey(
  step: Step,
  context: Context,
  roomId: string,
  room: RoomSettings,
  trusted: readonly KnownDevice[],
): Promise<RoomKey> {
  const key = await readKey(step, roomId)
  if (key && isStillGood(key, context, room, trusted)) return key
  return beginKey(step, context, roomId, room)
}

function isStillGood(
  key: RoomKey,
  context: Context,
  room: RoomSettings,
  trusted: readonly KnownDevice[],
): boolean {
  const age = context.clock() - key.createdTs
  // A clock that was set back must not keep a key alive.
  if (key.messageCount >= room.rotationMessages || age >= room.rotationMs || age < 0) return false
  const here = new Map(trusted.map(device => [nameOf(device), device.curve25519Key]))
  return Object.entries(key.sharedWith).every(([name, curve25519Key]) => here.get(name) === curve25519Key)
}

async function beginKey(step: Step, context: Context, roomId: string, room: RoomSettings): Promise<RoomKey> {
  const session = OutboundGroupSession.create(context.randomBytes)
  // We read our own messages like everybody else does, from the first one on.
  await keepSession(step, {
    roomId,
    sessionId: session.id,
    key: InboundGroupSession.fromSessionKey(session.sessionKey()).export(),
    source: 'owner',
    senderUserId: context.userId,
    senderDeviceId: context.deviceId,
    senderCurve25519Key: context.account.curve25519Key,
    senderEd25519Key: context.account.ed25519Key,
    givenBy: null,
    isHistoryShared: room.isHistoryShared,
  })
  return {
    ...{ session, first: session.sessionKey(), createdTs: context.clock(), messageCount: 0 },
    ...{ sharedWith: {}, withheldFrom: {}, owed: {} },
  }
}

async function share(
  step: Step,
  context: Context,
  roomId: string,
  room: RoomSettings,
  key: RoomKey,
  devices: readonly KnownDevice[],
): Promise<RoomKey> {
  const now = key.session.sessionKey()
  // Where the past is for whoever comes later, they get the key whole: what was written while we had not heard of them yet
  // would stay closed to them otherwise.
  const forNewcomers = room.isHistoryShared ? key.first : now
  const contentFor = (userId: string): JsonObject => ({
    algorithm: megolmAlgorithm,
    room_id: roomId,
    session_id: key.session.id,
    session_key: key.owed[userId] ?? forNewcomers,
    ...historyMembersOf(room.isHistoryShared),
  })
  const sharedWith: Record<string, string> = { ...key.sharedWith }
  const withheldFrom: Record<string, string> = { ...key.withheldFrom }
  const messages = new Outbox('m.room.encrypted')
  const refusals = new Outbox('m.room_key.withheld')
  for (const device of devices) {
    const encrypted = await encryptForDevice(step, context, device, 'm.room_key', contentFor(device.userId))
    if (encrypted) {
      messages.add(device, encrypted)
      sharedWith[nameOf(device)] = device.curve25519Key
      delete withheldFrom[nameOf(device)]
    } else if (
      withheldFrom[nameOf(device)] === undefined &&
      !(await hasSession(step, device.curve25519Key))
    ) {
      refusals.add(device, withheldContent(context, null, key, 'm.no_olm'))
      withheldFrom[nameOf(device)] = 'm.no_olm'
    }
  }
  messages.send(step, context)
  refusals.send(step, context)
  return { ...key, sharedWith, withheldFrom }
}

/** Whom we write past for now, and from where on. */
async function owedOf(
  step: Step,
  context: Context,
  key: RoomKey,
  userIds: readonly string[],
  trusted: readonly KnownDevice[],
): Promise<Record<string, string>> {
  const without = new Set(
    trusted.filter(device => !(nameOf(device) in key.sharedWith)).map(({ userId }) => userId),
  )
  const owed: Record<string, string> = {}
  for (const userId of userIds) {
    if (userId === context.userId || (!without.has(userId) && (await isListKnown(step, userId)))) continue
    owed[userId] = key.owed[userId] ?? key.session.sessionKey()
  }
  return owed
}

/** Says to devices that get no key why, once a key. */
function withhold(
  step: Step,
  context: Context,
  roomId: string,
  key: RoomKey,
  devices: readonly KnownDevice[],
): RoomKey {
  const withheldFrom: Record<string, string> = { ...key.withheldFrom }
  const refusals = new Outbox('m.room_key.withheld')
  for (const device of devices) {
    if (withheldFrom[nameOf(device)] === 'm.unverified') continue
    refusals.add(device, withheldContent(context, roomId, key, 'm.unverified'))
    withheldFrom[nameOf(device)] = 'm.unverified'
  }
  refusals.send(step, context)
  return { ...key, withheldFrom }
}

/** `m.no_olm` is about the device, not about a session: without room and session. */
function withheldContent(
  context: Context,
  roomId: string | null,
  key: RoomKey,
  code: 'm.unverified' | 'm.no_olm',
): JsonObject {
  const reason =
    code === 'm.no_olm' ? 'Unable to establish a secure channel.' : 'The device was not signed by its owner.'
  return {
    algorithm: megolmAlgorithm,
    ...(roomId !== null && { room_id: roomId, session_id: key.session.id }),
    sender_key: context.account.curve25519Key,
    code,
    reason,
  }
}

/** Messages for devices, gathered into requests. */
class Outbox {
  readonly #eventType: string
  readonly #messages: [device: KnownDevice, content: JsonObject][] = []

  constructor(eventType: string) {
    this.#eventType = eventType
  }

  add(device: KnownDevice, content: JsonObject): void {
    this.#messages.push([device, content])
  }

  send(step: Step, context: Context): void {
    for (let first = 0; first < this.#messages.length; first += devicesPerRequest) {
      const messages: Record<string, Record<string, JsonObject>> = {}
      for (const [{ userId, deviceId }, content] of this.#messages.slice(first, first + devicesPerRequest)) {
        messages[userId] = { ...messages[userId], [deviceId]: content }
      }
      step.send({
        id: randomName(context),
        kind: 'to-device',
        eventType: this.#eventType,
        body: { messages },
      })
    }
  }
}

async function readKey(step: Step, roomId: string): Promise<RoomKey | null> {
  const record = await step.get('outbound-group-session', roomId)
  if (!record) return null
  const { session, first, createdTs, messageCount, sharedWith, withheldFrom, owed } = record
  if (typeof createdTs !== 'number' || typeof messageCount !== 'number' || !isObject(sharedWith)) {
    throw new E2eeError('BAD_RECORD', 'a stored room key is not one')
  }
  const outbound = OutboundGroupSession.fromRecord(session)
  return {
    session: outbound,
    // Sessions of earlier releases were kept without.
    first: typeof first === 'string' ? first : outbound.sessionKey(),
    createdTs,
    messageCount,
    sharedWith: sharedWith as Record<string, string>,
    withheldFrom: (withheldFrom ?? {}) as Record<string, string>,
    owed: (owed ?? {}) as Record<string, string>,
  }
}

export function putKey(step: Step, roomId: string, key: RoomKey): void {
  step.put('outbound-group-session', roomId, {
    ...key,
    session: key.session.toRecord(),
  })
}

function nameOf({ userId, deviceId }: KnownDevice): string {
  return `${userId} ${deviceId}`
}
