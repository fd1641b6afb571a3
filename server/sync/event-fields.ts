/**
 * Cuts an event down to the properties that a filter names.
 *
 * Spec: client-server-api#filtering (`event_fields`), appendices#dot-separated-property-paths. Pure.
 */
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import { propertyPath } from '../push/evaluate.ts'

type Mutable = { [name: string]: Json | undefined }

export function pickFields(event: JsonObject, fields: readonly string[]): JsonObject {
  const out: Mutable = {}
  for (const field of fields) copy(event, out, propertyPath(field))
  return out
}

function copy(from: JsonObject, to: Mutable, [name, ...rest]: readonly string[]): void {
  if (name === undefined || !Object.hasOwn(from, name)) return
  const value = from[name]
  if (rest.length === 0) {
    put(to, name, value)
    return
  }
  if (!isObject(value)) return
  const before = Object.hasOwn(to, name) ? to[name] : undefined
  const part: Mutable = isObject(before) ? { ...before } : {}
  copy(value, part, rest)
  if (Object.keys(part).length > 0) put(to, name, part)
}

/** As a plain assignment, which for `__proto__` would be another thing. */
function put(to: Mutable, name: string, value: Json | undefined): void {
  Object.defineProperty(to, name, { value, enumerable: true, writable: true, configurable: true })
}
