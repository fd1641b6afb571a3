/** What every command's action has in common: commander's arguments turned round, failures as a sentence and an exit code. */
import { CommandFailed } from './command-failed.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'

/**
 * commander hands in arguments, options, command. What the action returns is the exit code; nothing is 0. With `--json` a
 * failure is JSON as well.
 */
export function act<Options extends object, Args extends unknown[]>(
  action: (options: Options, ...args: Args) => Promise<ExitCode> | Promise<void>,
) {
  return async (...given: unknown[]): Promise<void> => {
    const options = given.at(-2) as Options & { readonly json?: boolean }
    try {
      process.exitCode = (await action(options, ...(given.slice(0, -2) as Args))) ?? exitCodes.done
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error
      process.stderr.write(
        options.json ? `${JSON.stringify({ error: error.message, ...error.facts })}\n` : `${error.message}\n`,
      )
      process.exitCode = error.exitCode
    }
  }
}
