/**
 * One transaction of a room's writer: the steps that it takes, and the rows that they become.
 *
 * Two phases. While the transaction is being prepared it may read and await; each step stands on the ones
 * before it, and nothing outside this object changes. When it is queued, `write` runs without interruption: it takes
 * positions, writes all rows into one batch and moves the room's tip in memory to what they say. The durable
 * side follows when the batch is on disk. So event, state, membership index, extremities, transaction id and
 * projections are there all or none, and recovery is nothing but loading the room.
 */
import type { EventId, UserId } from '../protocol/ids.ts'
import { serverOf } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import {
  backwardExtremities,
  currentStates,
  eventContents,
  eventSkeletons,
  roomMemberships,
  stateSnapshots,
  timelines,
  waitingRedactions,
} from '../store/catalogue.ts'
import type { Key } from '../store/key.ts'
import type { Position, RowWriter, Transaction } from '../store/store.ts'
import { writeEventRows } from './event-rows.ts'
import type { LoadedRows } from './gate.ts'
import { writeCarriedOut } from './redactions.ts'
import type { RoomActor } from './room-actor.ts'
import type { LayerView } from './room-view.ts'
import type { Membership, RoomMembership } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import { moveStandstill } from './standstill.ts'
import { type Changes, chainId, extend, removed, rowOf, type StateChain } from './state-chain.ts'
import { isMembership, type StateChange, StateLayer } from './state-layer.ts'
import { bendsTheLine, isNews, type Step, sourceOf } from './step.ts'
import { movedText, redactedRowText, type StoredEvent } from './stored-event.ts'
import { strippedStateFor } from './stripped-state.ts'

interface MembershipChange {
  readonly userId: UserId
  readonly row: RoomMembership
}

export class RoomTransaction {
  readonly actor: RoomActor
  readonly tx: Transaction
  readonly #context: RoomsContext
  readonly #steps: Step[] = []
  /** Over the tip: what the steps so far changed. The tip itself while they changed nothing. */
  #state: StateLayer
  #forward: readonly StoredEvent[]
  readonly #memberships = new Map<UserId, RoomMembership | undefined>()
  readonly #strippedStates = new Map<EventId, readonly JsonObject[]>()
  readonly #loaded = new Map<string, unknown>()

  constructor(context: RoomsContext, actor: RoomActor, tx: Transaction) {
    this.#context = context
    this.actor = actor
    this.tx = tx
    this.#state = actor.tip
    this.#forward = actor.forward
  }

  get state(): StateLayer {
    return this.#state
  }

  get forward(): readonly StoredEvent[] {
    return this.#forward
  }

  get view(): LayerView {
    return this.#state === this.actor.tip ? this.actor.tipView : this.actor.viewOf(this.#state)
  }

  get loaded(): LoadedRows {
    return { get: <V>(key: Key<V>) => this.#loaded.get(key) as V | undefined }
  }

  add(step: Step): void {
    this.#steps.push(step)
    this.#forward = step.forward
    if (step.current.kind === 'unchanged') return
    for (const change of step.current.changes) {
      if (this.#state === this.actor.tip) this.#state = new StateLayer(this.actor.tip)
      this.#state.set(change)
    }
  }

  async load(keys: readonly Key<unknown>[]): Promise<void> {
    const missing = keys.filter(key => !this.#loaded.has(key))
    if (missing.length === 0) return
    const values = await this.tx.getMany(missing)
    for (const [i, value] of values.entries()) this.#loaded.set(missing[i]!, value)
  }

  /** Reads what the rows depend on; then the rest happens when the transaction is queued. */
  async seal(onWritten?: (rows: RowWriter) => void): Promise<void> {
    if (this.#steps.length === 0) return
    await this.#loadMemberships()
    for (const step of this.#steps) await this.#prepare(step)
    this.tx.sequence((next, rows) => {
      this.#write(next, rows)
      onWritten?.(rows)
    })
  }

  async #prepare({ event, place, current, waitsFor }: Step): Promise<void> {
    if (waitsFor !== undefined) await this.load([waitingRedactions.key(this.actor.number, waitsFor)])
    if (current.kind !== 'unchanged') {
      for (const change of current.changes) this.#prepareMembership(change)
    }
    if (place !== 'live' || this.#context.projections.length === 0) return
    const { view } = this
    const keys: Key<unknown>[] = []
    for (const projection of this.#context.projections) {
      if (projection.reads) keys.push(...projection.reads(event, view))
    }
    if (keys.length > 0) await this.load(keys)
  }

  /** All at once: a room that comes here whole has thousands of members. */
  async #loadMemberships(): Promise<void> {
    const users = new Set<UserId>()
    for (const { current } of this.#steps) {
      if (current.kind === 'unchanged') continue
      for (const { type, stateKey } of current.changes) {
        if (type === 'm.room.member') users.add(stateKey as UserId)
      }
    }
    if (users.size === 0) return
    const members = [...users]
    const rows = await this.tx.getMany(members.map(id => roomMemberships.key(id, this.actor.number)))
    for (const [i, userId] of members.entries()) this.#memberships.set(userId, rows[i])
  }

  #prepareMembership({ type, stateKey, event }: StateChange): void {
    if (type !== 'm.room.member') return
    const userId = stateKey as UserId
    const membership = event?.content['membership']
    const isLocal = serverOf(userId) === this.#context.serverName
    if (event && isLocal && (membership === 'invite' || membership === 'knock')) {
      this.#strippedStates.set(event.eventId, strippedStateFor(this.#state, event))
    }
  }

  // ── when the transaction is queued ───────────────────────────────────────────────────────────────

  #write(next: () => Position, rows: RowWriter): void {
    const { actor } = this
    const memberships: MembershipChange[] = []
    let position = removed
    for (const step of this.#steps) {
      position = this.#writeStep(step, next, rows, memberships)
    }
    actor.forward = this.#forward
    actor.writeHead(rows)
    const changes = this.#steps.flatMap(({ current }) =>
      current.kind === 'unchanged' ? [] : current.changes,
    )
    const hasFrozen = moveStandstill(this.#context, actor, changes, rows)
    this.#project(rows)
    if (this.#steps.some(isNews)) rows.announce(`room:${actor.roomId}`)
    for (const { userId } of memberships) rows.announce(`user:${userId}`)

    const forward = actor.forward.map(({ eventId }) => eventId)
    const { last, linearFrom } = actor
    const state = chainId(actor.chain)
    this.#context.actors.queued(actor, position, () => {
      for (const step of this.#steps) this.#settle(step)
      actor.durableForward = forward
      actor.durableLast = last
      actor.durableLinearFrom = linearFrom
      actor.durableState = state
      for (const { userId, row } of memberships) this.#context.memberships.changed(userId, row)
      if (hasFrozen) for (const listener of this.#context.frozenListeners) listener(actor.roomId)
    })
  }

  #writeStep(step: Step, next: () => Position, rows: RowWriter, memberships: MembershipChange[]): Position {
    const { actor } = this
    const { event, place } = step
    const before = this.#stateBefore(step, next, rows)
    const position = next()
    event.at(position, step.order ?? position, chainId(before))
    actor.lowest = Math.min(actor.lowest, event.order)

    this.#writeEvent(step, rows)
    if (place !== 'hidden' && event.isShown) {
      rows.put(timelines.key(actor.number, event.order), position)
      if (place === 'live') actor.last = position
    }

    let after = before
    if (event.after === position) {
      const number = actor.numberOf(event.type, event.stateKey!, rows)
      after = this.#newSnapshot(before, position, new Map([[number, position]]), rows)
    }
    this.#moveCurrentState(step, after, next, rows, memberships)
    if (place === 'live' && bendsTheLine(step)) actor.linearFrom = Math.max(position, chainId(actor.chain))
    return position
  }

  #stateBefore({ before }: Step, next: () => Position, rows: RowWriter): StateChain {
    if (before === 'tip') return this.actor.chain
    if (before === 'none') return []
    return before.changes.length === 0
      ? before.chain
      : this.#newSnapshot(before.chain, next(), this.#numbered(before.changes, rows), rows)
  }

  #writeEvent(step: Step, rows: RowWriter): void {
    const { event } = step
    const { position } = event
    const { number } = this.actor
    const { redactedAlready = [] } = step
    const redactedBy = redactedAlready[0]?.position
    writeEventRows(rows, event, step, redactedBy === undefined ? undefined : redactedRowText(redactedBy))
    if (step.movedFrom !== undefined) {
      rows.put(eventSkeletons.key(step.movedFrom), movedText(position))
      rows.delete(eventContents.key(step.movedFrom))
    }
    if (step.redacted) {
      rows.put(eventContents.key(step.redacted.position), redactedRowText(position))
      this.#context.reader.redactionQueued()
    }
    if (step.waitsFor !== undefined) {
      const key = waitingRedactions.key(number, step.waitsFor)
      const waiting = [...(this.loaded.get(key) ?? []), position]
      this.#loaded.set(key, waiting)
      rows.put(key, waiting)
    }
    if (redactedBy !== undefined) rows.delete(waitingRedactions.key(number, event.eventId))
    writeCarriedOut(rows, this.actor, redactedAlready)
    if (step.closesGap) rows.delete(backwardExtremities.key(number, event.eventId))
    for (const id of step.missingPrevEvents ?? []) rows.put(backwardExtremities.key(number, id), event.depth)
  }

  #moveCurrentState(
    { current }: Step,
    after: StateChain,
    next: () => Position,
    rows: RowWriter,
    memberships: MembershipChange[],
  ): void {
    const { actor } = this
    if (current.kind === 'unchanged') return
    const old = chainId(actor.chain)
    if (current.kind === 'after-event') actor.chain = after
    else if (current.changes.length > 0) {
      const changes = this.#numbered(current.changes, rows)
      actor.chain = this.#newSnapshot(actor.chain, next(), changes, rows)
    }
    const state = chainId(actor.chain)
    if (state !== old) rows.put(currentStates.key(actor.number, state), state)
    for (const change of current.changes) {
      this.#writeMembership(change, state, rows, memberships)
      actor.tip.set(change)
    }
  }

  #writeMembership(
    { type, stateKey, event }: StateChange,
    since: Position,
    rows: RowWriter,
    memberships: MembershipChange[],
  ): void {
    if (type !== 'm.room.member') return
    const userId = stateKey as UserId
    const old = this.#memberships.get(userId)
    const eventId = event?.eventId ?? old?.eventId
    if (eventId === undefined) return
    const claimed = event?.content['membership']
    const membership: Membership = isMembership(claimed) ? claimed : 'leave'
    const strippedState = event && this.#strippedStates.get(event.eventId)
    const joinedUntil =
      membership === 'join' ? undefined : old?.membership === 'join' ? since : old?.joinedUntil
    const row: RoomMembership = {
      roomId: this.actor.roomId,
      membership,
      eventId,
      position: since,
      sender: event?.sender ?? userId,
      forgotten: false,
      everJoined: membership === 'join' || (old?.everJoined ?? false),
      ...(joinedUntil !== undefined && { joinedUntil }),
      ...(strippedState && { strippedState }),
    }
    this.#memberships.set(userId, row)
    rows.put(roomMemberships.key(userId, this.actor.number), row)
    memberships.push({ userId, row })
  }

  #newSnapshot(chain: StateChain, id: Position, changes: Changes, rows: RowWriter): StateChain {
    const extended = extend(chain, id, changes)
    rows.put(stateSnapshots.key(id), rowOf(extended))
    this.#context.reader.rememberNode(extended[0]!)
    return extended
  }

  #numbered(changes: readonly StateChange[], rows: RowWriter): Changes {
    return new Map(
      changes.map(({ type, stateKey, event }) => [
        this.actor.numberOf(type, stateKey, rows),
        event?.position ?? removed,
      ]),
    )
  }

  #project(rows: RowWriter): void {
    const { projections } = this.#context
    if (projections.length === 0) return
    const { loaded } = this
    const through: RowWriter = {
      put: (key, value) => {
        this.#loaded.set(key, value)
        rows.put(key, value)
      },
      delete: key => {
        this.#loaded.set(key, undefined)
        rows.delete(key)
      },
      announce: topic => rows.announce(topic),
    }
    const view = this.actor.tipView
    for (const step of this.#steps) {
      const { event, place } = step
      if (place !== 'live' || !event.isShown) continue
      const source = sourceOf(step)
      for (const projection of projections) projection.rows(event, view, loaded, through, source)
    }
  }

  // ── when it is durable ───────────────────────────────────────────────────────────────────────────

  #settle({ event: queued, place, current, redacted, redactedAlready = [], movedFrom }: Step): void {
    const { actor } = this
    const { reader } = this.#context
    const event = this.#withRedactedPast(queued)
    if (movedFrom !== undefined) reader.forget(movedFrom, event.eventId)
    for (const redaction of redactedAlready) {
      reader.forget(redaction.position, redaction.eventId)
      actor.insertIntoTail(redaction.carriedOut())
    }
    reader.remember(event)
    if (place === 'live' && event.isShown) actor.appendToTail(event)
    if (current.kind !== 'unchanged') {
      for (const change of current.changes) {
        actor.durable.set(change.event === queued ? { ...change, event } : change)
        actor.tip.settle(change)
      }
    }
    if (redacted) {
      reader.redactionSettled()
      reader.forget(redacted.position, redacted.eventId)
      actor.showRedacted(redacted, event)
    }
  }

  /** What this event replaced may have been redacted while both waited for the disk. */
  #withRedactedPast(event: StoredEvent): StoredEvent {
    if (event.replacesState === undefined || event.stateKey === undefined) return event
    const replaced = this.actor.durable.get(event.type, event.stateKey)
    return replaced?.redactedBecause !== undefined && replaced.position === event.facts.replaced
      ? event.withReplaced(replaced.asReplaced())
      : event
  }
}
