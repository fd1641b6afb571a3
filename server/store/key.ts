/**
 * Keys: ordered bytes, held as strings whose every char is one byte (U+0000–U+00FF), so that a Map finds
 * them. Engines write such a string as UTF-8, which keeps the order: `<` on two keys, on their bytes in
 * LevelDB and on their parts agree (texts: by code point). Only `Table` makes keys; a key knows its value's
 * type, and its first two letters find its table again (`tableOf`).
 */
declare const tag: unique symbol

export type Key<V> = string & { readonly [tag]: V }

/** How one part of a key is written. Integers are big-endian; a text ends with a terminator, so that no text is a prefix of its neighbour. */
export type PartKind = 'position' | 'signed' | 'u32' | 'text'
export type PartValue<K extends PartKind> = K extends 'text' ? string : number
export type Parts<K extends readonly PartKind[]> = { -readonly [I in keyof K]: PartValue<K[I]> }

/** The first parts of a key: [], [a], [a, b] … */
export type Leading<P extends readonly unknown[]> = P extends readonly [...infer Rest, unknown]
  ? P | Leading<Rest>
  : P

export interface KeyRange<P extends readonly unknown[], V> {
  readonly table: Table<P, V>
  /** First key of the range, and the first that is no longer in it. */
  readonly from: string
  readonly to: string
}

/** One kind of row. `prefix` is two ASCII letters, the first one its area's, and is never used again once removed. */
export interface Table<P extends readonly unknown[], V> {
  readonly name: string
  readonly prefix: string
  key(...parts: P): Key<V>
  /** All rows whose key starts with these parts. */
  under(...parts: Leading<P>): KeyRange<P, V>
  parts(key: string): P
  encode(value: V): string
  decode(text: string): V
}

/** Every table that exists in this process, by prefix: how a key alone is enough to decode its value. */
const tables: (Table<never, unknown> | undefined)[] = []

export function tableOf(key: string): Table<never, unknown> {
  const found = tables[(key.charCodeAt(0) << 8) | key.charCodeAt(1)]
  if (found === undefined) throw new TypeError(`no table has the prefix ${JSON.stringify(key.slice(0, 2))}`)
  return found
}

export function jsonTable<V>() {
  return <const K extends readonly PartKind[]>(prefix: string, name: string, kinds: K): Table<Parts<K>, V> =>
    table(prefix, name, kinds, JSON.stringify, text => JSON.parse(text) as V)
}

/** A table whose values are strings that the store keeps as they are. */
export function textTable<const K extends readonly PartKind[]>(
  prefix: string,
  name: string,
  kinds: K,
): Table<Parts<K>, string> {
  return table(
    prefix,
    name,
    kinds,
    text => {
      if (!text.isWellFormed()) throw new RangeError(`${name}: a lone surrogate cannot be stored`)
      return text
    },
    text => text,
  )
}

function table<const K extends readonly PartKind[], V>(
  prefix: string,
  name: string,
  kinds: K,
  encode: (value: V) => string,
  decode: (text: string) => V,
): Table<Parts<K>, V> {
  type P = Parts<K>
  if (!/^[_a-z][_a-zA-Z0-9]$/.test(prefix)) throw new TypeError(`a prefix is two letters, not ${prefix}`)
  const slot = (prefix.charCodeAt(0) << 8) | prefix.charCodeAt(1)
  if (tables[slot] !== undefined) throw new TypeError(`the prefix ${prefix} is taken by ${tables[slot].name}`)
  const write = (parts: readonly (string | number)[]): string => {
    let bytes = prefix
    for (let i = 0; i < parts.length; i++) bytes += encodePart(kinds[i]!, parts[i]!)
    return bytes
  }
  const self: Table<P, V> = {
    name,
    prefix,
    key: (...parts) => write(parts as (string | number)[]) as Key<V>,
    under: (...parts) => {
      const from = write(parts as (string | number)[])
      return { table: self, from, to: successor(from) }
    },
    parts: key => {
      const parts: (string | number)[] = []
      let at = prefix.length
      for (const kind of kinds) {
        const [value, next] = decodePart(kind, key, at)
        parts.push(value)
        at = next
      }
      return parts as unknown as P
    },
    encode,
    decode,
  }
  tables[slot] = self as unknown as Table<never, unknown>
  return self
}

/** The smallest string above every string that starts with `bytes`. */
function successor(bytes: string): string {
  let end = bytes.length
  while (end > 0 && bytes.charCodeAt(end - 1) === 0xff) end--
  return bytes.slice(0, end - 1) + String.fromCharCode(bytes.charCodeAt(end - 1) + 1)
}

function encodePart(kind: PartKind, value: string | number): string {
  switch (kind) {
    case 'text':
      return `${escapeText(value as string)}\x00\x01`
    case 'u32':
      return u32(inRange(value as number, 0, 2 ** 32))
    case 'position':
      return u56(inRange(value as number, 0, 2 ** 53))
    case 'signed':
      // Offset by 2^52, so that what lies before zero sorts before it; positions stay below it.
      return u56(inRange(value as number, -(2 ** 52), 2 ** 52) + 2 ** 52)
    default:
      return kind satisfies never
  }
}

function decodePart(kind: PartKind, key: string, at: number): [string | number, number] {
  switch (kind) {
    case 'text': {
      const end = key.indexOf('\x00\x01', at)
      return [unescapeText(key.slice(at, end)), end + 2]
    }
    case 'u32':
      return [readU32(key, at), at + 4]
    case 'position':
      return [readU56(key, at), at + 7]
    case 'signed':
      return [readU56(key, at) - 2 ** 52, at + 7]
    default:
      return kind satisfies never
  }
}

/** A number that does not fit would land somewhere else in the order: a wrong row, not an error, later on. */
function inRange(value: number, from: number, to: number): number {
  if (!Number.isInteger(value) || value < from || value >= to) {
    throw new RangeError(`${value} is no integer between ${from} and ${to}`)
  }
  return value
}

function u32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}

function u56(value: number): string {
  const high = Math.floor(value / 2 ** 32)
  const low = value >>> 0
  return String.fromCharCode(
    high >>> 16,
    (high >>> 8) & 255,
    high & 255,
    low >>> 24,
    (low >>> 16) & 255,
    (low >>> 8) & 255,
    low & 255,
  )
}

function readU32(key: string, at: number): number {
  return (
    ((key.charCodeAt(at) << 24) |
      (key.charCodeAt(at + 1) << 16) |
      (key.charCodeAt(at + 2) << 8) |
      key.charCodeAt(at + 3)) >>>
    0
  )
}

function readU56(key: string, at: number): number {
  const high = (key.charCodeAt(at) << 16) | (key.charCodeAt(at + 1) << 8) | key.charCodeAt(at + 2)
  return high * 2 ** 32 + readU32(key, at + 3)
}

const ascii = /^[\x01-\x7f]*$/

function escapeText(text: string): string {
  if (ascii.test(text)) return text
  if (!text.isWellFormed()) throw new RangeError('a lone surrogate cannot be part of a key')
  return Buffer.from(text, 'utf8').toString('latin1').replaceAll('\x00', '\x00\xff')
}

function unescapeText(bytes: string): string {
  if (ascii.test(bytes)) return bytes
  return Buffer.from(bytes.replaceAll('\x00\xff', '\x00'), 'latin1').toString('utf8')
}
