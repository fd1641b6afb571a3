/**
 * Somebody before a machine's console: reads its pages, chooses, types.
 *
 * A page has a margin with labels and marks, a rule, and a column of text beside it (appliance/console/layout.ts). A choice has
 * its mark in the margin: typing the mark goes to it, Enter takes it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from './machine.ts'
import { keys } from './screen.ts'
import { settings } from './settings.ts'

type Line = Pick<Machine, 'screen' | 'type' | 'sees'>

interface Row {
  readonly margin: string
  readonly text: string
}

/** The page that says so, and the choice that looks anew. */
interface NotYet {
  readonly none: RegExp
  readonly again: string
}

export class Operator {
  readonly #machine: Line

  constructor(machine: Line) {
    this.#machine = machine
  }

  /** The page's rows, as they are seen. */
  get rows(): Row[] {
    return this.#machine.screen.lines.flatMap(line => {
      const [, margin, text] = /^(.{0,40}?)\s*[|>]\s?(.*)$/.exec(line) ?? []
      return margin === undefined || text === undefined ? [] : [{ margin: margin.trim(), text: text.trim() }]
    })
  }

  /** Waits for a page. */
  sees(pattern: RegExp, timeoutMs: number = settings.pageMs): Promise<RegExpExecArray> {
    return this.#machine.sees(pattern, timeoutMs)
  }

  /** Waits for what is on a stick. One that was plugged in a moment ago may not be there yet: one looks again. */
  async finds(wanted: RegExp, { none, again }: NotYet, timeoutMs: number = settings.pageMs): Promise<void> {
    const end = performance.now() + settings.pageMs
    for (;;) {
      const [said] = await this.sees(new RegExp(`${wanted.source}|${none.source}`), timeoutMs)
      if (wanted.test(said)) return
      if (performance.now() > end) throw new Error(`The stick is not found:\n${this.#machine.screen.text}`)
      await this.choose(again)
      await sleep(2_000)
    }
  }

  /** Takes a choice of the page that is there. */
  async choose(label: string, timeoutMs: number = settings.pageMs): Promise<void> {
    const mark = await this.#find(label, timeoutMs)
    await this.#machine.type(mark)
    await this.#machine.type(keys.enter)
  }

  /** Fills the page's fields from the first to the last, and takes what stands behind them. */
  async fill(...values: readonly string[]): Promise<void> {
    for (const value of values) {
      await this.#machine.type(value)
      await this.#machine.type(keys.enter)
    }
  }

  /** What stands beside a label, copied with care: drawn anew, and read until it is the same twice. */
  async copies(label: string): Promise<string[]> {
    let before: string[] = []
    for (let i = 0; i < 10; i++) {
      await this.#machine.type(keys.redraw)
      await sleep(1_000)
      const now = this.beside(label)
      if (now.join() === before.join()) return now
      before = now
    }
    throw new Error(`"${label}" reads differently each time:\n${this.#machine.screen.text}`)
  }

  /** What stands beside a label, over as many rows as it goes on; of a page that is still being drawn perhaps the one before. */
  beside(label: string): string[] {
    const { rows } = this
    const from = rows.findIndex(({ margin }) => margin === label)
    if (from === -1) throw new Error(`There is no "${label}" on the screen:\n${this.#machine.screen.text}`)
    const rest = rows.slice(from + 1)
    const end = rest.findIndex(({ margin, text }) => margin !== '' || text === '')
    return [rows[from]!, ...rest.slice(0, end === -1 ? undefined : end)].map(({ text }) => text)
  }

  async #find(label: string, timeoutMs: number): Promise<string> {
    const end = performance.now() + timeoutMs
    for (;;) {
      const row = this.rows.find(({ margin, text }) => /^[1-9a-z]$/.test(margin) && text.startsWith(label))
      if (row) return row.margin
      if (performance.now() > end)
        throw new Error(`There is no choice "${label}" on the screen:\n${this.#machine.screen.text}`)
      await sleep(100)
    }
  }
}
