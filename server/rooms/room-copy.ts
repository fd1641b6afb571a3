/**
 * A room's state and auth chain as another server told them, checked event by event: form, signatures, hashes, and
 * each against the auth events that it names.
 *
 * The answer is a stranger's graph of any shape. Nothing here recurses; each event and each edge is looked at once,
 * so that a cycle or a chain of 100,000 costs what its length does (CVE-2024-31208). What does not hold is left out,
 * and so is what stands on it; one bad event never spoils the rest.
 *
 * Spec: server-server-api#checks-performed-on-receipt-of-a-pdu (1–4)
 */
import type { Pdu } from '../protocol/event.ts'
import { requiredSigners } from '../protocol/event-signing.ts'
import { createEventIdOf, type EventId, type RoomId, type ServerName } from '../protocol/ids.ts'
import { type Json, memberOf } from '../protocol/json.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { canonicalContent } from './build-event.ts'
import { writeEventRows } from './event-rows.ts'
import { stateKeyOf } from './graph-event.ts'
import {
  type Incoming,
  incomingOf,
  judgeByAuthEvents,
  parseReceived,
  storedEventOf,
} from './incoming-event.ts'
import type { RoomsContext } from './rooms-context.ts'
import { noFlags, type StoredEvent } from './stored-event.ts'

/** Events that are hashed and checked before the event loop goes on. */
const sliceSize = 50
/** Events that one transaction writes. */
const writeSize = 250

export class RoomCopyError extends Error {
  override readonly name = 'RoomCopyError'
}

export interface Stranger {
  readonly eventId: EventId
  readonly server: ServerName
  readonly event: Pdu
}

export class RoomCopy {
  readonly #context: RoomsContext
  readonly #roomId: RoomId
  readonly #rules: RoomRules
  /** Those that came and hold, and those that were here. */
  readonly #events = new Map<EventId, StoredEvent>()
  /** Events that bear the name of a server whose keys we do not have. */
  readonly strangers: Stranger[] = []

  constructor(context: RoomsContext, roomId: RoomId, rules: RoomRules) {
    this.#context = context
    this.#roomId = roomId
    this.#rules = rules
  }

  event(eventId: EventId): StoredEvent | undefined {
    return this.#events.get(eventId)
  }

  /**
   * Checks them and keeps what holds as outliers, in batches: a crash leaves some of them, which nothing refers to.
   * Answers with their ids; null for what is no event.
   */
  async take(events: readonly Json[]): Promise<(EventId | null)[]> {
    const ids: (EventId | null)[] = []
    const fresh: Incoming[] = []
    for (let i = 0; i < events.length; i += sliceSize) {
      const parsed = events.slice(i, i + sliceSize).map(json => parseReceived(json, this.#rules))
      const received = parsed.flatMap(pdu =>
        'refused' in pdu ? [] : [{ pdu, incoming: incomingOf(pdu, this.#rules) }],
      )
      let next = 0
      for (const pdu of parsed) ids.push('refused' in pdu ? null : received[next++]!.incoming.eventId)
      fresh.push(...(await this.#check(received)))
      await new Promise(resolve => setImmediate(resolve))
    }
    await this.#loadAuthEvents(fresh)
    await this.#keep(this.#judge(fresh))
    return ids
  }

  /** The state that these events are; what does not hold is not in it. */
  stateOf(ids: readonly (EventId | null)[]): Map<string, StoredEvent> {
    const state = new Map<string, StoredEvent>()
    for (const id of ids) {
      const event = id === null ? undefined : this.#events.get(id)
      if (!event || event.rejected || event.stateKey === undefined) continue
      const key = stateKeyOf(event.type, event.stateKey)
      if (state.has(key) && state.get(key) !== event) {
        throw new RoomCopyError('the state has two events in one place')
      }
      state.set(key, event)
    }
    const create = state.get(stateKeyOf('m.room.create', ''))
    if (!create) throw new RoomCopyError('the state has no create event that holds')
    // Spec: client-server-api#mroomcreate: no version said means 1.
    if ((memberOf(create.content, 'room_version') ?? '1') !== this.#rules.version) {
      throw new RoomCopyError('the create event has another room version')
    }
    return state
  }

  async #check(received: readonly { readonly pdu: Pdu; readonly incoming: Incoming }[]): Promise<Incoming[]> {
    const { store, reader, checkSignatures, peers } = this.#context
    const ids = received.map(({ incoming }) => incoming.eventId)
    const known = await store.read(view => reader.byIds(view, ids))
    for (const event of known) if (event) this.#remember(event)
    const checked = await Promise.all(
      received.map(async ({ pdu, incoming }) => {
        const { eventId } = incoming
        if (incoming.roomId !== this.#roomId || this.#events.has(eventId)) return null
        const server = peers && requiredSigners(pdu).find(signer => !peers.isKnown(signer))
        if (server) {
          this.strangers.push({ eventId, server, event: pdu })
          return null
        }
        return (await checkSignatures(pdu, this.#rules)) ? incoming : null
      }),
    )
    return checked.filter(event => event !== null)
  }

  /** Those that are here already: the rest of a chain of which only the newest part came. */
  async #loadAuthEvents(fresh: readonly Incoming[]): Promise<void> {
    const { store, reader } = this.#context
    const coming = new Set(fresh.map(({ eventId }) => eventId))
    const wanted = new Set<EventId>()
    // Listed by none in version 12, and needed by all.
    if (this.#rules.roomIdIsCreateEventHash) wanted.add(createEventIdOf(this.#roomId))
    for (const { pdu } of fresh) {
      for (const id of pdu.auth_events) if (!coming.has(id) && !this.#events.has(id)) wanted.add(id)
    }
    for (const event of await store.read(view => reader.byIds(view, [...wanted]))) {
      if (event) this.#remember(event)
    }
  }

  #remember(event: StoredEvent): void {
    if (!event.facts.flags.unjudged) this.#events.set(event.eventId, event)
  }

  /** Auth events first; what waits for something that never comes is left out. */
  #judge(fresh: readonly Incoming[]): Incoming[] {
    const waitsFor = new Map<EventId, number>()
    const neededBy = new Map<EventId, Incoming[]>()
    const ready: Incoming[] = []
    for (const incoming of new Map(fresh.map(each => [each.eventId, each])).values()) {
      const missing = new Set(incoming.pdu.auth_events.filter(id => !this.#events.has(id)))
      waitsFor.set(incoming.eventId, missing.size)
      if (missing.size === 0) ready.push(incoming)
      for (const id of missing) {
        const others = neededBy.get(id)
        if (others) others.push(incoming)
        else neededBy.set(id, [incoming])
      }
    }
    // The create event of a version 12 room is needed by all, and listed by none.
    ready.sort((a, b) => Number(b.pdu.type === 'm.room.create') - Number(a.pdu.type === 'm.room.create'))
    const judged: Incoming[] = []
    for (let next = 0; next < ready.length; next++) {
      const incoming = ready[next]!
      this.#events.set(incoming.eventId, this.#outlier(incoming))
      judged.push(incoming)
      for (const other of neededBy.get(incoming.eventId) ?? []) {
        const left = waitsFor.get(other.eventId)! - 1
        waitsFor.set(other.eventId, left)
        if (left === 0) ready.push(other)
      }
    }
    return judged
  }

  #outlier(incoming: Incoming): StoredEvent {
    const { pdu } = incoming
    const listed = pdu.auth_events.map(id => this.#events.get(id)!)
    const verdict = judgeByAuthEvents(pdu, this.#rules, listed, this.#createEvent())
    return storedEventOf(incoming, this.#rules, {
      ...noFlags,
      outlier: true,
      cutOnReceipt: incoming.isCut,
      rejected: verdict.kind === 'reject',
    })
  }

  #create: StoredEvent | undefined

  #createEvent(): StoredEvent | undefined {
    if (this.#create || !this.#rules.roomIdIsCreateEventHash) return this.#create
    this.#create = this.#events.get(createEventIdOf(this.#roomId))
    return this.#create
  }

  async #keep(judged: readonly Incoming[]): Promise<void> {
    const { store, reader } = this.#context
    for (let i = 0; i < judged.length; i += writeSize) {
      const slice = judged.slice(i, i + writeSize)
      await store.transact(this.#roomId, async tx => {
        // Somebody else may have brought one meanwhile: one event has one place.
        const ids = slice.map(({ eventId }) => eventId)
        const known = await reader.byIds(tx, ids, false)
        for (const event of known) if (event) this.#remember(event)
        tx.sequence((next, rows) => {
          for (const [n, { eventId, essential, extras, pdu }] of slice.entries()) {
            if (known[n] && !known[n].facts.flags.unjudged) continue
            const position = known[n]?.position ?? next()
            const event = this.#events.get(eventId)!.at(position, position, 0 as typeof position)
            writeEventRows(rows, event, { essential, extras, contentText: canonicalContent(pdu.content) })
          }
        })
      })
      for (const { eventId } of slice) reader.forget(this.#events.get(eventId)!.position, eventId)
    }
  }
}
