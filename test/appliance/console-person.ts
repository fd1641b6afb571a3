/** Somebody in front of the console: types, waits for the machine, reads the screen. Everything in memory. */
import {
  type Effect,
  type News,
  newState,
  type State,
  update,
  view,
} from '../../appliance/console/console.ts'
import { flows } from '../../appliance/console/flows/catalogue.ts'
import type { Key } from '../../appliance/console/keys.ts'
import { perform } from '../../appliance/console/perform.ts'
import { type Screen, textOf } from '../../appliance/console/screen.ts'
import type { Line } from '../../appliance/console/terminal-output.ts'
import { startTs, type TestMachine } from './console-machine.ts'

export class Person {
  readonly machine: TestMachine
  state: State
  /** What is under way stays so: to look at progress. */
  holds = false

  constructor(machine: TestMachine, size = { columns: 80, rows: 24 }, line: Line = 'console') {
    this.machine = machine
    this.state = newState(size, startTs, line)
  }

  async arrive(): Promise<this> {
    await this.news({ kind: 'facts', facts: this.machine.facts })
    return this
  }

  async press(...keys: Exclude<Key['key'], 'text' | 'size'>[]): Promise<this> {
    for (const key of keys) await this.news({ kind: 'key', key: { key } })
    return this
  }

  async type(text: string): Promise<this> {
    for (const char of text) await this.news({ kind: 'key', key: { key: 'text', text: char } })
    return this
  }

  /** The choice with these words, by its mark. */
  async choose(words: string): Promise<this> {
    for (let i = 0; i < 30 && !this.#isOn(words); i++) await this.press('down')
    for (let i = 0; i < 30 && !this.#isOn(words); i++) await this.press('up')
    if (!this.#isOn(words)) throw new Error(`"${words}" is not reached on:\n${this.screen}`)
    return this.press('enter')
  }

  #isOn(words: string): boolean {
    return this.screen.split('\n').some(line => line.includes('▌') && line.includes(words))
  }

  async wait(ms: number): Promise<this> {
    this.machine.now = this.state.now + ms
    await this.news({ kind: 'tick', now: this.state.now + ms })
    return this
  }

  get screen(): string {
    return textOf(this.cells)
  }

  get cells(): Screen {
    return view(this.state)
  }

  async news(first: News): Promise<void> {
    const waiting: News[] = [first]
    for (let news = waiting.shift(); news; news = waiting.shift()) {
      const { state, effects } = update(this.state, news, flows)
      this.state = state
      for (const effect of effects) await this.#do(effect, waiting)
    }
  }

  async #do(effect: Effect, waiting: News[]): Promise<void> {
    const tell = (news: News) => void waiting.push(news)
    await perform(this.machine, effect, tell, () => this.state.now)
    if (this.holds) {
      const result = waiting.findIndex(news => news.kind === 'result')
      if (result >= 0) waiting.splice(result, 1)
    }
  }
}
