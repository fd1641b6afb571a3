/** Words to and from the person at the terminal. */
import { createInterface } from 'node:readline/promises'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** For scripts (`--json`) the answer is one line of JSON on the output; what a person would read goes to the side. */
export function printer({ json }: { readonly json?: boolean }): (text: string) => void {
  return json ? text => void process.stderr.write(`${text}\n`) : print
}

/** One answer, for a script or for a person. */
export function tell({ json }: { readonly json?: boolean }, answer: object, text: string): void {
  print(json ? JSON.stringify(answer) : text)
}

/** A paragraph within the 80 columns of a terminal, each of its lines set in. */
export function folded(text: string, indent: string): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`
    if (lines.length > 0 && longer.length < 80) lines[lines.length - 1] = longer
    else lines.push(indent + word)
  }
  return lines.join('\n')
}

/** A line for each tenth, and for each new step: a terminal, and a log, can hold that. */
export function eachTenth(say: (text: string) => void): (text: string, done: number) => void {
  let last = ''
  return (text, done) => {
    const key = `${text.replaceAll(/\d+/g, '')} ${Math.floor(done * 10)}`
    if (key !== last) say(text)
    last = key
  }
}

/** Nothing but `yes` is yes. Without a terminal nobody was asked. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CommandFailed(
      'There is no terminal to ask at. Where that was settled before, say so with --yes.',
      exitCodes.usage,
    )
  }
  return (await ask(question))?.trim().toLowerCase() === 'yes'
}

/** null: given up, by Ctrl-C or Ctrl-D. */
export async function ask(question: string): Promise<string | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // Ctrl-D alone answers nothing, ever.
  const closed = new Promise<null>(resolve => terminal.once('close', () => resolve(null)))
  try {
    return await Promise.race([terminal.question(question), closed])
  } catch {
    return null
  } finally {
    terminal.close()
  }
}
