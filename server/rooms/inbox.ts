/**
 * What other servers send us: the events of a transaction, each by itself, rooms side by side.
 *
 * Nothing that one event does (bad form, a wrong signature, ancestors that cannot be had) keeps the next one out
 * (CVE-2025-30355). What is answered is durable. Events for a room that is just coming here wait for it.
 *
 * Spec: server-server-api#put_matrixfederationv1sendtxnid, #checks-performed-on-receipt-of-a-pdu
 */
import { requiredSigners } from '../protocol/event-signing.ts'
import {
  type EventId,
  parseRoomId,
  parseUserId,
  type RoomId,
  type ServerName,
  serverOf,
  type UserId,
} from '../protocol/ids.ts'
import { isObject, type Json } from '../protocol/json.ts'
import { type RoomRules, roomVersion } from '../protocol/room-versions.ts'
import { roomNumbers } from '../store/catalogue.ts'
import { StoreError } from '../store/store.ts'
import type { Freezer } from './freezer.ts'
import type { PduResult, PduResults } from './inbound-rooms.ts'
import { type Incoming, incomingOf, parseReceived } from './incoming-event.ts'
import { Budget, type FetchSource, type MissingEvents } from './missing-events.ts'
import { writeOutside } from './outside-membership.ts'
import type { Receiver } from './receive.ts'
import { RoomError } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import type { Received } from './rooms-internal.ts'
import { serverAcl } from './server-acl.ts'

/** Requests that the events of one transaction may cost us. */
const maxRequests = 100

type Results = Map<EventId, PduResult>

interface Prepared {
  readonly json: Json
  readonly incoming: Incoming
}

export class Inbox {
  readonly #context: RoomsContext
  readonly #receiver: Receiver
  readonly #missing: MissingEvents
  readonly #freezer: Freezer

  constructor(context: RoomsContext, receiver: Receiver, missing: MissingEvents, freezer: Freezer) {
    this.#context = context
    this.#receiver = receiver
    this.#missing = missing
    this.#freezer = freezer
  }

  async takeTransaction(origin: ServerName, pdus: readonly Json[]): Promise<PduResults> {
    const byRoom = new Map<RoomId, Json[]>()
    for (const json of pdus) {
      const roomId = isObject(json) ? parseRoomId(json['room_id']) : null
      if (!roomId) continue
      const events = byRoom.get(roomId)
      if (events) events.push(json)
      else byRoom.set(roomId, [json])
    }
    const results: Results = new Map()
    const budget = new Budget(maxRequests)
    await Promise.all(
      Array.from(byRoom, ([roomId, events]) => this.#takeOfRoom(origin, roomId, events, budget, results)),
    )
    return results
  }

  async #takeOfRoom(
    origin: ServerName,
    roomId: RoomId,
    events: readonly Json[],
    budget: Budget,
    results: Results,
  ): Promise<void> {
    await this.#context.arriving.get(roomId)?.catch(() => {})
    const rules = await this.#rulesOf(roomId)
    if (!rules) return
    const prepared = events.flatMap(json => {
      const pdu = parseReceived(json, rules)
      // Without a form that everybody agrees on there is no id to answer for.
      return 'refused' in pdu ? [] : [{ json, incoming: incomingOf(pdu, rules) }]
    })
    for (let i = 0; i < prepared.length; ) {
      const messages = messagesFrom(prepared, i)
      const next = messages.length > 0 ? messages : prepared.slice(i, i + 1)
      const left = messages.length > 1 ? await this.#takeMessages(origin, roomId, messages, rules) : next
      for (const each of next) if (!left.includes(each)) results.set(each.incoming.eventId, {})
      for (const { json, incoming } of left) {
        const { eventId } = incoming
        const result = await this.#take(origin, roomId, rules, json, eventId, budget)
        // A bad copy of an event that was taken takes nothing back: signatures are no part of its id.
        const isTaken = results.has(eventId) && results.get(eventId)!.error === undefined
        if (!isTaken) results.set(eventId, result)
      }
      i += next.length
    }
  }

  /**
   * Messages that follow each other change nothing of who may send what: their signatures are checked side by side, and
   * they become durable together. Returns those that need more: they are taken one by one.
   */
  async #takeMessages(
    origin: ServerName,
    roomId: RoomId,
    messages: readonly Prepared[],
    rules: RoomRules,
  ): Promise<readonly Prepared[]> {
    const { actors, checkSignatures, peers, serverName } = this.#context
    const signed = await Promise.all(
      messages.map(({ incoming }) => checkSignatures(incoming.pdu, rules).catch(unlessOwnFault)),
    )
    const view = (await actors.get(roomId))?.view
    if (!view?.joinedServers.has(serverName) || view.frozen || !serverAcl(view).allows(origin))
      return messages
    const taken = messages.map(({ incoming }, i) => {
      const isKnown = requiredSigners(incoming.pdu).every(server => !peers || peers.isKnown(server))
      return signed[i] && isKnown
        ? this.#receiver.receiveChecked(roomId, incoming).catch(unlessOwnFault)
        : null
    })
    const received = await Promise.all(taken)
    return messages.filter((_, i) => {
      const result = received[i]
      return !result || refusalOf(result) !== null
    })
  }

  async #rulesOf(roomId: RoomId): Promise<RoomRules | null> {
    const { actors, store } = this.#context
    const loaded = actors.loaded(roomId)
    if (loaded) return loaded.rules
    const known = await store.read(view => view.get(roomNumbers.key(roomId)))
    return known ? roomVersion(known.version) : null
  }

  async #take(
    origin: ServerName,
    roomId: RoomId,
    rules: RoomRules,
    json: Json,
    eventId: EventId,
    budget: Budget,
  ): Promise<PduResult> {
    const { actors, serverName, peers, report } = this.#context
    const view = (await actors.get(roomId))?.view
    if (!view?.joinedServers.has(serverName)) {
      return (await this.#endMembership(origin, roomId, rules, json))
        ? {}
        : { error: 'this server is not in the room' }
    }
    if (view.frozen) return { error: 'the room stands still on this server' }
    if (!serverAcl(view).allows(origin))
      return { error: `the room's server ACL does not let ${origin} take part` }
    const pdu = parseReceived(json, rules)
    if ('refused' in pdu) return { error: pdu.refused }
    const stranger = requiredSigners(pdu).find(server => peers && !peers.isKnown(server))
    const onStranger: FetchSource['onStranger'] = async (server, event, id) => {
      // Only who is in the room can say who else is: others would stop it with events that they made up.
      if (view.joinedServers.has(origin)) await this.#freeze(roomId, server, event, id)
    }
    if (stranger !== undefined) {
      await onStranger(stranger, json, eventId)
      return { error: `this server does not know ${stranger}` }
    }
    try {
      const source = { server: origin, budget, onStranger }
      const received = await this.#missing.receive(roomId, json, source)
      const error = refusalOf(received)
      if (error === null) return {}
      const mayComeAgain = received.kind === 'incomplete' && budget.didNotAnswer(origin)
      return { error, ...(mayComeAgain && { mayComeAgain }) }
    } catch (error) {
      unlessOwnFault(error)
      if (error instanceof RoomError) return { error: error.message }
      report('an event of a peer could not be judged', { peer: origin, error: nameOf(error) })
      return { error: 'this server failed to judge the event' }
    }
  }

  async #freeze(roomId: RoomId, server: ServerName, event: Json, eventId: EventId): Promise<void> {
    const sender = (isObject(event) && parseUserId(event['sender'])) || (`@:${server}` as UserId)
    await this.#freezer.freeze(roomId, { server, by: sender, eventId, sinceTs: this.#context.clock() })
  }

  /**
   * A member event for a room that is not here: an invite taken back, a knock turned down. It counts if it refers to
   * what it ends, and comes from the server of who sent it. Spec: server-server-api#inviting-to-a-room
   */
  async #endMembership(origin: ServerName, roomId: RoomId, rules: RoomRules, json: Json): Promise<boolean> {
    const { checkSignatures, memberships, serverName } = this.#context
    const pdu = parseReceived(json, rules)
    if ('refused' in pdu || pdu.type !== 'm.room.member') return false
    const userId = parseUserId(pdu.state_key)
    const { membership } = pdu.content
    if (!userId || serverOf(userId) !== serverName || serverOf(pdu.sender) !== origin) return false
    if (membership !== 'leave' && membership !== 'ban') return false
    const row = (await memberships.of(userId)).get(roomId)
    if (!row || (row.membership !== 'invite' && row.membership !== 'knock')) return false
    if (!pdu.auth_events.includes(row.eventId) || !(await checkSignatures(pdu, rules))) return false
    await writeOutside(this.#context, {
      roomId,
      rules,
      event: incomingOf(pdu, rules),
      strippedState: undefined,
    })
    return true
  }
}

/**
 * The store's failures are everybody's. Whatever else goes wrong went wrong over one event: a mistake of ours that it
 * finds must not cut off its server, which would send all of the transaction again for ever.
 */
function unlessOwnFault(error: unknown): null {
  if (error instanceof StoreError) throw error
  return null
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

/** The events from there on up to the next state event. */
function messagesFrom(prepared: readonly Prepared[], from: number): readonly Prepared[] {
  const end = prepared.findIndex(({ incoming }, i) => i >= from && incoming.pdu.state_key !== undefined)
  return prepared.slice(from, end < 0 ? undefined : end)
}

function refusalOf(received: Received): string | null {
  switch (received.kind) {
    case 'accepted':
    // Spec: server-server-api#soft-failure: its sender did nothing wrong.
    case 'soft-failed':
    case 'outlier':
      return null
    case 'rejected':
      return received.rule
    case 'refused':
      return received.reason
    case 'incomplete':
      return 'events that it stands on could not be had'
    default:
      return received satisfies never
  }
}
