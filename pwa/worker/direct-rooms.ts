/**
 * A conversation with a person is a room and its invitation as one act: where nobody could be invited, nothing stays behind.
 *
 * A room that waits for its invitation is a record of the vault until it is one or gone again, so that a server which goes away
 * half-way, or a browser that is closed, leaves no empty room either: it is looked at when the server is back.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { ApiError, isPassing } from '../api/api-error.ts'
import { type Http, inPath, v3 } from '../api/http.ts'
import type { RoomStore } from '../sync/room-store.ts'
import { VaultError } from '../vault/errors.ts'

const record = { collection: 'session', id: 'half-made' } as const
const syncTimeoutMs = 10_000
const lookMs = 100
const lookAgainMs = 15_000

export interface DirectRoomsDeps {
  readonly http: Pick<Http, 'request'>
  readonly store: RoomStore
  readonly userId: string
  /** Everything that is kept of a room. */
  readonly forgetHere: (roomId: string) => Promise<void>
}

interface HalfMade extends JsonObject {
  readonly userIds: string[]
  /** All of them; what is left is that the room is known as theirs. */
  readonly isInvited: boolean
}

export class DirectRooms {
  readonly #deps: DirectRoomsDeps
  /** What is under way now is nobody else's to tidy. */
  readonly #underWay = new Set<string>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(deps: DirectRoomsDeps) {
    this.#deps = deps
  }

  /** @throws VaultError NOT_INVITED: refused, the room is gone; NOT_INVITED_YET: unclear, it is seen to later */
  async finish(roomId: string, userIds: readonly string[], invite: () => Promise<void>): Promise<void> {
    const made: HalfMade = { userIds: [...userIds], isInvited: false }
    this.#underWay.add(roomId)
    try {
      await this.#keep(roomId, made)
      await invite()
      await this.#keep(roomId, { ...made, isInvited: true })
      await this.#settle(roomId, userIds)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (isPassing(error)) {
        // By then a sync says whether it went through after all. Where none comes, the next one that comes has it looked at.
        setTimeout(() => void this.wake(), lookAgainMs)
        throw new VaultError('NOT_INVITED_YET', error.message)
      }
      void this.#undo(roomId).catch(passOver)
      throw new VaultError('NOT_INVITED', error.message)
    } finally {
      this.#underWay.delete(roomId)
    }
  }

  /** The server is back, and what it has to say of our rooms is here. */
  async wake(): Promise<void> {
    try {
      for (const [roomId, made] of Object.entries(await this.#read())) {
        const room = await this.#deps.store.room(roomId)
        if (!room || this.#underWay.has(roomId)) continue
        const others = [...room.members].filter(
          ([userId, { membership }]) =>
            userId !== this.#deps.userId && (membership === 'invite' || membership === 'join'),
        )
        if (made.isInvited || others.length > 0) await this.#settle(roomId, made.userIds)
        else await this.#undo(roomId)
      }
    } catch (error) {
      passOver(error)
    }
  }

  /** Whose conversation a room is. Spec: client-server-api#direct-messaging */
  async setDirect(roomId: string, userIds: readonly string[]): Promise<void> {
    const { http, store, userId: ours } = this.#deps
    const direct: Record<string, string[]> = {}
    for (const [userId, roomIds] of Object.entries(store.accountData('m.direct') ?? {})) {
      const others = (Array.isArray(roomIds) ? roomIds : []).filter(
        id => typeof id === 'string' && id !== roomId,
      )
      if (others.length > 0) direct[userId] = others as string[]
    }
    for (const userId of userIds) direct[userId] = [...(direct[userId] ?? []), roomId]
    await http.request('PUT', `${v3}/user/${inPath(ours)}/account_data/m.direct`, { body: direct })
  }

  async #settle(roomId: string, userIds: readonly string[]): Promise<void> {
    await this.setDirect(roomId, userIds)
    await this.#keep(roomId, null)
  }

  /** A sync that is on its way may still bring it: it is forgotten only after one has said that we left. */
  async #undo(roomId: string): Promise<void> {
    const { http, store, forgetHere } = this.#deps
    const path = `${v3}/rooms/${inPath(roomId)}`
    await unlessRefused(http.request('POST', `${path}/leave`, { body: {} }))
    for (let waited = 0; waited < syncTimeoutMs; waited += lookMs) {
      if (store.entry(roomId)?.membership === 'leave') break
      await new Promise(resolve => setTimeout(resolve, lookMs))
    }
    await unlessRefused(http.request('POST', `${path}/forget`, { body: {} }))
    await forgetHere(roomId)
    await this.#keep(roomId, null)
  }

  /** Null: nothing is left to do. */
  #keep(roomId: string, made: HalfMade | null): Promise<void> {
    const done = this.#turn.then(async () => {
      const { [roomId]: _, ...others } = await this.#read()
      const value: JsonObject = made ? { ...others, [roomId]: made } : others
      const isEmpty = Object.keys(value).length === 0
      await this.#deps.store.records.commit([{ ...record, value: isEmpty ? null : value }])
    })
    this.#turn = done.catch(() => {})
    return done
  }

  async #read(): Promise<Record<string, HalfMade>> {
    const stored = (await this.#deps.store.records.get(record.collection, record.id)) ?? {}
    return Object.fromEntries(Object.entries(stored).filter(([, made]) => isObject(made))) as Record<
      string,
      HalfMade
    >
  }
}

/** Away, or locked meanwhile: the next time that the server is back does it. */
function passOver(error: unknown): void {
  if (!(error instanceof ApiError || error instanceof VaultError)) throw error
}

/** Left or forgotten already. */
async function unlessRefused(request: Promise<unknown>): Promise<void> {
  try {
    await request
  } catch (error) {
    if (!(error instanceof ApiError) || isPassing(error)) throw error
  }
}
