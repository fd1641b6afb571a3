/**
 * A room in memory: what is durable, and the tip that its one writer builds on.
 *
 * The writer (a transaction whose owner is the room) moves the tip when it is queued; `settle` moves the durable
 * side when its rows are on disk. Readers see the durable side only. An actor with nothing pending may be
 * dropped at any moment: all of it is in the store, and it is loaded by the same function after a crash.
 */
import type { EventId, RoomId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { redact } from '../protocol/redaction.ts'
import { type RoomRules, roomVersion } from '../protocol/room-versions.ts'
import { frozenRooms, roomHeads, roomNumbers, stateKeyNames, timelines } from '../store/catalogue.ts'
import type { Position, RowWriter, View } from '../store/store.ts'
import { stateKeyOf } from './graph-event.ts'
import type { Frozen } from './inbound-rooms.ts'
import { LayerView, type RoomFrame } from './room-view.ts'
import type { RoomsContext } from './rooms-context.ts'
import { chainId, emptyState, type StateChain, wholeState } from './state-chain.ts'
import { StateLayer } from './state-layer.ts'
import type { StoredEvent } from './stored-event.ts'
import { strangerAmong } from './strangers.ts'
import type { TimelineGaps } from './timeline-gap.ts'

/** Events of the timeline that stay in memory, so that an incremental sync reads nothing from the store. */
const tailSize = 50
const loadedTailSize = 20

export class RoomActor {
  readonly roomId: RoomId
  readonly number: number
  readonly rules: RoomRules

  // ── the tip: owned by the room's writer ──
  readonly tip: StateLayer
  readonly tipView: LayerView
  chain: StateChain = emptyState
  /** Newest first. */
  forward: readonly StoredEvent[] = []
  last = 0 as Position
  lowest = 0
  gaps: TimelineGaps = []
  /** Each event above this position stood on all before it. */
  linearFrom = 0
  /** Transactions that are queued and not yet durable. */
  pending = 0
  /** Who works with this actor and has not queued anything yet: while there is one, the actor stays. */
  writers = 0

  // ── what is durable ──
  readonly durable = new StateLayer(null)
  readonly view: LayerView
  durableForward: readonly EventId[] = []
  durableLast = 0 as Position
  durableState = 0 as Position
  durableLinearFrom = 0
  /** Everything in the timeline above `tailFrom`, oldest first. */
  tail: StoredEvent[] = []
  tailFrom = 0

  /** State keys by number and back. Owned by the writer; numbers are never given back. */
  readonly stateKeys = new Map<string, number>()
  readonly stateKeyNames: (readonly [type: string, stateKey: string])[] = []

  /** Moved by its writer before it is durable: a room that is about to stand still sends nothing more. */
  frozen: Frozen | null = null
  /** When it was loaded `frozen` was not what its row says. */
  isStandstillNews = false

  usedAt = 0

  constructor(roomId: RoomId, number: number, rules: RoomRules) {
    this.roomId = roomId
    this.number = number
    this.rules = rules
    this.tip = new StateLayer(this.durable)
    this.view = new LayerView(
      this.#frame(
        () => this.durableLast,
        () => this.durableForward,
      ),
      this.durable,
    )
    this.tipView = this.viewOf(this.tip)
  }

  /** The room as its writer sees it, on a layer over the tip. */
  viewOf(state: StateLayer): LayerView {
    return new LayerView(
      this.#frame(
        () => this.last,
        () => this.forward.map(({ eventId }) => eventId),
      ),
      state,
    )
  }

  #frame(lastPosition: () => Position, forwardExtremities: () => readonly EventId[]): RoomFrame {
    const { roomId, rules } = this
    return { roomId, rules, lastPosition, forwardExtremities, frozen: () => this.frozen }
  }

  get exists(): boolean {
    return this.durable.get('m.room.create', '') !== undefined
  }

  /** The state key's number; a new one is written by the transaction that is being queued. */
  numberOf(type: string, stateKey: string, rows: RowWriter): number {
    const known = this.stateKeys.get(stateKeyOf(type, stateKey))
    if (known !== undefined) return known
    const number = this.stateKeyNames.length
    rows.put(stateKeyNames.key(this.number, number), [type, stateKey])
    this.nameStateKey(number, type, stateKey)
    return number
  }

  nameStateKey(number: number, type: string, stateKey: string): void {
    this.stateKeys.set(stateKeyOf(type, stateKey), number)
    this.stateKeyNames[number] = [type, stateKey]
  }

  writeHead(rows: RowWriter): void {
    rows.put(roomHeads.key(this.number), {
      roomId: this.roomId,
      forward: this.forward.map(({ position }) => position),
      state: chainId(this.chain),
      last: this.last,
      lowest: this.lowest,
      joined: this.tip.counts.join,
      linearFrom: this.linearFrom,
      ...(this.gaps.length > 0 && { gaps: this.gaps }),
    })
  }

  /** A live event has become durable. */
  appendToTail(event: StoredEvent): void {
    this.tail.push(event)
    if (this.tail.length < tailSize * 2) return
    this.tail = this.tail.slice(-tailSize)
    this.tailFrom = this.tail[0]!.order - 1
  }

  /** An event that has its place in the timeline already. */
  insertIntoTail(event: StoredEvent): void {
    if (event.order <= this.tailFrom) return
    const place = this.tail.findIndex(other => other.order > event.order)
    this.tail = this.tail.toSpliced(place < 0 ? this.tail.length : place, 0, event)
  }

  /** A redaction has become durable: whatever readers are shown of its target is replaced. */
  showRedacted(target: StoredEvent, redaction: StoredEvent): void {
    const keptContent = keptContentOf(target, this.rules)
    const swap = (event: StoredEvent): StoredEvent => {
      if (event.position === target.position) return event.redactedCopy(keptContent, redaction)
      if (event.facts.replaced !== target.position || event.replacesState === undefined) return event
      return event.withReplaced({ ...event.replacesState, content: keptContent })
    }
    this.tail = this.tail.map(swap)
    if (target.stateKey === undefined) return
    const event = this.durable.get(target.type, target.stateKey)
    if (event) this.durable.swap(swap(event))
  }

  /** How much memory it takes, in state events. */
  weight(): number {
    return this.durable.size() + this.stateKeyNames.length / 4 + tailSize
  }
}

/** Reads a room from durable rows. null: there is none. */
export async function loadRoom(
  view: View,
  { reader, peers, clock }: Pick<RoomsContext, 'reader' | 'peers' | 'clock'>,
  roomId: RoomId,
): Promise<RoomActor | null> {
  const known = await view.get(roomNumbers.key(roomId))
  if (known === undefined) return null
  const rules = roomVersion(known.version)
  const [head, frozen] = await view.getMany([roomHeads.key(known.number), frozenRooms.key(known.number)])
  if (!rules || head === undefined) return null

  const actor = new RoomActor(roomId, known.number, rules)
  for (const { parts, value } of await view.range(stateKeyNames.under(actor.number))) {
    actor.nameStateKey(parts[1], ...value)
  }
  actor.chain = (await reader.chains(view, [head.state])).get(head.state) ?? emptyState
  const positions = [...wholeState(actor.chain).values()]
  for (const event of await reader.byPositions(view, positions)) {
    if (event) actor.durable.set({ type: event.type, stateKey: event.stateKey!, event })
  }
  // Pins may have changed while nobody looked.
  const stands = frozen && !(peers?.isKnown(frozen.server) ?? true)
  actor.frozen = stands ? frozen : strangerAmong(peers, actor.durable.ofType('m.room.member'), clock())
  actor.isStandstillNews = peers !== null && actor.frozen?.eventId !== frozen?.eventId
  Object.assign(actor.tip.counts, actor.durable.counts)
  for (const [server, joined] of actor.durable.servers) actor.tip.servers.set(server, joined)

  actor.forward = (await reader.byPositions(view, head.forward)).filter(event => event !== undefined)
  actor.last = head.last
  actor.lowest = head.lowest
  actor.gaps = head.gaps ?? []
  actor.linearFrom = head.linearFrom
  actor.durableForward = actor.forward.map(({ eventId }) => eventId)
  actor.durableLast = actor.last
  actor.durableState = chainId(actor.chain)
  actor.durableLinearFrom = actor.linearFrom

  const newest = await view.range(timelines.under(actor.number), { reverse: true, limit: loadedTailSize })
  const live = newest.filter(({ parts }) => parts[1] > 0).reverse()
  const events = await reader.byPositions(
    view,
    live.map(({ value }) => value),
  )
  actor.tail = events.filter(event => event !== undefined)
  actor.tailFrom = live.length > 0 ? live[0]!.parts[1] - 1 : 0
  return actor
}

export function keptContentOf(
  { type, content }: { readonly type: string; readonly content: JsonObject },
  rules: RoomRules,
): JsonObject {
  return redact<JsonObject>({ type, content }, rules)['content'] as JsonObject
}
