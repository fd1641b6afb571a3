/**
 * Which rooms a person has to do with: one row for each, written in the membership event's own batch.
 *
 * In memory for those who ask often (every sync does); changed copies replace what was handed out, so that nobody
 * sees a map change under their hands.
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import { roomMemberships } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import { Recent } from './recent.ts'
import type { RoomMembership } from './rooms.ts'

type Memberships = ReadonlyMap<RoomId, RoomMembership>

const maxCachedUsers = 2_000

export class MembershipIndex {
  readonly #store: Store
  readonly #cached = new Recent<UserId, Memberships>(maxCachedUsers)
  #reading = new Map<UserId, Promise<Memberships>>()

  constructor(store: Store) {
    this.#store = store
    store.onReset(() => {
      this.#cached.clear()
      this.#reading = new Map()
    })
  }

  async of(userId: UserId): Promise<Memberships> {
    const cached = this.#cached.get(userId)
    if (cached) return cached
    const present = this.#reading.get(userId)
    if (present) return present
    const reading = this.#read(userId)
    this.#reading.set(userId, reading)
    try {
      const memberships = await reading
      // Something changed meanwhile: this was right when it was asked for, but it is not to be kept.
      if (this.#reading.get(userId) === reading) this.#cached.set(userId, memberships)
      return memberships
    } finally {
      if (this.#reading.get(userId) === reading) this.#reading.delete(userId)
    }
  }

  /** A row has become durable. */
  changed(userId: UserId, row: RoomMembership): void {
    this.#reading.delete(userId)
    const cached = this.#cached.get(userId)
    if (cached) this.#cached.set(userId, new Map(cached).set(row.roomId, row))
  }

  async #read(userId: UserId): Promise<Memberships> {
    const rows = await this.#store.read(view => view.range(roomMemberships.under(userId)))
    return new Map(rows.map(({ value }) => [value.roomId, value]))
  }
}
