/**
 * The server of the demonstration: the real one, on loopback addresses alone, over data that is thrown away.
 *
 * It can be stopped and started again over what it has, as if somebody pulled the plug. Its clock can be set back, so
 * that history has a past.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, openApp } from '../../server/app.ts'
import type { DemoPerson } from '../../server/client-api/demo.ts'
import { parseConfig } from '../../server/config.ts'
import { type Log, openLog } from '../../server/http/log.ts'
import { type HttpServer, listen } from '../../server/http/server.ts'
import { parseUserId } from '../../server/protocol/ids.ts'
import { type Name, people, serverName } from './organisation.ts'

export class DemoServer {
  readonly port: number
  readonly origin: string
  readonly dataFolder: string
  readonly #recoveryKeys = new Map<string, string>()
  #nowTs: number | null = null
  #running: { readonly app: App; readonly http: HttpServer } | null = null

  private constructor(port: number, dataFolder: string) {
    this.port = port
    this.origin = `http://localhost:${port}`
    this.dataFolder = dataFolder
  }

  /** Rejects with the code EADDRINUSE where the port is taken. */
  static async start(port: number, firstTs: number): Promise<DemoServer> {
    const server = new DemoServer(port, await mkdtemp(join(tmpdir(), 'letro-demo-')))
    server.setClock(firstTs)
    try {
      await server.start()
    } catch (error) {
      await server.remove()
      throw error
    }
    return server
  }

  get isRunning(): boolean {
    return this.#running !== null
  }

  /** The server's idea of now; null: as everybody else's. */
  setClock(ts: number | null): void {
    this.#nowTs = ts
  }

  /** What opens a person's identity: one click hands it over. */
  keepRecoveryKey(userId: string, recoveryKey: string): void {
    this.#recoveryKeys.set(userId, recoveryKey)
  }

  async start(): Promise<void> {
    if (this.#running) return
    const { config } = parseConfig('', {
      LETRO_SERVER_NAME: serverName,
      LETRO_SERVER_ORIGIN: this.origin,
      LETRO_SERVER_DATA: this.dataFolder,
      LETRO_LISTEN_CLIENT: `localhost:${this.port}`,
      LETRO_LIMITS_ENABLED: 'false',
      LETRO_PRESENCE_ENABLED: 'true',
    })
    const app = await openApp(config, {
      clock: () => this.#nowTs ?? Date.now(),
      randomBytes: size => randomBytes(size),
      log: errorsOnly,
      demo: { people: () => people.map(person => this.#asShown(person)) },
    })
    try {
      this.#running = { app, http: await listen(app.listener, { host: 'localhost', port: this.port }) }
    } catch (error) {
      await app.close()
      throw error
    }
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = null
    if (!running) return
    running.app.stopWaiting()
    await running.http.close(500)
    await running.app.close()
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.dataFolder, { recursive: true, force: true })
  }

  #asShown({ localpart, displayName, role, kind, language }: (typeof people)[number]): DemoPerson {
    const userId = parseUserId(userIdOf(localpart))!
    return {
      userId,
      name: displayName,
      role,
      kind,
      language,
      recoveryKey: this.#recoveryKeys.get(userId) ?? null,
    }
  }
}

export function userIdOf(name: Name): string {
  return `@${name}:${serverName}`
}

const log = openLog(line => void process.stderr.write(line), Date.now)
const errorsOnly: Log = { info() {}, warn() {}, error: log.error }
