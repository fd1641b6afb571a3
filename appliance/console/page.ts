/** What a page says and asks, before it is laid out for a screen. Pure data. */
import type { Tone } from './screen.ts'

export interface Page {
  readonly title: string
  /** How it stands: where the title says that something is wrong. */
  readonly tone?: Tone
  readonly blocks: readonly Block[]
  /** Escape does nothing here: what was begun is finished, or ended by a choice. */
  readonly isFinal?: boolean
  /** The whole screen, without frame: for a QR code. */
  readonly isBare?: boolean
}

export type Block = Paragraph | Fact | Code | Field | Choice | ProgressBar | Picture

/** Words over the whole column. '' is an empty line. */
export interface Paragraph {
  readonly block: 'text'
  readonly text: string
  readonly tone?: Tone
}

/** A label in the margin, what it stands for beside the rule. */
export interface Fact {
  readonly block: 'fact'
  readonly label: string
  readonly text: string
  readonly tone?: Tone
}

/** To be copied letter by letter: never wrapped between other words. */
export interface Code {
  readonly block: 'code'
  readonly label?: string
  readonly lines: readonly string[]
}

export interface Field {
  readonly block: 'field'
  readonly name: string
  readonly label: string
  /** What stands there at first. */
  readonly value?: string
  readonly hint?: string
  readonly isSecret?: boolean
  /** One of these, changed with the arrow keys: [value, words]. */
  readonly options?: readonly (readonly [string, string])[]
}

export interface Choice {
  readonly block: 'choice'
  readonly id: string
  readonly label: string
  readonly detail?: string
  /** It leaves what was typed unchecked: to go back, to give up. */
  readonly isWayOut?: boolean
}

export interface ProgressBar {
  readonly block: 'progress'
  readonly text: string
  /** null: nobody knows how far it is. */
  readonly part: number | null
}

/** A QR code: rows of modules, true is dark. */
export interface Picture {
  readonly block: 'picture'
  readonly modules: readonly (readonly boolean[])[]
}

export const text = (words: string, tone?: Tone): Paragraph => ({
  block: 'text',
  text: words,
  ...(tone ? { tone } : {}),
})
export const gap: Paragraph = { block: 'text', text: '' }
export const fact = (label: string, words: string, tone?: Tone): Fact => ({
  block: 'fact',
  label,
  text: words,
  ...(tone ? { tone } : {}),
})
export const code = (lines: readonly string[], label?: string): Code => ({
  block: 'code',
  lines,
  ...(label === undefined ? {} : { label }),
})
export const field = (
  name: string,
  label: string,
  more: Omit<Field, 'block' | 'name' | 'label'> = {},
): Field => ({
  block: 'field',
  name,
  label,
  ...more,
})
export const choice = (id: string, label: string, detail?: string): Choice => ({
  block: 'choice',
  id,
  label,
  ...(detail === undefined ? {} : { detail }),
})
/** With the id `up` it is what Escape is. */
export const wayOut = (label = 'Back', id = 'back'): Choice => ({
  block: 'choice',
  id,
  label,
  isWayOut: true,
})

export type Focusable = Field | Choice

export const focusables = ({ blocks }: Page): readonly Focusable[] =>
  blocks.filter(block => block.block === 'field' || block.block === 'choice')

export const initialValues = (page: Page): Readonly<Record<string, string>> =>
  Object.fromEntries(
    focusables(page).flatMap(each =>
      each.block === 'field' ? [[each.name, each.value ?? each.options?.[0]?.[0] ?? '']] : [],
    ),
  )
