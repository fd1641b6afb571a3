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

/** An array or object that is being written: its members still to come, and what closes it. */
type Frame = {
  readonly container: Json
  readonly keys: readonly string[] | null
  readonly length: number
  next: number
}

export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return scalar(value)
  const open: Frame[] = []
  let frame = frameOf(value)
  let text = frame.keys ? '{' : '['
  for (;;) {
    const { keys } = frame
    let entered = false
    while (frame.next < frame.length) {
      const index = frame.next++
      let member: Json | undefined
      if (index > 0) text += ','
      if (keys) {
        const key = keys[index]!
        member = (frame.container as JsonObject)[key]
        text += `${quote(key)}:`
      } else {
        member = (frame.container as readonly Json[])[index]
      }
      if (typeof member === 'object' && member !== null) {
        open.push(frame)
        frame = frameOf(member)
        text += frame.keys ? '{' : '['
        entered = true
        break
      }
      text += scalar(member)
    }
    if (entered) continue
    text += keys ? '}' : ']'
    const parent = open.pop()
    if (!parent) return text
    frame = parent
  }
}

function frameOf(container: readonly Json[] | JsonObject): Frame {
  if (Array.isArray(container)) return { container, keys: null, length: container.length, next: 0 }
  const keys = presentKeys(container as JsonObject)
  return { container, keys, length: keys.length, next: 0 }
}

function presentKeys(object: JsonObject): string[] {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new CanonicalJsonError('NOT_JSON', 'only plain objects have a canonical form')
  }
  let keys = Object.keys(object)
  let sorted = true
  let beyondUtf16Order = false
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    if (object[key] === undefined) {
      keys = keys.filter(name => object[name] !== undefined)
      return keys.sort(byCodePoint)
    }
    if (i > 0 && keys[i - 1]! > key) sorted = false
    if (aboveD7ff.test(key)) beyondUtf16Order = true
  }
  // UTF-16 order and code point order part only where surrogates meet U+E000–U+FFFF.
  if (beyondUtf16Order) return keys.sort(byCodePoint)
  return sorted ? keys : keys.sort()
}

const aboveD7ff = /[\ud800-\uffff]/

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

const plain = /^[\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]*$/

function quote(text: string): string {
  if (plain.test(text)) return `"${text}"`
  if (!text.isWellFormed()) {
    throw new CanonicalJsonError('LONE_SURROGATE', 'a string holds half of a surrogate pair')
  }
  // JSON.stringify escapes what the grammar escapes, in the same lower-case letters, and nothing else.
  return JSON.stringify(text)
}
