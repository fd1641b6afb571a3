/**
 * The machine as this folder sees it: programs that are run, and where its files are. Everything else is decided by pure code, so
 * that it can be tried without a machine.
 */
import type { Run, Machine as WholeMachine } from '../program.ts'
import { DiskError } from './disk-error.ts'

export { thisMachine } from '../program.ts'

export type Machine = Pick<WholeMachine, 'run' | 'paths' | 'root'>

/** Runs it, and throws PROGRAM_FAILED unless it ends well. What it printed is the cause, not the sentence: it is no text for people. */
export async function must(
  { run }: Pick<Machine, 'run'>,
  program: string,
  args: readonly string[],
  options?: Parameters<Run>[2],
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options)
  if (code === 0) return stdout
  throw new DiskError('PROGRAM_FAILED', `${program} ${args[0] ?? ''} did not succeed (exit code ${code}).`, {
    cause: new Error(stderr.trim().slice(-1000)),
  })
}
