/**
 * The command `letro` on this machine, as the user of the server: what the console does to a site is what an administrator does
 * elsewhere by hand. Secrets go by its standard input alone.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { JsonObject } from '#protocol/json.ts'
import { MachineRefused } from '../machine.ts'
import { objectIn } from './admin-socket.ts'

export interface LetroCommand {
  /** Its answer as JSON; throws MachineRefused with its own sentence. Backups may take hours: it is not timed out. */
  json(args: readonly string[], input?: string): Promise<JsonObject>
  /** Its words for a person; what it finds unsound is an answer, too. */
  text(args: readonly string[]): Promise<string>
}

const mostBytes = 4 * 1024 * 1024

export interface LetroCommandDeps {
  readonly program: string
  /** null: as who this process is. */
  readonly user: number | null
}

export function letroCommand({ program, user }: LetroCommandDeps): LetroCommand {
  const run = (args: readonly string[], input = '') => start(program, user, args, input)
  return {
    json: async (args, input) => {
      const { code, stdout, stderr } = await run([...args, '--json'], input)
      if (code === 0) return objectIn(stdout.trim().split('\n').at(-1) ?? '')
      throw refusal(code, stderr)
    },
    text: async args => {
      const { code, stdout, stderr } = await run(args)
      if (code === 0 || (code === 1 && stdout.trim() !== '')) return stdout
      throw refusal(code, stderr)
    },
  }
}

interface Ended {
  /** null: it was ended, or could not be started. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(program: string, user: number | null, args: readonly string[], input: string): Promise<Ended> {
  const { NODE_OPTIONS } = process.env
  return new Promise(resolve => {
    const child = spawn(process.execPath, [join(program, 'provisioning', 'letro.ts'), ...args], {
      ...(user === null ? {} : { uid: user, gid: user }),
      cwd: program,
      env: {
        PATH: '/usr/sbin:/usr/bin',
        LC_ALL: 'C.UTF-8',
        TZ: 'UTC',
        NODE_ENV: 'production',
        TMPDIR: '/tmp',
        // How Node loads this program: the image says it to every service.
        ...(NODE_OPTIONS === undefined ? {} : { NODE_OPTIONS }),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      if (stdout.length < mostBytes) stdout += piece
    })
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      if (stderr.length < mostBytes) stderr += piece
    })
    child.on('error', () => resolve({ code: null, stdout, stderr }))
    child.on('close', code => resolve({ code, stdout, stderr }))
    // It may have ended before it read everything.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

function refusal(code: number | null, stderr: string): MachineRefused {
  const said = objectIn(stderr.trim().split('\n').at(-1) ?? '')['error']
  const problems = typeof said === 'string' ? [...said.matchAll(/^ {2}(\S+): (.+)$/gm)] : []
  if (typeof said === 'string')
    return new MachineRefused(
      'LETRO_REFUSED',
      problems.length > 0 ? 'The answers cannot be used; nothing was changed.' : said,
      problems.map(([, field, sentence]) => ({ field: field!, sentence: sentence! })),
    )
  // With its words in the cause: they may be a stack, which is nothing for a screen.
  return new MachineRefused('LETRO_FAILED', `The command letro broke off (${code ?? 'it was ended'}).`, [], {
    cause: new Error(stderr.slice(-1000)),
  })
}
