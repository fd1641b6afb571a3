/**
 * What local people write: drafts become events on the room's tip, or are refused.
 *
 * Signing is not part of it: an event id covers no signature, and Ed25519 gives the same signature whenever it is
 * made. The key is fixed here and stored with the event; `signed` (outgoing.ts) is the only way out.
 */
import { encodeBase64Url } from '../protocol/base64.ts'
import { canonicalJson } from '../protocol/canonical-json.ts'
import { maxDepth, maxEventBytes } from '../protocol/event.ts'
import { type EventId, type RoomId, roomIdOfCreateEvent, type UserId } from '../protocol/ids.ts'
import { redactedEventId } from '../protocol/redaction.ts'
import { type RoomRules, roomVersion } from '../protocol/room-versions.ts'
import { withSignature } from '../protocol/signing.ts'
import { fitsUtf8, utf8Bytes } from '../protocol/utf8.ts'
import type { SentRow } from '../store/catalogue.ts'
import { nextRoomNumber, roomMemberships, roomNumbers, sentTransactions } from '../store/catalogue.ts'
import type { Key } from '../store/key.ts'
import { authTypesFor } from './auth-events.ts'
import { type BuiltEvent, buildEvent, canonicalContent } from './build-event.ts'
import { authorise } from './event-auth.ts'
import { policyServerFor } from './policy-server.ts'
import { policyRefusal } from './policy-signatures.ts'
import { verify } from './primitives.ts'
import { RemoteError } from './remote-rooms.ts'
import { RoomActor } from './room-actor.ts'
import { RoomTransaction } from './room-transaction.ts'
import {
  type BatchOptions,
  type CreatedRoom,
  type Draft,
  type NewRoom,
  RoomError,
  type SendOptions,
  type Sent,
} from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import { noFlags, type SentWith, StoredEvent } from './stored-event.ts'

type RoomDraft = Omit<Draft, 'roomId'>

/** An event may name 20; ten are enough to bring forks together, and keep events small. */
export const maxPrevEvents = 10

export class Sender {
  readonly #context: RoomsContext
  /** Sends with a transaction id that are not answered yet: a repeat waits for the first. */
  readonly #unanswered = new Map<string, Promise<Sent>>()
  #lastRoomMadeAt = 0

  constructor(context: RoomsContext) {
    this.#context = context
  }

  send(draft: Draft, { transaction }: SendOptions = {}): Promise<Sent> {
    if (!transaction) return this.#transactOne(draft, undefined)
    const { userId, deviceId, txnId } = transaction
    const id = JSON.stringify([userId, deviceId, draft.roomId, draft.type, txnId])
    const first = this.#unanswered.get(id)
    if (first) return first
    const sending = this.#transactOne(draft, transaction)
    this.#unanswered.set(id, sending)
    const answered = () => void this.#unanswered.delete(id)
    sending.then(answered, answered)
    return sending
  }

  async #transactOne(draft: Draft, transaction: SentWith | undefined): Promise<Sent> {
    const sent = await this.#transact(draft.roomId, [], async work => {
      const { tx, actor } = work
      if (!transaction) return this.#sendOne(work, draft, undefined, undefined)
      const key = transactionKey(actor.number, draft.type, transaction)
      const sent = await tx.get(key)
      return sent ?? this.#sendOne(work, draft, transaction, key)
    })
    return sentOf(sent)
  }

  async #sendOne(
    work: RoomTransaction,
    draft: RoomDraft,
    transaction: SentWith | undefined,
    key: Key<SentRow> | undefined,
  ): Promise<Sent> {
    const event = await this.#add(work, draft, transaction)
    await work.seal(rows => {
      if (key) rows.put(key, sentOf(event))
    })
    // Nothing was written: the state says it already. The repeat gets the same answer even if that changes.
    if (event.position !== 0 && key) work.tx.put(key, sentOf(event))
    return event
  }

  /** The event that this draft would be now: judged, and not written. */
  draft(draft: Draft): Promise<BuiltEvent> {
    return this.#transact(draft.roomId, [], async work => {
      const built = this.#build(work, draft)
      await this.#judge(work, built, draft)
      return this.#recommended(work, built)
    })
  }

  async sendMany(roomId: RoomId, drafts: readonly RoomDraft[], options: BatchOptions = {}): Promise<Sent[]> {
    const sent = await this.#transact(roomId, options.owners ?? [], async work => {
      const events: StoredEvent[] = []
      for (const draft of drafts) events.push(await this.#add(work, draft, undefined))
      await options.also?.(work.tx, roomId)
      await work.seal()
      return events
    })
    return sent.map(sentOf)
  }

  async create(room: NewRoom, options: BatchOptions = {}): Promise<CreatedRoom> {
    const context = this.#context
    const rules = roomVersion(room.version)
    if (!rules) {
      throw new RoomError('M_UNSUPPORTED_ROOM_VERSION', `room version ${room.version} is not supported`)
    }
    const first = this.#buildCreate(room, rules)
    const roomId = first.pdu.room_id ?? roomIdOfCreateEvent(first.eventId)
    const owners = [roomId, 'rooms:numbers', ...(options.owners ?? [])]
    const sent = await context.store.transact(owners, async tx => {
      const [taken, number = 1] = await tx.getMany([roomNumbers.key(roomId), nextRoomNumber.key()])
      if (taken) throw new RoomError('M_ROOM_IN_USE', 'the room exists already')
      tx.put(nextRoomNumber.key(), number + 1)
      tx.put(roomNumbers.key(roomId), { number, version: rules.version })

      const actor = new RoomActor(roomId, number, rules)
      const work = new RoomTransaction(context, actor, tx)
      const events = [this.#accept(work, first, [], undefined, undefined)]
      for (const draft of room.events(roomId)) events.push(await this.#add(work, draft, undefined))
      await options.also?.(tx, roomId)
      await work.seal(() => context.actors.add(actor))
      return events
    })
    return { roomId, sent: sent.map(sentOf) }
  }

  /** Also of a room that is not here, of which this person once had an invite. */
  async forget(userId: UserId, roomId: RoomId): Promise<void> {
    const { store, actors, memberships } = this.#context
    await store.transact(roomId, async tx => {
      const known = await tx.get(roomNumbers.key(roomId))
      const key = known && roomMemberships.key(userId, known.number)
      const row = key && (await tx.get(key))
      if (!key || !row) throw new RoomError('M_UNKNOWN', `${userId} was never in this room`)
      if (row.membership !== 'leave' && row.membership !== 'ban') {
        throw new RoomError('M_UNKNOWN', `${userId} is still in this room: leave it first`)
      }
      if (row.forgotten) return
      const forgotten = { ...row, forgotten: true }
      tx.put(key, forgotten)
      tx.announce(`user:${userId}`)
      tx.sequence(next => actors.queued(null, next(), () => memberships.changed(userId, forgotten)))
    })
  }

  // ── one draft ────────────────────────────────────────────────────────────────────────────────────

  /** Runs `fn` as the room's writer, with the room in memory. */
  #transact<T>(
    roomId: RoomId,
    owners: readonly string[],
    fn: (work: RoomTransaction) => Promise<T>,
  ): Promise<T> {
    const { store, actors } = this.#context
    return store.transact(owners.length === 0 ? roomId : [roomId, ...owners], async tx => {
      const actor = await actors.hold(roomId)
      if (!actor) throw new RoomError('M_FORBIDDEN', 'you are not in this room, or it does not exist')
      try {
        return await fn(new RoomTransaction(this.#context, actor, tx))
      } finally {
        actors.release(actor)
      }
    })
  }

  /** The event that the draft becomes, or the one that says the same already. */
  async #add(
    work: RoomTransaction,
    draft: RoomDraft,
    transaction: SentWith | undefined,
  ): Promise<StoredEvent> {
    const { state } = work
    const { type, sender, stateKey, content } = draft
    const replaced = stateKey === undefined ? undefined : state.get(type, stateKey)
    if (replaced?.sender === sender && canonicalContent(replaced.content) === canonicalContent(content)) {
      return replaced
    }
    const redacted = type === 'm.room.redaction' ? await this.#redactionTarget(work, draft) : undefined

    const built = this.#build(work, draft)
    await this.#judge(work, built, draft)
    const recommended = await this.#recommended(work, built)
    const prev = work.forward.slice(0, maxPrevEvents)
    return this.#accept(work, recommended, prev, transaction, replaced, redacted)
  }

  #build({ actor, state, forward }: RoomTransaction, draft: RoomDraft): BuiltEvent {
    const { type, sender, stateKey, content } = draft
    const prev = forward.slice(0, maxPrevEvents)
    const authEvents: EventId[] = []
    for (const [authType, authKey] of authTypesFor(
      { type, sender, content, ...keyOf(stateKey) },
      actor.rules,
    )) {
      const event = state.get(authType, authKey)
      if (event) authEvents.push(event.eventId)
    }
    return buildEvent(
      {
        roomId: actor.roomId,
        type,
        sender,
        stateKey,
        content,
        redacts: type === 'm.room.redaction' ? draft.redacts : undefined,
        originServerTs: draft.originServerTs ?? this.#context.clock(),
        depth: Math.min(maxDepth, 1 + prev.reduce((depth, event) => Math.max(depth, event.depth), 0)),
        prevEvents: prev.map(({ eventId }) => eventId),
        authEvents,
      },
      actor.rules,
      this.#context.serverName,
    )
  }

  async #judge(work: RoomTransaction, { pdu }: BuiltEvent, draft: RoomDraft): Promise<void> {
    const { actor, state } = work
    const verdict = authorise(pdu, actor.rules, (type, key) => state.get(type, key), verify)
    if (verdict.kind !== 'accept') throw new RoomError('M_FORBIDDEN', verdict.rule)
    const { gates } = this.#context
    if (gates.length === 0) return
    const whole: Draft = { ...draft, roomId: actor.roomId }
    const { view } = work
    for (const gate of gates) {
      if (gate.reads) await work.load(gate.reads(whole, view))
      const judgement = gate.judge(whole, view, work.loaded)
      if (judgement.kind === 'refuse')
        throw new RoomError(judgement.code, judgement.reason, { fields: judgement.fields ?? {} })
    }
  }

  /**
   * With the signature of the room's policy server, if it has one: asked while the room waits, so that the event stands
   * where it was shown to stand. Spec: server-server-api#policy-servers
   */
  async #recommended(work: RoomTransaction, built: BuiltEvent): Promise<BuiltEvent> {
    const policyServer = policyServerFor(work.view, built.pdu)
    if (!policyServer) return built
    const { policySignatures, serverName, signer } = this.#context
    const { pdu, essential } = built
    const signature = signer.sign(signer.keyId, utf8Bytes(essential))
    const ours = withSignature(pdu, serverName, signer.keyId, signature)
    const signed = await policySignatures.sign(policyServer, ours, essential).catch(error => {
      throw error instanceof RemoteError ? policyRefusal(policyServer, error) : error
    })
    if (!fitsUtf8(canonicalJson(signed), maxEventBytes)) {
      throw new RoomError('M_TOO_LARGE', `the event would be larger than ${maxEventBytes} bytes`)
    }
    // Our own signature is made on the way out.
    const { [serverName]: _ours, ...others } = signed.signatures!
    return { ...built, pdu: { ...pdu, signatures: others } }
  }

  /**
   * Spec: client-server-api#put_matrixclientv3roomsroomidredacteventidtxnid: one's own events, or with the level to
   * redact anybody's. (Between servers it is enough that both senders are of one server: `mayRedact`.)
   */
  async #redactionTarget(work: RoomTransaction, draft: RoomDraft): Promise<StoredEvent> {
    const { actor, tx } = work
    const { rules } = actor
    const named = draft.redacts ?? redactedEventId({ content: draft.content }, rules)
    const [target] = named ? await this.#context.reader.byIds(tx, [named], false) : []
    if (!target?.isShown || target.roomId !== actor.roomId) {
      throw new RoomError('M_NOT_FOUND', 'redacts does not name an event of this room')
    }
    const { view } = work
    if (target.sender !== draft.sender && view.powerLevel(draft.sender) < view.levelTo('redact')) {
      throw new RoomError('M_FORBIDDEN', "your power level does not allow to redact other people's events")
    }
    return target
  }

  #accept(
    work: RoomTransaction,
    built: BuiltEvent,
    prev: readonly StoredEvent[],
    transaction: SentWith | undefined,
    replaced: StoredEvent | undefined,
    redacted?: StoredEvent,
  ): StoredEvent {
    const { signatures, ...pdu } = built.pdu
    const event = new StoredEvent(
      pdu,
      {
        eventId: built.eventId,
        flags: noFlags,
        ourKey: this.#context.signer.keyId,
        signatures,
        transaction,
        redacts: redacted?.eventId,
        replaced: replaced?.position,
      },
      { replaced: replaced?.asReplaced() },
    )
    work.add({
      event,
      essential: built.essential,
      contentText: built.contentText,
      extras: built.extras,
      place: 'live',
      before: 'tip',
      current: {
        kind: 'after-event',
        changes: pdu.state_key === undefined ? [] : [{ type: pdu.type, stateKey: pdu.state_key, event }],
      },
      forward: [event, ...work.forward.filter(other => !prev.includes(other))],
      // The first redaction is the one that is told.
      redacted: redacted?.redactedBecause ? undefined : redacted,
    })
    return event
  }

  // ── rooms ────────────────────────────────────────────────────────────────────────────────────────

  #buildCreate(room: NewRoom, rules: RoomRules): BuiltEvent {
    const { clock, randomBytes, serverName } = this.#context
    // The id of a version 12 room is the hash of this event: no two of one person in one millisecond.
    this.#lastRoomMadeAt = Math.max(clock(), this.#lastRoomMadeAt + 1)
    const { creator: _creator, room_version: _version, ...rest } = room.createContent
    const built = buildEvent(
      {
        roomId: rules.roomIdIsCreateEventHash
          ? undefined
          : (`!${encodeBase64Url(randomBytes(18))}:${serverName}` as RoomId),
        type: 'm.room.create',
        sender: room.creator,
        stateKey: '',
        content: {
          ...rest,
          room_version: rules.version,
          ...(rules.creatorIsInContent && { creator: room.creator }),
        },
        redacts: undefined,
        originServerTs: this.#lastRoomMadeAt,
        depth: 1,
        prevEvents: [],
        authEvents: [],
      },
      rules,
      serverName,
    )
    const verdict = authorise(built.pdu, rules, () => undefined, verify)
    if (verdict.kind !== 'accept') throw new RoomError('M_INVALID_PARAM', verdict.rule)
    return built
  }
}

/**
 * Spec: client-server-api#transaction-identifiers: a repeat comes from the same device and has the same path. The row
 * is kept for ever, as the event is: a device may send its outbox again after months without contact.
 */
function transactionKey(room: number, type: string, { userId, deviceId, txnId }: SentWith): Key<SentRow> {
  return sentTransactions.key(room, userId, deviceId, type, txnId)
}

/** Asked when the transaction is queued or later: before, an event has no position. */
function sentOf({ eventId, position }: Sent): Sent {
  return { eventId, position }
}

function keyOf(stateKey: string | undefined): { state_key?: string } {
  return stateKey === undefined ? {} : { state_key: stateKey }
}
