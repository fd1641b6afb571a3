/**
 * The machine as the code of the appliance sees it: programs that are run without a shell, and where files are. Both are
 * handed in, so that everything can be tried without a machine.
 */
import { execFile } from 'node:child_process'
import { paths, serverUser } from './paths.ts'

export interface Ran {
  /** -1: it could not be started, or was ended. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Arguments are visible to others: secrets go by `input` alone. Never rejects. */
export type Run = (
  program: string,
  args: readonly string[],
  options?: {
    readonly input?: string | Uint8Array
    /** After that it is ended; two minutes where nothing is said. */
    readonly timeoutMs?: number
  },
) => Promise<Ran>

export interface Machine {
  readonly run: Run
  /** The same as the user whom the server runs as: what it makes belongs to the server. */
  readonly runAsServer: Run
  readonly paths: { readonly [Name in keyof typeof paths]: string }
  /** What is put before /sys, /proc, /dev, /etc and /run: nothing on the real one. */
  readonly root: string
}

/** What could not be done, in a sentence for the screen. */
export class MachineError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MachineError'
    this.code = code
  }
}

export function thisMachine(): Machine {
  const { id } = serverUser
  return { run: openRun(), runAsServer: openRun({ uid: id, gid: id }), paths, root: '' }
}

/** In software emulation making certificates takes its time. */
const limitMs = 300_000
const maxOutputBytes = 4 * 1024 * 1024

/** @param user as whom; without one, as whoever this process is */
export function openRun(user?: { readonly uid: number; readonly gid: number }): Run {
  return (program, args, { input, timeoutMs = limitMs } = {}) =>
    new Promise(resolve => {
      const child = execFile(
        program,
        [...args],
        {
          ...user,
          encoding: 'utf8',
          timeout: timeoutMs,
          killSignal: 'SIGKILL',
          maxBuffer: maxOutputBytes,
          // Of this process's environment nothing concerns them.
          env: { PATH: '/usr/sbin:/usr/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
          cwd: '/',
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
          resolve({ code, stdout, stderr: stderr === '' && error ? error.message : stderr })
        },
      )
      // It may have ended before it read everything.
      child.stdin?.on('error', () => {})
      child.stdin?.end(input ?? '')
    })
}

/** @throws MachineError where it did not end well; what it said is the cause, not the sentence */
export async function mustRun(
  { run }: Pick<Machine, 'run'>,
  program: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, input === undefined ? {} : { input })
  if (code === 0) return stdout
  throw new MachineError(
    'PROGRAM_FAILED',
    `${program} ${args[0] ?? ''} did not succeed (exit code ${code}).`,
    {
      cause: new Error(stderr.trim().slice(-1000)),
    },
  )
}
