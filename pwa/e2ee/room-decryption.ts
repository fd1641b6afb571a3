/**
 * Opens what others, and we, wrote into rooms, and says what it is worth.
 *
 * Many events at once: sessions, and what was seen before, are read together, so that coming back after weeks does not
 * read record by record. A failed event changes nothing and stands beside the others with its code.
 *
 * Spec: client-server-api#mmegolmv1aes-sha2
 */
import { decodeBase64 } from '#protocol/base64.ts'
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { megolmAlgorithm } from './account.ts'
import type { Context } from './context.ts'
import { deviceTrust } from './cross-signing.ts'
import { E2eeError } from './errors.ts'
import { InboundGroupSession } from './inbound-group-session.ts'
import { knownDevice, knownDevices } from './known-device.ts'
import { isNestedTooDeep } from './nesting.ts'
import type { Step } from './records.ts'
import { type RoomSession, sessionRecordId } from './room-sessions.ts'

/** What a reader has to be told of a message, the worst first. */
export type Shield =
  /** Written by a device that its owner signed, whose identity a person compared or that was pinned. */
  | 'none'
  /** Its owner's identity is not the one that we pinned or compared. */
  | 'identity-changed'
  /** Its owner did not sign the device. */
  | 'unsigned-device'
  /** The device is not in its owner's list (any more). */
  | 'unknown-device'
  /** The key did not come from the device itself: from a backup, a file, another device, an invitation. */
  | 'not-authentic'

export interface DecryptedEvent {
  readonly kind: 'decrypted'
  readonly eventId: string
  readonly type: string
  readonly content: JsonObject
  readonly shield: Shield
  readonly source: RoomSession['source']
  /** Who gave the key, where it was not the owner. */
  readonly givenBy: string | null
  readonly senderDeviceId: string | null
  readonly sessionId: string
  readonly index: number
}

export interface UndecryptedEvent {
  readonly kind: 'failed'
  readonly eventId: string
  readonly sessionId: string | null
  /** `NO_SESSION`, `WITHHELD`, or why it is refused. */
  readonly code: string
  /** What the sender said, for `WITHHELD`. */
  readonly withheld?: string
}

export type RoomEventResult = DecryptedEvent | UndecryptedEvent

/** Types that go from device to device: in a room they would be somebody's attempt to mix the two up (attack 5). */
const deviceTypes = new Set([
  'm.room_key',
  'm.forwarded_room_key',
  'm.room_key_request',
  'm.room_key.withheld',
  'm.room_key_bundle',
  'm.secret.request',
  'm.secret.send',
  'm.dummy',
])

/** Seen message indices are kept in records of so many, because most events lie beside each other. */
const indicesPerRecord = 64

interface Envelope {
  readonly eventId: string
  readonly sender: string
  readonly sessionId: string
  readonly ciphertext: Uint8Array
  /** `m.relates_to` of the envelope. */
  readonly relation: Json | undefined
}

/** In the order of the events. Reading an event again under its own id is no replay. */
export async function decryptRoomEvents(
  step: Step,
  context: Context,
  roomId: string,
  events: readonly JsonObject[],
): Promise<RoomEventResult[]> {
  const reader = new Reader(step, context, roomId)
  const parsed = events.map(parseEnvelope)
  await reader.loadSessions(
    parsed.flatMap(each => (each.kind === 'envelope' ? [each.envelope.sessionId] : [])),
  )
  const results: RoomEventResult[] = []
  for (const each of parsed) {
    results.push(each.kind === 'envelope' ? await reader.read(each.envelope) : each)
  }
  return results
}

/** What the messages of a session are worth by what is known now; null: its key is not here. */
export async function sessionShield(
  step: Step,
  context: Context,
  of: { readonly roomId: string; readonly sessionId: string; readonly sender: string },
): Promise<Shield | null> {
  const reader = new Reader(step, context, of.roomId)
  await reader.loadSessions([of.sessionId])
  return reader.shield(of.sessionId, of.sender)
}

type Parsed = { readonly kind: 'envelope'; readonly envelope: Envelope } | UndecryptedEvent

function parseEnvelope(event: JsonObject): Parsed {
  const { event_id: eventId, sender, content } = event
  if (typeof eventId !== 'string' || typeof sender !== 'string' || !isObject(content)) {
    return {
      kind: 'failed',
      eventId: typeof eventId === 'string' ? eventId : '',
      sessionId: null,
      code: 'EVENT_MALFORMED',
    }
  }
  const { session_id: sessionId, ciphertext: text, algorithm } = content
  if (algorithm !== megolmAlgorithm)
    return { kind: 'failed', eventId, sessionId: null, code: 'UNKNOWN_ALGORITHM' }
  const ciphertext = typeof text === 'string' ? decodeBase64(text) : null
  if (typeof sessionId !== 'string' || !ciphertext) {
    return { kind: 'failed', eventId, sessionId: null, code: 'EVENT_MALFORMED' }
  }
  return {
    kind: 'envelope',
    envelope: { eventId, sender, sessionId, ciphertext, relation: content['m.relates_to'] },
  }
}

class Reader {
  readonly #step: Step
  readonly #context: Context
  readonly #roomId: string
  readonly #sessions = new Map<string, { record: RoomSession; session: InboundGroupSession }>()
  readonly #shields = new Map<string, Shield>()

  constructor(step: Step, context: Context, roomId: string) {
    this.#step = step
    this.#context = context
    this.#roomId = roomId
  }

  async loadSessions(sessionIds: readonly string[]): Promise<void> {
    const unique = [...new Set(sessionIds)]
    const ids = unique.map(id => sessionRecordId(this.#roomId, id))
    const records = await this.#step.getMany('inbound-group-session', ids)
    for (const [i, found] of records.entries()) {
      if (!found) continue
      const record = found as unknown as RoomSession
      this.#sessions.set(unique[i]!, { record, session: InboundGroupSession.fromExport(record.key) })
    }
  }

  async read(envelope: Envelope): Promise<RoomEventResult> {
    const { eventId, sessionId } = envelope
    try {
      return await this.#read(envelope)
    } catch (error) {
      if (!(error instanceof E2eeError)) throw error
      const withheld = missing.has(error.code) ? await this.#withheldCode(sessionId) : null
      return withheld === null
        ? { kind: 'failed', eventId, sessionId, code: error.code }
        : { kind: 'failed', eventId, sessionId, code: 'WITHHELD', withheld }
    }
  }

  async #read(envelope: Envelope): Promise<DecryptedEvent> {
    const { eventId, sender, sessionId, ciphertext, relation } = envelope
    const known = this.#sessions.get(sessionId)
    if (!known) throw new E2eeError('NO_SESSION', 'the key of this message is not here')
    const { record, session } = known
    // The server can put any name on an event: only the owner of a session writes with it (attack 9, CVE-2025-48937).
    if (record.senderUserId !== null && record.senderUserId !== sender) {
      throw new E2eeError('SENDER_MISMATCH', 'the event is not from the owner of its session')
    }
    const { plaintext, index } = await session.decrypt(ciphertext)
    const payload = parsePayload(plaintext)
    if (payload['room_id'] !== this.#roomId) {
      throw new E2eeError('ROOM_MISMATCH', 'the message was written for another room')
    }
    const { type, content } = payload
    if (typeof type !== 'string' || !isObject(content)) {
      throw new E2eeError('EVENT_MALFORMED', 'the message has no type or content')
    }
    if (deviceTypes.has(type)) {
      throw new E2eeError('PROTOCOL_CONFUSION', 'the message is of a type that goes between devices')
    }
    await this.#refuseReplay(sessionId, index, eventId)
    return {
      kind: 'decrypted',
      eventId,
      type,
      // Spec: client-server-api#mroomencrypted: the envelope carries it. What the sender repeated inside counts first.
      content: relation === undefined ? content : { 'm.relates_to': relation, ...content },
      shield: await this.#shieldOf(record, sender),
      source: record.source,
      givenBy: record.givenBy,
      senderDeviceId: record.senderDeviceId,
      sessionId,
      index,
    }
  }

  /** One message, one event: the server could show it again as a new one (attack 13). */
  async #refuseReplay(sessionId: string, index: number, eventId: string): Promise<void> {
    const id = `${sessionRecordId(this.#roomId, sessionId)}/${Math.floor(index / indicesPerRecord)}`
    const seen = (await this.#step.get('message-index', id)) ?? {}
    const before = seen[index]
    if (before === eventId) return
    if (before !== undefined) throw new E2eeError('REPLAY', 'this message was shown under another event id')
    this.#step.put('message-index', id, { ...seen, [index]: eventId } as JsonObject)
  }

  async shield(sessionId: string, sender: string): Promise<Shield | null> {
    const known = this.#sessions.get(sessionId)
    return known ? this.#shieldOf(known.record, sender) : null
  }

  async #shieldOf(record: RoomSession, sender: string): Promise<Shield> {
    if (record.source !== 'owner') return 'not-authentic'
    const key = `${sender} ${record.senderCurve25519Key}`
    const known = this.#shields.get(key) ?? (await this.#judgeDevice(record, sender))
    this.#shields.set(key, known)
    return known
  }

  async #judgeDevice(record: RoomSession, sender: string): Promise<Shield> {
    const deviceId = await this.#deviceIdOf(record, sender)
    switch (deviceId === null ? 'unknown' : await deviceTrust(this.#step, this.#context, sender, deviceId)) {
      case 'own':
      case 'verified':
      case 'cross-signed':
        return 'none'
      case 'identity-unaccepted':
        return 'identity-changed'
      case 'unsigned':
        return 'unsigned-device'
      case 'unknown':
        return 'unknown-device'
    }
  }

  /** The device in its owner's list whose keys the session came with. */
  async #deviceIdOf(record: RoomSession, sender: string): Promise<string | null> {
    const named = record.senderDeviceId
    const candidates = named
      ? [await knownDevice(this.#step, sender, named)]
      : await knownDevices(this.#step, sender)
    const device = candidates.find(
      each =>
        each?.curve25519Key === record.senderCurve25519Key && each.ed25519Key === record.senderEd25519Key,
    )
    return device?.deviceId ?? null
  }

  async #withheldCode(sessionId: string): Promise<string | null> {
    const record = await this.#step.get('key-request', withheldId(this.#roomId, sessionId))
    return typeof record?.['code'] === 'string' ? record['code'] : null
  }
}

const missing = new Set(['NO_SESSION', 'MEGOLM_UNKNOWN_INDEX'])

export function withheldId(roomId: string, sessionId: string): string {
  return `withheld|${sessionRecordId(roomId, sessionId)}`
}

function parsePayload(plaintext: Uint8Array): JsonObject {
  try {
    const payload: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext))
    if (isObject(payload) && !isNestedTooDeep(payload)) return payload
  } catch {
    // Said below.
  }
  throw new E2eeError('EVENT_MALFORMED', 'the message is not a JSON object, or nests too deep')
}
