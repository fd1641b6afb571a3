/**
 * Whose devices we follow, and whether what we know of them is still true.
 *
 * A list is out of date from the moment the server says that it changed until an answer to a query that was asked
 * after that. Nothing is encrypted to a list that is out of date. A device never changes its keys: an answer that
 * says so is not believed. Spec: client-server-api#tracking-the-device-list-for-a-user
 */
import { isObject, type Json, type JsonObject, memberOf } from '#protocol/json.ts'
import type { Context } from './context.ts'
import { parseDeviceKeys } from './device-keys.ts'
import { E2eeError } from './errors.ts'
import { readIdentity, receiveIdentities } from './identity.ts'
import { randomName } from './own-device.ts'
import { receivePasskeyLists } from './passkey-device.ts'
import type { Step } from './records.ts'

/** Servers and people with more are broken or hostile. */
const maxDevices = 500

interface DeviceList {
  readonly devices: JsonObject
  /** False: we share no encrypted room with this person any more. */
  readonly isTracked: boolean
  /** Rises with each change that the server told. */
  readonly change: number
  /** The change that the devices are from. */
  readonly known: number
  /** We follow them though we share no room: they offered us something (history-sharing.ts). */
  readonly isStranger?: boolean
  /** When their server last left a query of ours unanswered. */
  readonly unansweredTs?: number
}

const none: DeviceList = { devices: {}, isTracked: false, change: 1, known: 0 }

/**
 * A server that does not answer, or is reached by courier, must not keep people from writing to whom they know: for so
 * long what is known has to do, and nobody asks again.
 */
const unansweredForMs = 5 * 60 * 1000

/** The query that is under way: for whom, and for which change of each. */
const queryId = 'keys-query'

export async function trackPeople(step: Step, userIds: readonly string[]): Promise<void> {
  const lists = await step.getMany('device-list', userIds)
  for (const [i, userId] of userIds.entries()) {
    const { isStranger, ...list } = listOf(lists[i])
    if (!list.isTracked) put(step, userId, { ...list, isTracked: true, change: list.change + 1 })
    else if (isStranger) put(step, userId, list)
  }
}

/** Somebody with whom we share no encrypted room, yet. */
export async function trackStranger(step: Step, userId: string): Promise<void> {
  const list = listOf(await step.get('device-list', userId))
  if (list.isTracked) return
  put(step, userId, { ...list, isTracked: true, isStranger: true, change: list.change + 1 })
}

export async function isStranger(step: Pick<Step, 'get'>, userId: string): Promise<boolean> {
  const list = listOf(await step.get('device-list', userId))
  return !list.isTracked || list.isStranger === true
}

/** Did their server ever answer for them? */
export async function isListKnown(step: Pick<Step, 'get'>, userId: string): Promise<boolean> {
  return listOf(await step.get('device-list', userId)).known > 0
}

/** Spec: client-server-api#device-lists-sync */
export async function receiveListChanges(step: Step, changed: unknown, left: unknown): Promise<void> {
  const people = strings(changed)
  const gone = strings(left)
  const lists = await step.getMany('device-list', [...people, ...gone])
  for (const [i, userId] of [...people, ...gone].entries()) {
    const record = lists[i]
    if (!record) continue
    // Our server has heard something of them: it may be answered now.
    const { unansweredTs: _asked, ...list } = listOf(record)
    put(step, userId, { ...list, change: list.change + 1, isTracked: list.isTracked && i < people.length })
  }
}

/** After a gap in syncing, or a rollback: every list may have changed. */
export async function distrustAllLists(step: Step): Promise<void> {
  for (const [userId, record] of await step.entries('device-list')) {
    const list = listOf(record)
    put(step, userId, { ...list, change: list.change + 1 })
  }
}

/** Those among these people whose list is out of date, and can be asked for. */
export async function outdatedAmong(
  step: Step,
  context: Context,
  userIds: readonly string[],
): Promise<string[]> {
  const lists = await step.getMany('device-list', userIds)
  return userIds.filter((_, i) => isToBeAsked(listOf(lists[i]), context.clock()))
}

/** Asks for every list that is out of date, unless it is being asked for. The id of the request to wait for. */
export async function queryOutdatedLists(step: Step, context: Context): Promise<string | null> {
  const underWay = await step.get('engine', queryId)
  if (typeof underWay?.['request'] === 'string') return underWay['request']
  const changes: Record<string, number> = {}
  for (const [userId, record] of await step.entries('device-list')) {
    const list = listOf(record)
    if (list.isTracked && isToBeAsked(list, context.clock())) changes[userId] = list.change
  }
  const userIds = Object.keys(changes)
  if (userIds.length === 0) return null
  const id = randomName(context)
  step.put('engine', queryId, { request: id, changes })
  const device_keys = Object.fromEntries(userIds.map(userId => [userId, []]))
  step.send({ id, kind: 'keys-query', body: { device_keys } })
  return id
}

/** The answer to a query; null where it failed. */
export async function receiveKeysQuery(
  step: Step,
  context: Context,
  requestId: string,
  answer: JsonObject | null,
): Promise<void> {
  const asked = await step.get('engine', queryId)
  if (asked?.['request'] !== requestId) return
  step.delete('engine', queryId)
  if (!answer) return
  const changes = isObject(asked['changes']) ? asked['changes'] : {}
  const answered = isObject(answer['device_keys']) ? answer['device_keys'] : {}
  for (const [userId, change] of Object.entries(changes)) {
    const devices = memberOf(answered, userId)
    if (!isObject(devices)) {
      // Their server did not answer ours: what we know stays, and stays out of date.
      const list = listOf(await step.get('device-list', userId))
      put(step, userId, { ...list, unansweredTs: context.clock() })
      continue
    }
    await receiveDevices(step, context, userId, devices, Number(change), answer)
  }
  await receiveIdentities(step, context, answer)
  for (const userId of Object.keys(changes)) await receivePasskeyLists(step, userId)
}

async function receiveDevices(
  step: Step,
  context: Context,
  userId: string,
  answered: JsonObject,
  change: number,
  answer: JsonObject,
): Promise<void> {
  const list = listOf(await step.get('device-list', userId))
  const crossSigningKeys = await crossSigningKeysOf(step, userId, answer)
  const devices: Record<string, Json> = {}
  for (const [deviceId, value] of Object.entries(answered).slice(0, maxDevices)) {
    try {
      const keys = parseDeviceKeys(value, userId, deviceId, name => crossSigningKeys.has(name))
      checkUnchanged(list, deviceId, keys.object)
      if (userId === context.userId && deviceId === context.deviceId) checkOurs(context, keys.ed25519Key)
      devices[deviceId] = keys.object
    } catch (error) {
      if (!(error instanceof E2eeError)) throw error
      step.tell({ kind: 'refused', code: error.code, from: userId })
      const before = memberOf(list.devices, deviceId)
      if (before !== undefined && error.code === 'DEVICE_KEYS_CHANGED') devices[deviceId] = before
    }
  }
  const isNews = Object.keys({ ...list.devices, ...devices }).some(
    id => JSON.stringify(memberOf(list.devices, id)) !== JSON.stringify(devices[id]),
  )
  const { unansweredTs: _answered, ...rest } = list
  put(step, userId, { ...rest, devices, known: change })
  if (isNews) step.tell({ kind: 'devices-changed', userId })
}

function checkUnchanged(list: DeviceList, deviceId: string, object: JsonObject): void {
  const before = memberOf(list.devices, deviceId)
  if (isObject(before) && sortedText(before['keys']) !== sortedText(object['keys'])) {
    throw new E2eeError('DEVICE_KEYS_CHANGED', 'a device cannot change its keys')
  }
}

function sortedText(keys: Json | undefined): string {
  return isObject(keys) ? JSON.stringify(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))) : ''
}

function checkOurs(context: Context, ed25519Key: string): void {
  if (ed25519Key !== context.account.ed25519Key) {
    throw new E2eeError('OWN_DEVICE_REPLACED', 'the server gives other keys for this device')
  }
}

/** Names that no device may have. Those that the answer brings count before anybody believes them. */
async function crossSigningKeysOf(step: Step, userId: string, answer: JsonObject): Promise<Set<string>> {
  const names = new Set<string>()
  const identity = await readIdentity(step, userId)
  for (const key of [identity?.masterKey, identity?.selfSigningKey, identity?.userSigningKey]) {
    if (key) names.add(key)
  }
  for (const kind of ['master_keys', 'self_signing_keys', 'user_signing_keys']) {
    for (const key of answeredKeys(answer, kind, userId)) names.add(key)
  }
  return names
}

function answeredKeys(answer: JsonObject, kind: string, userId: string): string[] {
  const all = answer[kind]
  const object = isObject(all) ? memberOf(all, userId) : undefined
  const keys = isObject(object) ? object['keys'] : undefined
  return isObject(keys) ? Object.values(keys).filter(key => typeof key === 'string') : []
}

function isToBeAsked({ known, change, unansweredTs }: DeviceList, now: number): boolean {
  if (known === change) return false
  return unansweredTs === undefined || Math.abs(now - unansweredTs) >= unansweredForMs
}

function listOf(record: JsonObject | undefined): DeviceList {
  return record ? (record as unknown as DeviceList) : none
}

function put(step: Step, userId: string, list: DeviceList): void {
  step.put('device-list', userId, list as unknown as JsonObject)
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}
