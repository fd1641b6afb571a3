/**
 * The one owner of an account in this browser: its vault and, later in the call table, its engine.
 *
 * All tabs ask it. What changes the vault's state runs one call after the other. Secrets that come in are wiped as soon
 * as they were used, also when they were wrong.
 */
import type { JsonObject } from '#protocol/json.ts'
import { wipe } from '../e2ee/primitives.ts'
import { VaultError, type VaultWarning } from '../vault/errors.ts'
import type { VaultWrite } from '../vault/records.ts'
import { Vault, type VaultOptions, type WayIn } from '../vault/vault.ts'
import type { Opener } from '../vault/vault-key.ts'
import type { Calls } from './frames.ts'

export type OwnerState = {
  readonly vault: 'none' | 'locked' | 'open'
  /** What a lock screen offers. */
  readonly waysIn: readonly WayIn[]
  /** Nothing is kept: a shared computer. */
  readonly inMemory: boolean
  /** The browser gives no more room: nothing is written. */
  readonly full: boolean
}

/** What every tab is told. */
export type OwnerNotice =
  | { readonly kind: 'state'; readonly state: OwnerState }
  /** A worker of another release still owns the account: until its tabs are closed nothing is answered. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'warning'; readonly warning: VaultWarning }

/** What tabs may read and write by themselves. The engine's collections and the vault's own are not among them. */
export type TabStore = 'draft' | 'outbox' | 'setting' | 'timeline'
const tabStores: ReadonlySet<string> = new Set<TabStore>(['draft', 'outbox', 'setting', 'timeline'])

export interface TabWrite extends VaultWrite {
  readonly collection: TabStore
}

/** The vault's calls. */
export interface OwnerCalls {
  state(argument: null): Promise<OwnerState>
  create(openers: readonly Opener[]): Promise<OwnerState>
  openInMemory(argument: null): Promise<OwnerState>
  unlock(opener: Opener): Promise<OwnerState>
  lock(argument: null): Promise<OwnerState>
  wipe(argument: null): Promise<OwnerState>
  setWayIn(opener: Opener): Promise<OwnerState>
  removeWayIn(id: string): Promise<OwnerState>
  /** After room was made. */
  resume(argument: null): Promise<OwnerState>
  /** In the order of the ids. */
  read(which: { store: TabStore; ids: readonly string[] }): Promise<(JsonObject | undefined)[]>
  list(which: { store: TabStore; prefix?: string }): Promise<[id: string, value: JsonObject][]>
  /** All or none. */
  write(writes: readonly TabWrite[]): Promise<void>
}

export class Owner {
  readonly #options: VaultOptions
  readonly #tell: (notice: OwnerNotice) => void
  #vault: Vault | null = null
  #last: Promise<unknown> = Promise.resolve()

  constructor(name: string, tell: (notice: OwnerNotice) => void) {
    this.#tell = tell
    this.#options = {
      name,
      warn: warning => {
        tell({ kind: 'warning', warning })
        // Without its database the vault can keep nothing: better shut than forgetful.
        if (warning.kind === 'closed' && this.#vault) void this.calls.lock(null)
      },
    }
  }

  readonly calls: OwnerCalls & Calls = {
    state: () => this.#state(),
    create: openers =>
      this.#change(async () => {
        if (this.#vault) throw new VaultError('VAULT_EXISTS', 'the vault is open')
        this.#vault = await using(openers, () => Vault.create(this.#options, openers))
      }),
    openInMemory: () =>
      this.#change(async () => {
        if (this.#vault) throw new VaultError('VAULT_EXISTS', 'the vault is open')
        this.#vault = await Vault.inMemory(this.#options)
      }),
    // A second tab that opens what is open proves its secret and changes nothing.
    unlock: opener =>
      this.#change(async () => {
        const vault = await using([opener], () => Vault.unlock(this.#options, opener))
        if (this.#vault) vault.lock()
        else this.#vault = vault
      }),
    lock: () => this.#change(async () => this.#lock()),
    wipe: () =>
      this.#change(async () => {
        this.#lock()
        await Vault.wipe(this.#options)
      }),
    setWayIn: opener => this.#change(() => using([opener], () => this.#open().setWayIn(opener))),
    removeWayIn: id => this.#change(() => this.#open().removeWayIn(id)),
    resume: () => this.#change(() => this.#open().resume()),
    read: async ({ store, ids }) => this.#open().records.getMany(forTabs(store), ids),
    list: async ({ store, prefix }) => this.#open().records.entries(forTabs(store), prefix),
    write: async writes => {
      for (const { collection } of writes) forTabs(collection)
      await this.#open().records.commit(writes)
    },
  }

  #open(): Vault {
    if (!this.#vault) throw new VaultError('VAULT_LOCKED', 'the vault is locked')
    return this.#vault
  }

  #lock(): void {
    this.#vault?.lock()
    this.#vault = null
  }

  /** One after the other; every tab hears of it. */
  #change(act: () => Promise<unknown>): Promise<OwnerState> {
    const done = this.#last.then(async () => {
      await act()
      const state = await this.#state()
      this.#tell({ kind: 'state', state })
      return state
    })
    this.#last = done.catch(() => {})
    return done
  }

  async #state(): Promise<OwnerState> {
    if (this.#vault) {
      const { isInMemory: inMemory, full } = this.#vault
      return { vault: 'open', waysIn: await this.#vault.waysIn(), inMemory, full }
    }
    const waysIn = await Vault.waysIn(this.#options)
    return { vault: waysIn ? 'locked' : 'none', waysIn: waysIn ?? [], inMemory: false, full: false }
  }
}

function forTabs(store: string): string {
  if (!tabStores.has(store)) throw new VaultError('NO_SUCH_STORE', 'tabs have no store of that name')
  return store
}

async function using<T>(openers: readonly Opener[], act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } finally {
    for (const opener of openers) {
      if (opener.kind === 'passkey') wipe(opener.prfOutput)
      if (opener.kind === 'recovery-key') wipe(opener.recoveryKey)
    }
  }
}
