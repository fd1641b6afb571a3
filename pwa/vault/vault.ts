/**
 * One account's vault in this browser: made, opened, locked, wiped.
 *
 * While it is locked nothing but its ways in can be read. An open vault belongs to one worker; others ask it.
 */
import { deleteDB } from 'idb'
import { decodeSecret, encodeSecret, equal, hmacSha256, ready, wipe } from '../e2ee/primitives.ts'
import { changeHeader, type Database, openDatabase, readHeader } from './database.ts'
import { VaultError, type VaultWarning } from './errors.ts'
import { MemoryRecords } from './memory-records.ts'
import type { VaultRecords } from './records.ts'
import { SealedRecords } from './sealed-records.ts'
import { type Opener, VaultKey, type Wrap } from './vault-key.ts'

/** A way in, without what is secret about it: what a lock screen offers. */
export type WayIn = { readonly id: string } & (
  | { readonly kind: 'passkey'; readonly credentialId: string }
  | { readonly kind: 'recovery-key' | 'passphrase' }
)

export interface VaultOptions {
  /** One database an account. */
  readonly name: string
  readonly warn: (warning: VaultWarning) => void
}

export class Vault {
  readonly #options: VaultOptions
  readonly #key: VaultKey
  readonly #records: SealedRecords | MemoryRecords
  /** Null on a shared computer. */
  readonly #database: Database | null

  private constructor(
    options: VaultOptions,
    key: VaultKey,
    records: SealedRecords | MemoryRecords,
    database: Database | null,
  ) {
    this.#options = options
    this.#key = key
    this.#records = records
    this.#database = database
  }

  /** Null where this browser has no vault of that name. */
  static async waysIn(options: VaultOptions): Promise<readonly WayIn[] | null> {
    // Asking must not leave an empty database behind: its name is the account's.
    if (!(await indexedDB.databases()).some(({ name }) => name === options.name)) return null
    // The header's secrets are decoded by libsodium, and a page may ask before it is there.
    await ready
    const database = await openDatabase(options.name, options.warn)
    try {
      const header = await readHeader(database)
      return header ? header.wraps.map(wayIn) : null
    } finally {
      database.close()
    }
  }

  /** @throws VaultError VAULT_EXISTS: an existing one is wiped by name, never written over */
  static async create(options: VaultOptions, openers: readonly Opener[]): Promise<Vault> {
    await ready
    if (openers.length === 0) throw new VaultError('LAST_WAY_IN', 'a vault needs a way in')
    const key = VaultKey.create()
    const wraps = openers.map(opener => key.wrap(opener))
    const database = await openDatabase(options.name, options.warn)
    try {
      await changeHeader(database, header => {
        if (header) throw new VaultError('VAULT_EXISTS', 'this browser has a vault of that name already')
        return { version: 1, wraps }
      })
      return new Vault(options, key, new SealedRecords(database, key, options.warn), database)
    } catch (error) {
      database.close()
      key.wipe()
      throw error
    }
  }

  /** @throws VaultError NO_VAULT, WRONG_KEY, NO_SUCH_WAY_IN, HEADER_BROKEN, VAULT_NEWER */
  static async unlock(options: VaultOptions, opener: Opener): Promise<Vault> {
    await ready
    const database = await openDatabase(options.name, options.warn)
    let key: VaultKey | undefined
    try {
      const header = await readHeader(database)
      if (!header) throw new VaultError('NO_VAULT', 'this browser has no vault of that name')
      key = VaultKey.unwrap(header.wraps, opener)
      return new Vault(options, key, new SealedRecords(database, key, options.warn), database)
    } catch (error) {
      database.close()
      key?.wipe()
      throw error
    }
  }

  /** Shared computer: keys and records live as long as the worker, and nothing is written. */
  static async inMemory(options: VaultOptions): Promise<Vault> {
    await ready
    return new Vault(options, VaultKey.create(), new MemoryRecords(), null)
  }

  /** Also a vault that nobody can open any more. Without its wraps the rest is noise, should deleting it fail. */
  static async wipe(options: VaultOptions): Promise<void> {
    const database = await openDatabase(options.name, options.warn)
    await database.clear('header')
    database.close()
    await deleteDB(options.name)
  }

  get records(): VaultRecords {
    return this.#records
  }

  get isInMemory(): boolean {
    return this.#database === null
  }

  /** A new way in; the one of the same kind, or of the same passkey, gives way to it. */
  async setWayIn(opener: Opener): Promise<WayIn> {
    const wrap = this.#key.wrap(opener)
    await changeHeader(this.#onDisk(), header => {
      const others = header!.wraps.filter(
        each =>
          each.kind !== wrap.kind ||
          (each.kind === 'passkey' && wrap.kind === 'passkey' && each.credentialId !== wrap.credentialId),
      )
      return { ...header!, wraps: [...others, wrap] }
    })
    return wayIn(wrap)
  }

  /** @throws VaultError LAST_WAY_IN, NO_SUCH_WAY_IN */
  async removeWayIn(id: string): Promise<void> {
    await changeHeader(this.#onDisk(), header => {
      const wraps = header!.wraps.filter(wrap => wrap.id !== id)
      if (wraps.length === header!.wraps.length)
        throw new VaultError('NO_SUCH_WAY_IN', 'this vault has no such way in')
      if (wraps.length === 0) throw new VaultError('LAST_WAY_IN', 'the last way in cannot be removed')
      return { ...header!, wraps }
    })
  }

  async waysIn(): Promise<readonly WayIn[]> {
    if (!this.#database) return []
    return ((await readHeader(this.#database))?.wraps ?? []).map(wayIn)
  }

  /** The browser gave no more room, and nothing is written. */
  get full(): boolean {
    return this.#records instanceof SealedRecords && this.#records.full
  }

  /** After room was made. False where there is none yet. */
  async resume(): Promise<boolean> {
    return this.#records instanceof SealedRecords ? this.#records.resume() : true
  }

  /**
   * How far the engine has come, for somebody outside to keep: `generation.mac`. Only this vault can make one, so that
   * who keeps it can withhold it but not invent one (attack 21).
   */
  witness(generation: number): string {
    return `${generation}.${encodeSecret(this.#witnessMac(generation))}`
  }

  /** The generation of a witness of ours; 0 where it is none. What is open and has come less far was put back. */
  generationIn(witness: string): number {
    const [generation = '', mac = ''] = witness.split('.')
    if (!/^\d{1,15}$/.test(generation)) return 0
    const isOurs = equal(decodeSecret(mac) ?? new Uint8Array(), this.#witnessMac(Number(generation)))
    return isOurs ? Number(generation) : 0
  }

  /** A copy of what is broken, for somebody decided to go on without it: the record itself is overwritten next. */
  async keepBroken(store: string, id: string): Promise<void> {
    if (this.#records instanceof SealedRecords) await this.#records.keepBroken(store, id)
  }

  /** Forgets the keys and lets the database go. */
  lock(): void {
    this.#records.lock()
    this.#key.wipe()
    this.#database?.close()
  }

  /** Locks, and deletes all of it. */
  async wipe(): Promise<void> {
    this.lock()
    if (this.#database) await Vault.wipe(this.#options)
  }

  #witnessMac(generation: number): Uint8Array {
    const key = this.#key.subkey('witness')
    const mac = hmacSha256(key, String(generation))
    wipe(key)
    return mac
  }

  #onDisk(): Database {
    if (!this.#database)
      throw new VaultError(
        'SHARED_COMPUTER',
        'on a shared computer nothing is kept, so nothing opens it again',
      )
    return this.#database
  }
}

function wayIn(wrap: Wrap): WayIn {
  const { id, kind } = wrap
  return wrap.kind === 'passkey'
    ? { id, kind: 'passkey', credentialId: wrap.credentialId }
    : ({ id, kind } as WayIn)
}
