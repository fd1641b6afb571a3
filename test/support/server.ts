/**
 * A whole server for a test: real areas over LevelDB in a folder of its own, real HTTP on a free port.
 *
 * `restart` stops and opens it again over the same data, as a second start would.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, openApp } from '../../server/app.ts'
import { type Config, parseConfig } from '../../server/config.ts'
import type { Log } from '../../server/http/log.ts'
import { type HttpServer, listen } from '../../server/http/server.ts'
import type { SendPush } from '../../server/push/web-push.ts'
import { type Answer, type CallOptions, call } from './client.ts'
import { freePort } from './free-port.ts'

export interface TestServerOptions {
  /** TOML, over what a test needs: passwords on, registration open, no limits, no quota worth mentioning. */
  readonly config?: string
  readonly clock?: () => number
  /** Beside a clock that jumps. */
  readonly monotonic?: () => number
  readonly asksMachine?: boolean
  readonly sendPush?: SendPush
  /** Kept after `close`; otherwise a new folder that goes with it. */
  readonly dataFolder?: string
}

export interface TestPerson {
  readonly userId: string
  readonly deviceId: string
  readonly token: string
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
}

export interface TestServer {
  /** Where it answers; also its origin. */
  readonly base: string
  readonly port: number
  readonly config: Config
  readonly dataFolder: string
  readonly app: App
  /** Log lines since the start. */
  readonly lines: readonly string[]
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** A new account, by password. */
  register(localpart: string): Promise<TestPerson>
  /** Another session of it. */
  login(localpart: string, deviceId?: string): Promise<TestPerson>
  /** `meanwhile` runs while nothing is open. */
  restart(meanwhile?: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

export const testPassword = 'correct horse battery staple'

const forTests: Readonly<Record<string, string>> = {
  LETRO_ACCOUNTS_PASSWORDS: 'true',
  LETRO_ACCOUNTS_REGISTRATION: 'open',
  LETRO_LIMITS_ENABLED: 'false',
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'letro-test-')))
  const port = await freePort()
  // What a test says in TOML wins over what is set here: only keys that it does not name come by environment.
  const named = parseConfigKeys(options.config ?? '')
  const environment = Object.fromEntries(Object.entries(forTests).filter(([name]) => !named.has(name)))
  const { config } = parseConfig(options.config ?? '', {
    ...environment,
    LETRO_SERVER_DATA: dataFolder,
    LETRO_LISTEN_CLIENT: `localhost:${port}`,
  })
  const lines: string[] = []
  const write = (level: string) => (message: string, fields?: object) =>
    void lines.push(JSON.stringify({ level, message, ...fields }))
  const log: Log = { info: write('info'), warn: write('warn'), error: write('error') }
  const clock = options.clock ?? Date.now

  let app: App
  let http: HttpServer
  const open = async () => {
    app = await openApp(config, {
      clock,
      log,
      randomBytes: size => randomBytes(size),
      restart: () => void restart(),
      ...(options.asksMachine === undefined ? {} : { asksMachine: options.asksMachine }),
      ...(options.monotonic ? { monotonic: options.monotonic } : {}),
      ...(options.sendPush ? { sendPush: options.sendPush } : {}),
    })
    http = await listen(app.listener, { host: '127.0.0.1', port })
  }
  const stop = async () => {
    app.stopWaiting()
    await http.close(1_000)
    await app.close()
  }
  const restart = async () => {
    await stop()
    await open()
  }
  await open()

  const base = `http://localhost:${port}`
  const person = (body: { user_id: string; device_id: string; access_token: string }): TestPerson => ({
    userId: body.user_id,
    deviceId: body.device_id,
    token: body.access_token,
    call: (method, path, more) => call(base, method, path, { token: body.access_token, ...more }),
  })
  return {
    base,
    port,
    config,
    dataFolder,
    get app() {
      return app
    },
    lines,
    call: (method, path, more) => call(base, method, path, more),
    async register(localpart) {
      const path = '/_matrix/client/v3/register'
      const wanted = { username: localpart, password: testPassword }
      const asked = await call(base, 'POST', path, { body: wanted })
      const auth = { type: 'm.login.dummy', session: asked.body.session }
      return person(mustBe200(await call(base, 'POST', path, { body: { ...wanted, auth } })))
    },
    async login(localpart, deviceId) {
      const body = {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: localpart },
        password: testPassword,
        ...(deviceId === undefined ? {} : { device_id: deviceId }),
      }
      return person(mustBe200(await call(base, 'POST', '/_matrix/client/v3/login', { body })))
    },
    async restart(meanwhile) {
      await stop()
      await meanwhile?.()
      await open()
    },
    async close() {
      await stop()
      if (options.dataFolder === undefined) await rm(dataFolder, { recursive: true, force: true })
    },
  }
}

function mustBe200({ status, body }: Answer) {
  if (status !== 200) throw new Error(`answered ${status}: ${JSON.stringify(body)}`)
  return body
}

/** The environment names of the keys that a TOML text sets: `[a]` then `b = …` is LETRO_A_B. */
function parseConfigKeys(toml: string): Set<string> {
  const names = new Set<string>()
  let section = ''
  for (const line of toml.split('\n')) {
    section = /^\s*\[(\w+)\]/.exec(line)?.[1] ?? section
    const key = /^\s*([\w.]+)\s*=/.exec(line)?.[1]
    if (key) names.add(`LETRO_${(section ? `${section}.` : '') + key}`.replaceAll('.', '_').toUpperCase())
  }
  return names
}
