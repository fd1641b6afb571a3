/** Reads one field of a peer's answer, or says that the answer is not what the endpoint promises. */
import { type EventId, parseEventId, parseServerName, type ServerName } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import { RemoteError } from '../rooms/remote-rooms.ts'

export function wrong(field: string, expected: string): RemoteError {
  return new RemoteError('unreachable', `The peer's answer is not what was asked for: ${field} ${expected}.`)
}

export function objectIn(answer: JsonObject, field: string): JsonObject {
  const value = answer[field]
  if (!isObject(value)) throw wrong(field, 'is not an object')
  return value
}

export function mayObjectIn(answer: JsonObject, field: string): JsonObject | undefined {
  return answer[field] === undefined ? undefined : objectIn(answer, field)
}

/** At most `atMost` entries, of whatever kind: events are judged one by one where they are used. */
export function listIn(answer: JsonObject, field: string, atMost: number): readonly Json[] {
  const value = answer[field]
  if (!Array.isArray(value)) throw wrong(field, 'is not a list')
  if (value.length > atMost) throw wrong(field, `has more than ${atMost} entries`)
  return value as readonly Json[]
}

export function eventIdsIn(answer: JsonObject, field: string, atMost: number): EventId[] {
  return listIn(answer, field, atMost).map(value => {
    const id = parseEventId(value)
    if (!id) throw wrong(field, 'has an entry that is not an event id')
    return id
  })
}

/** What is no server name is passed over: the list is advice. */
export function serversIn(answer: JsonObject, field: string, atMost: number): ServerName[] {
  const value = answer[field]
  if (!Array.isArray(value)) return []
  return value.slice(0, atMost).flatMap(each => parseServerName(each) ?? [])
}

export function textIn(answer: JsonObject, field: string): string {
  const value = answer[field]
  if (typeof value !== 'string') throw wrong(field, 'is not a string')
  return value
}

export function mayTextIn(answer: JsonObject, field: string): string | undefined {
  return answer[field] === undefined ? undefined : textIn(answer, field)
}

export function integerIn(answer: JsonObject, field: string): number {
  const value = answer[field]
  if (!Number.isSafeInteger(value)) throw wrong(field, 'is not an integer')
  return value as number
}
