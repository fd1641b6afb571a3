/** What somebody has typed and where they are on a page. Pure: a key makes a new one. */
import type { Key } from './keys.ts'
import { type Field, type Focusable, focusables, initialValues, type Page } from './page.ts'

export type Values = Readonly<Record<string, string>>

export interface Input {
  /** Which of the page's fields and choices. */
  readonly focus: number
  readonly values: Values
  /** In the field that has the focus, in characters. */
  readonly caret: number
  /** Lines that the page was moved up by. null: as the focus wants it. */
  readonly scroll: number | null
  /** Of fields, by name. */
  readonly problems: Values
}

export type Typed =
  | { readonly kind: 'input'; readonly input: Input }
  | { readonly kind: 'chosen'; readonly chosen: string }
  | { readonly kind: 'back' }

/** No name, address, key or passphrase is longer. */
const longestValue = 1024

export function newInput(page: Page, values: Values = {}): Input {
  const all = { ...initialValues(page), ...values }
  return { ...at({ focus: 0, values: all, caret: 0, scroll: null, problems: {} }, page, 0), scroll: 0 }
}

export function typed(input: Input, page: Page, key: Key): Typed {
  const all = focusables(page)
  const current = all[input.focus]
  const stay = (next: Input): Typed => ({ kind: 'input', input: next })
  switch (key.key) {
    case 'escape':
      return { kind: 'back' }
    case 'enter':
      return entered(input, page, current)
    case 'down':
    case 'tab':
      return all.length === 0 ? stay(scrolled(input, 1)) : stay(at(input, page, input.focus + 1))
    case 'up':
    case 'back-tab':
      return all.length === 0 ? stay(scrolled(input, -1)) : stay(at(input, page, input.focus - 1))
    case 'page-down':
      return stay(scrolled(input, 10))
    case 'page-up':
      return stay(scrolled(input, -10))
    case 'text':
      if (current?.block !== 'field') return stay(jumped(input, page, key.text))
      if (current.options) return stay(key.text === ' ' ? turned(input, current, 1) : input)
      return stay(edited(input, current, key))
    case 'left':
    case 'right':
      if (current?.block !== 'field') return stay(input)
      if (current.options) return stay(turned(input, current, key.key === 'left' ? -1 : 1))
      return stay(edited(input, current, key))
    case 'home':
    case 'end':
    case 'backspace':
    case 'delete':
    case 'clear':
      return stay(current?.block === 'field' && !current.options ? edited(input, current, key) : input)
    case 'redraw':
    case 'size':
      return stay(input)
    default:
      return key satisfies never
  }
}

/** Choices are numbered in the margin: 1 to 9, then letters. */
export const choiceMark = (index: number): string =>
  index < 9 ? String(index + 1) : String.fromCharCode(88 + index)

/** On the last field: the first choice behind it, which is what the page is for. */
function entered(input: Input, page: Page, current: Focusable | undefined): Typed {
  if (current?.block === 'choice') return { kind: 'chosen', chosen: current.id }
  const next = focusables(page)[input.focus + 1]
  if (next?.block === 'field') return { kind: 'input', input: at(input, page, input.focus + 1) }
  return { kind: 'chosen', chosen: next?.id ?? 'enter' }
}

/** @param focus may lie outside: the nearest is meant */
function at(input: Input, page: Page, focus: number): Input {
  const all = focusables(page)
  const next = Math.max(0, Math.min(focus, all.length - 1))
  const there = all[next]
  const caret = there?.block === 'field' ? [...(input.values[there.name] ?? '')].length : 0
  return { ...input, focus: next, caret, scroll: null }
}

function scrolled(input: Input, lines: number): Input {
  return { ...input, scroll: Math.max(0, (input.scroll ?? 0) + lines) }
}

function jumped(input: Input, page: Page, mark: string): Input {
  const all = focusables(page)
  const choices = all.filter(each => each.block === 'choice')
  const wanted = choices.find((_, i) => choiceMark(i) === mark.toLowerCase())
  return wanted ? at(input, page, all.indexOf(wanted)) : input
}

function turned(input: Input, { name, options = [] }: Field, by: number): Input {
  const now = options.findIndex(([value]) => value === input.values[name])
  const [value] = options[(now + by + options.length) % options.length]!
  return withValue(input, name, value, 0)
}

function edited(input: Input, { name }: Field, key: Key): Input {
  const value = [...(input.values[name] ?? '')]
  const { caret } = input
  switch (key.key) {
    case 'text':
      if (value.length >= longestValue) return input
      return withValue(
        input,
        name,
        [...value.slice(0, caret), key.text, ...value.slice(caret)].join(''),
        caret + 1,
      )
    case 'backspace':
      if (caret === 0) return input
      return withValue(input, name, [...value.slice(0, caret - 1), ...value.slice(caret)].join(''), caret - 1)
    case 'delete':
      return withValue(input, name, [...value.slice(0, caret), ...value.slice(caret + 1)].join(''), caret)
    case 'clear':
      return withValue(input, name, '', 0)
    case 'left':
      return { ...input, caret: Math.max(0, caret - 1) }
    case 'right':
      return { ...input, caret: Math.min(value.length, caret + 1) }
    case 'home':
      return { ...input, caret: 0 }
    case 'end':
      return { ...input, caret: value.length }
    default:
      return input
  }
}

function withValue(input: Input, name: string, value: string, caret: number): Input {
  const { [name]: _, ...problems } = input.problems
  return { ...input, values: { ...input.values, [name]: value }, caret, scroll: null, problems }
}
