/**
 * Who is there, as far as the server tells; and what we let it tell of us. In memory alone: it is old soon.
 *
 * Where the server has presence off nothing is asked, shown or said. Until it is known whether it is on, and whether this person
 * wants to be seen, our device says that it does not. Spec: client-server-api#presence
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { type Http, inPath, v3 } from '../api/http.ts'
import type { SyncNotice } from './ports.ts'
import type { RoomStore } from './room-store.ts'
import type { PresenceUpdate } from './sync-answer.ts'

export interface PersonPresence {
  readonly isOnline: boolean
  /** By our clock; null: the server does not say. */
  readonly lastActiveTs: number | null
}

export type SaidPresence = 'online' | 'unavailable' | 'offline'

export interface PresenceDeps {
  readonly http: Pick<Http, 'request'>
  readonly store: Pick<RoomStore, 'accountData' | 'ourUserId'>
  /** Is a person at one of the tabs? */
  readonly isUsed: () => Promise<boolean>
  readonly tell: (notice: SyncNotice) => void
  readonly clock: () => number
}

const appInfo = '/_letro/client/v1/app'
const learnTimeoutMs = 10_000

export class PresenceNews {
  readonly #deps: PresenceDeps
  /** Null: not known yet. */
  #isOn: boolean | null = null
  /** Null: the server told nothing of them. */
  readonly #people = new Map<string, PersonPresence | null>()
  #said: SaidPresence | null = null

  constructor(deps: PresenceDeps) {
    this.#deps = deps
  }

  /** What the next sync says of us; null: nothing, for the server would not listen. `isFirst`: what the person chose is not here yet. */
  async toSay(isFirst: boolean): Promise<SaidPresence | null> {
    if (this.#isOn === null) await this.#learn()
    this.#said = this.#isOn === false ? null : await this.#wanted(isFirst)
    return this.#said
  }

  /** Is what was said last not so any more? */
  async isOutdated(): Promise<boolean> {
    return this.#isOn === true && this.#said !== null && this.#said !== (await this.#wanted(false))
  }

  take(updates: readonly PresenceUpdate[]): void {
    if (updates.length === 0 || this.#isOn !== true) return
    for (const { userId, content } of updates) this.#people.set(userId, personOf(content, this.#deps.clock()))
    this.#deps.tell({ kind: 'presence', userIds: updates.map(({ userId }) => userId) })
  }

  /** Null: there is nothing to show. */
  async of(userId: string): Promise<PersonPresence | null> {
    if (this.#isOn !== true) return null
    const known = this.#people.get(userId)
    if (known !== undefined) return known
    const asked = await this.#ask(userId)
    // Meanwhile a sync may have told it.
    const now = this.#people.get(userId) ?? asked
    this.#people.set(userId, now)
    return now
  }

  /** The server is away: what it told may be old when it is back, and another may be at work then. */
  forget(): void {
    const userIds = [...this.#people.keys()]
    this.#isOn = null
    this.#people.clear()
    if (userIds.length > 0) this.#deps.tell({ kind: 'presence', userIds })
  }

  async #wanted(isFirst: boolean): Promise<SaidPresence> {
    const { store, isUsed } = this.#deps
    const isHidden = store.accountData('org.letro.privacy')?.['hide_presence'] === true
    if (isFirst || isHidden || this.#isOn === null) return 'offline'
    return (await isUsed()) ? 'online' : 'unavailable'
  }

  async #learn(): Promise<void> {
    try {
      const { presence } = await this.#deps.http.request('GET', appInfo, { timeoutMs: learnTimeoutMs })
      this.#isOn = isObject(presence) && presence['enabled'] === true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // Another homeserver does not say; one that is away says it later.
      if (error.status === 404) this.#isOn = false
    }
  }

  async #ask(userId: string): Promise<PersonPresence | null> {
    try {
      const answer = await this.#deps.http.request('GET', `${v3}/presence/${inPath(userId)}/status`)
      return personOf(answer, this.#deps.clock())
    } catch (error) {
      if (error instanceof ApiError && (error.status === 404 || error.status === 403)) return null
      throw error
    }
  }
}

/** Null: nothing that could be shown. */
function personOf(content: JsonObject, now: number): PersonPresence | null {
  const { presence, last_active_ago: ago } = content
  if (presence !== 'online' && presence !== 'unavailable' && presence !== 'offline') return null
  const isAgo = typeof ago === 'number' && ago >= 0 && ago <= now
  return { isOnline: presence === 'online', lastActiveTs: isAgo ? now - ago : null }
}
