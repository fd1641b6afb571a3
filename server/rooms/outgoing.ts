/**
 * Events on their way out.
 *
 * Signing happens here, on demand. The key was fixed when the event was accepted and Ed25519 is deterministic: it
 * is the same signature whenever it is made, before or after a crash. What leaves is recomputed first: rows that
 * are not the event whose id they bear go nowhere.
 */
import type { Pdu } from '../protocol/event.ts'
import type { EventId, RoomId } from '../protocol/ids.ts'
import { withSignature } from '../protocol/signing.ts'
import { utf8Bytes } from '../protocol/utf8.ts'
import { backwardExtremities } from '../store/catalogue.ts'
import { RoomError } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import type { StoredPdu } from './rooms-internal.ts'
import { damageOf } from './scrub.ts'

export class Outgoing {
  readonly #context: RoomsContext

  constructor(context: RoomsContext) {
    this.#context = context
  }

  async signed(eventId: EventId): Promise<Pdu | null> {
    const { store, reader, serverName, signer } = this.#context
    const event = await store.read(async view => {
      const [position] = await reader.positions(view, [eventId])
      return position === undefined ? undefined : (await reader.decode(view, [position])).get(position)
    })
    if (!event) return null
    const damage = damageOf(event)
    if (damage || event.facts.eventId !== eventId) {
      throw new RoomError('M_UNKNOWN', `a stored event is not what it was: ${damage ?? 'it has another id'}`)
    }
    const { signatures, ourKey } = event.facts
    const pdu: Pdu = signatures ? { ...event.pdu, signatures } : event.pdu
    if (ourKey === undefined) return pdu
    return withSignature(pdu, serverName, ourKey, signer.sign(ourKey, utf8Bytes(event.essential)))
  }

  /** Those of these events that are here whole. */
  async signedAll(events: readonly { readonly eventId: EventId }[]): Promise<Pdu[]> {
    const signed = await Promise.all(events.map(({ eventId }) => this.signed(eventId)))
    return signed.filter(pdu => pdu !== null)
  }

  async stored(eventIds: readonly EventId[]): Promise<(StoredPdu | null)[]> {
    const { store, reader } = this.#context
    const events = await store.read(view => reader.byIds(view, eventIds))
    return events.map(event => {
      if (!event) return null
      const { outlier, rejected, softFailed } = event.facts.flags
      return { roomId: event.roomId, pdu: event.pdu, eventId: event.eventId, outlier, rejected, softFailed }
    })
  }

  /** Level by level, so that each costs one read. */
  async authChain(eventIds: readonly EventId[]): Promise<Set<EventId>> {
    const { store, reader } = this.#context
    const chain = new Set<EventId>()
    await store.read(async view => {
      let level: readonly EventId[] = eventIds
      while (level.length > 0) {
        const next = new Set<EventId>()
        for (const event of await reader.byIds(view, level)) {
          for (const id of event?.pdu.auth_events ?? []) if (!chain.has(id)) next.add(id)
        }
        for (const id of next) chain.add(id)
        level = [...next]
      }
    })
    return chain
  }

  async backwardExtremities(roomId: RoomId): Promise<Map<EventId, number>> {
    const actor = await this.#context.actors.get(roomId)
    if (!actor) return new Map()
    const rows = await this.#context.store.read(view => view.range(backwardExtremities.under(actor.number)))
    return new Map(rows.map(({ parts, value }) => [parts[1] as EventId, value]))
  }
}
