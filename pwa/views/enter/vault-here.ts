/** The vault that an earlier sign-in left in this browser: whose it is, and whether this opens it. */
import type { Opener } from '../../vault/vault-key.ts'
import type { RecoveryText } from '../../worker/owner.ts'
import type { AccountPort } from './ports.ts'

export type VaultOpener = Opener | RecoveryText

export class VaultHere {
  readonly #account: AccountPort

  constructor(account: AccountPort) {
    this.#account = account
  }

  /** Whose account this browser keeps, be it locked, open, or in memory; null: nobody's. */
  async keptFor(): Promise<string | null> {
    const userId = this.#account.userId()
    if (userId === null) return null
    this.#account.open(userId, { keep: true })
    const { vault } = await this.#account.call('state', null)
    return vault === 'none' ? null : userId
  }

  /** The device whose vault is here and open, or opens by this. Null: none, and a new device signs in. */
  async deviceHere(
    opener: VaultOpener | null,
  ): Promise<{ readonly userId: string; readonly deviceId: string } | null> {
    const userId = this.#account.userId()
    if (userId === null) return null
    this.#account.open(userId, { keep: true })
    const { vault } = await this.#account.call('state', null)
    const isOpen = vault === 'open' || (vault === 'locked' && opener !== null && (await this.unlocks(opener)))
    return isOpen ? this.#account.call('session', null) : null
  }

  /** False: it is another one's. What fails otherwise says nothing of that. */
  async unlocks(opener: VaultOpener): Promise<boolean> {
    try {
      await this.#account.call('unlock', copyOf(opener))
      return true
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === 'WRONG_KEY' || code === 'NO_SUCH_WAY_IN') return false
      throw error
    }
  }
}

/** The worker wipes what it gets. */
export function copyOf<O extends VaultOpener>(opener: O): O {
  return opener.kind === 'passkey' ? { ...opener, prfOutput: opener.prfOutput.slice() } : opener
}
