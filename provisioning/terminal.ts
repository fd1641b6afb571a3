/** Words to and from the person at the terminal. */
import { createInterface } from 'node:readline/promises'
import { exitCodes } from './exit-codes.ts'
import { CommandFailed } from './peer-server.ts'

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Nothing but `yes` is yes. Without a terminal nobody was asked. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CommandFailed(
      'There is no terminal to ask at. Where that was settled before, say so with --yes.',
      exitCodes.usage,
    )
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return (await terminal.question(question)).trim().toLowerCase() === 'yes'
  } catch {
    // Ctrl-C, Ctrl-D.
    return false
  } finally {
    terminal.close()
  }
}
