/** What could not be done, in words for the person who typed it. */
import type { ExitCode } from './exit-codes.ts'

export class CommandFailed extends Error {
  readonly exitCode: ExitCode
  constructor(message: string, exitCode: ExitCode) {
    super(message)
    this.exitCode = exitCode
  }
}
