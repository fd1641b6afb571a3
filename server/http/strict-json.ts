/**
 * Strict JSON: what is accepted means the same to every reader.
 *
 * `JSON.parse` alone lets the last of two equal keys win, makes Infinity of 1e400, takes lone surrogates and
 * any depth; another reader may see something else in the same bytes. Here these are refused, with the place.
 * The way for good input is fast (a scan over the structure, `JSON.parse`, one walk); only what it refuses
 * is read again, slowly, to name the place. Integers beyond 2^53 and fractions pass: events refuse them
 * later (appendices#canonical-json), other bodies may carry them (tag order).
 *
 * Spec: client-server-api#standard-error-response: M_NOT_JSON is no JSON at all, M_BAD_JSON is JSON that we refuse.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import type { Json, JsonObject } from '../protocol/json.ts'
import { MatrixError } from './matrix-error.ts'

export const maxJsonDepth = 100

/** The bytes as a JSON object, or a MatrixError that says what is wrong and where. */
export function parseJsonObject(bytes: Buffer): JsonObject {
  const value = parseStrictJson(bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MatrixError(400, 'M_BAD_JSON', 'The body must be a JSON object.')
  }
  return value as JsonObject
}

export function parseStrictJson(bytes: Buffer): Json {
  const ascii = isAscii(bytes)
  if (!ascii && !isUtf8(bytes)) throw notJson('The body is not valid UTF-8.')
  const text = bytes.toString(ascii ? 'latin1' : 'utf8')
  const members = countMembers(text)
  if (members === -1) throw fault(text)
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    throw fault(text)
  }
  // UTF-8 cannot carry a lone surrogate: only an escape can.
  if (walk(value, text.includes('\\u')) !== members) throw fault(text)
  return value
}

/** The number of `:` outside strings (= members, if the text is JSON), or -1 where nesting is too deep. */
function countMembers(text: string): number {
  let members = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at)
        if (at === -1) return -1
        break
      case 0x3a: // :
        members++
        break
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxJsonDepth) return -1
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth--
        break
    }
  }
  return members
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++
  return backslashes % 2 === 1
}

/** The number of members in all objects, or NaN where a number or a string is not one that all readers share. */
function walk(value: Json, hasEscapes: boolean): number {
  if (typeof value === 'string') return hasEscapes && !value.isWellFormed() ? Number.NaN : 0
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) members += walk(value[i] as Json, hasEscapes)
    return members
  }
  for (const name in value) {
    if (hasEscapes && !name.isWellFormed()) return Number.NaN
    members += 1 + walk((value as JsonObject)[name] as Json, hasEscapes)
  }
  return members
}

const notJson = (message: string) => new MatrixError(400, 'M_NOT_JSON', message)

// ── the slow way: which rule, and where ──────────────────────────────────────────────────────────────

/** Why `text` is refused. Reads it by the grammar of RFC 8259 and stops at the first fault. */
export function fault(text: string): MatrixError {
  try {
    new Reader(text).document()
  } catch (error) {
    if (error instanceof MatrixError) return error
    throw error
  }
  // The two ways disagree: refuse rather than guess.
  return notJson('The body is not valid JSON.')
}

class Reader {
  #text: string
  #at = 0
  #depth = 0
  #path: string[] = []

  constructor(text: string) {
    this.#text = text
  }

  document(): void {
    this.#value()
    this.#space()
    if (this.#at < this.#text.length) throw this.#unexpected()
  }

  #value(): void {
    this.#space()
    const char = this.#text[this.#at]
    if (char === '{') this.#object()
    else if (char === '[') this.#list()
    else if (char === '"') this.#string('a string')
    else if (!this.#literal()) this.#number()
  }

  #object(): void {
    this.#enter()
    if (!this.#next('}')) this.#members()
    this.#depth--
  }

  #members(): void {
    const names = new Set<string>()
    do {
      this.#space()
      if (this.#text[this.#at] !== '"') throw this.#unexpected()
      const name = this.#string('a key')
      if (names.has(name)) throw this.#bad(`The key ${quote(name)} stands twice`)
      names.add(name)
      if (!this.#next(':')) throw this.#unexpected()
      this.#path.push(name)
      this.#value()
      this.#path.pop()
    } while (this.#next(','))
    if (!this.#next('}')) throw this.#unexpected()
  }

  #list(): void {
    this.#enter()
    if (!this.#next(']')) this.#items()
    this.#depth--
  }

  #items(): void {
    let index = 0
    do {
      this.#path.push(String(index++))
      this.#value()
      this.#path.pop()
    } while (this.#next(','))
    if (!this.#next(']')) throw this.#unexpected()
  }

  #enter(): void {
    this.#at++
    if (++this.#depth > maxJsonDepth) throw this.#bad(`Objects and lists nest deeper than ${maxJsonDepth}`)
  }

  #string(what: string): string {
    const start = this.#at++
    for (;;) {
      const special = /["\\\x00-\x1f]/g
      special.lastIndex = this.#at
      this.#at = special.exec(this.#text)?.index ?? this.#text.length
      if (this.#text[this.#at] === '"') break
      if (this.#match(/\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y) === '') throw this.#unexpected()
    }
    const value = JSON.parse(this.#text.slice(start, ++this.#at)) as string
    if (!value.isWellFormed()) throw this.#bad(`There is half a surrogate pair in ${what}`)
    return value
  }

  #literal(): boolean {
    return this.#match(/true|false|null/y) !== ''
  }

  #number(): void {
    const digits = this.#match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y)
    if (digits === '') throw this.#unexpected()
    if (!Number.isFinite(Number(digits))) throw this.#bad('A number is out of range')
  }

  #space(): void {
    this.#match(/[ \t\n\r]*/y)
  }

  #next(char: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #unexpected(): MatrixError {
    const where =
      this.#at < this.#text.length
        ? `unexpected character at position ${this.#at}`
        : `it ends too early, at position ${this.#at}`
    return notJson(`The body is not valid JSON: ${where}.`)
  }

  #bad(what: string): MatrixError {
    const path = this.#path.map(part => part.slice(0, 64)).join('.')
    const place = path === '' ? `at position ${this.#at}` : `in ${path.slice(0, 256)} (position ${this.#at})`
    return new MatrixError(400, 'M_BAD_JSON', `${what}, ${place}.`)
  }
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 64))
}
