/**
 * Reads one field of a parsed body or a query, or refuses with an error that names it.
 *
 * Spec: client-server-api#api-standards. `need…` demands the field, `may…` gives undefined where it is
 * absent; both refuse a wrong type with M_BAD_JSON (bodies) or M_INVALID_PARAM (queries, paths).
 */
import {
  type EventId,
  parseEventId,
  parseRoomId,
  parseUserId,
  type RoomId,
  type UserId,
} from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import { badJson, invalidParam, missingParam } from './matrix-error.ts'

export function mayString(body: JsonObject, name: string, maxLength = 65_536): string | undefined {
  const value = body[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw badJson(`${name} must be a string.`)
  if (value.length > maxLength) throw invalidParam(`${name} is longer than ${maxLength} characters.`)
  return value
}

export function needString(body: JsonObject, name: string, maxLength?: number): string {
  return present(mayString(body, name, maxLength), name)
}

export function mayBoolean(body: JsonObject, name: string): boolean | undefined {
  const value = body[name]
  if (value === undefined) return undefined
  if (typeof value !== 'boolean') throw badJson(`${name} must be true or false.`)
  return value
}

export function mayInteger(
  body: JsonObject,
  name: string,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = body[name]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw badJson(`${name} must be an integer.`)
  if (value < min || value > max) throw invalidParam(`${name} must be between ${min} and ${max}.`)
  return value
}

export function mayObject(body: JsonObject, name: string): JsonObject | undefined {
  const value = body[name]
  if (value === undefined) return undefined
  if (!isObject(value)) throw badJson(`${name} must be an object.`)
  return value
}

export function needObject(body: JsonObject, name: string): JsonObject {
  return present(mayObject(body, name), name)
}

export function mayList(body: JsonObject, name: string): readonly Json[] | undefined {
  const value = body[name]
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw badJson(`${name} must be a list.`)
  return value as readonly Json[]
}

export function mayStrings(body: JsonObject, name: string): readonly string[] | undefined {
  const list = mayList(body, name)
  if (!list) return undefined
  if (!list.every(item => typeof item === 'string')) throw badJson(`${name} must be a list of strings.`)
  return list as readonly string[]
}

export function needUserId(body: JsonObject, name: string): UserId {
  return userId(needString(body, name), name)
}

export function userId(text: string | undefined, name: string): UserId {
  return parseUserId(text) ?? refuse(`${name} is not a user id (@name:server).`)
}

export function roomId(text: string | undefined, name: string): RoomId {
  return parseRoomId(text) ?? refuse(`${name} is not a room id (!…).`)
}

export function eventId(text: string | undefined, name: string): EventId {
  return parseEventId(text) ?? refuse(`${name} is not an event id ($…).`)
}

/** One query parameter; the last one where it is repeated. */
export function queryText(
  query: Readonly<Record<string, string | string[] | undefined>>,
  name: string,
): string | undefined {
  const value = query[name]
  return Array.isArray(value) ? value.at(-1) : value
}

export function queryInteger(
  query: Readonly<Record<string, string | string[] | undefined>>,
  name: string,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const text = queryText(query, name)
  if (text === undefined) return undefined
  if (!/^-?[0-9]{1,16}$/.test(text)) throw invalidParam(`${name} must be an integer.`)
  const value = Number(text)
  if (value < min || value > max) throw invalidParam(`${name} must be between ${min} and ${max}.`)
  return value
}

export function queryBoolean(
  query: Readonly<Record<string, string | string[] | undefined>>,
  name: string,
): boolean | undefined {
  const text = queryText(query, name)
  if (text === undefined) return undefined
  if (text !== 'true' && text !== 'false') throw invalidParam(`${name} must be true or false.`)
  return text === 'true'
}

function present<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw missingParam(name)
  return value
}

function refuse(message: string): never {
  throw invalidParam(message)
}
