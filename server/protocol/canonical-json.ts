/**
 * Canonical JSON: the one text of a value, over which hashes and signatures are made.
 *
 * Spec: appendices#canonical-json. Integers within ±(2^53 − 1), keys in the order of their code points,
 * no white space. A value that has no such text is refused, never mended, because two
 * servers that mend differently disagree on the event's id. Members that are `undefined` do not exist.
 *
 * Written with a stack of its own: 65,536 bytes hold an array 30,000 deep, and a recursive writer
 * would fall over it.
 */
import type { Json, JsonObject } from './json.ts'

export type CanonicalJsonRefusal = 'NOT_AN_INTEGER' | 'INTEGER_OUT_OF_RANGE' | 'LONE_SURROGATE' | 'NOT_JSON'

export class CanonicalJsonError extends Error {
  override readonly name = 'CanonicalJsonError'
  readonly code: CanonicalJsonRefusal
  constructor(code: CanonicalJsonRefusal, message: string) {
    super(message)
    this.code = code
  }
}

/** An array or object that is being written. */
type Frame = {
  readonly container: readonly Json[] | JsonObject
  /** In canonical order; null for an array. */
  readonly keys: readonly string[] | null
  /** No key needs an escape. */
  readonly plainKeys: boolean
  readonly length: number
  /** Where to go on after the member that is being written. */
  next: number
}

export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return scalar(value)
  const open: Frame[] = []
  let frame = frameOf(value)
  let text = frame.keys ? '{' : '['
  writing: for (;;) {
    const { keys, plainKeys, length } = frame
    for (let i = frame.next; i < length; i++) {
      let member: Json | undefined
      if (i > 0) text += ','
      if (keys) {
        const key = keys[i]!
        member = (frame.container as JsonObject)[key]
        text += plainKeys ? `"${key}":` : `${quote(key)}:`
      } else {
        member = (frame.container as readonly Json[])[i]
      }
      if (typeof member !== 'object' || member === null) {
        text += scalar(member)
        continue
      }
      frame.next = i + 1
      open.push(frame)
      frame = frameOf(member)
      text += frame.keys ? '{' : '['
      continue writing
    }
    text += keys ? '}' : ']'
    const parent = open.pop()
    if (!parent) return text
    frame = parent
  }
}

function frameOf(container: readonly Json[] | JsonObject): Frame {
  if (isArray(container)) {
    return { container, keys: null, plainKeys: true, length: container.length, next: 0 }
  }
  let keys = Object.keys(container)
  let sorted = true
  let plainKeys = true
  let absent = false
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    if (i > 0 && keys[i - 1]! > key) sorted = false
    if (!plainAscii.test(key)) plainKeys = false
    if (container[key] === undefined) absent = true
  }
  if (absent) keys = keys.filter(key => container[key] !== undefined)
  if (!plainKeys) keys.sort(byCodePoint)
  else if (!sorted) keys.sort()
  return { container, keys, plainKeys, length: keys.length, next: 0 }
}

/** `Array.isArray` does not narrow a readonly array. */
function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value)
}

const plainAscii = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** JavaScript sorts by UTF-16 code unit, which differs where surrogates meet U+E000 to U+FFFF. */
function byCodePoint(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above U+FFFF: they sort after every other code unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}

function scalar(value: Json | undefined): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      return integer(value)
    case 'boolean':
      return value ? 'true' : 'false'
    default:
      if (value === null) return 'null'
      throw new CanonicalJsonError('NOT_JSON', `a value of type ${typeof value} is not JSON`)
  }
}

function integer(value: number): string {
  if (Number.isSafeInteger(value)) return String(value) // −0 is written 0, as the specification's example has it
  if (Number.isInteger(value)) {
    throw new CanonicalJsonError('INTEGER_OUT_OF_RANGE', `${value} is beyond ±(2^53 − 1)`)
  }
  throw new CanonicalJsonError('NOT_AN_INTEGER', `${value} is not an integer`)
}

function quote(text: string): string {
  // JSON.stringify escapes what the grammar escapes, in the same lower-case letters, and beyond that
  // only lone surrogates: what it did not lengthen has none.
  const quoted = JSON.stringify(text)
  if (quoted.length !== text.length + 2 && !text.isWellFormed()) {
    throw new CanonicalJsonError('LONE_SURROGATE', 'a string holds half of a surrogate pair')
  }
  return quoted
}
