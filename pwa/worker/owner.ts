/**
 * The one owner of an account in this browser: its vault, and in it its engine.
 *
 * All tabs ask it. What changes the vault's state runs one call after the other. Secrets that come in are wiped as soon
 * as they were used, also when they were wrong. What the engine's calls mean stands in machine.ts.
 */
import type { JsonObject } from '#protocol/json.ts'
import { type Machine, openMachine, type SyncChanges } from '../e2ee/machine.ts'
import type { Notice } from '../e2ee/notices.ts'
import { randomBytes, wipe } from '../e2ee/primitives.ts'
import type { OutgoingRequest } from '../e2ee/requests.ts'
import type { RoomEventResult } from '../e2ee/room-decryption.ts'
import type { Encrypted } from '../e2ee/room-encryption.ts'
import type { RoomChange } from '../e2ee/room-settings.ts'
import type { DeviceMessage } from '../e2ee/to-device.ts'
import { type RestoreProgress, restoreBackup, writeBackup } from '../vault/backup-file.ts'
import { VaultError, type VaultWarning } from '../vault/errors.ts'
import type { VaultWrite } from '../vault/records.ts'
import { type Found, type Message, SearchIndex, type SearchOptions } from '../vault/search-index.ts'
import { Vault, type VaultOptions, type WayIn } from '../vault/vault.ts'
import type { Opener } from '../vault/vault-key.ts'
import type { Calls } from './frames.ts'
import { vaultName } from './ownership.ts'

export type OwnerState = {
  readonly vault: 'none' | 'locked' | 'open'
  /** Whether the engine runs: after `openEngine`, until the vault is locked. */
  readonly engine: boolean
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
  | { readonly kind: 'engine'; readonly notice: Notice }
  | { readonly kind: 'restore'; readonly progress: RestoreProgress }

/** What tabs may read and write by themselves. The engine's collections and the vault's own are not among them. */
export type TabStore = 'draft' | 'outbox' | 'setting' | 'timeline'
const tabStores: ReadonlySet<string> = new Set<TabStore>(['draft', 'outbox', 'setting', 'timeline'])

export interface TabWrite extends VaultWrite {
  readonly collection: TabStore
}

export interface VaultCalls {
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
  /** A person decided to go on without a record that is broken. */
  giveUpRecord(which: { store: string; id: string }): Promise<OwnerState>
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

export interface EngineCalls {
  /** The witness is what somebody outside kept last; see Vault.witness. */
  openEngine(who: { deviceId: string; witness?: string }): Promise<OwnerState>
  witness(argument: null): Promise<string>
  receiveSync(changes: SyncChanges): Promise<DeviceMessage[]>
  receiveAnswer(to: { requestId: string; answer: JsonObject | null }): Promise<void>
  outgoingRequests(argument: null): Promise<OutgoingRequest[]>
  receiveRoom(what: { roomId: string; change: RoomChange }): Promise<void>
  encrypt(event: { roomId: string; type: string; content: JsonObject }): Promise<Encrypted>
  decrypt(batch: { roomId: string; events: readonly JsonObject[] }): Promise<RoomEventResult[]>
}

export type OwnerCalls = VaultCalls & EngineCalls

interface Open {
  readonly vault: Vault
  machine: Machine | null
  /** Opened when it is first asked for. */
  search: Promise<SearchIndex> | null
}

export class Owner {
  readonly #account: string
  readonly #options: VaultOptions
  readonly #tell: (notice: OwnerNotice) => void
  #open: Open | null = null
  #last: Promise<unknown> = Promise.resolve()

  /** The account is a user id. */
  constructor(account: string, tell: (notice: OwnerNotice) => void) {
    this.#account = account
    this.#tell = tell
    this.#options = {
      name: vaultName(account),
      warn: warning => {
        tell({ kind: 'warning', warning })
        // Without its database the vault can keep nothing: better shut than forgetful.
        if (warning.kind === 'closed' && this.#open) void this.calls.lock(null)
      },
    }
  }

  readonly calls: OwnerCalls & Calls = {
    state: () => this.#state(),
    create: openers =>
      this.#change(async () => {
        this.#mustBeShut()
        this.#hold(await using(openers, () => Vault.create(this.#options, openers)))
      }),
    openInMemory: () =>
      this.#change(async () => {
        this.#mustBeShut()
        this.#hold(await Vault.inMemory(this.#options))
      }),
    // A second tab that opens what is open proves its secret and changes nothing.
    unlock: opener =>
      this.#change(async () => {
        const vault = await using([opener], () => Vault.unlock(this.#options, opener))
        if (this.#open) vault.lock()
        else this.#hold(vault)
      }),
    lock: () => this.#change(async () => this.#lock()),
    wipe: () =>
      this.#change(async () => {
        this.#lock()
        await Vault.wipe(this.#options)
      }),
    setWayIn: opener => this.#change(() => using([opener], async () => this.#vault.setWayIn(opener))),
    removeWayIn: id => this.#change(() => this.#vault.removeWayIn(id)),
    resume: () => this.#change(() => this.#vault.resume()),
    giveUpRecord: ({ store, id }) => this.#change(() => this.#vault.giveUpRecord(store, id)),

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

    openEngine: ({ deviceId, witness }) =>
      this.#change(async () => {
        const { vault } = this.#mustBeOpen()
        if (this.#open!.machine) return
        const machine = await openMachine({
          records: vault.records,
          userId: this.#account,
          deviceId,
          clock: Date.now,
          randomBytes,
          lastGeneration: witness === undefined ? 0 : vault.generationIn(witness),
        })
        machine.onNotice(notice => this.#tell({ kind: 'engine', notice }))
        this.#open!.machine = machine
      }),
    witness: async () => this.#vault.witness(this.#machine.generation),
    receiveSync: async changes => this.#machine.receiveSync(changes),
    receiveAnswer: async ({ requestId, answer }) => this.#machine.receiveAnswer(requestId, answer),
    outgoingRequests: async () => this.#machine.outgoingRequests(),
    receiveRoom: async ({ roomId, change }) => this.#machine.receiveRoom(roomId, change),
    encrypt: async ({ roomId, type, content }) => this.#machine.encryptRoomEvent(roomId, type, content),
    decrypt: async ({ roomId, events }) => this.#machine.decryptRoomEvents(roomId, events),
  }

  get #vault(): Vault {
    return this.#mustBeOpen().vault
  }

  get #machine(): Machine {
    const { machine } = this.#mustBeOpen()
    if (!machine) throw new VaultError('ENGINE_NOT_OPEN', 'the engine was not opened yet')
    return machine
  }

  #search(): Promise<SearchIndex> {
    const open = this.#mustBeOpen()
    open.search ??= SearchIndex.open(open.vault.records)
    return open.search
  }

  #mustBeOpen(): Open {
    if (!this.#open) throw new VaultError('VAULT_LOCKED', 'the vault is locked')
    return this.#open
  }

  #mustBeShut(): void {
    if (this.#open) throw new VaultError('VAULT_EXISTS', 'the vault is open')
  }

  #hold(vault: Vault): void {
    this.#open = { vault, machine: null, search: null }
  }

  #lock(): void {
    this.#open?.vault.lock()
    this.#open = null
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
      const { vault, machine } = this.#open
      const { isInMemory: inMemory, full } = vault
      return { vault: 'open', engine: machine !== null, waysIn: await vault.waysIn(), inMemory, full }
    }
    const waysIn = await Vault.waysIn(this.#options)
    const vault = waysIn ? 'locked' : 'none'
    return { vault, engine: false, waysIn: waysIn ?? [], inMemory: false, full: false }
  }
}

function forTabs(store: string): string {
  if (!tabStores.has(store)) throw new VaultError('NO_SUCH_STORE', 'tabs have no store of that name')
  return store
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
