/**
 * Events that other servers made: checked in the specification's order, then accepted, soft-failed or rejected.
 *
 * Spec: server-server-api#checks-performed-on-receipt-of-a-pdu. What is not an event, or is not signed, leaves no
 * trace; everything else is kept with what became of it, because others will refer to it.
 *
 * Assumes that auth events came before (as outliers at least): what is missing is told, never guessed.
 */
import type { EventId, RoomId } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'
import { backwardExtremities } from '../store/catalogue.ts'
import type { Position } from '../store/store.ts'
import { canonicalContent } from './build-event.ts'
import { authorise } from './event-auth.ts'
import {
  type Incoming,
  incomingOf,
  judgeByAuthEvents,
  parseReceived,
  storedEventOf,
} from './incoming-event.ts'
import { isRecommended, type PolicyServer, policyServerFor } from './policy-server.ts'
import { verify } from './primitives.ts'
import type { EventSource } from './projection.ts'
import { judgeOnReceipt } from './receipt.ts'
import { earlierRedactions, noRedaction, redactionOf } from './redactions.ts'
import { RemoteError } from './remote-rooms.ts'
import { RoomTransaction } from './room-transaction.ts'
import { RoomError } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import type { Received, ReceiveOptions } from './rooms-internal.ts'
import { changesBetween, type FoundState, StateFinder } from './state-finder.ts'
import type { CurrentState } from './step.ts'
import { type EventFlags, noFlags, type StoredEvent } from './stored-event.ts'
import type { Verdict } from './verdict.ts'

/** Kept: what became of it is told once it has its position. */
interface Taken {
  readonly kind: 'taken'
  readonly event: StoredEvent
  readonly verdict: Verdict
}

/** Nothing was written: the room's policy server must be asked first. */
interface Unrecommended {
  readonly kind: 'unrecommended'
  readonly policyServer: PolicyServer
}

/** The policy server that was asked, and the event with what it gave. */
interface Asked {
  readonly policyServer: PolicyServer
  readonly incoming: Incoming
  /** It did not answer. */
  readonly isAway: boolean
}

/** How an event came, beyond what the specification asks. */
export interface Circumstances {
  /** Where a backfilled event goes. */
  readonly order?: number
  /** Whose task it is to tell the room's other servers, where the event does not tell it. */
  readonly source?: EventSource
}

/** Events that are parsed and hashed before the event loop goes on. */
const sliceSize = 50

const standsStill: Received = { kind: 'refused', reason: 'the room stands still on this server' }

export class Receiver {
  readonly #context: RoomsContext

  constructor(context: RoomsContext) {
    this.#context = context
  }

  async receive(
    roomId: RoomId,
    json: Json,
    options: ReceiveOptions = {},
    how: Circumstances = {},
  ): Promise<Received> {
    const checked = await this.#checked(roomId, json)
    return 'refused' in checked
      ? { kind: 'refused', reason: checked.refused }
      : this.receiveChecked(roomId, checked, options, how)
  }

  /** In form, and with the signatures that it must bear. */
  async #checked(roomId: RoomId, json: Json): Promise<Incoming | { readonly refused: string }> {
    const { actors, checkSignatures } = this.#context
    const room = await actors.get(roomId)
    if (!room?.exists) return { refused: 'we do not know this room' }
    const { rules } = room
    const pdu = parseReceived(json, rules)
    if ('refused' in pdu) return pdu
    if (!(await checkSignatures(pdu, rules))) {
      return { refused: 'a signature that the event must bear is missing or wrong' }
    }
    return incomingOf(pdu, rules)
  }

  /**
   * Events of the past, oldest first, from this place of the timeline on: their signatures are checked side by side and
   * they become durable together. A crash leaves some of the first of them. Nothing that one of them does keeps the others out.
   */
  async receiveAll(roomId: RoomId, events: readonly Json[], order: number): Promise<Received[]> {
    const checked: (Incoming | { readonly refused: string })[] = []
    for (let i = 0; i < events.length; i += sliceSize) {
      const slice = events.slice(i, i + sliceSize)
      checked.push(...(await Promise.all(slice.map(json => this.#checked(roomId, json)))))
    }
    return Promise.all(
      checked.map((event, i): Received | Promise<Received> =>
        'refused' in event
          ? { kind: 'refused', reason: event.refused }
          : this.receiveChecked(roomId, event, {}, { order: order + i }).catch(ownFault),
      ),
    )
  }

  /**
   * As `receive`, for an event that bears its signatures. It has its place in the room's order when this is called, not
   * when it resolves: whoever has many need not wait until each is durable.
   */
  async receiveChecked(
    roomId: RoomId,
    incoming: Incoming,
    options: ReceiveOptions = {},
    how: Circumstances = {},
  ): Promise<Received> {
    if (incoming.roomId !== roomId) return { kind: 'refused', reason: 'the event is of another room' }
    let asked: Asked | undefined
    for (;;) {
      const outcome = await this.#write(roomId, asked?.incoming ?? incoming, options, how, asked)
      if (outcome.kind === 'taken') return outcomeOf(outcome.event, outcome.verdict)
      if (outcome.kind !== 'unrecommended') return outcome
      // Nothing was written, and the room's writer is free while the other server takes its time.
      asked = await this.#ask(outcome.policyServer, incoming)
      // History that nobody can judge now is fetched again when somebody reads there.
      if (asked.isAway && how.order !== undefined)
        return { kind: 'refused', reason: 'nobody can judge it now' }
    }
  }

  #write(
    roomId: RoomId,
    incoming: Incoming,
    options: ReceiveOptions,
    how: Circumstances,
    asked: Asked | undefined,
  ): Promise<Received | Taken | Unrecommended> {
    const { actors, store } = this.#context
    return store.transact(roomId, async tx => {
      const actor = await actors.hold(roomId)
      if (!actor) return { kind: 'refused', reason: 'we do not know this room' }
      try {
        return await this.#take(new RoomTransaction(this.#context, actor, tx), incoming, options, how, asked)
      } finally {
        actors.release(actor)
      }
    })
  }

  async backfill(
    roomId: RoomId,
    events: readonly Json[],
    stateBefore?: readonly EventId[],
  ): Promise<Received[]> {
    const { actors } = this.#context
    const actor = await actors.hold(roomId)
    if (!actor) return events.map(() => ({ kind: 'refused', reason: 'we do not know this room' }))
    // Reserved in memory, made durable by the first event's batch. A gap in the order is nothing.
    actor.lowest -= events.length
    const from = actor.lowest
    const received: Received[] = []
    try {
      for (const [i, event] of events.entries()) {
        const options = i === 0 && stateBefore ? { stateBefore } : {}
        received.push(await this.receive(roomId, event, options, { order: from + i }))
      }
    } finally {
      actors.release(actor)
    }
    return received
  }

  async #take(
    work: RoomTransaction,
    incoming: Incoming,
    options: ReceiveOptions,
    how: Circumstances,
    asked: Asked | undefined,
  ): Promise<Received | Taken | Unrecommended> {
    const { actor, tx } = work
    const { reader } = this.#context
    const { pdu, eventId } = incoming
    // It may have begun to stand still while the event waited for others.
    if (actor.frozen && how.order === undefined && !options.outlier) return standsStill
    const [known] = await reader.byIds(tx, [eventId], false)
    const isWanted = known?.facts.flags.outlier && (!options.outlier || known.facts.flags.unjudged)
    if (known && !isWanted) return outcomeOf(known)
    // The room's own comes once more where its history is read to the beginning.
    if (pdu.type === 'm.room.create' && eventId !== actor.tip.get('m.room.create', '')?.eventId) {
      return { kind: 'refused', reason: 'the room has another create event' }
    }

    const authEvents = (await reader.byIds(tx, pdu.auth_events, false)).map(judged)
    const given = (await reader.byIds(tx, options.stateBefore ?? [], false)).map(judged)
    const prevEvents = options.outlier ? [] : await reader.byIds(tx, pdu.prev_events, false)
    const prev = prevEvents.filter(
      event => event !== undefined && !event.facts.flags.outlier,
    ) as StoredEvent[]
    const missingPrevEvents = pdu.prev_events.filter(
      id => !options.outlier && !prev.some(event => event.eventId === id),
    )
    const missingAuthEvents = [
      ...pdu.auth_events.filter((_, i) => !authEvents[i]),
      ...(options.stateBefore ?? []).filter((_, i) => !given[i]),
    ]
    if (missingAuthEvents.length > 0 || (missingPrevEvents.length > 0 && !options.stateBefore)) {
      return { kind: 'incomplete', eventId, missingPrevEvents, missingAuthEvents }
    }

    const byAuthEvents = judgeByAuthEvents(
      pdu,
      actor.rules,
      authEvents as StoredEvent[],
      actor.tip.get('m.room.create', ''),
    )
    if (options.outlier) return this.#keepOutlier(work, incoming, byAuthEvents, known?.position)

    const finder = new StateFinder(this.#context, work)
    const before = await finder.before(pdu, prev, options.stateBefore ? (given as StoredEvent[]) : null)
    const closesGap = (await tx.get(backwardExtremities.key(actor.number, eventId))) !== undefined
    // Fetched history, or an event that newer ones already stand on: the present does not depend on it.
    const isPast = how.order !== undefined || closesGap
    const byRules = judgeOnReceipt({
      byAuthEvents: () => byAuthEvents,
      byStateBefore: () => authorise(pdu, actor.rules, before.lookup, verify),
      byCurrentState: () =>
        isPast
          ? { kind: 'accept' }
          : authorise(pdu, actor.rules, (type, key) => work.state.get(type, key), verify),
    })
    const policyServer = byRules.kind === 'accept' ? policyServerFor(work.view, pdu) : null
    const lacks = policyServer && !isRecommended(policyServer, pdu, incoming.essential) ? policyServer : null
    // Asked once, and again where the room has another one meanwhile.
    if (lacks && !isSame(asked?.policyServer, lacks)) return { kind: 'unrecommended', policyServer: lacks }
    const verdict: Verdict = lacks ? notRecommended(lacks) : byRules
    const redaction =
      verdict.kind === 'accept' ? await redactionOf(this.#context, work, pdu, before.lookup) : noRedaction
    const earlier =
      verdict.kind === 'accept'
        ? await earlierRedactions(this.#context, new RoomTransaction(this.#context, actor, tx), incoming)
        : []
    const flags: EventFlags = {
      ...noFlags,
      cutOnReceipt: incoming.isCut,
      rejected: verdict.kind === 'reject',
      softFailed: verdict.kind === 'soft-fail',
      withheld: redaction.withheld,
    }
    const event = storedEventOf(incoming, actor.rules, flags, {
      replaced: before.replaced(pdu),
      redactedBecause: earlier[0],
    })
    const moves = verdict.kind === 'accept' && !isPast
    const forward = moves
      ? [event, ...work.forward.filter(other => !pdu.prev_events.includes(other.eventId))]
      : work.forward
    work.add({
      event,
      essential: incoming.essential,
      contentText: canonicalContent(pdu.content),
      extras: incoming.extras,
      place: verdict.kind !== 'accept' ? 'hidden' : how.order === undefined ? 'live' : 'backfilled',
      order: how.order,
      before: before.placed,
      current: moves ? await this.#currentState(finder, event, before, forward) : { kind: 'unchanged' },
      forward,
      redacted: redaction.redacted,
      waitsFor: redaction.waitsFor,
      redactedAlready: earlier,
      movedFrom: known?.position,
      missingPrevEvents: verdict.kind === 'reject' ? [] : missingPrevEvents,
      closesGap,
      source: how.source,
    })
    await work.seal()
    return { kind: 'taken', event, verdict }
  }

  /** Spec: server-server-api#validating-policy-server-signatures: a missing or wrong signature is asked for. */
  async #ask(policyServer: PolicyServer, incoming: Incoming): Promise<Asked> {
    try {
      const pdu = await this.#context.policySignatures.sign(policyServer, incoming.pdu, incoming.essential)
      return { policyServer, incoming: { ...incoming, pdu }, isAway: false }
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error
      return { policyServer, incoming, isAway: error.kind !== 'refused' }
    }
  }

  async #keepOutlier(
    work: RoomTransaction,
    incoming: Incoming,
    verdict: Verdict,
    movedFrom: Position | undefined,
  ): Promise<Taken> {
    const event = storedEventOf(incoming, work.actor.rules, {
      ...noFlags,
      outlier: true,
      cutOnReceipt: incoming.isCut,
      rejected: verdict.kind === 'reject',
    })
    work.add({
      event,
      essential: incoming.essential,
      contentText: canonicalContent(incoming.pdu.content),
      extras: incoming.extras,
      place: 'hidden',
      before: 'none',
      current: { kind: 'unchanged' },
      forward: work.forward,
      movedFrom,
    })
    await work.seal()
    return { kind: 'taken', event, verdict }
  }

  /** Spec: server-server-api: the current state is resolved from the states at all forward extremities. */
  async #currentState(
    finder: StateFinder,
    event: StoredEvent,
    before: FoundState,
    forward: readonly StoredEvent[],
  ): Promise<CurrentState> {
    const own = event.stateKey === undefined ? [] : [{ type: event.type, stateKey: event.stateKey, event }]
    if (forward.length === 1 && before.placed === 'tip') return { kind: 'after-event', changes: own }
    const after = await finder.after(before, event)
    if (forward.length === 1) {
      return { kind: 'after-event', changes: changesBetween(await finder.tip(), after) }
    }
    const others = await finder.statesAfter(forward.filter(other => other !== event))
    const resolved = await finder.resolve([after, ...others])
    return { kind: 'resolved', changes: changesBetween(await finder.tip(), resolved) }
  }
}

function isSame(one: PolicyServer | undefined, other: PolicyServer): boolean {
  return one?.via === other.via && one.publicKey === other.publicKey
}

function notRecommended({ via }: PolicyServer): Verdict {
  return {
    kind: 'soft-fail',
    rule: `server-server-api#validating-policy-server-signatures: ${via} does not recommend the event`,
  }
}

/** An event that nobody has held against the auth rules allows nothing. */
function judged(event: StoredEvent | undefined): StoredEvent | undefined {
  return event?.facts.flags.unjudged ? undefined : event
}

/** An event that cannot be stored is refused; the store's failures are everybody's. */
function ownFault(error: unknown): Received {
  if (error instanceof RoomError) return { kind: 'refused', reason: error.message }
  throw error
}

/** `verdict`: of this time; for an event that came before, its record tells. */
function outcomeOf(event: StoredEvent, verdict?: Verdict): Received {
  const { eventId, position } = event
  const { outlier, rejected, softFailed } = event.facts.flags
  const rule = verdict && verdict.kind !== 'accept' ? verdict.rule : 'as when it was first received'
  if (rejected) return { kind: 'rejected', eventId, rule }
  if (outlier) return { kind: 'outlier', eventId }
  return softFailed ? { kind: 'soft-failed', eventId, rule } : { kind: 'accepted', eventId, position }
}
