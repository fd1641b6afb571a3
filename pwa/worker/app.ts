/**
 * A session at work: engine, sync, outbox and what they stand on, from an open vault until it is locked.
 *
 * The session (address, tokens, device) is a record of the vault. Opening reads it, the engine's account and the room entries,
 * nothing else: the room list stands before the server is asked anything. Before anything is written to anybody the server is
 * asked how far this device had come (the witness): a profile that was put back starts new sessions (attack 21).
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { sendEngineRequest } from '../api/engine-request.ts'
import { Http, inPath, type Tokens, v3 } from '../api/http.ts'
import { UploadLimit, uploadFile } from '../api/upload.ts'
import { type Machine, openMachine } from '../e2ee/machine.ts'
import { randomBytes } from '../e2ee/primitives.ts'
import { Media } from '../outbox/media.ts'
import { OutboxQueue } from '../outbox/outbox.ts'
import { type TransferNews, Uploads } from '../outbox/uploads.ts'
import { WaitingFiles } from '../outbox/waiting-files.ts'
import { applySync, sinceRecord } from '../sync/apply-sync.ts'
import { Doubts } from '../sync/doubts.ts'
import { ExternalPeople } from '../sync/external-people.ts'
import { Gathering } from '../sync/gathering.ts'
import { History } from '../sync/history.ts'
import type { Outbox, Search } from '../sync/ports.ts'
import { PresenceNews } from '../sync/presence.ts'
import { ReadMarks } from '../sync/read-marks.ts'
import { Reopening } from '../sync/reopen.ts'
import type { RoomEntry } from '../sync/room-entry.ts'
import { RoomStore } from '../sync/room-store.ts'
import { pollingSource, SyncLoop } from '../sync/sync-loop.ts'
import { Trust } from '../trust/trust.ts'
import type { Vault } from '../vault/vault.ts'
import type { AppNotice, NewSession } from './calls.ts'
import { bytesLeft, savesData } from './device-limits.ts'
import { DirectRooms } from './direct-rooms.ts'
import { OfferedHistory } from './offered-history.ts'
import { isInUse } from './ownership.ts'
import { kicking, Pump } from './pump.ts'
import { stateOf } from './session-calls.ts'

export const sessionRecord = { collection: 'session', id: 'session' } as const
/** Between two witnesses that are published: as many inputs may be taken back unnoticed. */
const witnessEvery = 50
const witnessTimeoutMs = 10_000
const gatheringPauseMs = 300
/** What is gathered unasked leaves so much to what people do. */
const keptFreeBytes = 500 * 1024 * 1024

export interface StoredSession extends Tokens {
  readonly origin: string
  readonly userId: string
  readonly deviceId: string
}

export interface AppDeps {
  readonly vault: Vault
  readonly userId: string
  readonly search: Search
  readonly tell: (notice: AppNotice) => void
  readonly onEngineNotice: (notice: Parameters<Parameters<Machine['onNotice']>[0]>[0]) => void
  /** Everything that is kept of a room. */
  readonly forgetRoom: (roomId: string) => Promise<void>
  readonly onEnded: (why: 'revoked' | 'expired') => void
  /** The vault is older than what this device has sent: it has to be opened again with this as `lastGeneration`. */
  readonly onRolledBack: (generation: number) => void
}

/** What waits to leave, and the files of messages. */
export interface AppOutbox extends Outbox {
  readonly queue: OutboxQueue
  readonly files: WaitingFiles
  readonly media: Media
  readonly uploadLimit: UploadLimit
}

export class App {
  readonly session: StoredSession
  readonly http: Http
  readonly machine: Machine
  readonly pump: Pump
  readonly store: RoomStore
  readonly outbox: AppOutbox
  readonly history: History
  readonly reopening: Reopening
  readonly doubts: Doubts
  readonly gathering: Gathering
  readonly externalPeople: ExternalPeople
  readonly offeredHistory: OfferedHistory
  readonly readMarks: ReadMarks
  readonly presence: PresenceNews
  readonly directRooms: DirectRooms
  readonly loop: SyncLoop
  readonly trust: Trust
  readonly #deps: AppDeps
  /** Rooms that stand still. */
  readonly #frozen = new Set<string>()
  #witnessed = 0
  #isChecked = false
  #checking: Promise<void> | null = null

  private constructor(
    deps: AppDeps,
    parts: Pick<App, 'session' | 'http' | 'machine' | 'pump' | 'store' | 'outbox'> & { since: string | null },
  ) {
    this.#deps = deps
    this.session = parts.session
    this.http = parts.http
    this.machine = parts.machine
    this.pump = parts.pump
    this.store = parts.store
    this.outbox = parts.outbox
    for (const { roomId, frozen } of parts.store.entries) if (frozen) this.#frozen.add(roomId)
    const { search, tell } = deps
    const { http, machine, store, outbox } = parts
    this.trust = new Trust({
      machine,
      http,
      records: deps.vault.records,
      accountData: type => store.accountData(type),
      hasSynced: async () =>
        (await deps.vault.records.get(sinceRecord.collection, sinceRecord.id)) !== undefined,
      flush: async () => {
        await this.ready()
        await this.pump.flush()
      },
      clock: Date.now,
      after: (ms, act) => {
        const timer = setTimeout(act, ms)
        return () => clearTimeout(timer)
      },
      tell: notice => {
        tell(notice)
        if (notice.kind === 'identity') void this.#tellSession()
      },
    })
    this.history = new History({ http, store, machine, search })
    this.reopening = new Reopening({ store, machine, search, tell })
    this.doubts = new Doubts({ store, machine, search, tell })
    this.externalPeople = new ExternalPeople({ store, http, tell })
    this.offeredHistory = new OfferedHistory({ machine, http, pump: parts.pump })
    this.gathering = new Gathering({
      store,
      history: this.history,
      pause: () => new Promise(resolve => setTimeout(resolve, gatheringPauseMs)),
      mayGather: async () => !savesData() && (await bytesLeft()) > keptFreeBytes,
    })
    this.readMarks = new ReadMarks({ store, records: deps.vault.records, http, tell })
    this.presence = new PresenceNews({
      http,
      store,
      isUsed: () => isInUse(deps.userId),
      tell,
      clock: Date.now,
    })
    this.directRooms = new DirectRooms({
      http,
      store,
      userId: deps.userId,
      forgetHere: deps.forgetRoom,
    })
    const polling = pollingSource(http, isFirst => this.presence.toSay(isFirst))
    this.loop = new SyncLoop({
      source: {
        next: async (since, waitMs, signal) => {
          await this.ready()
          return polling.next(since, waitMs, signal)
        },
      },
      since: parts.since,
      apply: async answer => {
        const messages = await applySync(
          { store, machine, outbox, search, tell: this.#tell, clock: Date.now },
          answer,
        )
        this.presence.take(answer.presence)
        void this.trust.receive(messages)
        this.offeredHistory.wake()
        this.trust.synced()
        await this.#publishWitness()
      },
      onConnection: connection => {
        if (connection.state === 'online') {
          this.pump.wake()
          // Before the queue wakes: what was refused as too large may be taken now.
          outbox.uploadLimit.learn().catch(() => {})
          outbox.queue.wake()
          void this.readMarks.flush()
          void this.directRooms.wake()
          this.gathering.wake()
          this.externalPeople.ask()
        }
        if (connection.state === 'offline') this.presence.forget()
        if (connection.state === 'offline' && connection.code === null) outbox.queue.sleep()
        tell({ kind: 'connection', connection })
      },
      clock: Date.now,
      random: Math.random,
    })
    machine.onNotice(notice => {
      deps.onEngineNotice(notice)
      if (notice.kind === 'room-keys') this.reopening.keysCame(notice.roomId, notice.sessionIds)
      if (notice.kind === 'identity-changed') outbox.queue.decided()
      if ('userId' in notice) this.doubts.personChanged(notice.userId)
    })
  }

  /** Null: nobody signed in to this vault. */
  static async open(deps: AppDeps, lastGeneration = 0): Promise<App | null> {
    const { records } = deps.vault
    const stored = await records.get(sessionRecord.collection, sessionRecord.id)
    if (!stored) return null
    const session = stored as unknown as StoredSession
    const http = new Http({
      origin: session.origin,
      tokens: session,
      userId: deps.userId,
      deviceId: session.deviceId,
      keepTokens: tokens =>
        records.commit([{ ...sessionRecord, value: { ...session, ...tokens } as unknown as JsonObject }]),
      onEnded: deps.onEnded,
      clock: Date.now,
    })
    const opened = await openMachine({
      records,
      userId: deps.userId,
      deviceId: session.deviceId,
      clock: Date.now,
      randomBytes,
      lastGeneration,
    })
    let kick = () => {}
    const machine = kicking(opened, () => kick())
    const pump = new Pump({
      machine,
      send: request => sendEngineRequest(http, deps.userId, request),
      random: Math.random,
    })
    pump.hold()
    kick = () => pump.kick()
    let app: App | null = null
    const newId = () => crypto.randomUUID()
    const told = (transfer: TransferNews) => deps.tell({ kind: 'transfer', transfer })
    const freeBytes = deps.vault.isInMemory ? async () => Number.POSITIVE_INFINITY : bytesLeft
    const files = new WaitingFiles({ records, newId, freeBytes })
    const media = new Media({
      records,
      http,
      tell: told,
      freeBytes,
      waiting: async fileId => {
        const file = app?.outbox.queue.file(fileId)
        return file ? await files.blob(file) : null
      },
    })
    const uploadLimit = new UploadLimit(http)
    const queue = await OutboxQueue.open({
      records,
      userId: deps.userId,
      http,
      machine,
      settled: () => pump.flush(),
      files,
      uploads: new Uploads({
        files,
        upload: (content, options) => uploadFile(http, content, options),
        maxUploadBytes: () => uploadLimit.ask(),
        randomBytes,
        tell: told,
        uploaded: (uploaded, file) => media.keepOwn(uploaded, file.size, () => files.blob(file)),
      }),
      changed: roomId => void app?.refreshEntry(roomId),
      isFrozen: roomId => app?.store.entry(roomId)?.frozen != null,
      clock: Date.now,
      random: Math.random,
      newId,
    })
    const outbox: AppOutbox = {
      queue,
      files,
      media,
      uploadLimit,
      queued: roomId => queue.queued(roomId),
      hasDraft: roomId => queue.hasDraft(roomId),
      echoed: txnIds => queue.echoed(txnIds),
    }
    const store = await RoomStore.open(records, deps.userId, outbox)
    const since = (await records.get(sinceRecord.collection, sinceRecord.id))?.['token']
    app = new App(deps, {
      session,
      http,
      machine,
      pump,
      store,
      outbox,
      since: typeof since === 'string' ? since : null,
    })
    for (const roomId of queue.roomIds) await app.refreshEntry(roomId)
    return app
  }

  /** Keeps a new session in an open vault. What the vault has of an earlier session of the same device stays. */
  static async keep(vault: Vault, userId: string, session: NewSession): Promise<void> {
    const { origin, deviceId, accessToken, refreshToken, expiresInMs } = session
    const stored: StoredSession = {
      origin,
      userId,
      deviceId,
      accessToken,
      refreshToken,
      expiresTs: expiresInMs === null ? null : Date.now() + expiresInMs,
    }
    await vault.records.commit([{ ...sessionRecord, value: stored as unknown as JsonObject }])
  }

  start(): void {
    this.loop.start()
    void this.reopening.resume()
  }

  async stop(): Promise<void> {
    this.trust.close()
    this.outbox.media.stop()
    await Promise.all([this.loop.stop(), this.outbox.queue.stop(), this.pump.stop(), this.gathering.stop()])
  }

  /** Drafts and what waits are part of an entry in memory; at rest they have records of their own. */
  async refreshEntry(roomId: string): Promise<void> {
    const { store } = this
    const room = await store.room(roomId)
    if (!room) return
    const entry = store.entryOf(room, store.entry(roomId)?.preview ?? null)
    store.believe({ entries: [entry] })
    // What somebody looks at first.
    this.#deps.tell({ kind: 'timeline', roomId })
    this.#deps.tell({ kind: 'rooms', changed: [entry], gone: [] })
  }

  /** For the trust side, some of what changes at the server is news as well. */
  readonly #tell = (notice: AppNotice): void => {
    this.#deps.tell(notice)
    if (notice.kind === 'rooms') this.#lookForThaw(notice.changed)
    if (notice.kind === 'members') this.externalPeople.ask()
    if (notice.kind === 'account-data') this.trust.accountDataChanged(notice.type)
  }

  /** What waits in a room that stood still leaves when it goes on. */
  #lookForThaw(changed: readonly RoomEntry[]): void {
    for (const { roomId, frozen } of changed) {
      if (frozen) this.#frozen.add(roomId)
      else if (this.#frozen.delete(roomId)) this.outbox.queue.decided()
    }
  }

  /** Whether this device is part of our identity belongs to the session. */
  async #tellSession(): Promise<void> {
    const session = await stateOf(this)
    this.#deps.tell({ kind: 'session', session })
  }

  /** Nothing leaves before this. @throws ApiError where the server cannot be asked */
  async ready(): Promise<void> {
    if (this.#isChecked) return
    this.#checking ??= this.#checkWitness().finally(() => {
      this.#checking = null
    })
    await this.#checking
    this.#isChecked = true
  }

  // ── the witness of how far we have come ──────────────────────────────────────────────────────────

  get #witnessPath(): string {
    const { userId, deviceId } = this.session
    return `${v3}/user/${inPath(userId)}/account_data/${inPath(`org.letro.witness.${deviceId}`)}`
  }

  /** @throws ApiError where the server cannot be asked: then nothing is sent yet */
  async #checkWitness(): Promise<void> {
    const generation = await this.#lastWitness()
    if (generation > this.machine.generation) {
      this.#deps.onRolledBack(generation)
      throw new ApiError('ROLLED_BACK', `this profile was put back to before generation ${generation}`)
    }
    this.pump.release()
    this.outbox.queue.wake()
  }

  async #lastWitness(): Promise<number> {
    try {
      const { witness } = await this.http.request('GET', this.#witnessPath, { timeoutMs: witnessTimeoutMs })
      const generation = typeof witness === 'string' ? this.#deps.vault.generationIn(witness) : 0
      this.#witnessed = generation
      return generation
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return 0
      throw error
    }
  }

  async #publishWitness(): Promise<void> {
    const { generation } = this.machine
    if (generation - this.#witnessed < witnessEvery) return
    this.#witnessed = generation
    try {
      const body = { witness: this.#deps.vault.witness(generation) }
      await this.http.request('PUT', this.#witnessPath, { body, timeoutMs: witnessTimeoutMs })
    } catch (error) {
      // The next one says more; none at all only makes a rollback go unnoticed.
      if (!(error instanceof ApiError)) throw error
    }
  }
}
