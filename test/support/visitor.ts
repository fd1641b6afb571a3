/** A person at a real browser with an authenticator of its own: for tests of passkeys. */
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'
import { chromiumArgs, findChromium, patient } from './chromium.ts'

export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium()
  if (!executablePath) throw new Error('Chromium is needed for this test: install it, or set CHROMIUM_PATH.')
  return patient(await chromium.launch({ executablePath, headless: true, args: chromiumArgs }))
}

/** Where a link is opened without the app. */
export function plainPage(link: string): string {
  return link.replace('/enrol#', '/plain#')
}

/** A person at a browser with an authenticator of its own. */
export class Visitor {
  readonly page: Page
  /** What the browser's console complained about: policy violations, errors; of refused requests the status. */
  readonly complaints: string[] = []
  readonly authenticator: string
  readonly context: BrowserContext
  readonly #cdp: CDPSession

  static async open(browser: Browser, locale = 'en', options: AuthenticatorOptions = {}): Promise<Visitor> {
    return Visitor.at(await browser.newContext({ locale }), options)
  }

  static async at(context: BrowserContext, options: AuthenticatorOptions = {}): Promise<Visitor> {
    const page = await context.newPage()
    const cdp = await context.newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    return new Visitor(context, page, cdp, await addAuthenticator(cdp, 'internal', options))
  }

  constructor(context: BrowserContext, page: Page, cdp: CDPSession, authenticator: string) {
    this.context = context
    this.page = page
    this.#cdp = cdp
    this.authenticator = authenticator
    page.on('console', message => {
      if (message.type() !== 'error') return
      this.complaints.push(/status of (\d+)/.exec(message.text())?.[1] ?? message.text())
    })
    page.on('pageerror', error => this.complaints.push(String(error)))
  }

  close(): Promise<void> {
    return this.context.close()
  }

  addAuthenticator(transport: 'internal' | 'usb', options: AuthenticatorOptions = {}): Promise<string> {
    return addAuthenticator(this.#cdp, transport, options)
  }

  /** Another tab of the same person. */
  newPage(): Promise<Page> {
    return this.context.newPage()
  }

  /** The browser's own protocol, for what no page can do. */
  get cdp(): CDPSession {
    return this.#cdp
  }

  async setVerified(isUserVerified: boolean): Promise<void> {
    await this.#cdp.send('WebAuthn.setUserVerified', { authenticatorId: this.authenticator, isUserVerified })
  }

  async setPresence(authenticatorId: string, enabled: boolean): Promise<void> {
    await this.#cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled })
  }

  async credentials(authenticatorId = this.authenticator) {
    return (await this.#cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials
  }

  /** Passkeys of another authenticator, as a password manager brings them. */
  async addCredentials(credentials: Awaited<ReturnType<Visitor['credentials']>>): Promise<void> {
    const { authenticator: authenticatorId } = this
    for (const credential of credentials)
      await this.#cdp.send('WebAuthn.addCredential', { authenticatorId, credential })
  }

  async rewindCounter(): Promise<void> {
    const [credential] = await this.credentials()
    const { authenticator: authenticatorId } = this
    await this.#cdp.send('WebAuthn.removeCredential', {
      authenticatorId,
      credentialId: credential!.credentialId,
    })
    await this.#cdp.send('WebAuthn.addCredential', {
      authenticatorId,
      credential: { ...credential!, signCount: 0 },
    })
  }

  /** Opens an enrolment link on the plain page, and makes the passkey. */
  async enrol(url: string): Promise<void> {
    await this.page.goto(plainPage(url))
    await this.page.click('#create')
    await this.page.getByText('Your passkey is ready').waitFor()
  }

  /** `navigator.credentials.create` with options as JSON, in whatever page is open. */
  create(options: object): Promise<object> {
    return this.page.evaluate(async json => {
      // biome-ignore lint/suspicious/noExplicitAny: the browser's own types are not those of this program
      const browser = globalThis as any
      const publicKey = browser.PublicKeyCredential.parseCreationOptionsFromJSON(json)
      const credential = await browser.navigator.credentials.create({ publicKey })
      return credential.toJSON()
    }, options)
  }

  /** `navigator.credentials.get` with options as JSON, in whatever page is open. */
  sign(options: object): Promise<object> {
    return this.page.evaluate(async json => {
      // biome-ignore lint/suspicious/noExplicitAny: the browser's own types are not those of this program
      const browser = globalThis as any
      const publicKey = browser.PublicKeyCredential.parseRequestOptionsFromJSON(json)
      const credential = await browser.navigator.credentials.get({ publicKey })
      return credential.toJSON()
    }, options)
  }
}

export interface AuthenticatorOptions {
  /** As one that a password manager keeps. */
  readonly backedUp?: boolean
  /** With the PRF extension (hmac-secret). */
  readonly prf?: boolean
}

async function addAuthenticator(
  cdp: CDPSession,
  transport: 'internal' | 'usb',
  { backedUp = false, prf = false }: AuthenticatorOptions = {},
): Promise<string> {
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      hasPrf: prf,
      defaultBackupEligibility: backedUp,
      defaultBackupState: backedUp,
    },
  })
  return authenticatorId
}
