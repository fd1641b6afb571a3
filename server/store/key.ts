/**
 * Keys: ordered bytes, held as strings whose every char is one byte (latin1), so that `<` on strings is
 * byte order in LevelDB and a Map finds them. Only `Table` makes keys; a key knows its value's type.
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
    text => text,
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
      return bigEndian(value as number, 4)
    case 'position':
      return bigEndian(value as number, 7)
    case 'signed':
      // Offset by 2^52, so that what lies before zero sorts before it; positions stay below it.
      return bigEndian((value as number) + 2 ** 52, 7)
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
      return [readBigEndian(key, at, 4), at + 4]
    case 'position':
      return [readBigEndian(key, at, 7), at + 7]
    case 'signed':
      return [readBigEndian(key, at, 7) - 2 ** 52, at + 7]
    default:
      return kind satisfies never
  }
}

function bigEndian(value: number, bytes: number): string {
  let out = ''
  let rest = value
  for (let i = 0; i < bytes; i++) {
    out = String.fromCharCode(rest % 256) + out
    rest = Math.floor(rest / 256)
  }
  return out
}

function readBigEndian(key: string, at: number, bytes: number): number {
  let value = 0
  for (let i = 0; i < bytes; i++) value = value * 256 + key.charCodeAt(at + i)
  return value
}

const ascii = /^[\x01-\x7f]*$/

function escapeText(text: string): string {
  if (ascii.test(text)) return text
  return Buffer.from(text, 'utf8').toString('latin1').replaceAll('\x00', '\x00\xff')
}

function unescapeText(bytes: string): string {
  if (ascii.test(bytes)) return bytes
  return Buffer.from(bytes.replaceAll('\x00\xff', '\x00'), 'latin1').toString('utf8')
}
