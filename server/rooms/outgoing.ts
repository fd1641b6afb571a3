/**
 * Events on their way out, and the checks of what is stored.
 *
 * Signing happens here, on demand. The key was fixed when the event was accepted and Ed25519 is deterministic: it
 * is the same signature whenever it is made, before or after a crash. What leaves is recomputed first: rows that
 * are not the event whose id they bear go nowhere.
 */
import type { Pdu } from '../protocol/event.ts'
import { contentHash, eventIdOfText } from '../protocol/event-hash.ts'
import { type EventId, type RoomId, type ServerName, serverOf } from '../protocol/ids.ts'
import { withSignature } from '../protocol/signing.ts'
import { utf8Bytes } from '../protocol/utf8.ts'
import { backwardExtremities, eventSkeletons } from '../store/catalogue.ts'
import type { Position } from '../store/store.ts'
import { sha256 } from './primitives.ts'
import { RoomError } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import type { DamagedEvent, StoredPdu } from './rooms-internal.ts'
import type { DecodedEvent } from './stored-event.ts'

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

  async stored(eventIds: readonly EventId[]): Promise<(StoredPdu | null)[]> {
    const { store, reader } = this.#context
    const events = await store.read(view => reader.byIds(view, eventIds))
    return events.map(event => {
      if (!event) return null
      const { outlier, rejected, softFailed } = event.facts.flags
      return { pdu: event.pdu, eventId: event.eventId, outlier, rejected, softFailed }
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

  async serversIn(roomId: RoomId): Promise<Set<ServerName>> {
    const actor = await this.#context.actors.get(roomId)
    const servers = new Set<ServerName>()
    if (!actor?.exists) return servers
    for (const { stateKey } of actor.view.members('join')) servers.add(serverOf(stateKey))
    return servers
  }

  async scrub(
    after: Position,
    limit: number,
  ): Promise<{ checked: number; damaged: DamagedEvent[]; next: Position | null }> {
    const { store, reader } = this.#context
    return store.read(async view => {
      const rows = await view.range(eventSkeletons.under(), { after: eventSkeletons.key(after), limit })
      const positions = rows.map(({ parts }) => parts[0] as Position)
      const damaged: DamagedEvent[] = []
      for (const position of positions) {
        const reason = await this.#damageAt(position, () => reader.decode(view, [position]))
        if (reason) damaged.push({ position, reason })
      }
      return {
        checked: positions.length,
        damaged,
        next: positions.length < limit ? null : positions.at(-1)!,
      }
    })
  }

  async #damageAt(
    position: Position,
    decode: () => Promise<Map<Position, DecodedEvent>>,
  ): Promise<string | null> {
    try {
      const event = (await decode()).get(position)
      return event ? damageOf(event) : 'it has moved to a place where there is nothing'
    } catch (error) {
      if (error instanceof SyntaxError) return 'it cannot be read'
      throw error
    }
  }
}

/** Why these rows are not the event whose id they bear; null if they are. */
function damageOf({ essential, facts, pdu, isCut }: DecodedEvent): string | null {
  if (eventIdOfText(essential, sha256) !== facts.eventId) return 'its id is not the hash of what is stored'
  // Redacted or purged content, or content that came with a wrong hash, has nothing to be held against.
  if (isCut || facts.flags.cutOnReceipt) return null
  return contentHash(pdu, sha256) === pdu.hashes.sha256 ? null : 'its content is not what was hashed'
}
