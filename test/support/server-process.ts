/**
 * The real server as a process of its own, on LevelDB in a folder of its own: started as people start it, killed as
 * a power cut would, started again on what it left.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call } from './client.ts'
import { freePort } from './free-port.ts'
import type { Place } from './network.ts'
import { patienceMs } from './until.ts'

const root = join(import.meta.dirname, '..', '..')

export interface ServerOptions {
  /** Beyond the defaults: password sign-in, open registration, no rate limits. Names as in `letro.toml`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Keeps compiled code, so that many starts cost less; it is written when the server stops in order. */
  readonly compileCache?: boolean
  /** The tree whose server it is; otherwise this repository. */
  readonly program?: string
  /** With what is there already; otherwise a new one. */
  readonly folder?: string
  /** Where it runs and answers people; otherwise on this machine. */
  readonly place?: Place
}

export interface Session {
  readonly userId: string
  readonly deviceId: string
  readonly token: string
}

export class ServerProcess {
  readonly base: string
  readonly folder: string
  /** How far its clock is off the machine's, from its next start on. */
  clockOffsetMs = 0
  /** What it has written so far, of all its lives. */
  output = ''
  #environment: Record<string, string>
  readonly #command: readonly string[]
  readonly #program: string
  #child: ChildProcess | undefined
  #ended: Promise<number | null> = Promise.resolve(null)

  private constructor(port: number, folder: string, options: ServerOptions) {
    const { settings = {}, compileCache = false, place } = options
    const host = place?.address ?? 'localhost'
    this.base = `http://${host}:${port}`
    this.#command = place?.command ?? []
    this.#program = options.program ?? root
    this.folder = folder
    const all = {
      'server.data': join(folder, 'data'),
      'server.name': 'localhost',
      'server.origin': `http://localhost:${port}`,
      'listen.client': `${host}:${port}`,
      'accounts.passwords': 'true',
      'accounts.registration': 'open',
      'limits.enabled': 'false',
      ...settings,
    }
    this.#environment = environmentOf(all)
    // Where all tests share one, this server uses it as well.
    if (compileCache && process.env['NODE_COMPILE_CACHE'] === undefined)
      this.#environment['NODE_COMPILE_CACHE'] = join(folder, 'compiled')
  }

  static async start(options: ServerOptions = {}): Promise<ServerProcess> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'letro-'))
    const server = new ServerProcess(await freePort(), folder, options)
    await server.start()
    return server
  }

  /** What is to be otherwise from the next start on. */
  configure(settings: Readonly<Record<string, string>>): void {
    Object.assign(this.#environment, environmentOf(settings))
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resolves when it answers; how long that took, in milliseconds. */
  async start(): Promise<number> {
    const started = performance.now()
    const [program, ...args] = [...this.#command, process.execPath, 'server/main.ts']
    const child = spawn(program!, args, {
      cwd: this.#program,
      env: { ...withoutLetro(process.env), ...this.#environment, ...this.#shift() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#ended = new Promise(resolve => child.once('exit', code => resolve(code)))
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-100_000)
      })
    }
    while (performance.now() - started < patienceMs) {
      if (child.exitCode !== null) break
      if (await this.#answers()) return performance.now() - started
      await sleep(20)
    }
    throw new Error(`the server did not start:\n${this.output}`)
  }

  #shift(): Record<string, string> {
    if (this.clockOffsetMs === 0) return {}
    const shift = join(import.meta.dirname, 'shifted-clock.ts')
    return { NODE_OPTIONS: `--import=${shift}`, TEST_CLOCK_OFFSET_MS: String(this.clockOffsetMs) }
  }

  async #answers(): Promise<boolean> {
    try {
      return (await call(this.base, 'GET', '/_matrix/client/versions')).status === 200
    } catch {
      return false
    }
  }

  /** kill -9: nothing of the process runs any more when this resolves. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** What an operator tells it while it runs. */
  signal(signal: 'SIGHUP'): void {
    this.#child?.kill(signal)
  }

  /** SIGTERM; the exit code. */
  async stop(): Promise<number | null> {
    this.#child?.kill('SIGTERM')
    return await this.#ended
  }

  /** Ends it if it runs, and removes its folder. */
  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Opens an account and its first session. */
  async register(name: string, password: string, deviceId?: string): Promise<Session> {
    const { status, body } = await call(this.base, 'POST', '/_matrix/client/v3/register', {
      body: {
        username: name,
        password,
        ...(deviceId === undefined ? {} : { device_id: deviceId }),
        auth: { type: 'm.login.dummy' },
      },
    })
    if (status !== 200) throw new Error(`register: ${status} ${JSON.stringify(body)}`)
    return { userId: body.user_id, deviceId: body.device_id, token: body.access_token }
  }

  async login(name: string, password: string): Promise<Session> {
    const { status, body } = await call(this.base, 'POST', '/_matrix/client/v3/login', {
      body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: name }, password },
    })
    if (status !== 200) throw new Error(`login: ${status} ${JSON.stringify(body)}`)
    return { userId: body.user_id, deviceId: body.device_id, token: body.access_token }
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

function environmentOf(settings: Readonly<Record<string, string>>): Record<string, string> {
  const named = ([key, value]: [string, string]) => [`LETRO_${key.replaceAll('.', '_').toUpperCase()}`, value]
  return Object.fromEntries(Object.entries(settings).map(named))
}

export function withoutLetro(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('LETRO_')))
}
