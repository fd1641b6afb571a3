/** What could not be done, in words for the person who typed it. */
import type { ExitCode } from './exit-codes.ts'

export class CommandFailed extends Error {
  readonly exitCode: ExitCode
  /** For scripts (`--json`), beside the sentence. */
  readonly facts: object
  constructor(message: string, exitCode: ExitCode, facts: object = {}) {
    super(message)
    this.exitCode = exitCode
    this.facts = facts
  }
}
