/** Questions at the terminal, one at a time: why it is asked, what may be answered, and again where the answer will not do. */
import { createInterface } from 'node:readline'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import type { Answer } from './site-answers.ts'
import { folded } from './terminal.ts'

/** Where questions go and answers come from. */
export interface Terminal {
  say(text: string): void
  /** null: there is nobody there any more (Ctrl-C, Ctrl-D). */
  line(prompt: string): Promise<string | null>
  close(): void
}

export interface Question<T> {
  /** In a few words. */
  readonly title: string
  readonly why: string
  /** What an empty line means. */
  readonly byDefault?: string | undefined
  readonly parse: (text: string) => Answer<T>
}

export class Questions {
  readonly #terminal: Terminal
  #number = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  say(text: string): void {
    this.#terminal.say(text)
  }

  async ask<T>({ title, why, byDefault, parse }: Question<T>): Promise<T> {
    this.#number++
    this.say(`\n${this.#number}. ${title}\n${wrapped(why)}`)
    for (;;) {
      const text = (await this.#line(byDefault ? `   [${byDefault}] ` : '   > ')).trim()
      const answer = parse(text === '' ? (byDefault ?? '') : text)
      if (answer.ok) return answer.value
      this.say(wrapped(`That will not do. What is needed is ${answer.sentence}.`))
    }
  }

  /** One of several, by number. */
  choose<T>(
    question: Omit<Question<T>, 'parse' | 'byDefault'>,
    choices: readonly (readonly [string, T])[],
  ): Promise<T> {
    const list = choices.map(([text], i) => `\n   ${i + 1}  ${text}`).join('')
    return this.ask<T>({
      title: question.title,
      why: question.why + list,
      byDefault: '1',
      parse: text => {
        const chosen = choices[Number(text) - 1]
        return chosen
          ? { ok: true, value: chosen[1] }
          : { ok: false, sentence: `a number from 1 to ${choices.length}` }
      },
    })
  }

  /** Typed out, letter by letter: for what cannot be taken back. */
  async mustType(wanted: string, prompt: string): Promise<void> {
    const text = (await this.#line(prompt)).trim()
    if (text.toLowerCase() !== wanted) throw nothing(`“${text}” is not ${wanted}. `)
  }

  async #line(prompt: string): Promise<string> {
    const text = await this.#terminal.line(prompt)
    if (text === null) throw nothing()
    return text
  }
}

function nothing(because = ''): CommandFailed {
  return new CommandFailed(`${because}Nothing was set up.`, exitCodes.unsound)
}

export function openTerminal(): Terminal {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  let closed = false
  let waiting: ((text: string | null) => void) | null = null
  lines.on('close', () => {
    closed = true
    waiting?.(null)
  })
  return {
    say: text => void process.stdout.write(`${text}\n`),
    line: prompt =>
      closed
        ? Promise.resolve(null)
        : new Promise(resolve => {
            waiting = resolve
            lines.question(prompt, text => {
              waiting = null
              resolve(text)
            })
          }),
    close: () => lines.close(),
  }
}

/** Its lines stay within a terminal of 80 columns; lists stay lists. */
function wrapped(text: string): string {
  return text
    .split('\n')
    .map(line => (line.startsWith('   ') ? line : folded(line, '   ')))
    .join('\n')
}
