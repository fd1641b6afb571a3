/** JSON as a value. Numbers outside events may be fractions; inside events canonical-json refuses them. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json | undefined }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The member of this name, if the object itself has one.
 *
 * For names that others choose (event types, user ids, tokens): `object[name]` would find
 * `constructor` and `__proto__` in every object.
 */
export function memberOf(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
