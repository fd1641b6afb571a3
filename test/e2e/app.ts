/**
 * The app as people meet it: built, served by the real server, opened in a real Chromium by people with authenticators of their own.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import type { JsonObject } from '../../server/protocol/json.ts'
import { call } from '../support/client.ts'
import { automationToken, type FederatedServer } from '../support/federated.ts'
import { ServerProcess } from '../support/server-process.ts'
import { patienceMs } from '../support/until.ts'
import { type AuthenticatorOptions, launchChromium, Visitor } from '../support/visitor.ts'

const root = join(import.meta.dirname, '../..')
export const adminToken = 'a-token-for-tests-that-administers-0123456789'
/** Where pictures of views go: not tracked. */
export const pictures = join(root, 'dist/pictures')

export { patienceMs }

export interface PersonOptions extends AuthenticatorOptions {
  readonly context?: BrowserContextOptions
  /** One with a camera of its own; otherwise the browser of this world. */
  readonly browser?: Browser
  readonly locale?: string
  /** `administrator`: of this server. */
  readonly kind?: 'member' | 'administrator'
  /** False: what the app asks can be answered by a test, which it cannot be where several tabs share a worker. */
  readonly sharesWorker?: boolean
}

export class AppWorld {
  readonly server: ServerProcess
  readonly serverName: string
  readonly chromium: Browser
  readonly #token: string
  /** What no journey may do: ask another origin for anything, or break the page's policy. */
  readonly #strays: string[] = []

  private constructor(server: ServerProcess, serverName: string, chromium: Browser, token = adminToken) {
    this.server = server
    this.serverName = serverName
    this.chromium = chromium
    this.#token = token
  }

  static async open(settings: Record<string, string> = {}): Promise<AppWorld> {
    build()
    const folder = join(root, 'dist/test')
    mkdirSync(folder, { recursive: true })
    const tokenFile = join(folder, `admin-${process.pid}.token`)
    writeFileSync(tokenFile, `${adminToken}\n`, { mode: 0o600 })
    const server = await ServerProcess.start({
      settings: { 'admin.token_file': tokenFile, 'accounts.registration': 'invite', ...settings },
    })
    return new AppWorld(server, settings['server.name'] ?? 'localhost', await launchChromium())
  }

  /** Another one in the same browser, with a server that others reach. */
  static federated(server: FederatedServer, chromium: Browser): AppWorld {
    build()
    return new AppWorld(server.process, server.serverName, chromium, automationToken)
  }

  async close(): Promise<void> {
    await this.chromium.close()
    await this.server.remove()
    if (this.#strays.length > 0) throw new Error(`the app left its bounds: ${this.#strays.join('; ')}`)
  }

  #watch(context: BrowserContext): void {
    context.on('request', request => {
      const { protocol, hostname } = new URL(request.url())
      const isOurs = hostname === 'localhost' || hostname === new URL(this.server.base).hostname
      if (/^(?:https?|wss?):$/.test(protocol) && !isOurs) this.#strays.push(request.url())
    })
    context.on('console', message => {
      if (/violates the following|Trusted(?:HTML|Script)/.test(message.text()))
        this.#strays.push(message.text())
    })
  }

  idOf(name: string): string {
    return `@${name}:${this.serverName}`
  }

  /** An enrolment link for somebody who has no account yet. */
  async invite(name: string, displayName: string, kind = 'member'): Promise<string> {
    const { status, body } = await call(this.server.base, 'POST', '/_letro/admin/v1/enrolment-links', {
      token: this.#token,
      body: { user_id: this.idOf(name), display_name: displayName, kind },
    })
    if (status !== 200) throw new Error(`no link for ${name}: ${JSON.stringify(body)}`)
    return body['link'] as string
  }

  /** The administration API, with the token of the file. */
  async administer(method: string, path: string, body?: object): Promise<JsonObject> {
    const options = { token: this.#token, ...(body === undefined ? {} : { body }) }
    const answer = await call(this.server.base, method, `/_letro/admin/v1${path}`, options)
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body as JsonObject
  }

  /** A link that ends all earlier passkeys and devices of somebody, once it is used. */
  async inviteAgain(name: string): Promise<string> {
    const path = `/_letro/admin/v1/people/${encodeURIComponent(this.idOf(name))}/re-enrolment`
    const { status, body } = await call(this.server.base, 'POST', path, { token: this.#token, body: {} })
    if (status !== 200) throw new Error(`no link for ${name}: ${JSON.stringify(body)}`)
    return body['link'] as string
  }

  /** Somebody at a browser of their own, whose passkey has the PRF extension unless said otherwise. */
  async visitor(options: PersonOptions = {}): Promise<Visitor> {
    const {
      context = {},
      browser = this.chromium,
      locale = 'en',
      prf = true,
      sharesWorker,
      ...rest
    } = options
    const opened = await browser.newContext({
      locale,
      viewport: { width: 1280, height: 800 },
      ...context,
    })
    if (sharesWorker === false) await opened.addInitScript('delete globalThis.SharedWorker')
    opened.setDefaultTimeout(patienceMs)
    this.#watch(opened)
    return Visitor.at(opened, { prf, ...rest })
  }

  /** A new person, enrolled, with the recovery key put off: inside. */
  async enrolled(name: string, displayName: string, options: PersonOptions = {}): Promise<Visitor> {
    const visitor = await this.visitor(options)
    await visitor.page.goto(await this.invite(name, displayName, options.kind))
    await visitor.page.locator('button[type=submit].main').click()
    await visitor.page.locator('.enter-key').waitFor()
    await visitor.page.locator('.enter-foot button').click()
    await finish(visitor.page)
    return visitor
  }
}

/** What is said last of a new device is put off. */
export async function finish(page: Page): Promise<void> {
  await page.locator('[data-stage=last-step] .enter-acts button').last().click()
  await inside(page)
}

export async function inside(page: Page): Promise<void> {
  await page.locator('nav.list').waitFor()
}

/** Once for all test files: what is there and fits is used. */
export function build(): void {
  if (process.env['LETRO_TEST_APP'] === 'built') return
  const { status } = spawnSync(process.execPath, ['scripts/build.ts', '--if-changed'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('the app could not be built')
}
