/** Bytes from a keyboard or a serial line, as keys. Pure; what is cut in the middle waits for its rest. */

import { StringDecoder } from 'node:string_decoder'

export type Key =
  | { readonly key: 'text'; readonly text: string }
  | {
      readonly key:
        | 'enter'
        | 'escape'
        | 'backspace'
        | 'delete'
        | 'tab'
        | 'back-tab'
        | 'up'
        | 'down'
        | 'left'
        | 'right'
        | 'home'
        | 'end'
        | 'page-up'
        | 'page-down'
        | 'redraw'
        | 'clear'
    }
  /** The terminal's answer to askForSize. */
  | { readonly key: 'size'; readonly columns: number; readonly rows: number }

type Named = Exclude<Key['key'], 'text' | 'size'>

const finals: Readonly<Record<string, Named>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'back-tab',
}
const numbered: Readonly<Record<string, Named>> = {
  1: 'home',
  3: 'delete',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
}
const controls: Readonly<Record<string, Named>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\t': 'tab',
  '\x0c': 'redraw',
  '\x15': 'clear',
  '\x01': 'home',
  '\x05': 'end',
}

/** Nothing honest is longer. */
const longestSequence = 32

export class KeyReader {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''
  #wasReturn = false

  read(bytes: Uint8Array): Key[] {
    this.#rest += this.#decoder.write(Buffer.from(bytes))
    return this.#take(false)
  }

  /** Nothing came for a while: an escape that stands alone was the key. */
  flush(): Key[] {
    return this.#take(true)
  }

  get waits(): boolean {
    return this.#rest !== ''
  }

  #take(isEnd: boolean): Key[] {
    const keys: Key[] = []
    while (this.#rest !== '') {
      const taken = this.#next(isEnd)
      if (taken === null) break
      this.#rest = this.#rest.slice(taken.length)
      if (taken.key) keys.push(taken.key)
    }
    return keys
  }

  /** null: cut in the middle. */
  #next(isEnd: boolean): { readonly length: number; readonly key: Key | null } | null {
    const text = this.#rest
    const first = String.fromCodePoint(text.codePointAt(0)!)
    const wasReturn = this.#wasReturn
    this.#wasReturn = first === '\r'
    if (first !== '\x1b') {
      // A line that sends both for one key.
      if (first === '\n' && wasReturn) return { length: 1, key: null }
      const named = controls[first]
      if (named) return { length: 1, key: { key: named } }
      const isText = !/^[\p{Cc}\p{Cf}\u2028\u2029\ufffd]$/u.test(first)
      return { length: first.length, key: isText ? { key: 'text', text: first } : null }
    }
    if (text.length === 1) return isEnd ? { length: 1, key: { key: 'escape' } } : null
    const sequence = /^\x1b(?:\[([0-9;?]*)([A-Za-z~])|O([A-Za-z])|\[\[([A-E]))/.exec(text)
    if (sequence) return { length: sequence[0].length, key: keyOf(sequence) }
    const isCut = /^\x1b(?:\[[0-9;?[]*|O)$/.test(text) && text.length < longestSequence
    if (isCut && !isEnd) return null
    return { length: isCut ? text.length : 1, key: isCut ? null : { key: 'escape' } }
  }
}

function keyOf([, parameters = '', final, application]: RegExpExecArray): Key | null {
  if (application !== undefined) return named(finals[application])
  if (final === 'R') {
    const [rows = 0, columns = 0] = parameters.split(';').map(Number)
    return rows > 0 && columns > 0 ? { key: 'size', rows, columns } : null
  }
  if (final === '~') return named(numbered[parameters.split(';')[0]!])
  return named(final === undefined ? undefined : finals[final])
}

const named = (key: Named | undefined): Key | null => (key === undefined ? null : { key })
