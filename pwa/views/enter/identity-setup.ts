/**
 * Signed in, and not part of our identity yet: it is made where there is none, opened by the gesture just made, or the person
 * is asked. Then what is left to say of this device, once.
 *
 * One tab does it; others wait, and find it done. What fails is said, and tried again when the person asks for it.
 */
import type { Signal } from '@preact/signals'
import { VaultError } from '../../vault/errors.ts'
import type { Opener } from '../../vault/vault-key.ts'
import type { IdentityState } from '../../worker/calls.ts'
import type { RecoveryText } from '../../worker/owner.ts'
import type { EntryPorts } from './ports.ts'
import type { Stage } from './stage.ts'

type StorageOpener = Opener | RecoveryText

interface DeviceLinkKey {
  readonly linkId: string
  readonly key: string
}

const lookAgainMs = 1_000

export class IdentitySetup {
  readonly #ports: EntryPorts
  readonly #stage: Signal<Stage>
  /** The gesture just made opens the identity after the vault. */
  #opener: StorageOpener | null = null
  /** A first device's link that is not completed yet: it lets this device in. */
  #link: DeviceLinkKey | null = null
  #isFirst = false
  #wake = () => {}

  constructor(ports: EntryPorts, stage: Signal<Stage>) {
    this.#ports = ports
    this.#stage = stage
  }

  openBy(opener: StorageOpener | null): void {
    this.#opener = opener
  }

  linkedBy(link: DeviceLinkKey): void {
    this.#link = link
  }

  /** To the next stage. What fails is part of it. */
  async run(): Promise<void> {
    this.#stage.value = { kind: 'setting-up', error: null }
    await this.#orSay(() => this.#ports.browser.alone(() => this.#setUp()))
  }

  /** Nothing opens it any more: a new one. Others are told. */
  async startAgain(): Promise<void> {
    const { account, passkeys } = this.#ports
    const prf = this.#takePasskey()
    const { recoveryKey } = await passkeys.confirmed((auth, opener) =>
      account.call('resetIdentity', { prf: copyOf(prf) ?? copyOf(opener), auth }),
    )
    this.#isFirst = true
    this.#stage.value = { kind: 'recovery-key', recoveryKey }
  }

  async openWithRecoveryKey(text: string): Promise<void> {
    await this.#ports.account.call('openIdentity', { kind: 'recovery-text', text })
    await this.lastStep()
  }

  async openWithPasskey(credentialIds: readonly string[]): Promise<void> {
    const opener = await this.#ports.passkeys.openerOf(credentialIds)
    if (!opener) throw new VaultError('PASSKEY_WITHOUT_PRF', 'this passkey opens nothing here')
    await this.#ports.account.call('openIdentity', opener)
    await this.lastStep()
  }

  /** Something became known of our identity: another device may have let us in. */
  async lookAgain(): Promise<void> {
    this.#wake()
    if (this.#stage.peek().kind !== 'open-identity') return
    const identity = await this.#ports.account.call('identity', null)
    const stage = this.#stage.peek()
    if (stage.kind !== 'open-identity') return
    if (identity.state === 'ready') await this.lastStep()
    // What can open it may have become more.
    else this.#stage.value = { ...stage, identity }
  }

  async lastStep(): Promise<void> {
    this.#opener = null
    await this.#ports.account.read()
    const facts = await this.#ports.browser.lastFacts({ isFirst: this.#isFirst })
    const { mayConfirm, isOnlyPasskey, isKept, rings } = facts
    const isNothingLeft = !mayConfirm && !isOnlyPasskey && isKept && rings
    this.#stage.value = isNothingLeft ? { kind: 'inside' } : { kind: 'last-step', facts }
  }

  /** The passkey signs this device's keys: others see on whose word it belongs to us. */
  async confirmDevice(): Promise<void> {
    await this.#ports.passkeys.enrolDevice()
    this.finish()
  }

  finish(): void {
    this.#stage.value = { kind: 'inside' }
  }

  // ── by itself ────────────────────────────────────────────────────────────────────────────────────

  async #setUp(): Promise<void> {
    if (this.#link) return this.#completeLink(this.#link)
    const identity = await this.#known()
    if (identity === null) return
    if (identity.state === 'ready') {
      // Another tab did it, or it was done before a reload.
      await this.#ports.account.read()
      return this.finish()
    }
    if (identity.state === 'none') return this.#make()
    if (this.#opens(identity)) {
      const opener = this.#opener!
      this.#opener = null
      try {
        await this.#ports.account.call('openIdentity', opener)
        return await this.lastStep()
      } catch (error) {
        this.#stage.value = { kind: 'open-identity', identity, error }
        return
      }
    }
    this.#stage.value = { kind: 'open-identity', identity, error: null }
  }

  #opens({ passkeys }: IdentityState): boolean {
    const opener = this.#opener
    return opener?.kind === 'passkey' ? passkeys.includes(opener.credentialId) : opener !== null
  }

  async #make(): Promise<void> {
    const { account, passkeys } = this.#ports
    const prf = this.#takePasskey()
    try {
      const { recoveryKey } = await passkeys.confirmed((auth, opener) =>
        account.call('setUpIdentity', { prf: copyOf(prf) ?? copyOf(opener), auth }),
      )
      this.#isFirst = true
      this.#stage.value = { kind: 'recovery-key', recoveryKey }
    } catch (error) {
      this.#opener = prf
      throw error
    }
  }

  async #completeLink(link: DeviceLinkKey): Promise<void> {
    const { call } = this.#ports.account
    this.#link = null
    try {
      await call('completeDeviceLink', link)
    } catch (error) {
      this.#stage.value = { kind: 'open-identity', identity: await call('identity', null), error }
      return
    }
    await this.#addPasskey()
    await this.lastStep()
  }

  /** The passkey of this device opens secret storage as well. Settings offers it again where that fails. */
  async #addPasskey(): Promise<void> {
    const opener = this.#takePasskey()
    try {
      if (opener) await this.#ports.account.call('addPasskeyToIdentity', opener)
    } catch (error) {
      if (!(error instanceof VaultError)) throw error
    }
  }

  /** The server has to have answered once before anything can be said. Null: somebody locked in between. */
  async #known(): Promise<IdentityState | null> {
    const { account, browser } = this.#ports
    for (;;) {
      const identity = await account.call('identity', null)
      if (identity.state !== 'unknown') return identity
      const { over, wake } = browser.pause(lookAgainMs)
      this.#wake = wake
      await over
      if (this.#stage.peek().kind !== 'setting-up') return null
    }
  }

  #takePasskey(): Extract<Opener, { kind: 'passkey' }> | null {
    const opener = this.#opener
    this.#opener = null
    return opener?.kind === 'passkey' ? opener : null
  }

  async #orSay(what: () => Promise<void>): Promise<void> {
    try {
      await what()
    } catch (error) {
      if (this.#stage.peek().kind === 'setting-up') this.#stage.value = { kind: 'setting-up', error }
    }
  }
}

function copyOf<O extends Extract<Opener, { kind: 'passkey' }> | null>(opener: O): O {
  return opener && { ...opener, prfOutput: opener.prfOutput.slice() }
}
