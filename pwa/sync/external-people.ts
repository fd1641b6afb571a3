/** Guests of our own organisation, as our server tells: asked again when rooms' members change, kept for when it is away. */
import { ApiError } from '../api/api-error.ts'
import type { Http } from '../api/http.ts'
import { VaultError } from '../vault/errors.ts'
import type { SyncNotice } from './ports.ts'
import type { RoomStore } from './room-store.ts'

export interface ExternalPeopleDeps {
  readonly store: RoomStore
  readonly http: Pick<Http, 'request'>
  readonly tell: (notice: SyncNotice) => void
}

const path = '/_letro/client/v1/external_people'
const maxPeople = 10_000

export class ExternalPeople {
  readonly #deps: ExternalPeopleDeps
  #running: Promise<void> | null = null
  #again = false

  constructor(deps: ExternalPeopleDeps) {
    this.#deps = deps
  }

  /** Who they are may have changed. Several words at once are one question, and one more after it. */
  ask(): void {
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  async settled(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false
        const { user_ids: ids } = await this.#deps.http.request('GET', path)
        if (!Array.isArray(ids)) return
        await this.#take(ids.filter(id => typeof id === 'string').slice(0, maxPeople))
      }
    } catch (error) {
      // Another homeserver has no guests, and one that is away says it later; a vault that is locked or full keeps what it had.
      if (!(error instanceof ApiError) && !(error instanceof VaultError)) throw error
    }
  }

  async #take(userIds: readonly string[]): Promise<void> {
    const { store, tell } = this.#deps
    const changed = new Set(userIds).symmetricDifference(store.external)
    if (changed.size === 0) return
    const entries = await store.alone(async () => {
      store.believe({ external: new Set(userIds) })
      const concerned = []
      for (const { roomId, preview } of store.entries) {
        const room = await store.room(roomId)
        if (room && changed.values().some(userId => room.members.has(userId)))
          concerned.push(store.entryOf(room, preview))
      }
      await store.records.commit([
        store.externalWrite(userIds),
        ...concerned.map(entry => store.entryWrite(entry)),
      ])
      store.believe({ entries: concerned })
      return concerned
    })
    if (entries.length > 0) tell({ kind: 'rooms', changed: entries, gone: [] })
    for (const { roomId } of entries) tell({ kind: 'members', roomId })
  }
}
