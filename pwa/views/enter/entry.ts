/**
 * From the address to an open session: where the person stands, and what each act leads to.
 *
 * A first device: invitation → passkey → vault → session → identity is made → recovery key. A further one: passkey → vault →
 * session → identity is opened, by the passkey's PRF where it has one. What fails leaves the person where they were, or
 * where they can go on. Between two steps nothing is kept but what the worker has; a reload goes on from there.
 *
 * What an earlier device left in this browser is never replaced without a yes: messages may wait in it.
 */
import { signal } from '@preact/signals'
import { parseLinkAddress } from '../../trust/link-address.ts'
import { VaultError } from '../../vault/errors.ts'
import type { Connection } from '../../worker/calls.ts'
import { isInTheWay } from '../../worker/damaged.ts'
import type { OwnerState, RecoveryText } from '../../worker/owner.ts'
import type { PasskeyOpener } from '../passkey-gesture.ts'
import { Contact } from './contact.ts'
import { IdentitySetup } from './identity-setup.ts'
import type { EntryNotice, EntryPorts } from './ports.ts'
import type { Invitation, SignedIn } from './server.ts'
import { needsOpenVault, type Stage } from './stage.ts'
import { copyOf, VaultHere, type VaultOpener } from './vault-here.ts'

export class Entry {
  readonly stage = signal<Stage>({ kind: 'loading' })
  readonly identity: IdentitySetup
  readonly contact: Contact
  readonly #ports: EntryPorts
  readonly #vault: VaultHere
  /** What is to open the vault that is made after `sealed` was answered. */
  #kept: VaultOpener | null = null
  /** A device link signs in once: what it gave is kept while the passkey is being made. */
  #linked: { readonly fragment: string; readonly signedIn: SignedIn } | null = null
  /** An act of this tab is under way: what it changes is no news to it. */
  #acting = 0

  constructor(ports: EntryPorts) {
    this.#ports = ports
    this.#vault = new VaultHere(ports.account)
    this.contact = new Contact(ports)
    this.identity = new IdentitySetup(ports, this.stage)
    ports.account.onNotice(notice => void this.#hear(notice).catch(error => this.#failed(error)))
  }

  become(next: Stage): void {
    this.stage.value = next
  }

  /** Where the address and what this browser has lead to. */
  async arrive(): Promise<void> {
    const { browser } = this.#ports
    const what = await browser.missing()
    if (what) return this.become({ kind: 'missing', what })
    const arrival = browser.takeArrival()
    if (arrival.kind === 'invitation') return this.followInvitation(arrival.secret)
    if (arrival.kind === 'device-link') {
      return this.become({ kind: 'device-link', fragment: arrival.fragment })
    }
    if (arrival.kind === 'demo' && (await this.#arriveInDemo(arrival.localpart))) return
    // Revoked, and wiped: that is said before anything else.
    if (this.stage.peek().kind === 'ended') return
    await this.resume()
  }

  /** From what this browser has. */
  async resume(): Promise<void> {
    const { account } = this.#ports
    const userId = account.userId()
    if (userId === null) return this.become({ kind: 'start' })
    account.open(userId, { keep: true })
    await account.read()
    await this.goOn()
    // Behind the lock screen: a server that does not answer keeps nobody waiting.
    if (this.stage.peek().kind === 'locked') await this.#unlockDemo(userId)
  }

  /** To whatever the state of vault and session asks for. */
  async goOn(): Promise<void> {
    const { account } = this.#ports
    const vault = account.ownerState()?.vault ?? 'none'
    if (vault === 'locked') return this.become({ kind: 'locked' })
    const session = account.session()
    const userId = account.userId() ?? ''
    if (account.ownerState()?.damaged.some(each => isInTheWay(each, userId)))
      return this.become({ kind: 'damaged' })
    if (vault === 'none') {
      account.forget()
      return this.become({ kind: 'start' })
    }
    if (!session) return this.become({ kind: 'start' })
    const days = await this.contact.overdueDays()
    if (days > 0) return this.become({ kind: 'overdue', days })
    if (session.setup === 'ready') return this.become({ kind: 'inside' })
    await this.identity.run()
  }

  // ── signing in ───────────────────────────────────────────────────────────────────────────────────

  /** The address led here: what fails keeps the secret, which has left the address bar. */
  async followInvitation(secret: string): Promise<void> {
    try {
      await this.openInvitation(secret)
    } catch (error) {
      this.become({ kind: 'invitation-failed', secret, error })
    }
  }

  async openInvitation(secret: string): Promise<void> {
    if (this.#ports.browser.mustInstallFirst()) return this.become({ kind: 'install', secret })
    await this.showInvitation(secret)
  }

  async showInvitation(secret: string): Promise<void> {
    const invitation = await this.#ports.server.beginInvitation(secret)
    const by = await this.#vault.keptFor()
    // Two would leave the first without a way back to what it has here.
    if (by !== null && by !== invitation.userId) return this.become({ kind: 'occupied', by })
    this.become({ kind: 'invitation', secret, invitation })
  }

  /** Makes the passkey; the account is there from then on. `keep`: this browser is the person's own. */
  enrol(secret: string, invitation: Invitation, name: string, keep: boolean): Promise<void> {
    return this.#act(async () => {
      const { passkeys, server, browser } = this.#ports
      const made = await passkeys.create(invitation.options)
      const signedIn = await server.completeInvitation(
        secret,
        made.attestation,
        name || browser.suggestedName(),
      )
      // The link is used up: what fails now is tried again by signing in.
      await this.#orStart(async () => {
        // Some browsers give the PRF output on get alone: one gesture more.
        const opener = made.opener ?? (await this.#secondGesture([made.credentialId]))
        await this.#enterWith(signedIn, opener, keep)
      })
    })
  }

  signInWithPasskey(keep: boolean): Promise<void> {
    return this.#act(async () => {
      const { passkeys, server, browser } = this.#ports
      if (!passkeys.available()) throw new VaultError('NO_PASSKEYS', 'this browser has no passkeys')
      const { assertion, opener } = await passkeys.use(await server.signInOptions())
      const before = await this.#vault.deviceHere(opener)
      const proof = { type: 'org.letro.login.passkey', assertion }
      const signedIn = await server.signIn(proof, browser.suggestedName(), before?.deviceId ?? null)
      if (before && before.userId !== signedIn.userId) {
        await server.signOut(signedIn.session).catch(() => {})
        throw new VaultError('OTHER_ACCOUNT', 'this passkey is of another account')
      }
      await this.#enterWith(signedIn, opener, keep)
    })
  }

  /** What another device of ours showed: it signs in here, this device gets a passkey, and both trust each other. */
  enterWithDeviceLink(fragment: string, name: string): Promise<void> {
    return this.#act(async () => {
      const { passkeys, server } = this.#ports
      const link = parseLinkAddress(`https://link.invalid/link#${fragment}`)
      if (!link) throw new VaultError('LINK_MALFORMED', 'this is no link of another device')
      if (!passkeys.available()) throw new VaultError('NO_PASSKEYS', 'this browser has no passkeys')
      if (this.#linked?.fragment !== fragment) {
        const proof = { type: 'm.login.token', token: link.loginToken }
        this.#linked = { fragment, signedIn: await server.signIn(proof, name, null) }
      }
      const { signedIn } = this.#linked
      const by = await this.#vault.keptFor()
      if (by !== null && by !== signedIn.userId) {
        this.#linked = null
        await server.signOut(signedIn.session).catch(() => {})
        throw new VaultError('BROWSER_OCCUPIED', 'this browser keeps the account of somebody else')
      }
      const opener = await this.#passkeyHere(signedIn, name)
      this.#linked = null
      this.identity.linkedBy({ linkId: link.linkId, key: link.key })
      await this.#orStart(() => this.#enterWith(signedIn, opener, true))
    })
  }

  /** A person of a demonstration: their recovery key, which its server gives away, stands for a passkey. */
  signInDemo(userId: string): Promise<void> {
    return this.#act(async () => {
      const { server, browser, account } = this.#ports
      const { loginToken, recoveryKey } = await server.demoSignIn(userId)
      const opener: RecoveryText | null =
        recoveryKey === null ? null : { kind: 'recovery-text', text: recoveryKey }
      account.open(userId, { keep: opener !== null })
      const before = opener && (await this.#vault.deviceHere(opener))
      const proof = { type: 'm.login.token', token: loginToken }
      const signedIn = await server.signIn(proof, browser.suggestedName(), before?.deviceId ?? null)
      this.identity.openBy(opener)
      await this.#openVault(signedIn, opener)
    })
  }

  /** Where the passkey has no PRF. */
  choosePassphrase(signedIn: SignedIn, passphrase: string): Promise<void> {
    return this.#act(() => this.#openVault(signedIn, { kind: 'passphrase', passphrase }))
  }

  /** What an earlier device left here is given up for the one that has just signed in. */
  replaceSealed(signedIn: SignedIn): Promise<void> {
    return this.#act(async () => {
      const opener = this.#kept
      await this.#ports.account.call('wipe', null)
      this.#kept = null
      if (!opener) return this.become({ kind: 'passphrase', signedIn })
      await this.#openVault(signedIn, opener)
    })
  }

  /** It stays as it is; this session keeps nothing, as on a shared computer. */
  leaveSealed(signedIn: SignedIn): Promise<void> {
    return this.#act(async () => {
      this.#kept = null
      const { call } = this.#ports.account
      if ((await call('state', null)).vault === 'open') await call('lock', null)
      await call('openInMemory', null)
      await this.#begin(signedIn)
    })
  }

  // ── the lock ─────────────────────────────────────────────────────────────────────────────────────

  async unlockWithPasskey(credentialIds: readonly string[]): Promise<void> {
    const opener = await this.#ports.passkeys.openerOf(credentialIds)
    if (!opener) throw new VaultError('PASSKEY_WITHOUT_PRF', 'this passkey opens nothing here')
    await this.unlock(opener)
  }

  unlock(opener: VaultOpener): Promise<void> {
    return this.#act(async () => {
      await this.#ports.account.call('unlock', opener)
      await this.#ports.account.read()
      await this.goOn()
    })
  }

  /** What is here is given up: the person signs in as on a new device. */
  forgetThisDevice(): Promise<void> {
    return this.#act(async () => {
      const { account } = this.#ports
      const userId = account.userId()
      if (userId !== null) {
        account.open(userId, { keep: true })
        await account.call('wipe', null)
      }
      account.setEnded(null)
      account.forget()
      this.become({ kind: 'start' })
    })
  }

  /** The session ran out, and the person reads on. */
  readOn(): void {
    this.become({ kind: 'inside' })
  }

  // ── what happens by itself ───────────────────────────────────────────────────────────────────────

  async #hear(notice: EntryNotice): Promise<void> {
    const { account } = this.#ports
    if (notice.kind === 'session-ended') {
      account.setEnded(notice.why)
      if (notice.why === 'revoked') account.forget()
      return this.become({ kind: 'ended', why: notice.why })
    }
    if (notice.kind === 'connection') await this.#hearOfContact(notice.connection)
    if (notice.kind === 'identity') await this.identity.lookAgain()
    if (notice.kind !== 'state' || this.#acting > 0) return
    // Another tab locked it, opened it, or signed out.
    const { kind } = this.stage.peek()
    const isShut = notice.state.vault !== 'open'
    if (isShut && needsOpenVault(this.stage.peek())) await this.goOn()
    if (!isShut && (kind === 'locked' || kind === 'damaged')) {
      await account.read()
      await this.goOn()
    }
  }

  async #hearOfContact({ state, lastTs }: Connection): Promise<void> {
    const { kind } = this.stage.peek()
    if (state === 'online') {
      await this.contact.made(lastTs)
      if (kind === 'overdue') await this.goOn()
    } else if (state === 'offline' && kind === 'inside' && (await this.contact.overdueDays()) > 0) {
      await this.#ports.account.call('lock', null)
    }
  }

  #failed(error: unknown): void {
    if (this.stage.peek().kind === 'loading') this.become({ kind: 'start', error })
  }

  // ── the vault ────────────────────────────────────────────────────────────────────────────────────

  async #enterWith(signedIn: SignedIn, opener: PasskeyOpener | null, keep: boolean): Promise<void> {
    this.identity.openBy(opener && copyOf(opener))
    if (!keep) {
      this.#ports.account.open(signedIn.userId, { keep: false })
      const state = await this.#ports.account.call('state', null)
      if (state.vault === 'open') return this.become({ kind: 'sealed', signedIn })
      await this.#ports.account.call('openInMemory', null)
      return this.#begin(signedIn)
    }
    await this.#openVault(signedIn, opener)
  }

  async #openVault(signedIn: SignedIn, opener: VaultOpener | null): Promise<void> {
    const { account, browser } = this.#ports
    const { call } = account
    account.open(signedIn.userId, { keep: true })
    const state: OwnerState = await call('state', null)
    if (state.vault === 'none') {
      if (!opener) return this.become({ kind: 'passphrase', signedIn })
      await call('create', [copyOf(opener)])
    }
    const isOpen = state.vault !== 'locked' || (opener !== null && (await this.#vault.unlocks(opener)))
    const here = isOpen ? await call('session', null) : null
    if (!isOpen || (here && here.deviceId !== signedIn.session.deviceId)) {
      this.#kept = opener && copyOf(opener)
      return this.become({ kind: 'sealed', signedIn })
    }
    void browser.askForPersistence().catch(() => {})
    await this.#begin(signedIn)
  }

  async #begin({ session }: SignedIn): Promise<void> {
    const { account } = this.#ports
    await account.call('begin', session)
    account.setEnded(null)
    await account.read()
    await this.goOn()
  }

  /** Makes this device's passkey, or uses the one that it has already, synced from another one. */
  async #passkeyHere({ session }: SignedIn, name: string): Promise<PasskeyOpener | null> {
    const { passkeys, server } = this.#ports
    const options = await server.beginPasskey(session)
    try {
      const made = await passkeys.create(options)
      await server.completePasskey(session, made.attestation, name)
      return made.opener ?? (await this.#secondGesture([made.credentialId]))
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'PASSKEY_EXISTS') throw error
      const known = options['excludeCredentials'] as { id: string }[] | undefined
      return this.#secondGesture((known ?? []).map(({ id }) => id))
    }
  }

  async #secondGesture(credentialIds: readonly string[]): Promise<PasskeyOpener | null> {
    try {
      return await this.#ports.passkeys.openerOf(credentialIds)
    } catch (error) {
      if (!(error instanceof VaultError)) throw error
      return null
    }
  }

  /** False: nobody of that name, no demonstration, or whom this browser has already. */
  async #arriveInDemo(localpart: string): Promise<boolean> {
    const { server, account } = this.#ports
    const userId = (await server.demoPeople()).find(each => each.startsWith(`@${localpart}:`))
    if (userId === undefined || userId === account.userId()) return false
    await this.signInDemo(userId)
    return true
  }

  async #unlockDemo(userId: string): Promise<void> {
    const { server } = this.#ports
    try {
      if (!(await server.demoPeople()).includes(userId)) return
      const { recoveryKey } = await server.demoSignIn(userId)
      if (recoveryKey === null || this.stage.peek().kind !== 'locked') return
      await this.unlock({ kind: 'recovery-text', text: recoveryKey })
    } catch {
      // The lock screen says what there is to say.
    }
  }

  // ── acts ─────────────────────────────────────────────────────────────────────────────────────────

  async #act(what: () => Promise<void>): Promise<void> {
    this.#acting++
    try {
      await what()
    } finally {
      this.#acting--
    }
  }

  async #orStart(what: () => Promise<void>): Promise<void> {
    try {
      await what()
    } catch (error) {
      this.become({ kind: 'start', error })
    }
  }
}
