/**
 * The rooms in memory: loads an actor when somebody asks, drops those that nobody uses, and moves them forward
 * as commits become durable.
 *
 * What is pending stands in one queue in the order of positions. A commit settles the front of the queue; a failed
 * write drops queue and actors together, and everything is read again from what the store then holds.
 */
import type { Peers } from '../peers/peer.ts'
import type { RoomId } from '../protocol/ids.ts'
import type { Position, Store } from '../store/store.ts'
import type { EventReader } from './event-reader.ts'
import { loadRoom, type RoomActor } from './room-actor.ts'

const idleMs = 30 * 60_000

interface Pending {
  /** The last position of its transaction. */
  readonly position: Position
  readonly actor: RoomActor | null
  settle(): void
}

export class RoomActors {
  readonly #store: Store
  readonly #reader: EventReader
  readonly #clock: () => number
  readonly #maxLoadedState: number
  readonly #peers: Peers | null
  /** Least recently used first. */
  #actors = new Map<RoomId, RoomActor>()
  #loading = new Map<RoomId, Promise<RoomActor | null>>()
  #pending: Pending[] = []
  /** Entries of `#pending` before this one are settled. */
  #next = 0
  /** Raised at each reset: what was read before is not to be kept. */
  #generation = 0
  #weight = 0
  #standstillFound: (roomId: RoomId) => void = () => {}

  /** `maxLoadedState`: of all rooms in memory together, the one in use not counted. */
  constructor(
    store: Store,
    reader: EventReader,
    clock: () => number,
    maxLoadedState: number,
    peers: Peers | null = null,
  ) {
    this.#peers = peers
    this.#store = store
    this.#reader = reader
    this.#clock = clock
    this.#maxLoadedState = maxLoadedState
    store.onReset(() => this.#reset())
    store.onDurable(({ durablePosition }) => this.#settle(durablePosition))
  }

  /** A room that was loaded stands still, or does not, otherwise than its row says. */
  onStandstillFound(listener: (roomId: RoomId) => void): void {
    this.#standstillFound = listener
  }

  /** The actor if it is in memory: what was asked for last is. */
  loaded(roomId: RoomId): RoomActor | undefined {
    const actor = this.#actors.get(roomId)
    if (actor) actor.usedAt = this.#clock()
    return actor
  }

  /** null: there is no such room. */
  async get(roomId: RoomId): Promise<RoomActor | null> {
    const actor = this.loaded(roomId)
    if (actor) return actor
    let loading = this.#loading.get(roomId)
    if (!loading) {
      loading = this.#load(roomId)
      this.#loading.set(roomId, loading)
      const done = () => {
        if (this.#loading.get(roomId) === loading) this.#loading.delete(roomId)
      }
      loading.then(done, done)
    }
    return loading
  }

  /**
   * The actor for a writer, who says `release` when done: until then it stays, since a second actor of one room
   * would not know what the first has queued.
   */
  async hold(roomId: RoomId): Promise<RoomActor | null> {
    for (;;) {
      const actor = this.loaded(roomId) ?? (await this.get(roomId))
      if (!actor) return null
      // It may have been dropped for lack of room before this line was reached.
      if (this.#actors.get(roomId) !== actor) continue
      actor.writers++
      return actor
    }
  }

  release(actor: RoomActor): void {
    actor.writers--
  }

  /** A room that is being made: called when its first transaction is queued. */
  add(actor: RoomActor): void {
    actor.usedAt = this.#clock()
    this.#actors.set(actor.roomId, actor)
  }

  /** Called when a transaction is queued; `settle` runs once all up to `position` is durable. null: of a room that is not here. */
  queued(actor: RoomActor | null, position: Position, settle: () => void): void {
    if (actor) actor.pending++
    this.#pending.push({ actor, position, settle })
  }

  async #load(roomId: RoomId): Promise<RoomActor | null> {
    for (;;) {
      const generation = this.#generation
      // Nobody writes to a room that is not loaded, so a room does not change while it is read.
      const means = { reader: this.#reader, peers: this.#peers, clock: this.#clock }
      const actor = await this.#store.read(view => loadRoom(view, means, roomId))
      if (generation !== this.#generation) continue
      // Created meanwhile: the one in memory is ahead.
      const present = this.#actors.get(roomId)
      if (present) return present
      if (actor) {
        this.add(actor)
        this.#weight += actor.weight()
        this.#makeRoom(actor)
        if (actor.isStandstillNews) this.#standstillFound(roomId)
      }
      return actor
    }
  }

  #settle(durablePosition: Position): void {
    while (this.#next < this.#pending.length && this.#pending[this.#next]!.position <= durablePosition) {
      const { actor, settle } = this.#pending[this.#next++]!
      if (actor) actor.pending--
      settle()
    }
    if (this.#next === this.#pending.length) {
      this.#pending = []
      this.#next = 0
    } else if (this.#next > 1000) {
      this.#pending = this.#pending.slice(this.#next)
      this.#next = 0
    }
  }

  /** Drops the rooms that were not used for longest, until what is in memory is within bounds. */
  #makeRoom(inUse: RoomActor): void {
    const idleSince = this.#clock() - idleMs
    const isOver = (): boolean => this.#weight > this.#maxLoadedState
    if (!isOver() && this.#actors.size % 64 !== 0) return
    this.#weight = 0
    for (const actor of this.#actors.values()) this.#weight += actor.weight()
    const oldestFirst = [...this.#actors.values()].sort((a, b) => a.usedAt - b.usedAt)
    for (const actor of oldestFirst) {
      if (!isOver() && actor.usedAt >= idleSince) return
      if (actor === inUse || actor.pending > 0 || actor.writers > 0) continue
      this.#actors.delete(actor.roomId)
      this.#weight -= actor.weight()
    }
  }

  #reset(): void {
    this.#generation++
    this.#actors = new Map()
    this.#loading = new Map()
    this.#pending = []
    this.#next = 0
    this.#weight = 0
    this.#reader.clear()
  }
}
