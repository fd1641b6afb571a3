/**
 * The engine of one device: inputs go in one at a time, requests and answers come out, and between two inputs there is
 * nothing but the records.
 *
 * Each input is one step: it reads, does all its crypto, and is committed whole; only then do its results count and its
 * requests leave. After a crash the records are as before the input or as after it, and what was made but not
 * answered is sent again under the same id. Needs `ready` of primitives.ts.
 */
import { isObject, type JsonObject, memberOf } from '#protocol/json.ts'
import { Account } from './account.ts'
import type { Context } from './context.ts'
import { crossSigningUploaded } from './cross-signing.ts'
import { ownDeviceKeys } from './device-keys.ts'
import {
  distrustAllLists,
  queryOutdatedLists,
  receiveKeysQuery,
  receiveListChanges,
  trackPeople,
} from './device-lists.ts'
import { E2eeError } from './errors.ts'
import { backUpNextBatch, receiveBackupAnswer } from './key-backup.ts'
import { sendWaitingKeys } from './key-requests.ts'
import { knownDevice } from './known-device.ts'
import type { Notice } from './notices.ts'
import { receiveKeysClaim } from './olm-channel.ts'
import { keysToUpload, signedCurve25519, skipNames } from './one-time-keys.ts'
import { randomName } from './own-device.ts'
import type { Records, Step, Write } from './records.ts'
import type { OutgoingRequest } from './requests.ts'
import { decryptRoomEvents, type RoomEventResult } from './room-decryption.ts'
import { type Encrypted, encryptRoomEvent } from './room-encryption.ts'
import { type RoomChange, receiveRoomChange } from './room-settings.ts'
import { expireSecretRequests, sendWaitingSecrets } from './secret-sharing.ts'
import { openStep } from './step.ts'
import { type DeviceMessage, receiveToDevice, sendDummies } from './to-device.ts'
import { expireVerifications, verificationRequestSent } from './verification/flow.ts'

export interface MachineOptions {
  readonly records: Records
  readonly userId: string
  readonly deviceId: string
  /** Milliseconds since 1970. */
  readonly clock: () => number
  readonly randomBytes: (size: number) => Uint8Array
  /** Members for our `device_keys` that its signature covers. Used when they are made, once. */
  readonly deviceKeysMembers?: (unsigned: JsonObject) => Promise<JsonObject>
  /** The highest `generation` that is known from outside the records: below it they were rolled back. */
  readonly lastGeneration?: number
}

/** The parts of a `/sync` answer that are the engine's. */
export interface SyncChanges {
  readonly toDevice?: readonly unknown[]
  readonly deviceLists?: { readonly changed?: unknown; readonly left?: unknown }
  readonly oneTimeKeyCounts?: unknown
  /** Absent where the server does not say. */
  readonly unusedFallbackKeyTypes?: unknown
}

export interface Machine {
  readonly userId: string
  readonly deviceId: string
  /** How many inputs were committed. Keep the highest where a restored profile does not take it back. */
  readonly generation: number
  /** Messages for the host's own features. */
  receiveSync(changes: SyncChanges): Promise<DeviceMessage[]>
  /** The answer to a request; null where the server refused it for good. A request without an answer stays. */
  receiveAnswer(requestId: string, answer: JsonObject | null): Promise<void>
  /** What waits for an answer, in the order in which it has to leave. */
  outgoingRequests(): OutgoingRequest[]
  receiveRoom(roomId: string, change: RoomChange): Promise<void>
  encryptRoomEvent(roomId: string, type: string, content: JsonObject): Promise<Encrypted>
  decryptRoomEvents(roomId: string, events: readonly JsonObject[]): Promise<RoomEventResult[]>
  /** Any other input, as a step of its own. */
  run<T>(input: (step: Step, context: Context) => Promise<T>): Promise<T>
  /** Called after the commit. */
  onNotice(listener: (notice: Notice) => void): () => void
}

export async function openMachine(options: MachineOptions): Promise<Machine> {
  const { records } = options
  const stored = await records.get('account', 'account')
  const account = stored ? Account.fromRecord(stored) : Account.create(options.randomBytes)
  const { userId, deviceId, clock, randomBytes } = options
  if (stored && (stored['userId'] !== userId || stored['deviceId'] !== deviceId)) {
    throw new E2eeError('ACCOUNT_OF_ANOTHER_DEVICE', 'the records belong to another user or device')
  }
  const context: Context = { userId, deviceId, clock, randomBytes, account }
  const machine = new OpenMachine(records, context)
  await machine.load()
  if (!stored) {
    const more = (await options.deviceKeysMembers?.(ownDeviceKeys(context))) ?? {}
    await machine.run(step => begin(step, context, more))
  }
  const lastGeneration = options.lastGeneration ?? 0
  if (machine.generation < lastGeneration) {
    const missed = lastGeneration - machine.generation
    machine.generation = lastGeneration
    await machine.run(step => startAfresh(step, missed))
  }
  return machine
}

/** Our keys leave before anything else does. */
async function begin(step: Step, context: Context, more: JsonObject): Promise<void> {
  const { userId, deviceId, account } = context
  step.put('account', 'account', { ...account.toRecord(), userId, deviceId })
  await trackPeople(step, [userId])
  const keys = await keysToUpload(step, context, 0, false)
  upload(step, context, { ...keys, device_keys: ownDeviceKeys(context, more) })
}

/**
 * The records are older than what this device has sent: a restored profile. A ratchet that goes on from here would
 * use keys a second time, so every session in which we write ends; what we can read stays (attack 21).
 */
async function startAfresh(step: Step, missed: number): Promise<void> {
  for (const collection of ['olm-session', 'outbound-group-session'] as const) {
    for (const [id] of await step.entries(collection)) step.delete(collection, id)
  }
  await skipNames(step, missed)
  await distrustAllLists(step)
  step.tell({ kind: 'rolled-back' })
}

class OpenMachine implements Machine {
  readonly userId: string
  readonly deviceId: string
  generation = 0
  readonly #records: Records
  readonly #context: Context
  /** By id, in the order in which they were made. */
  readonly #requests = new Map<string, OutgoingRequest>()
  readonly #listeners = new Set<(notice: Notice) => void>()
  /** Told while nobody listened yet: opening may find that the records were rolled back. */
  readonly #untold: Notice[] = []
  #order = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(records: Records, context: Context) {
    this.userId = context.userId
    this.deviceId = context.deviceId
    this.#records = records
    this.#context = context
  }

  async load(): Promise<void> {
    const bookkeeping = await this.#records.get('engine', 'generation')
    this.generation = Number(bookkeeping?.['generation'] ?? 0)
    const stored = (await this.#records.entries('request')).map(([, record]) => record)
    stored.sort((a, b) => Number(a['order']) - Number(b['order']))
    for (const { order, request } of stored) {
      const open = request as unknown as OutgoingRequest
      this.#requests.set(open.id, open)
      this.#order = Number(order)
    }
  }

  run<T>(input: (step: Step, context: Context) => Promise<T>): Promise<T> {
    const running = this.#last.then(() => this.#run(input))
    this.#last = running.catch(() => {})
    return running
  }

  async #run<T>(input: (step: Step, context: Context) => Promise<T>): Promise<T> {
    const step = openStep(this.#records)
    const result = await input(step, this.#context)
    const writes = step.writes()
    if (writes.length > 0 || step.requests.length > 0) await this.#commit(writes, step.requests)
    this.#tell(step.notices)
    return result
  }

  async #commit(writes: Write[], requests: readonly OutgoingRequest[]): Promise<void> {
    let order = this.#order
    for (const request of requests) {
      writes.push({
        collection: 'request',
        id: request.id,
        value: { order: ++order, request } as unknown as JsonObject,
      })
    }
    const generation = this.generation + 1
    writes.push({ collection: 'engine', id: 'generation', value: { generation } })
    await this.#records.commit(writes)
    // From here on it has happened.
    this.generation = generation
    this.#order = order
    for (const { collection, id, value } of writes) {
      if (collection === 'request' && value === null) this.#requests.delete(id)
    }
    for (const request of requests) this.#requests.set(request.id, request)
  }

  receiveSync(changes: SyncChanges): Promise<DeviceMessage[]> {
    return this.run(async (step, context) => {
      await receiveListChanges(step, changes.deviceLists?.changed, changes.deviceLists?.left)
      const messages = await receiveToDevice(step, context, changes.toDevice ?? [])
      await expireVerifications(step, context)
      await expireSecretRequests(step, context)
      await uploadKeys(step, context, changes)
      await queryOutdatedLists(step, context)
      await backUpNextBatch(step, context)
      return messages
    })
  }

  receiveAnswer(requestId: string, answer: JsonObject | null): Promise<void> {
    return this.run(async (step, context) => {
      const request = this.#requests.get(requestId)
      if (!request) return
      step.delete('request', requestId)
      await receiveAnswer(step, context, request, answer)
    })
  }

  outgoingRequests(): OutgoingRequest[] {
    return [...this.#requests.values()]
  }

  receiveRoom(roomId: string, change: RoomChange): Promise<void> {
    return this.run(async (step, context) => {
      await receiveRoomChange(step, roomId, change)
      await queryOutdatedLists(step, context)
    })
  }

  encryptRoomEvent(roomId: string, type: string, content: JsonObject): Promise<Encrypted> {
    return this.run((step, context) => encryptRoomEvent(step, context, roomId, type, content))
  }

  decryptRoomEvents(roomId: string, events: readonly JsonObject[]): Promise<RoomEventResult[]> {
    return this.run((step, context) => decryptRoomEvents(step, context, roomId, events))
  }

  #tell(notices: readonly Notice[]): void {
    if (this.#listeners.size === 0) this.#untold.push(...notices)
    for (const notice of notices) for (const listener of this.#listeners) listener(notice)
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener)
    this.#tell(this.#untold.splice(0))
    return () => this.#listeners.delete(listener)
  }
}

async function receiveAnswer(
  step: Step,
  context: Context,
  request: OutgoingRequest,
  answer: JsonObject | null,
): Promise<void> {
  switch (request.kind) {
    case 'keys-upload':
      return receiveUploadAnswer(step, request.id, request.body, answer)
    case 'keys-query':
      return receiveKeysQuery(step, context, request.id, answer)
    case 'keys-claim':
      await receiveKeysClaim(step, context, request.id, answer)
      await sendWaitingKeys(step, context)
      await sendWaitingSecrets(step, context)
      return sendDummies(step, context)
    case 'cross-signing-upload':
      if (answer) await crossSigningUploaded(step, context)
      return
    case 'room-message':
      if (typeof answer?.['event_id'] === 'string') {
        await verificationRequestSent(step, { requestId: request.id, eventId: answer['event_id'] })
      }
      return
    case 'backup-keys':
      await receiveBackupAnswer(step, request.id, answer)
      if (answer) await backUpNextBatch(step, context)
      return
    case 'to-device':
    case 'signatures-upload':
    case 'account-data':
      return
    default:
      request satisfies never
  }
}

// ── our keys on the server ─────────────────────────────────────────────────────────────────────────

/** One upload at a time: the counts that a sync tells do not know of one that is under way. */
const uploadId = 'keys-upload'

/** Device keys that the server refused: without them nobody can write to us, so they go again with the next sync. */
const refusedId = 'keys-upload-refused'

async function uploadKeys(step: Step, context: Context, changes: SyncChanges): Promise<void> {
  if (await step.get('engine', uploadId)) return
  const missing = await missingKeys(step, context, changes)
  const refused = await step.get('engine', refusedId)
  if (refused) {
    const listed = await knownDevice(step, context.userId, context.deviceId)
    step.delete('engine', refusedId)
    upload(step, context, { ...missing, device_keys: listed?.deviceKeys ?? refused['device_keys']! })
  } else if (missing) upload(step, context, missing)
}

async function receiveUploadAnswer(
  step: Step,
  requestId: string,
  body: JsonObject,
  answer: JsonObject | null,
): Promise<void> {
  const underWay = await step.get('engine', uploadId)
  if (underWay?.['request'] === requestId) step.delete('engine', uploadId)
  const { device_keys: deviceKeys } = body
  if (!answer && deviceKeys !== undefined) step.put('engine', refusedId, { device_keys: deviceKeys })
}

async function missingKeys(step: Step, context: Context, changes: SyncChanges): Promise<JsonObject | null> {
  const { oneTimeKeyCounts: counts, unusedFallbackKeyTypes: unused } = changes
  if (counts === undefined) return null
  const count = isObject(counts) ? memberOf(counts, signedCurve25519) : 0
  const isFallbackUnused = Array.isArray(unused) ? unused.includes(signedCurve25519) : true
  return keysToUpload(step, context, typeof count === 'number' ? count : 0, isFallbackUnused)
}

function upload(step: Step, context: Context, body: JsonObject): void {
  const id = randomName(context)
  step.put('engine', uploadId, { request: id })
  step.send({ id, kind: 'keys-upload', body })
}
