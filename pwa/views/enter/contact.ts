/**
 * The organisation's rule that a device without contact for so many days locks itself (`devices.lock_after_days`).
 *
 * A device that was taken away and kept offline opens nothing after that, whatever its passkey says, until its server was
 * heard: by then the session may have been ended there, and then the vault is wiped. Rule and last contact are
 * kept in the vault, so that they count without the server too. Spec: server/client-api/app-info.ts
 */
import type { EntryPorts } from './ports.ts'

const dayMs = 86_400_000
/** What is newer than this is not written again. */
const writeEveryMs = 3_600_000
const store = 'setting'
const id = 'contact'

export class Contact {
  readonly #ports: Pick<EntryPorts, 'account' | 'server' | 'browser'>
  #writtenTs = 0

  constructor(ports: Pick<EntryPorts, 'account' | 'server' | 'browser'>) {
    this.#ports = ports
  }

  /** For how many days the server was not heard, where that is too long; else 0. */
  async overdueDays(): Promise<number> {
    const { account, browser } = this.#ports
    const [kept] = await account.call('read', { store, ids: [id] })
    const { lastTs, lockAfterDays } = { lastTs: 0, lockAfterDays: 0, ...kept }
    if (typeof lastTs !== 'number' || typeof lockAfterDays !== 'number' || lockAfterDays <= 0) return 0
    if (lastTs === 0) return 0
    const days = Math.floor((browser.now() - lastTs) / dayMs)
    return days >= lockAfterDays ? days : 0
  }

  /** The server answered a sync. */
  async made(lastTs: number): Promise<void> {
    if (lastTs - this.#writtenTs < writeEveryMs) return
    const { account, server } = this.#ports
    const days = await server.lockAfterDays()
    if (account.ownerState()?.vault !== 'open') return
    const [kept] = await account.call('read', { store, ids: [id] })
    const lockAfterDays = days ?? Number(kept?.['lockAfterDays'] ?? 0)
    await account.call('write', [{ collection: store, id, value: { lastTs, lockAfterDays } }])
    this.#writtenTs = lastTs
  }
}
