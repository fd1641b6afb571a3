/**
 * A room state in memory, in layers: what is durable; over it what was accepted and waits for the disk; over
 * that what one transaction is about to add. A layer holds only what it changes.
 */
import { type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import type { Membership } from './rooms.ts'
import type { StoredEvent } from './stored-event.ts'

export interface StateChange {
  readonly type: string
  readonly stateKey: string
  /** null: the state has none any more. */
  readonly event: StoredEvent | null
}

export type MemberCounts = Record<Membership, number>

export class StateLayer {
  readonly #base: StateLayer | null
  readonly #own = new Map<string, Map<string, StoredEvent | null>>()
  readonly counts: MemberCounts
  /** Joined members by server; no server with none. */
  readonly servers: Map<ServerName, number>

  constructor(base: StateLayer | null) {
    this.#base = base
    this.counts = base ? { ...base.counts } : { join: 0, invite: 0, knock: 0, leave: 0, ban: 0 }
    this.servers = new Map(base?.servers)
  }

  get(type: string, stateKey: string): StoredEvent | undefined {
    const own = this.#own.get(type)?.get(stateKey)
    if (own !== undefined) return own ?? undefined
    return this.#base?.get(type, stateKey)
  }

  set({ type, stateKey, event }: StateChange): void {
    if (type === 'm.room.member') {
      this.#count(this.get(type, stateKey), -1)
      this.#count(event ?? undefined, 1)
    }
    const ofType = this.#own.get(type)
    if (this.#base === null && event === null) ofType?.delete(stateKey)
    else if (ofType) ofType.set(stateKey, event)
    else this.#own.set(type, new Map([[stateKey, event]]))
  }

  /** The layer below has this change now. */
  settle({ type, stateKey, event }: StateChange): void {
    const ofType = this.#own.get(type)
    if (ofType?.get(stateKey) !== event) return
    ofType.delete(stateKey)
    if (ofType.size === 0) this.#own.delete(type)
  }

  /** Puts another copy of an event where this one stands: nothing changes but what is shown of it. */
  swap(copy: StoredEvent): void {
    const ofType = this.#own.get(copy.type)
    if (copy.stateKey === undefined || ofType?.get(copy.stateKey)?.eventId !== copy.eventId) return
    ofType.set(copy.stateKey, copy)
  }

  *ofType(type: string): Generator<StoredEvent> {
    const own = this.#own.get(type)
    if (own) for (const event of own.values()) if (event) yield event
    if (!this.#base) return
    for (const event of this.#base.ofType(type)) if (!own?.has(event.stateKey!)) yield event
  }

  *all(): Generator<StoredEvent> {
    for (const type of this.types()) yield* this.ofType(type)
  }

  types(): Set<string> {
    const types = this.#base ? this.#base.types() : new Set<string>()
    for (const type of this.#own.keys()) types.add(type)
    return types
  }

  /** How many events this layer itself holds. */
  size(): number {
    let size = 0
    for (const ofType of this.#own.values()) size += ofType.size
    return size
  }

  #count(event: StoredEvent | undefined, by: 1 | -1): void {
    const membership = event?.content['membership']
    if (!isMembership(membership)) return
    this.counts[membership] += by
    if (membership !== 'join') return
    const server = serverOf(event!.stateKey as UserId)
    const joined = (this.servers.get(server) ?? 0) + by
    if (joined === 0) this.servers.delete(server)
    else this.servers.set(server, joined)
  }
}

export function isMembership(value: unknown): value is Membership {
  return value === 'join' || value === 'invite' || value === 'knock' || value === 'leave' || value === 'ban'
}
