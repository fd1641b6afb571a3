/**
 * The machine as this folder sees it: programs that are run, and where its files are. Everything else is decided by pure code, so
 * that it can be tried without a machine.
 */
import { spawn } from 'node:child_process'
import { paths } from '../paths.ts'
import { DiskError } from './disk-error.ts'

/** Program, arguments, what it gets at its standard input. Arguments are visible to others: secrets go by `input` alone. */
export type Run = (program: string, args: readonly string[], options?: RunOptions) => Promise<Ran>

export interface RunOptions {
  readonly input?: string | Uint8Array
  readonly timeoutMs?: number
}

export interface Ran {
  /** -1: it was ended by a signal or took too long. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Machine {
  readonly run: Run
  /** Where files of ours are; a test has its own. */
  readonly paths: { readonly [Name in keyof typeof paths]: string }
  /** What is put before /sys, /dev and /proc: nothing on the real one. */
  readonly root: string
  /** Root alone reads it, gone with the power: files that a program wants a secret in. */
  readonly secrets: string
}

export function thisMachine(): Machine {
  return { run: runProgram, paths, root: '', secrets: '/run/letro/secrets' }
}

/** Runs it, and throws PROGRAM_FAILED unless it ends well. What it printed is the cause, not the sentence: it is no text for people. */
export async function must(
  machine: Pick<Machine, 'run'>,
  program: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<string> {
  const { code, stdout, stderr } = await machine.run(program, args, options)
  if (code === 0) return stdout
  throw new DiskError('PROGRAM_FAILED', `${program} ${args[0] ?? ''} did not succeed (exit code ${code}).`, {
    cause: new Error(stderr.trim().slice(-1000)),
  })
}

const outputLimit = 4 * 1024 * 1024

export const runProgram: Run = (program, args, { input, timeoutMs = 120_000 } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: '/usr/sbin:/usr/bin:/usr/lib/systemd', LANG: 'C.UTF-8' },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    const keep = (into: Buffer[]) => (chunk: Buffer) => {
      if (into.reduce((sum, { length }) => sum + length, 0) < outputLimit) into.push(chunk)
    }
    child.stdout.on('data', keep(output))
    child.stderr.on('data', keep(errors))
    child.once('error', cause =>
      reject(new DiskError('PROGRAM_FAILED', `${program} cannot be started.`, { cause })),
    )
    child.once('close', code =>
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(output).toString('utf8'),
        stderr: Buffer.concat(errors).toString('utf8'),
      }),
    )
    // A program that ends before it has read everything is judged by its exit code.
    child.stdin.once('error', () => {})
    child.stdin.end(input ?? '')
  })
