/**
 * The one owner of an account in this browser: its vault, and in it its engine.
 *
 * All tabs ask it. What changes the vault's state runs one call after the other. Secrets that come in are wiped as soon
 * as they were used, also when they were wrong. What the engine's calls mean stands in machine.ts.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Notice } from '../e2ee/notices.ts'
import { wipe } from '../e2ee/primitives.ts'
import { parseRecoveryKey } from '../e2ee/secret-storage.ts'
import { indexAgain } from '../sync/index-again.ts'
import type { Search } from '../sync/ports.ts'
import { type RestoreProgress, restoreBackup, writeBackup } from '../vault/backup-file.ts'
import { VaultError, type VaultWarning } from '../vault/errors.ts'
import type { VaultWrite } from '../vault/records.ts'
import { type Found, type Message, SearchIndex, type SearchOptions } from '../vault/search-index.ts'
import { Vault, type VaultOptions, type WayIn } from '../vault/vault.ts'
import type { Opener } from '../vault/vault-key.ts'
import { accountCalls } from './account-calls.ts'
import { adminCalls } from './admin-calls.ts'
import { App } from './app.ts'
import type { AppCalls, AppNotice, NewSession } from './calls.ts'
import { damageOf, endDevice, goOnInApp } from './damage.ts'
import { type Damaged, isDevice } from './damaged.ts'
import type { Calls } from './frames.ts'
import { messageCalls } from './message-calls.ts'
import { vaultName } from './ownership.ts'
import { withRecoveryWayIn } from './recovery-way-in.ts'
import { roomActs } from './room-acts.ts'
import { roomReads } from './room-calls.ts'
import { learnWhoWeAre, sessionCalls, stateOf } from './session-calls.ts'
import { trustCalls } from './trust-calls.ts'

export type OwnerState = {
  readonly vault: 'none' | 'locked' | 'open'
  /** Whether somebody is signed in: after `begin`, until the vault is locked. */
  readonly engine: boolean
  /** What a lock screen offers. */
  readonly waysIn: readonly WayIn[]
  /** Nothing is kept: a shared computer. */
  readonly inMemory: boolean
  /** The browser gives no more room: nothing is written. */
  readonly full: boolean
  /** Records that are broken and wait for a person to give them up. */
  readonly damaged: readonly Damaged[]
}

/** What every tab is told. */
export type OwnerNotice =
  | { readonly kind: 'state'; readonly state: OwnerState }
  /** A worker of another release still owns the account: until its tabs are closed nothing is answered. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'warning'; readonly warning: VaultWarning }
  | { readonly kind: 'engine'; readonly notice: Notice }
  | { readonly kind: 'restore'; readonly progress: RestoreProgress }

/** What tabs may read and write by themselves. */
export type TabStore = 'setting' | 'draft'
const tabStores: ReadonlySet<string> = new Set<TabStore>(['setting', 'draft'])

export interface TabWrite extends VaultWrite {
  readonly collection: TabStore
}

/** The recovery key as it was printed: groups of letters and digits. */
export interface RecoveryText {
  readonly kind: 'recovery-text'
  readonly text: string
}

export interface VaultCalls {
  state(argument: null): Promise<OwnerState>
  create(openers: readonly (Opener | RecoveryText)[]): Promise<OwnerState>
  openInMemory(argument: null): Promise<OwnerState>
  unlock(opener: Opener | RecoveryText): Promise<OwnerState>
  lock(argument: null): Promise<OwnerState>
  wipe(argument: null): Promise<OwnerState>
  setWayIn(opener: Opener): Promise<OwnerState>
  removeWayIn(id: string): Promise<OwnerState>
  /** After room was made. */
  resume(argument: null): Promise<OwnerState>
  /** A person decided to go on without a record that is broken. */
  giveUpRecord(which: Damaged): Promise<OwnerState>
  /** In the order of the ids. */
  read(which: { store: TabStore; ids: readonly string[] }): Promise<(JsonObject | undefined)[]>
  list(which: { store: TabStore; prefix?: string }): Promise<[id: string, value: JsonObject][]>
  /** All or none. */
  write(writes: readonly TabWrite[]): Promise<void>
  /** The file, for the page to hand to the person. */
  backup(openers: readonly Opener[]): Promise<Blob>
  restore(from: { file: Blob; opener: Opener }): Promise<{ readonly records: number }>
  index(messages: readonly Message[]): Promise<void>
  /** Edited messages. */
  reindex(messages: readonly Message[]): Promise<void>
  /** Redacted messages, and rooms that were left. */
  unindex(gone: { eventIds?: readonly string[]; roomIds?: readonly string[] }): Promise<void>
  search(query: SearchOptions & { text: string }): Promise<{ found: Found[]; incomplete: boolean }>
}

export type OwnerCalls = VaultCalls & AppCalls

export type Told = OwnerNotice | AppNotice

interface Open {
  readonly vault: Vault
  /** Null: nobody signed in yet. */
  app: App | null
  /** Opened when it is first asked for. */
  search: Promise<SearchIndex> | null
  readonly damaged: Map<string, Damaged>
}

export class Owner {
  readonly #account: string
  readonly #options: VaultOptions
  readonly #tell: (notice: Told) => void
  #open: Open | null = null
  #last: Promise<unknown> = Promise.resolve()

  /** The account is a user id. */
  constructor(account: string, tell: (notice: Told) => void) {
    this.#account = account
    this.#tell = tell
    this.#options = {
      name: vaultName(account),
      warn: warning => {
        tell({ kind: 'warning', warning })
        // Without its database the vault can keep nothing: better shut than forgetful.
        if (warning.kind === 'closed' && this.#open) void this.calls.lock(null)
        const damaged = damageOf(warning)
        if (damaged) this.#noteDamage(damaged)
      },
    }
  }

  readonly calls: OwnerCalls & Calls = {
    state: () => this.#state(),
    create: given =>
      this.#change(async () => {
        this.#mustBeShut()
        const openers = given.map(asOpener)
        await this.#hold(await using(openers, () => Vault.create(this.#options, openers)))
      }),
    openInMemory: () =>
      this.#change(async () => {
        this.#mustBeShut()
        await this.#hold(await Vault.inMemory(this.#options))
      }),
    // A second tab that opens what is open proves its secret and changes nothing.
    unlock: given =>
      this.#change(async () => {
        const opener = asOpener(given)
        const vault = await using([opener], () => Vault.unlock(this.#options, opener))
        if (this.#open) vault.lock()
        else await this.#hold(vault)
      }),
    lock: () => this.#change(() => this.#lock()),
    wipe: () =>
      this.#change(async () => {
        await this.#lock()
        await Vault.wipe(this.#options)
      }),
    setWayIn: opener => this.#change(() => using([opener], async () => this.#vault.setWayIn(opener))),
    removeWayIn: id => this.#change(() => this.#vault.removeWayIn(id)),
    resume: () =>
      this.#change(async () => {
        if (await this.#vault.resume()) this.#open?.app?.outbox.queue.decided()
      }),
    giveUpRecord: which => this.#change(() => this.#giveUp(which)),

    read: async ({ store, ids }) => this.#vault.records.getMany(forTabs(store), ids),
    list: async ({ store, prefix }) => this.#vault.records.entries(forTabs(store), prefix),
    write: async writes => {
      for (const { collection } of writes) forTabs(collection)
      await this.#vault.records.commit(writes)
    },
    backup: openers =>
      using(openers, async () => new Blob(await Array.fromAsync(writeBackup(this.#vault.records, openers)))),
    restore: ({ file, opener }) =>
      using([opener], async () => {
        const onProgress = (progress: RestoreProgress) => this.#tell({ kind: 'restore', progress })
        return restoreBackup(this.#vault.records, file, opener, { onProgress })
      }),
    index: async messages => (await this.#search()).add(messages),
    reindex: async messages => (await this.#search()).replace(messages),
    unindex: async ({ eventIds = [], roomIds = [] }) => {
      const [events, rooms] = [new Set(eventIds), new Set(roomIds)]
      await (await this.#search()).remove((roomId, eventId) => rooms.has(roomId) || events.has(eventId))
    },
    search: async ({ text, ...options }) => {
      const index = await this.#search()
      return { found: index.search(text, options), incomplete: index.incomplete }
    },

    ...sessionCalls({
      app: () => this.#open?.app ?? null,
      begin: session => this.#begin(session),
      wipe: async () => void (await this.calls.wipe(null)),
      tell: notice => this.#tell(notice),
    }),
    ...accountCalls({ http: () => this.#app.http }),
    ...adminCalls(() => this.#app.http),
    ...roomReads(
      () => this.#app,
      () => this.#search(),
    ),
    ...roomActs(
      () => this.#app,
      roomId => this.#forgetRoom(roomId),
    ),
    ...messageCalls(() => this.#app),
    ...withRecoveryWayIn(
      trustCalls(() => this.#app.trust),
      async text => {
        if (this.#vault.isInMemory) return
        await this.calls.setWayIn({ kind: 'recovery-key', recoveryKey: parseRecoveryKey(text) })
      },
    ),
  }

  get #vault(): Vault {
    return this.#mustBeOpen().vault
  }

  get #app(): App {
    const { app } = this.#mustBeOpen()
    if (!app) throw new VaultError('NO_SESSION', 'nobody signed in to this vault yet')
    return app
  }

  #search(): Promise<SearchIndex> {
    const open = this.#mustBeOpen()
    open.search ??= this.#openSearch(open)
    return open.search
  }

  async #openSearch(open: Open): Promise<SearchIndex> {
    const index = await SearchIndex.open(open.vault.records)
    if (index.incomplete || index.isNew) void this.#indexAgain(open, index)
    return index
  }

  /** A crash in between leaves it incomplete, and the next start begins again. */
  async #indexAgain(open: Open, index: SearchIndex): Promise<void> {
    const { app } = open
    if (!app || app.store.entries.length === 0) return
    try {
      await index.setIncomplete(true)
      await indexAgain({ store: app.store, search: this.#searchOf(open) }, () => this.#open !== open)
      if (this.#open === open) await index.setIncomplete(false)
    } catch (error) {
      if (!(error instanceof VaultError)) throw error
    }
  }

  #searchOf(open: Open): Search {
    return {
      commit: async (writes, { index = [], reindex = [], unindex = [] }) => {
        if (index.length + reindex.length + unindex.length === 0) return open.vault.records.commit(writes)
        const gone = new Set(unindex)
        const isGone = (_: string, eventId: string) => gone.has(eventId)
        const change = { add: index, replace: reindex, ...(gone.size > 0 && { isGone }) }
        await (await this.#search()).commit(change, writes)
      },
    }
  }

  #mustBeOpen(): Open {
    if (!this.#open) throw new VaultError('VAULT_LOCKED', 'the vault is locked')
    return this.#open
  }

  #mustBeShut(): void {
    if (this.#open) throw new VaultError('VAULT_EXISTS', 'the vault is open')
  }

  async #hold(vault: Vault): Promise<void> {
    this.#open = { vault, app: null, search: null, damaged: new Map() }
    await this.#openApp(0)
  }

  async #openApp(lastGeneration: number): Promise<void> {
    const open = this.#mustBeOpen()
    open.app = await this.#appOf(open, lastGeneration)
    open.app?.start()
    if (open.app) void learnWhoWeAre(open.app, notice => this.#tell(notice))
  }

  /** Null: nobody signed in, or this device's own keys are damaged and somebody has to decide. */
  async #appOf(open: Open, lastGeneration: number): Promise<App | null> {
    try {
      const app = await App.open(
        {
          vault: open.vault,
          userId: this.#account,
          search: this.#searchOf(open),
          tell: notice => this.#tell(notice),
          onEngineNotice: notice => this.#tell({ kind: 'engine', notice }),
          forgetRoom: roomId => this.#forgetRoom(roomId),
          onEnded: why => void this.#ended(why),
          onRolledBack: generation => void this.#change(() => this.#reopenApp(generation)),
        },
        lastGeneration,
      )
      // Asked now, so that whoever comes in hears at once of damage that is in the way.
      if (app) await stateOf(app).catch(unlessDamaged)
      return app
    } catch (error) {
      return unlessDamaged(error)
    }
  }

  async #reopenApp(lastGeneration: number): Promise<void> {
    await this.#open?.app?.stop()
    if (this.#open) await this.#openApp(lastGeneration)
  }

  #noteDamage(damaged: Damaged): void {
    const open = this.#open
    const name = `${damaged.store} ${damaged.id}`
    if (!open || open.damaged.has(name)) return
    open.damaged.set(name, damaged)
    // Tells every tab.
    void this.#change(async () => {})
  }

  async #giveUp(which: Damaged): Promise<void> {
    const open = this.#mustBeOpen()
    await open.vault.keepBroken(which.store, which.id)
    if (isDevice(which)) {
      await open.app?.stop()
      open.app = null
      await endDevice(open.vault.records, this.#account)
    } else if (open.app) await goOnInApp(open.app, which)
    open.damaged.delete(`${which.store} ${which.id}`)
  }

  async #begin(session: NewSession): Promise<void> {
    await this.#change(async () => {
      const open = this.#mustBeOpen()
      await open.app?.stop()
      await App.keep(open.vault, this.#account, session)
      await this.#openApp(0)
    })
  }

  /** A device that was signed out keeps nothing; a session that only ran out keeps everything. */
  async #ended(why: 'revoked' | 'expired'): Promise<void> {
    if (why === 'revoked') await this.calls.wipe(null)
    this.#tell({ kind: 'session-ended', why })
  }

  async #forgetRoom(roomId: string): Promise<void> {
    const { store, outbox } = this.#app
    await outbox.queue.forgetRoom(roomId)
    await store.alone(async () => {
      const index = await this.#search()
      await index.commit({ isGone: each => each === roomId }, await store.removalOf(roomId))
      store.believe({ gone: [roomId] })
    })
    this.#tell({ kind: 'rooms', changed: [], gone: [roomId] })
  }

  async #lock(): Promise<void> {
    const open = this.#open
    this.#open = null
    await open?.app?.stop()
    open?.vault.lock()
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
    if (this.#open) {
      const { vault, app, damaged } = this.#open
      const { isInMemory: inMemory, full } = vault
      const waysIn = await vault.waysIn()
      return {
        vault: 'open',
        engine: app !== null,
        waysIn,
        inMemory,
        full,
        damaged: [...damaged.values()],
      }
    }
    const waysIn = await Vault.waysIn(this.#options)
    const vault = waysIn ? 'locked' : 'none'
    return { vault, engine: false, waysIn: waysIn ?? [], inMemory: false, full: false, damaged: [] }
  }
}

function asOpener(given: Opener | RecoveryText): Opener {
  return given.kind === 'recovery-text'
    ? { kind: 'recovery-key', recoveryKey: parseRecoveryKey(given.text) }
    : given
}

function forTabs(store: string): string {
  if (!tabStores.has(store)) throw new VaultError('NO_SUCH_STORE', 'tabs have no store of that name')
  return store
}

/** It is told with the state, and waits there for a decision. */
function unlessDamaged(error: unknown): null {
  if (error instanceof VaultError && error.code === 'RECORD_BROKEN') return null
  throw error
}

/** The secrets are gone afterwards, whatever came of it. */
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
