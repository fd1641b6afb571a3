/**
 * A room for tests of the rules: events with real hashes and ids, a current state, no store and no signatures.
 *
 * `send` puts an event into the state without asking the rules; `judge` asks them and changes nothing.
 */
import type { Pdu } from '../../server/protocol/event.ts'
import { eventIdOf } from '../../server/protocol/event-hash.ts'
import { withContentHash } from '../../server/protocol/event-signing.ts'
import { type EventId, type RoomId, roomIdOfCreateEvent, type UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomRules, type RoomVersion, roomVersion } from '../../server/protocol/room-versions.ts'
import { authTypesFor } from '../../server/rooms/auth-events.ts'
import { authorise } from '../../server/rooms/event-auth.ts'
import {
  type GraphEvent,
  type StateLookup,
  type StateMap,
  stateKeyOf,
} from '../../server/rooms/graph-event.ts'
import type { Verdict } from '../../server/rooms/verdict.ts'
import { sha256, verify } from './primitives.ts'

export type Fields = {
  readonly type: string
  readonly sender: string
  readonly state_key?: string
  readonly content?: JsonObject
  readonly room_id?: string | undefined
  readonly prev_events?: readonly EventId[]
  readonly auth_events?: readonly EventId[]
  readonly origin_server_ts?: number
}

export const alice = '@alice:one' as UserId
export const bob = '@bob:one' as UserId
export const carol = '@carol:two' as UserId
export const dave = '@dave:two' as UserId

export class TestRoom {
  readonly rules: RoomRules
  readonly events = new Map<EventId, GraphEvent>()
  readonly create: GraphEvent
  readonly roomId: RoomId
  state = new Map<string, EventId>()
  latest: EventId
  #clock = 1_000

  /** Alice makes the room; she has not joined it yet. */
  constructor(version: RoomVersion, createContent: JsonObject = {}) {
    this.rules = roomVersion(version)!
    const content = {
      room_version: version,
      ...(this.rules.creatorIsInContent ? { creator: alice } : {}),
      ...createContent,
    }
    const domainId = '!room:one' as RoomId
    const pdu = this.#pdu(
      { type: 'm.room.create', sender: alice, state_key: '', content },
      this.rules.roomIdIsCreateEventHash ? undefined : domainId,
      [],
      [],
    )
    this.create = this.#keep(pdu, false)
    this.latest = this.create.eventId
    this.roomId = this.rules.roomIdIsCreateEventHash ? roomIdOfCreateEvent(this.create.eventId) : domainId
    this.state.set(stateKeyOf('m.room.create', ''), this.create.eventId)
  }

  /** A room with alice in it, and power levels and a join rule if given. */
  static open(
    version: RoomVersion,
    options: { create?: JsonObject; powerLevels?: JsonObject; joinRule?: string } = {},
  ): TestRoom {
    const room = new TestRoom(version, options.create)
    room.member(alice, 'join')
    if (options.powerLevels) room.powerLevels(options.powerLevels)
    if (options.joinRule) {
      room.send({
        type: 'm.room.join_rules',
        sender: alice,
        state_key: '',
        content: { join_rule: options.joinRule },
      })
    }
    return room
  }

  member(user: string, membership: string, sender: string = user, content: JsonObject = {}): GraphEvent {
    return this.send({
      type: 'm.room.member',
      sender,
      state_key: user,
      content: { membership, ...content },
    })
  }

  powerLevels(content: JsonObject, sender: string = alice): GraphEvent {
    return this.send({ type: 'm.room.power_levels', sender, state_key: '', content })
  }

  /** An event on the room's latest one, with the auth events that the state offers; not part of the room. */
  draft(fields: Fields): Pdu {
    const content = fields.content ?? {}
    const subject = {
      type: fields.type,
      sender: fields.sender as UserId,
      content,
      ...(fields.state_key === undefined ? {} : { state_key: fields.state_key }),
    }
    const authEvents = authTypesFor(subject, this.rules).flatMap(([type, stateKey]) => {
      const id = this.state.get(stateKeyOf(type, stateKey))
      return id ? [id] : []
    })
    const roomId = 'room_id' in fields ? fields.room_id : this.roomId
    return this.#pdu(fields, roomId, fields.prev_events ?? [this.latest], fields.auth_events ?? authEvents)
  }

  send(fields: Fields, options: { rejected?: boolean } = {}): GraphEvent {
    const event = this.#keep(this.draft(fields), options.rejected ?? false)
    if (!event.rejected && event.pdu.state_key !== undefined) {
      this.state.set(stateKeyOf(event.pdu.type, event.pdu.state_key), event.eventId)
    }
    this.latest = event.eventId
    return event
  }

  /** What the rules say about an event on the current state. */
  judge(fields: Fields): Verdict {
    return authorise(this.draft(fields), this.rules, this.lookup, verify)
  }

  readonly lookup: StateLookup = (type, stateKey) => {
    const id = this.state.get(stateKeyOf(type, stateKey))
    return id && this.events.get(id)
  }

  readonly byId = (id: EventId): GraphEvent | undefined => this.events.get(id)

  /** Runs `branch` on the present state, then goes back to it; gives the state at the branch's end. */
  fork(branch: () => void): StateMap {
    const { state, latest } = this
    this.state = new Map(state)
    branch()
    const end = this.state
    this.state = state
    this.latest = latest
    return end
  }

  #pdu(
    fields: Fields,
    roomId: string | undefined,
    prevEvents: readonly EventId[],
    authEvents: readonly EventId[],
  ): Pdu {
    const event = {
      type: fields.type,
      sender: fields.sender,
      ...(roomId === undefined ? {} : { room_id: roomId }),
      ...(fields.state_key === undefined ? {} : { state_key: fields.state_key }),
      content: fields.content ?? {},
      origin_server_ts: fields.origin_server_ts ?? this.#clock++,
      depth: 1,
      prev_events: prevEvents,
      auth_events: authEvents,
    }
    return withContentHash(event, sha256) as unknown as Pdu
  }

  #keep(pdu: Pdu, rejected: boolean): GraphEvent {
    const event = { eventId: eventIdOf(pdu, this.rules, sha256), pdu, rejected }
    this.events.set(event.eventId, event)
    return event
  }
}
