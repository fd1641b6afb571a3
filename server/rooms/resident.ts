/**
 * Our rooms as the room's resident server: who of another server may join, knock and leave through us.
 *
 * A member event that came to us alone is accepted like any other, told to the room's other servers, and answered
 * once it is durable: a crash before that leaves the asker without an answer and us without the event; asking again
 * is harmless.
 *
 * Spec: server-server-api#joining-rooms, #knocking-upon-a-room, #leaving-rooms-rejected-invites
 */
import type { Pdu } from '../protocol/event.ts'
import { signedText } from '../protocol/event-hash.ts'
import {
  type EventId,
  parseUserId,
  type RoomId,
  type ServerName,
  serverOf,
  type UserId,
} from '../protocol/ids.ts'
import { type Json, type JsonObject, memberOf } from '../protocol/json.ts'
import { roomVersion } from '../protocol/room-versions.ts'
import { withSignature } from '../protocol/signing.ts'
import { utf8Bytes } from '../protocol/utf8.ts'
import { memberTemplate } from './event-template.ts'
import type { AcceptedJoin, InboundRooms, StateWithAuthChain } from './inbound-rooms.ts'
import { incomingOf, parseReceived } from './incoming-event.ts'
import { allowedRooms, isRestricted, joinRuleOf, localInviter } from './membership.ts'
import type { Outgoing } from './outgoing.ts'
import type { Receiver } from './receive.ts'
import type { EventTemplate } from './remote-rooms.ts'
import { residencyRefusal } from './residency.ts'
import { RoomError, type RoomView } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import { serverAcl } from './server-acl.ts'
import { wholeState } from './state-chain.ts'
import type { StoredEvent } from './stored-event.ts'
import { identifyingState } from './stripped-state.ts'

type ResidentRooms = Pick<
  InboundRooms,
  'makeJoin' | 'sendJoin' | 'makeLeave' | 'sendLeave' | 'makeKnock' | 'sendKnock' | 'askedBy' | 'stateBefore'
>

export class Resident implements ResidentRooms {
  readonly #context: RoomsContext
  readonly #receiver: Receiver
  readonly #outgoing: Outgoing

  constructor(context: RoomsContext, receiver: Receiver, outgoing: Outgoing) {
    this.#context = context
    this.#receiver = receiver
    this.#outgoing = outgoing
  }

  async askedBy(
    origin: ServerName,
    roomId: RoomId,
    { mayBeOutside = false, about = [] }: Parameters<InboundRooms['askedBy']>[2] = {},
  ): Promise<RoomView> {
    const actor = await this.#context.actors.get(roomId)
    if (!actor?.exists) throw unknownRoom(roomId)
    const { view } = actor
    if (view.frozen) throw frozenRefusal()
    if (!serverAcl(view).allows(origin)) {
      throw new RoomError('M_FORBIDDEN', `The room's server ACL does not let ${origin} take part.`)
    }
    if (!mayBeOutside && !view.joinedServers.has(origin) && !(await this.#putOut(origin, roomId, about))) {
      throw new RoomError('M_FORBIDDEN', `${origin} is not in this room.`)
    }
    return view
  }

  async makeJoin(
    origin: ServerName,
    roomId: RoomId,
    userId: UserId,
    versions: readonly string[],
  ): Promise<EventTemplate> {
    const view = await this.#roomFor(origin, roomId, userId, versions)
    const vouched = await this.#voucherFor(view, userId)
    return this.#template(roomId, userId, {
      membership: 'join',
      ...(vouched && { join_authorised_via_users_server: vouched }),
    })
  }

  async sendJoin(origin: ServerName, roomId: RoomId, eventId: EventId, json: Json): Promise<AcceptedJoin> {
    await this.#takeEntrusted(origin, roomId, eventId, json, 'join')
    const before = await this.stateBefore(roomId, eventId)
    const event = await this.#outgoing.signed(eventId)
    if (!before || !event) throw new RoomError('M_UNKNOWN', 'The join is not where it was a moment ago.')
    return { ...before, event }
  }

  /** Leaving is open to whoever has a membership to end, an invite included: the auth rules say so. */
  async makeLeave(origin: ServerName, roomId: RoomId, userId: UserId): Promise<EventTemplate> {
    await this.#roomFor(origin, roomId, userId)
    return this.#template(roomId, userId, { membership: 'leave' })
  }

  async sendLeave(origin: ServerName, roomId: RoomId, eventId: EventId, json: Json): Promise<void> {
    await this.#takeEntrusted(origin, roomId, eventId, json, 'leave')
  }

  async makeKnock(
    origin: ServerName,
    roomId: RoomId,
    userId: UserId,
    versions: readonly string[],
  ): Promise<EventTemplate> {
    await this.#roomFor(origin, roomId, userId, versions)
    return this.#template(roomId, userId, { membership: 'knock' })
  }

  async sendKnock(
    origin: ServerName,
    roomId: RoomId,
    eventId: EventId,
    json: Json,
  ): Promise<readonly JsonObject[]> {
    await this.#takeEntrusted(origin, roomId, eventId, json, 'knock')
    const actor = await this.#context.actors.get(roomId)
    return actor ? this.#outgoing.signedAll(identifyingState(actor.durable)) : []
  }

  async stateBefore(roomId: RoomId, eventId: EventId): Promise<StateWithAuthChain | null> {
    const { store, reader } = this.#context
    const state = await store.read(async view => {
      const [event] = await reader.byIds(view, [eventId])
      if (!event || event.roomId !== roomId || event.facts.flags.outlier) return null
      const chain = (await reader.chains(view, [event.before])).get(event.before)
      const events = chain ? await reader.byPositions(view, [...wholeState(chain).values()]) : []
      return events.flatMap(stateEvent => stateEvent?.eventId ?? [])
    })
    if (!state) return null
    return { state, authChain: [...(await this.#outgoing.authChain(state))] }
  }

  // ── steps ────────────────────────────────────────────────────────────────────────────────────────

  /** Is each of these an event by which somebody else put a member of this server out? */
  async #putOut(server: ServerName, roomId: RoomId, eventIds: readonly EventId[]): Promise<boolean> {
    if (eventIds.length === 0) return false
    const { store, reader } = this.#context
    const events = await store.read(view => reader.byIds(view, eventIds))
    return events.every(event => event?.roomId === roomId && putsOut(event, server))
  }

  /** The room, if we are in it and this person of this server may come and go through us. */
  async #roomFor(
    origin: ServerName,
    roomId: RoomId,
    userId: UserId,
    versions?: readonly string[],
  ): Promise<RoomView> {
    if (serverOf(userId) !== origin) {
      throw new RoomError('M_FORBIDDEN', `${userId} is not a person of ${origin}.`)
    }
    const view = await this.askedBy(origin, roomId, { mayBeOutside: true })
    // Spec: make_join: a room that nobody of ours is in is one that we do not know (any more).
    if (!view.joinedServers.has(this.#context.serverName)) throw unknownRoom(roomId)
    if (versions && !versions.includes(view.version)) {
      throw new RoomError(
        'M_INCOMPATIBLE_ROOM_VERSION',
        `Your homeserver does not support the features required to join this room: it has version ${view.version}.`,
        { fields: { room_version: view.version } },
      )
    }
    return view
  }

  async #template(roomId: RoomId, userId: UserId, content: JsonObject): Promise<EventTemplate> {
    const actor = await this.#context.actors.get(roomId)
    if (!actor) throw unknownRoom(roomId)
    return memberTemplate(this.#context, actor, userId, content)
  }

  /**
   * Who of ours lets this person into a restricted room; undefined: they need nobody.
   * Spec: server-server-api#restricted-rooms
   */
  async #voucherFor(view: RoomView, userId: UserId): Promise<UserId | undefined> {
    const { serverName, peers, memberships, actors } = this.#context
    const refusal = residencyRefusal(view, peers, serverOf(userId))
    if (refusal) throw new RoomError('M_FORBIDDEN', refusal)
    const membership = view.membership(userId)
    if (membership === 'join' || membership === 'invite' || membership === 'ban') return undefined
    if (!isRestricted(joinRuleOf(view))) return undefined
    const allowed = allowedRooms(view)
    const own = await memberships.of(userId)
    const isMember = allowed.some(roomId => own.get(roomId)?.membership === 'join')
    if (!isMember) {
      const views = await Promise.all(allowed.map(async roomId => (await actors.get(roomId))?.view))
      if (views.some(other => other?.joinedServers.has(serverName) !== true)) {
        throw new RoomError(
          'M_UNABLE_TO_AUTHORISE_JOIN',
          `This server is not in all rooms whose members may join, so it cannot say whether ${userId} may.`,
        )
      }
      throw new RoomError('M_FORBIDDEN', `${userId} is in none of the rooms whose members may join this one.`)
    }
    const voucher = localInviter(view, serverName)
    if (voucher) return voucher
    throw new RoomError('M_UNABLE_TO_GRANT_JOIN', 'Nobody of this server may invite to this room.')
  }

  /** Takes a member event that came to us alone, or says why not. */
  async #takeEntrusted(
    origin: ServerName,
    roomId: RoomId,
    eventId: EventId,
    json: Json,
    membership: 'join' | 'leave' | 'knock',
  ): Promise<void> {
    const view = await this.askedBy(origin, roomId, { mayBeOutside: true })
    if (!view.joinedServers.has(this.#context.serverName)) throw unknownRoom(roomId)
    const rules = roomVersion(view.version)!
    const pdu = parseReceived(json, rules)
    if ('refused' in pdu) throw new RoomError('M_BAD_JSON', pdu.refused)
    checkMemberEvent(pdu, origin, membership)
    if (incomingOf(pdu, rules).eventId !== eventId) {
      throw new RoomError('M_INVALID_PARAM', 'The event id in the path is not the event’s.')
    }
    const signed = membership === 'join' ? await this.#vouchedFor(view, pdu) : pdu
    const received = await this.#receiver.receive(roomId, signed, {}, { source: 'entrusted' })
    if (received.kind === 'accepted') return
    throw new RoomError(
      'M_FORBIDDEN',
      received.kind === 'incomplete'
        ? 'The event stands on events that are not here; ask for a new template.'
        : received.kind === 'refused'
          ? received.reason
          : 'rule' in received
            ? received.rule
            : 'The event is known already, and has no place in the room.',
    )
  }

  /**
   * With our signature where it names one of ours as who lets them in. Whether that person may is the auth rules' to
   * say; whether the condition holds now, we say by signing. Spec: rooms/v11#authorization-rules (4.2.1, 4.3.5)
   */
  async #vouchedFor(view: RoomView, pdu: Pdu): Promise<Pdu> {
    const needed = await this.#voucherFor(view, pdu.sender)
    const named = parseUserId(memberOf(pdu.content, 'join_authorised_via_users_server'))
    const { serverName, signer } = this.#context
    if (needed === undefined || named === null || serverOf(named) !== serverName) return pdu
    const bytes = utf8Bytes(signedText(pdu, roomVersion(view.version)!))
    return withSignature(pdu, serverName, signer.keyId, signer.sign(signer.keyId, bytes))
  }
}

function checkMemberEvent(pdu: Pdu, origin: ServerName, membership: string): void {
  const isMember = pdu.type === 'm.room.member' && pdu.state_key === pdu.sender
  if (!isMember || pdu.content['membership'] !== membership) {
    throw new RoomError('M_INVALID_PARAM', `The event is no ${membership} of its own sender.`)
  }
  if (serverOf(pdu.sender) !== origin) {
    throw new RoomError('M_FORBIDDEN', `${pdu.sender} is not a person of ${origin}.`)
  }
}

/** A stranger learns that the room stands still, not for whom. */
export function frozenRefusal(): RoomError {
  return new RoomError('M_FORBIDDEN', 'This room stands still on this server: nothing is accepted or served.')
}

function putsOut(
  { type, sender, stateKey, content, isShown, replacesState }: StoredEvent,
  server: ServerName,
) {
  if (type !== 'm.room.member' || !isShown || stateKey === undefined) return false
  if (serverOf(stateKey as UserId) !== server || serverOf(sender) === server) return false
  const { membership } = content
  return (membership === 'leave' || membership === 'ban') && replacesState?.content['membership'] === 'join'
}

function unknownRoom(roomId: RoomId): RoomError {
  return new RoomError('M_NOT_FOUND', `This server is not in the room ${roomId}.`)
}
