/**
 * The page's end: reaches the account's owner, whichever worker that is, and hands secrets over.
 *
 * Secret bytes are transferred, so that the page has none left; the worker wipes them.
 */

import { VaultError } from '../vault/errors.ts'
import { askPasskey, type PasskeySecret } from '../vault/passkey.ts'
import { prfInput } from '../vault/prf-input.ts'
import type { WayIn } from '../vault/vault.ts'
import type { Opener } from '../vault/vault-key.ts'
import type { AppCalls, AppNotice } from './calls.ts'
import { Caller, type End } from './frames.ts'
import type { OwnerCalls, OwnerNotice, OwnerState } from './owner.ts'
import sharedWorkerAddress from './shared-worker.ts?sharedworker&url'
import tabWorkerAddress from './tab-worker.ts?worker&url'

type AllCalls = OwnerCalls & AppCalls

export interface AccountOptions {
  readonly onNotice: (notice: OwnerNotice | AppNotice) => void
  /** No worker came of it: it could not be loaded, or is none. Everything that is asked is refused with WORKER_FAILED. */
  readonly onFailed?: () => void
  /** For browsers that have none, and for tests. */
  readonly withoutSharedWorker?: boolean
  /** Trusted Types: turns an address of our own into one that a worker may be made of. */
  readonly scriptUrl?: (address: string) => string
}

export class AccountClient {
  readonly #caller: Caller<AllCalls, OwnerNotice | AppNotice>

  /** The account is a user id: one owner, one vault. */
  constructor(
    account: string,
    { onNotice, onFailed, withoutSharedWorker, scriptUrl = same }: AccountOptions,
  ) {
    const options = { type: 'module', name: account } as const
    const shared = !withoutSharedWorker && 'SharedWorker' in globalThis
    const worker = shared
      ? new SharedWorker(scriptUrl(sharedWorkerAddress), options)
      : new Worker(scriptUrl(tabWorkerAddress), options)
    const end: End = worker instanceof Worker ? worker : worker.port
    this.#caller = new Caller(end, onNotice)
    // One that runs says here too what went wrong in it: only before its first word does it mean that there is none.
    worker.onerror = () => {
      if (this.#caller.fail(new VaultError('WORKER_FAILED', 'the worker did not start'))) onFailed?.()
    }
    addEventListener('pagehide', () => end.postMessage('bye'))
    addEventListener('pageshow', event => {
      if ((event as PageTransitionEvent).persisted) end.postMessage('hello')
    })
  }

  readonly call: Caller<AllCalls, OwnerNotice | AppNotice>['call'] = (call, argument, transfer) =>
    this.#caller.call(call, argument, transfer ?? secretsIn(argument))

  /**
   * Opens the vault with a passkey, by one gesture. Null where the passkey has no PRF: then a passphrase or the
   * recovery key has to.
   */
  async unlockWithPasskey(waysIn: readonly WayIn[]): Promise<OwnerState | null> {
    const credentialIds = waysIn.flatMap(way => (way.kind === 'passkey' ? [way.credentialId] : []))
    const opener = passkeyOpener(await askPasskey(credentialIds, await prfInput()))
    return opener && this.call('unlock', opener)
  }
}

/** Null where there was no PRF output. */
export function passkeyOpener({ credentialId, prfOutput }: PasskeySecret): Opener | null {
  return prfOutput && { kind: 'passkey', credentialId, prfOutput }
}

/** Asks the browser not to evict what it stores for us. Only a page may ask. */
export function askForPersistence(): Promise<boolean> {
  return navigator.storage.persist()
}

/** Buffers of an opener, or of several, or of one among others: they go, and are not copied. */
function secretsIn(argument: unknown): Transferable[] {
  const { prf, opener = prf ?? argument } = (argument ?? {}) as { prf?: unknown; opener?: unknown }
  const openers = (Array.isArray(opener) ? opener : [opener]) as (Opener | null)[]
  return openers.flatMap(opener => {
    if (opener?.kind === 'passkey') return [opener.prfOutput.buffer as ArrayBuffer]
    if (opener?.kind === 'recovery-key') return [opener.recoveryKey.buffer as ArrayBuffer]
    return []
  })
}

function same(address: string): string {
  return address
}
