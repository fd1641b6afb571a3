/**
 * Programs of the system that the appliance calls: no shell, arguments as they are, what they print bounded.
 *
 * Everything in appliance/ takes `Run` as a parameter, so that it can be tested without a machine.
 */
import { execFile } from 'node:child_process'

export interface Ran {
  /** -1: it could not be started, or was ended. */
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Never rejects: a program that is missing or fails has a code other than 0. */
export type Run = (program: string, args: readonly string[], input?: string) => Promise<Ran>

/** What could not be done, in a sentence for the screen. */
export class MachineError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MachineError'
    this.code = code
  }
}

const limitMs = 120_000
const maxOutputBytes = 4 * 1024 * 1024

/** @param user as whom; without one, as whoever this process is */
export function openRun(user?: { readonly uid: number; readonly gid: number }): Run {
  return (program, args, input) =>
    new Promise(resolve => {
      const child = execFile(
        program,
        [...args],
        {
          ...user,
          encoding: 'utf8',
          timeout: limitMs,
          killSignal: 'SIGKILL',
          maxBuffer: maxOutputBytes,
          // Nothing of ours decides how they speak, and of the console's environment nothing concerns them.
          env: { PATH: '/usr/sbin:/usr/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
          cwd: '/',
        },
        (error, out, err) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
          resolve({ code, out, err: err === '' && error ? error.message : err })
        },
      )
      // It may have ended before it read everything.
      child.stdin?.on('error', () => {})
      child.stdin?.end(input ?? '')
    })
}

/** @throws MachineError with what the program said, where it did not end well */
export async function mustRun(
  run: Run,
  program: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const { code, out, err } = await run(program, args, input)
  if (code === 0) return out
  const said = (err.trim() || out.trim()).split('\n').slice(-3).join(' ').slice(0, 300)
  throw new MachineError(
    'PROGRAM_FAILED',
    `${program} ${args[0] ?? ''} failed (${code})${said ? `: ${said}` : '.'}`,
  )
}
