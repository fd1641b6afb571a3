/**
 * Authorisation of m.room.power_levels: nobody gives away more power than he has, or takes it from an equal.
 *
 * Spec: rooms/v12#authorization-rules (10), rooms/v11#authorization-rules (9), rooms/v10#authorization-rules (9). Numbers in comments
 * are those of version 12. "Current value" and "new value" are read literally: where there is none, there is nothing
 * to compare, as in Synapse; defaults do not stand in.
 */
import type { Pdu } from '../protocol/event.ts'
import { parseUserId } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject, memberOf } from '../protocol/json.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { creatorsOf, defaultLevels, type NamedLevel } from './power-levels.ts'
import { accept, reject, type Verdict } from './verdict.ts'

const namedLevels = Object.keys(defaultLevels) as NamedLevel[]

export function authorisePowerLevels(
  event: Pdu,
  rules: RoomRules,
  create: Pdu,
  current: Pdu | undefined,
  senderLevel: number,
): Verdict {
  return (
    checkForm(event.content, rules, create) ??
    // (10.5)
    (current ? checkChanges(event, rules, current.content, senderLevel) : undefined) ??
    accept
  )
}

function checkForm(content: JsonObject, rules: RoomRules, create: Pdu): Verdict | undefined {
  // (10.1)
  for (const name of namedLevels) {
    const level = memberOf(content, name)
    if (level !== undefined && !isLevel(level)) return reject(rules, '10.1', `${name} is not an integer`)
  }
  // (10.2)
  for (const name of ['events', 'notifications'] as const) {
    const entries = memberOf(content, name)
    if (entries !== undefined && !isLevels(entries)) {
      return reject(rules, '10.2', `${name} is not an object of integers`)
    }
  }
  // (10.3)
  const users = memberOf(content, 'users')
  if (users === undefined) return undefined
  if (!isLevels(users) || !Object.keys(users).every(user => parseUserId(user))) {
    return reject(rules, '10.3', 'users is not an object of integers by user id')
  }
  // Spec: rooms/v12#authorization-rules (10.4)
  if (rules.creatorsHaveInfinitePower) {
    for (const creator of creatorsOf(create, rules)) {
      if (Object.hasOwn(users, creator)) return reject(rules, '10.4', 'users names a creator of the room')
    }
  }
  return undefined
}

function checkChanges(
  event: Pdu,
  rules: RoomRules,
  current: JsonObject,
  senderLevel: number,
): Verdict | undefined {
  // (10.6)
  for (const name of namedLevels) {
    const before = memberOf(current, name)
    const after = memberOf(event.content, name)
    if (before === after) continue
    // (10.6.1)
    if (isAbove(before, senderLevel)) {
      return reject(rules, '10.6.1', `${name} is above the sender's own level`)
    }
    // (10.6.2)
    if (isAbove(after, senderLevel)) {
      return reject(rules, '10.6.2', `${name} would be above the sender's own level`)
    }
  }
  // (10.7, 10.8)
  for (const map of ['events', 'notifications'] as const) {
    for (const [name, before, after] of changesOf(current, event.content, map)) {
      // (10.7.1)
      if (isAbove(before, senderLevel)) {
        return reject(rules, '10.7.1', `the level of ${name} in ${map} is above the sender's own`)
      }
      // (10.8.1)
      if (isAbove(after, senderLevel)) {
        return reject(rules, '10.8.1', `the level of ${name} in ${map} would be above the sender's own`)
      }
    }
  }
  // (10.9, 10.10)
  for (const [user, before, after] of changesOf(current, event.content, 'users')) {
    // (10.9.1)
    if (user !== event.sender && before !== undefined && (before as number) >= senderLevel) {
      return reject(rules, '10.9.1', 'the sender has no more power than a user whose level changes')
    }
    // (10.10.1)
    if (isAbove(after, senderLevel)) {
      return reject(rules, '10.10.1', "a user's level would be above the sender's own")
    }
  }
  return undefined
}

/** The entries that were added, changed or removed: name, value before, value after. */
function* changesOf(
  before: JsonObject,
  after: JsonObject,
  map: 'events' | 'notifications' | 'users',
): Iterable<[name: string, before: Json | undefined, after: Json | undefined]> {
  const old = entriesOf(before, map)
  const now = entriesOf(after, map)
  for (const name of Object.keys(old)) {
    const value = memberOf(now, name)
    if (value !== old[name]) yield [name, old[name], value]
  }
  for (const name of Object.keys(now)) {
    if (!Object.hasOwn(old, name)) yield [name, undefined, now[name]]
  }
}

function entriesOf(content: JsonObject, map: string): JsonObject {
  const entries = memberOf(content, map)
  return isObject(entries) ? entries : {}
}

function isAbove(level: Json | undefined, senderLevel: number): boolean {
  return typeof level === 'number' && level > senderLevel
}

function isLevel(value: Json | undefined): boolean {
  return Number.isSafeInteger(value)
}

function isLevels(value: Json): value is JsonObject {
  return isObject(value) && Object.values(value).every(isLevel)
}
