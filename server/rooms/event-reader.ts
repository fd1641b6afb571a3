/**
 * Reads events by position or id, several at once, through one cache of durable events.
 *
 * The cache holds only what is durable, and what it holds may be shown: what a redaction takes away is replaced in
 * it at the moment when the redaction becomes durable. A read that began before that moment does not fill it.
 */
import type { EventId } from '../protocol/ids.ts'
import { eventContents, eventPositions, eventSkeletons, stateSnapshots } from '../store/catalogue.ts'
import type { Position, View } from '../store/store.ts'
import { Recent } from './recent.ts'
import { nodeOf, type StateChain, type StateNode } from './state-chain.ts'
import { type DecodedEvent, decodeEvent, StoredEvent } from './stored-event.ts'

/** Of all cached events together, in characters of their rows: some 5,000 messages, or 120 events of 64 KiB. */
const maxCachedText = 8 * 2 ** 20
/** What an event takes beyond its text. */
const eventFrame = 600
const maxCachedIds = 20_000
/** Entries of all cached snapshot nodes together. */
const maxCachedChanges = 200_000
/** Events that are decoded without letting the event loop go on. */
const sliceSize = 500

export class EventReader {
  readonly #events = new Recent<Position, StoredEvent>(
    maxCachedText,
    ({ textLength }) => textLength + eventFrame,
  )
  readonly #positions = new Recent<EventId, Position>(maxCachedIds)
  #nodes = new Map<Position, StateNode>()
  #cachedChanges = 0
  /** Raised whenever cached events change: older reads keep out. */
  #changes = 0

  /** Redactions that are queued and not yet durable: until then writers may not build on cached contents. */
  #queuedRedactions = 0

  redactionQueued(): void {
    this.#queuedRedactions++
  }

  redactionSettled(): void {
    this.#queuedRedactions--
  }

  /** After a failed write: nothing that came from the store is sure any more. */
  clear(): void {
    this.#changes++
    this.#queuedRedactions = 0
    this.#events.clear()
    this.#positions.clear()
    this.#nodes = new Map()
    this.#cachedChanges = 0
  }

  /** The event has become durable as it is. */
  remember(event: StoredEvent): void {
    this.#events.set(event.position, event)
    this.#positions.set(event.eventId, event.position)
  }

  /** The event has been redacted, or got another position: forget what is known of it. */
  forget(position: Position, eventId: EventId): void {
    this.#changes++
    this.#events.delete(position)
    this.#positions.delete(eventId)
    for (const event of [...this.#events.values()]) {
      if (event.facts.replaced === position || event.redactedBecause?.position === position) {
        this.#events.delete(event.position)
      }
    }
  }

  cached(position: Position): StoredEvent | undefined {
    return this.#events.get(position)
  }

  /** `view` is one of durable rows; a transaction's reads must not fill the cache: `isDurable` false. */
  async positions(
    view: View,
    eventIds: readonly EventId[],
    isDurable = true,
  ): Promise<(Position | undefined)[]> {
    // A moved event has its new position in pending rows first.
    const found = eventIds.map(id => (isDurable ? this.#positions.get(id) : undefined))
    const missing: number[] = []
    for (let i = 0; i < found.length; i++) if (found[i] === undefined) missing.push(i)
    if (missing.length === 0) return found
    const before = this.#changes
    const rows = await view.getMany(missing.map(i => eventPositions.key(eventIds[i]!)))
    for (let n = 0; n < missing.length; n++) {
      const position = rows[n]
      if (position === undefined) continue
      const i = missing[n]!
      found[i] = position
      if (isDurable && before === this.#changes) this.#positions.set(eventIds[i]!, position)
    }
    return found
  }

  async byIds(
    view: View,
    eventIds: readonly EventId[],
    isDurable = true,
  ): Promise<(StoredEvent | undefined)[]> {
    const positions = await this.positions(view, eventIds, isDurable)
    const known = positions.filter(position => position !== undefined)
    const events = await this.byPositions(view, known, isDurable)
    let next = 0
    return positions.map(position => (position === undefined ? undefined : events[next++]))
  }

  async byPositions(
    view: View,
    positions: readonly Position[],
    isDurable = true,
  ): Promise<(StoredEvent | undefined)[]> {
    const found: (StoredEvent | undefined)[] = []
    const missing: Position[] = []
    const mayUseCache = isDurable || this.#queuedRedactions === 0
    for (const position of positions) {
      const event = mayUseCache ? this.#events.get(position) : undefined
      found.push(event)
      if (event === undefined) missing.push(position)
    }
    if (missing.length === 0) return found
    const loaded = new Map<Position, StoredEvent>()
    for (let i = 0; i < missing.length; i += sliceSize) {
      if (i > 0) await new Promise(resolve => setImmediate(resolve))
      await this.#load(view, missing.slice(i, i + sliceSize), loaded, isDurable)
    }
    for (let i = 0; i < found.length; i++) found[i] ??= loaded.get(positions[i]!)
    return found
  }

  async #load(
    view: View,
    wanted: readonly Position[],
    loaded: Map<Position, StoredEvent>,
    isDurable: boolean,
  ): Promise<void> {
    const before = this.#changes
    const mayUseCache = isDurable || this.#queuedRedactions === 0
    const decoded = await this.decode(view, wanted)
    const linked = new Set<Position>()
    for (const event of decoded.values()) {
      for (const link of [event.facts.replaced, event.redactedBy]) {
        if (link !== undefined && !decoded.has(link)) linked.add(link)
      }
    }
    const links = linked.size === 0 ? decoded : await this.decode(view, [...linked])
    const bare = (position: Position): StoredEvent | undefined => {
      const cached = mayUseCache ? this.#events.get(position) : undefined
      if (cached) return cached
      const event = decoded.get(position) ?? links.get(position)
      return event && eventOf(event)
    }
    for (const [asked, event] of decoded) {
      const { replaced } = event.facts
      const whole = eventOf(event, {
        replaced: replaced === undefined ? undefined : bare(replaced)?.asReplaced(),
        redactedBecause: event.redactedBy === undefined ? undefined : bare(event.redactedBy),
      })
      loaded.set(asked, whole)
      if (isDurable && before === this.#changes) this.#events.set(event.position, whole)
    }
  }

  /** The events at these positions, by the position asked for, as their rows say. */
  async decode(view: View, positions: readonly Position[]): Promise<Map<Position, DecodedEvent>> {
    const decoded = new Map<Position, DecodedEvent>()
    const moved: [from: Position, to: Position][] = []
    const keys = [
      ...positions.map(position => eventSkeletons.key(position)),
      ...positions.map(position => eventContents.key(position)),
    ]
    const rows = await view.getMany(keys)
    for (let i = 0; i < positions.length; i++) {
      const skeleton = rows[i]
      if (skeleton === undefined) continue
      const event = decodeEvent(positions[i]!, skeleton, rows[positions.length + i])
      if (event.kind === 'event') decoded.set(positions[i]!, event)
      else moved.push([positions[i]!, event.to])
    }
    if (moved.length === 0) return decoded
    const targets = await this.decode(
      view,
      moved.map(([, to]) => to),
    )
    for (const [from, to] of moved) {
      const event = targets.get(to)
      if (event) decoded.set(from, event)
    }
    return decoded
  }

  // ── states ───────────────────────────────────────────────────────────────────────────────────────

  /** A new snapshot; pending ones as well, since no durable row names them before they are durable. */
  rememberNode(node: StateNode): void {
    if (this.#nodes.has(node.id)) return
    this.#nodes.set(node.id, node)
    this.#cachedChanges += node.changes.size + 1
    for (const [id, old] of this.#nodes) {
      if (this.#cachedChanges <= maxCachedChanges) break
      this.#nodes.delete(id)
      this.#cachedChanges -= old.changes.size + 1
    }
  }

  /** The states of these snapshots, by id. */
  async chains(view: View, ids: Iterable<Position>): Promise<Map<Position, StateChain>> {
    const chains = new Map<Position, StateChain>()
    const wanted = [...new Set(ids)]
    const rows = await view.getMany(wanted.map(id => stateSnapshots.key(id)))
    const nodes = new Map<Position, StateNode>()
    const missing = new Set<Position>()
    for (const row of rows) {
      for (const id of row?.chain ?? []) {
        const cached = this.#nodes.get(id)
        if (cached) nodes.set(id, cached)
        else missing.add(id)
      }
    }
    const ancestors = [...missing]
    const ancestorRows = await view.getMany(ancestors.map(id => stateSnapshots.key(id)))
    for (const [i, row] of ancestorRows.entries()) {
      if (row === undefined) continue
      const node = nodeOf(ancestors[i]!, row)
      nodes.set(node.id, node)
      this.rememberNode(node)
    }
    for (const [i, row] of rows.entries()) {
      if (row === undefined) continue
      chains.set(wanted[i]!, [nodeOf(wanted[i]!, row), ...row.chain.map(id => nodes.get(id)!)])
    }
    return chains
  }
}

function eventOf(
  { pdu, facts, position, order, before, textLength }: DecodedEvent,
  links?: ConstructorParameters<typeof StoredEvent>[2],
): StoredEvent {
  const event = new StoredEvent(pdu, facts, links).at(position, order, before)
  event.textLength = textLength
  return event
}
