/**
 * Invites of our people that come from other servers: signed by us once they are stored.
 *
 * Spec: server-server-api#inviting-to-a-room
 */
import type { Pdu } from '../protocol/event.ts'
import { eventIdOf, signedText } from '../protocol/event-hash.ts'
import {
  type EventId,
  parseUserId,
  type RoomId,
  roomIdOfCreateEvent,
  type ServerName,
  serverOf,
} from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { type RoomRules, roomVersion } from '../protocol/room-versions.ts'
import { withSignature } from '../protocol/signing.ts'
import { utf8Bytes } from '../protocol/utf8.ts'
import type { InviteBody } from './inbound-rooms.ts'
import { incomingOf, parseReceived } from './incoming-event.ts'
import { writeOutside } from './outside-membership.ts'
import { sha256 } from './primitives.ts'
import type { Receiver } from './receive.ts'
import { RoomError } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'

export class Invitations {
  readonly #context: RoomsContext
  readonly #receiver: Receiver

  constructor(context: RoomsContext, receiver: Receiver) {
    this.#context = context
    this.#receiver = receiver
  }

  async invite(origin: ServerName, roomId: RoomId, eventId: EventId, body: InviteBody): Promise<Pdu> {
    const rules = roomVersion(body.roomVersion)
    if (!rules) {
      throw new RoomError(
        'M_INCOMPATIBLE_ROOM_VERSION',
        `This server does not support room version ${JSON.stringify(body.roomVersion)}.`,
        { fields: { room_version: body.roomVersion } },
      )
    }
    const pdu = parseReceived(body.event, rules)
    if ('refused' in pdu) throw new RoomError('M_BAD_JSON', `event: ${pdu.refused}`)
    const incoming = incomingOf(pdu, rules)
    if (incoming.eventId !== eventId || incoming.roomId !== roomId) {
      throw new RoomError(
        'M_INVALID_PARAM',
        'event: it has another id, or is of another room, than the path says.',
      )
    }
    if (incoming.isCut) throw new RoomError('M_INVALID_PARAM', 'event: its hash is not that of its content.')
    await this.#checkInvite(origin, pdu)
    checkCreateEvent(body.inviteRoomState, roomId, rules)
    if (!(await this.#context.checkSignatures(pdu, rules))) {
      throw new RoomError('M_FORBIDDEN', 'event: a signature that it must bear is missing or wrong.')
    }
    const signed = this.#signed(pdu, rules)
    await this.#store(roomId, rules, signed, body.inviteRoomState)
    return signed
  }

  async #checkInvite(origin: ServerName, pdu: Pdu): Promise<void> {
    const invitee = parseUserId(pdu.state_key)
    const isInvite = pdu.type === 'm.room.member' && pdu.content['membership'] === 'invite'
    if (!isInvite || !invitee) throw new RoomError('M_INVALID_PARAM', 'event: it is no invite.')
    if (serverOf(pdu.sender) !== origin) {
      throw new RoomError('M_FORBIDDEN', `event: ${pdu.sender} is not a person of ${origin}.`)
    }
    const may =
      serverOf(invitee) === this.#context.serverName ? await this.#context.mayBeInvited(invitee) : 'unknown'
    if (may === 'unknown') throw new RoomError('M_FORBIDDEN', `event: there is no account ${invitee} here.`)
    // Spec: client-server-api#invite-permission
    if (may === 'blocked') throw new RoomError('M_INVITE_BLOCKED', `event: ${invitee} takes no invites.`)
  }

  #signed(pdu: Pdu, rules: RoomRules): Pdu {
    const { serverName, signer } = this.#context
    const signature = signer.sign(signer.keyId, utf8Bytes(signedText(pdu, rules)))
    return withSignature(pdu, serverName, signer.keyId, signature)
  }

  /** In a room that we are in, the invite is one of its events; else it is the person's alone. */
  async #store(
    roomId: RoomId,
    rules: RoomRules,
    pdu: Pdu,
    strippedState: readonly JsonObject[],
  ): Promise<void> {
    const actor = await this.#context.actors.get(roomId)
    if (actor?.view.joinedServers.has(this.#context.serverName)) {
      if (actor.frozen) throw new RoomError('M_FORBIDDEN', 'This room stands still on this server.')
      const received = await this.#receiver.receive(roomId, pdu)
      if (received.kind === 'accepted') return
      // What it stands on is on its way here with the inviter's next transaction, and this invite with it.
      if (received.kind !== 'incomplete') {
        throw new RoomError(
          'M_FORBIDDEN',
          'rule' in received ? received.rule : 'The invite does not hold in the room.',
        )
      }
    }
    const invite = { type: pdu.type, state_key: pdu.state_key!, sender: pdu.sender, content: pdu.content }
    await writeOutside(this.#context, {
      roomId,
      rules,
      event: incomingOf(pdu, rules),
      strippedState: [...strippedState.slice(0, 49), invite],
    })
  }
}

/**
 * A create event that comes whole must be the one that the room's id is made of.
 *
 * Deviation: put_matrixfederationv2inviteroomideventid wants `invite_room_state` to be whole events with checked
 * signatures. Those of servers that we have not pinned we cannot check, and homeservers of today send stripped ones;
 * both are shown as what they are: the inviter's word.
 */
function checkCreateEvent(state: readonly JsonObject[], roomId: RoomId, rules: RoomRules): void {
  if (!rules.roomIdIsCreateEventHash) return
  const create = state.find(({ type }) => type === 'm.room.create')
  if (!create || !isObject(create['hashes'])) return
  if (roomIdOfCreateEvent(eventIdOf(create, rules, sha256)) !== roomId) {
    throw new RoomError('M_INVALID_PARAM', 'invite_room_state: its create event is of another room.')
  }
}
