/** What the tests of the vault call in a real browser: the page's end of it, within reach of `page.evaluate`. */
import { askPasskey, passkeySecret } from '../../../pwa/vault/passkey.ts'
import { prfInput } from '../../../pwa/vault/prf-input.ts'
import type { Opener } from '../../../pwa/vault/vault-key.ts'
import { AccountClient, askForPersistence, passkeyOpener } from '../../../pwa/worker/account-client.ts'
import type { AppNotice } from '../../../pwa/worker/calls.ts'
import type { OwnerNotice, OwnerState } from '../../../pwa/worker/owner.ts'

const notices: (OwnerNotice | AppNotice)[] = []
let client: AccountClient
const longTasks: number[] = []
new PerformanceObserver(list => {
  for (const { duration } of list.getEntries()) longTasks.push(duration)
}).observe({ type: 'longtask', buffered: true })

export const tested = {
  notices,
  askForPersistence,
  open(account: string, withoutSharedWorker = false): Promise<OwnerState> {
    client = new AccountClient(account, { onNotice: notice => notices.push(notice), withoutSharedWorker })
    return client.call('state', null)
  },
  call: (call: string, argument: unknown = null): Promise<unknown> =>
    refusalAsValue(client.call(call as 'state', argument as null)),

  /** Makes a passkey; its id, and whether making it gave a PRF output already. */
  async createPasskey(): Promise<{ credentialId: string; prfOnCreate: boolean }> {
    const credential = (await navigator.credentials.create({
      publicKey: {
        challenge: new Uint8Array(32),
        rp: { name: 'Letro' },
        user: { id: new Uint8Array([1]), name: 'amal', displayName: 'Amal' },
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        extensions: { prf: { eval: { first: await prfInput() } } },
      },
    })) as PublicKeyCredential
    const { credentialId, prfOutput } = passkeySecret(credential)
    return { credentialId, prfOnCreate: prfOutput !== null }
  },
  /** A new vault under a passkey and others; `passkey: false` where it has no PRF. Says what was left in the page. */
  async create(credentialId: string, others: readonly Opener[]): Promise<{ passkey: boolean; left: number }> {
    const secret = await askPasskey([credentialId], await prfInput())
    const opener = passkeyOpener(secret)
    await client.call('create', opener ? [opener, ...others] : others)
    return { passkey: opener !== null, left: secret.prfOutput?.byteLength ?? 0 }
  },
  async setPasskey(credentialId: string): Promise<OwnerState> {
    return client.call('setWayIn', passkeyOpener(await askPasskey([credentialId], await prfInput()))!)
  },
  /** Commits to two stores, one number after the other; says each that was acknowledged. */
  async writeForEver(from: number): Promise<void> {
    const { acknowledge } = globalThis as unknown as { acknowledge(n: number): void }
    const ballast = 'x'.repeat(50_000)
    for (let n = from; ; n++) {
      const value = { n, ballast }
      await client.call('write', [
        { collection: 'draft', id: 'n', value },
        { collection: 'setting', id: 'n', value },
      ])
      acknowledge(n)
    }
  },
  /** As base64, to be carried to another profile. */
  async backupFile(opener: Opener): Promise<string> {
    const file = await client.call('backup', [opener])
    return new Uint8Array(await file.arrayBuffer()).toBase64()
  },
  restoreFile: (base64: string, opener: Opener): Promise<unknown> =>
    refusalAsValue(client.call('restore', { file: new Blob([Uint8Array.fromBase64(base64)]), opener })),
  /** Milliseconds for which this page's own thread did nothing else: 0 where no task was longer than 50 ms. */
  longestTask: (): number => Math.max(0, ...longTasks),
  written: 0,
  /** Writes one number after the other, and gives the code with which it ended. */
  async writeUntilRefused(): Promise<string> {
    for (let n = 1; ; n++) {
      const answer = await this.call('write', [{ collection: 'draft', id: 'n', value: { n } }])
      if (answer) return (answer as { refused: string }).refused
      this.written = n
    }
  },
  async unlockWithPasskey(): Promise<OwnerState | null | { refused: string }> {
    const { waysIn } = await client.call('state', null)
    return refusalAsValue(client.unlockWithPasskey(waysIn))
  },
}

function refusalAsValue<T>(answer: Promise<T>): Promise<T | { refused: string }> {
  return answer.catch(error => ({ refused: typeof error.code === 'string' ? error.code : error.name }))
}

;(globalThis as { tested?: typeof tested }).tested = tested
