/**
 * Rooms that are on other servers: joining, knocking, leaving and inviting through them.
 *
 * Each server that may know the room is asked in turn; only pinned ones are. What the last of them said is what the
 * person is told. One room comes here once, however many of ours join it at the same time.
 *
 * Spec: server-server-api#joining-rooms, #knocking-upon-a-room, #leaving-rooms-rejected-invites, #inviting-to-a-room
 */
import { maxDepth } from '../protocol/event.ts'
import {
  type EventId,
  parseEventId,
  parseServerName,
  parseUserId,
  type RoomId,
  type ServerName,
  serverOf,
  type UserId,
} from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject, memberOf } from '../protocol/json.ts'
import { type RoomRules, roomVersion, roomVersions } from '../protocol/room-versions.ts'
import { withSignature } from '../protocol/signing.ts'
import { utf8Bytes } from '../protocol/utf8.ts'
import { type BuiltEvent, buildEvent } from './build-event.ts'
import { importRoom, type JoinedRoom, StrangerError } from './import-room.ts'
import { parseReceived } from './incoming-event.ts'
import type { Outgoing } from './outgoing.ts'
import { endOutside, writeOutside } from './outside-membership.ts'
import type { Receiver } from './receive.ts'
import { type EventTemplate, RemoteError } from './remote-rooms.ts'
import { RoomCopyError } from './room-copy.ts'
import { type Draft, type Membership, RoomError, type RoomErrorCode } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import type { Sender } from './send.ts'
import { serverAcl } from './server-acl.ts'
import { identifyingState } from './stripped-state.ts'

export interface OutwardRooms {
  /** Are we in this room, so that its members act here? */
  isResident(roomId: RoomId): Promise<boolean>
  /** Resolves when the room is here and the person is in it. */
  join(userId: UserId, roomId: RoomId, via: readonly ServerName[], content: JsonObject): Promise<void>
  knock(userId: UserId, roomId: RoomId, via: readonly ServerName[], content: JsonObject): Promise<void>
  /** Turns down an invite, or takes a knock back, of a room that is not here. Holds here whoever can be reached. */
  leave(userId: UserId, roomId: RoomId, content: JsonObject): Promise<void>
  /** Invites somebody of another server, who is asked first. Resolves with its id when the invite is in the room. */
  invite(draft: Draft & { readonly stateKey: UserId }, server: ServerName): Promise<EventId>
}

const maxServersAsked = 5

export class Outward implements OutwardRooms {
  readonly #context: RoomsContext
  readonly #receiver: Receiver
  readonly #sender: Sender
  readonly #outgoing: Outgoing

  constructor(context: RoomsContext, receiver: Receiver, sender: Sender, outgoing: Outgoing) {
    this.#context = context
    this.#outgoing = outgoing
    this.#receiver = receiver
    this.#sender = sender
  }

  async isResident(roomId: RoomId): Promise<boolean> {
    const actor = await this.#context.actors.get(roomId)
    return actor?.view.joinedServers.has(this.#context.serverName) ?? false
  }

  async join(userId: UserId, roomId: RoomId, via: readonly ServerName[], content: JsonObject): Promise<void> {
    const { arriving } = this.#context
    for (;;) {
      const underway = arriving.get(roomId)
      if (!underway) break
      await underway.catch(() => {})
    }
    const joining = this.#joinBy(userId, roomId, via, content)
    arriving.set(roomId, joining)
    try {
      await joining
    } finally {
      arriving.delete(roomId)
    }
  }

  async #joinBy(
    userId: UserId,
    roomId: RoomId,
    via: readonly ServerName[],
    content: JsonObject,
  ): Promise<void> {
    const { remote } = this.#context
    await this.#throughOneOf(userId, roomId, via, async server => {
      const template = await remote.makeJoin(server, roomId, userId, roomVersions)
      const { event, rules } = this.#fill(template, roomId, userId, 'join', content)
      const answer = await remote.sendJoin(server, roomId, event.eventId, this.#signed(event))
      if (!(await this.isResident(roomId))) {
        await this.#import(server, { roomId, rules, join: event, answer })
        return
      }
      // Of a room that is here: somebody elsewhere let our person in. It comes like any event of theirs.
      const vouched = answer.event ?? this.#signed(event)
      const received = await this.#receiver.receive(roomId, vouched)
      if (received.kind === 'accepted') return
      throw new RoomCopyError('the room here does not have the events that the join stands on yet')
    })
  }

  /** A room that cannot be taken is left again, so that nobody there takes us for a member. */
  async #import(server: ServerName, joined: JoinedRoom): Promise<void> {
    const { roomId, join } = joined
    try {
      await importRoom(this.#context, joined)
    } catch (error) {
      if (error instanceof RoomError || error instanceof RoomCopyError) {
        await this.#takeBack(server, roomId, join.pdu.sender).catch(() => {})
      }
      throw error
    }
  }

  async #takeBack(server: ServerName, roomId: RoomId, userId: UserId): Promise<void> {
    const { remote } = this.#context
    const template = await remote.makeLeave(server, roomId, userId)
    const { event } = this.#fill(template, roomId, userId, 'leave', {})
    await remote.sendLeave(server, roomId, event.eventId, this.#signed(event))
  }

  async knock(
    userId: UserId,
    roomId: RoomId,
    via: readonly ServerName[],
    content: JsonObject,
  ): Promise<void> {
    const { remote } = this.#context
    await this.#throughOneOf(userId, roomId, via, async server => {
      const template = await remote.makeKnock(server, roomId, userId, roomVersions)
      const { event, rules } = this.#fill(template, roomId, userId, 'knock', content)
      const strippedState = await remote.sendKnock(server, roomId, event.eventId, this.#signed(event))
      await writeOutside(this.#context, { roomId, rules, event, strippedState })
    })
  }

  async leave(userId: UserId, roomId: RoomId, content: JsonObject): Promise<void> {
    const { remote } = this.#context
    try {
      await this.#throughOneOf(userId, roomId, [], async server => {
        const template = await remote.makeLeave(server, roomId, userId)
        const { event, rules } = this.#fill(template, roomId, userId, 'leave', content)
        await remote.sendLeave(server, roomId, event.eventId, this.#signed(event))
        await writeOutside(this.#context, { roomId, rules, event, strippedState: undefined })
      })
    } catch (error) {
      if (!(error instanceof RoomError)) throw error
      // Whoever cannot be told keeps an invite that nobody will accept; here it is over.
      await endOutside(this.#context, userId, roomId)
    }
  }

  async invite(draft: Draft & { readonly stateKey: UserId }, server: ServerName): Promise<EventId> {
    const { remote, actors } = this.#context
    const { roomId } = draft
    const built = await this.#sender.draft(draft)
    const actor = await actors.get(roomId)
    if (!actor) throw new RoomError('M_NOT_FOUND', `roomId: this server does not know the room ${roomId}.`)
    if (!serverAcl(actor.view).allows(server)) {
      throw new RoomError('M_FORBIDDEN', `user_id: the room's server ACL does not let ${server} take part.`)
    }
    const answer = await this.#asked(server, async () =>
      remote.invite(server, {
        roomId,
        eventId: built.eventId,
        event: this.#signed(built),
        roomVersion: actor.rules.version,
        inviteRoomState: await this.#outgoing.signedAll(identifyingState(actor.durable, draft.sender)),
      }),
    )
    const received = await this.#receiver.receive(
      roomId,
      this.#withTheirs(built, answer, server),
      {},
      {
        source: 'here',
      },
    )
    if (received.kind === 'accepted') return built.eventId
    throw new RoomError(
      'M_FORBIDDEN',
      'rule' in received
        ? received.rule
        : 'reason' in received
          ? received.reason
          : 'The invite has no place in the room.',
    )
  }

  /**
   * Somebody with a token of ours has an account now: whoever of ours gave the token invites them. What holds of the
   * token, the auth rules say. Spec: server-server-api#third-party-invites
   */
  async exchangeThirdPartyInvite(roomId: RoomId, json: Json): Promise<void> {
    const event = isObject(json) ? json : {}
    const sender = parseUserId(event['sender'])
    const stateKey = parseUserId(event['state_key'])
    const { content } = event
    const isInvite =
      event['type'] === 'm.room.member' && isObject(content) && content['membership'] === 'invite'
    if (!sender || !stateKey || !isInvite || !isObject(memberOf(content, 'third_party_invite'))) {
      throw new RoomError('M_INVALID_PARAM', 'The event is no third-party invite.')
    }
    if (serverOf(sender) !== this.#context.serverName) {
      throw new RoomError('M_FORBIDDEN', `${sender} is not a person of this server.`)
    }
    const draft = { roomId, sender, type: 'm.room.member', stateKey, content }
    if (serverOf(stateKey) === this.#context.serverName) await this.#sender.send(draft)
    else await this.invite(draft, serverOf(stateKey))
  }

  // ── whom to ask ──────────────────────────────────────────────────────────────────────────────────

  async #throughOneOf(
    userId: UserId,
    roomId: RoomId,
    via: readonly ServerName[],
    attempt: (server: ServerName) => Promise<void>,
  ): Promise<void> {
    const named = await this.#candidates(userId, roomId, via)
    const { peers } = this.#context
    const servers = named.filter(server => peers?.maySendTo(server) ?? true).slice(0, maxServersAsked)
    let last: unknown = new RoomError(
      named.length > 0 ? 'M_FORBIDDEN' : 'M_NOT_FOUND',
      named.length > 0
        ? `This server is not connected to ${named.join(', ')}.`
        : `roomId: this server does not know the room ${roomId}, and no server was named that may know it.`,
    )
    for (const server of servers) {
      try {
        return await this.#asked(server, () => attempt(server))
      } catch (error) {
        if (!(error instanceof RoomError)) throw error
        last = error
        // No other server will see that differently.
        if (error.code === 'M_INCOMPATIBLE_ROOM_VERSION' || error instanceof StrangerError) break
      }
    }
    throw last
  }

  /** Who was named, who invited, who is in the room as we knew it, and in older versions the room id's server. */
  async #candidates(userId: UserId, roomId: RoomId, via: readonly ServerName[]): Promise<ServerName[]> {
    const { serverName, memberships, actors } = this.#context
    const invite = (await memberships.of(userId)).get(roomId)
    const known = (await actors.get(roomId))?.view.joinedServers.keys() ?? []
    const colon = roomId.indexOf(':')
    const named = [
      ...via,
      ...(invite && invite.sender !== userId ? [serverOf(invite.sender)] : []),
      ...known,
      ...(colon < 0 ? [] : [parseServerName(roomId.slice(colon + 1))]),
    ]
    return [...new Set(named)].filter(server => server !== null && server !== serverName) as ServerName[]
  }

  /** What the other server said, as our person is told it. */
  async #asked<T>(server: ServerName, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof RemoteError) throw refusalOf(server, error)
      if (error instanceof RoomCopyError) {
        throw new RoomError('M_UNKNOWN', `What ${server} told of the room does not hold: ${error.message}.`, {
          cause: error,
        })
      }
      throw error
    }
  }

  // ── events ───────────────────────────────────────────────────────────────────────────────────────

  /** Our member event on the previous and auth events that the other server gave. Only those are taken from it. */
  #fill(
    { roomVersion: version = '1', event }: EventTemplate,
    roomId: RoomId,
    userId: UserId,
    membership: Membership,
    content: JsonObject,
  ): { event: BuiltEvent; rules: RoomRules } {
    const rules = roomVersion(version)
    if (!rules) {
      throw new RoomError(
        'M_INCOMPATIBLE_ROOM_VERSION',
        `The room has version ${version}, which this server does not support.`,
        {
          fields: { room_version: version },
        },
      )
    }
    const voucher = membership === 'join' ? authoriserIn(event) : undefined
    const depth = Number.isSafeInteger(event['depth']) ? (event['depth'] as number) : 1
    const built = buildEvent(
      {
        roomId,
        type: 'm.room.member',
        sender: userId,
        stateKey: userId,
        content: {
          ...content,
          membership,
          ...(voucher !== undefined && { join_authorised_via_users_server: voucher }),
        },
        redacts: undefined,
        originServerTs: this.#context.clock(),
        depth: Math.max(1, Math.min(maxDepth, depth)),
        prevEvents: idsIn(event['prev_events'], 20),
        authEvents: idsIn(event['auth_events'], 10),
      },
      rules,
      this.#context.serverName,
    )
    return { event: built, rules }
  }

  #signed({ pdu, essential }: BuiltEvent): JsonObject {
    const { signer, serverName } = this.#context
    return withSignature(pdu, serverName, signer.keyId, signer.sign(signer.keyId, utf8Bytes(essential)))
  }

  /** Our event with the invitee's server's signature: everything else stays as we made it. */
  #withTheirs(built: BuiltEvent, answer: Json, server: ServerName): JsonObject {
    const ours = this.#signed(built)
    const theirs = parseReceived(answer, roomVersion('12')!)
    const signature = 'refused' in theirs ? undefined : theirs.signatures?.[server]
    if (!signature) return ours
    return { ...ours, signatures: { ...(ours['signatures'] as JsonObject), [server]: signature } }
  }
}

const passedOn = new Set<string>([
  'M_FORBIDDEN',
  'M_NOT_FOUND',
  'M_INCOMPATIBLE_ROOM_VERSION',
  'M_UNABLE_TO_AUTHORISE_JOIN',
  'M_UNABLE_TO_GRANT_JOIN',
  'M_INVITE_BLOCKED',
] satisfies RoomErrorCode[])

function refusalOf(server: ServerName, error: RemoteError): RoomError {
  const code = error.errcode !== undefined && passedOn.has(error.errcode) ? error.errcode : undefined
  if (error.kind === 'refused') {
    return new RoomError((code as RoomErrorCode) ?? 'M_UNKNOWN', `${server} says: ${error.message}`, {
      cause: error,
    })
  }
  return error.kind === 'unpinned'
    ? new RoomError('M_FORBIDDEN', `This server is not connected to ${server}.`, { cause: error })
    : new RoomError('M_UNKNOWN', `${server} could not be reached. Try again later.`, { cause: error })
}

function authoriserIn(event: JsonObject): string | undefined {
  const { content } = event
  const authoriser = isObject(content) ? memberOf(content, 'join_authorised_via_users_server') : undefined
  return typeof authoriser === 'string' ? authoriser : undefined
}

function idsIn(value: Json | undefined, atMost: number): EventId[] {
  const ids = Array.isArray(value) ? value.map(parseEventId) : []
  if (ids.length === 0 || ids.length > atMost || ids.includes(null)) {
    throw new RoomCopyError('its template of a member event names no events to stand on')
  }
  return ids as EventId[]
}
