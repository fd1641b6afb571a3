/** Another homeserver: makes and signs events as it likes, on whatever previous and auth events it likes. */

import type { Pdu } from '../../server/protocol/event.ts'
import { eventIdOf } from '../../server/protocol/event-hash.ts'
import {
  checkEventSignature,
  requiredSigners,
  signEvent,
  withContentHash,
} from '../../server/protocol/event-signing.ts'
import type { EventId, RoomId, ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomVersion, roomVersion } from '../../server/protocol/room-versions.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { authTypesFor } from '../../server/rooms/auth-events.ts'
import type { CheckSignatures } from '../../server/rooms/rooms-internal.ts'
import { sha256, signingKey, verify } from '../support/primitives.ts'
import { ann, type Opened, ourKey, serverName } from './room-fixture.ts'

export const there = 'there.test' as ServerName
export const zoe = '@zoe:there.test' as UserId
export const yan = '@yan:there.test' as UserId
const theirKeyId = 'ed25519:z' as KeyId
const theirKey = signingKey(new Uint8Array(32).fill(9))

export const checkSignatures: CheckSignatures = async (pdu, rules) =>
  requiredSigners(pdu).every(server => {
    const key = server === there ? theirKey : server === serverName ? ourKey : null
    return (
      key !== null && checkEventSignature(pdu, rules, server, () => key.publicKey, verify).kind === 'valid'
    )
  })

export interface RemoteDraft {
  readonly type: string
  readonly content: JsonObject
  readonly sender?: UserId
  readonly stateKey?: string
  /** The current forward extremities otherwise. */
  readonly prev?: readonly EventId[]
  /** Chosen from the room's current state otherwise. */
  readonly auth?: readonly EventId[]
  readonly ts?: number
  readonly depth?: number
  /** Version 10's place for it. */
  readonly redacts?: EventId
}

export interface RemoteEvent {
  readonly pdu: Pdu & JsonObject
  readonly eventId: EventId
}

export class RemoteServer {
  readonly #rooms: Opened
  readonly #roomId: RoomId
  readonly #version: RoomVersion
  #now = 1_750_000_000_000

  constructor(rooms: Opened, roomId: RoomId, version: RoomVersion) {
    this.#rooms = rooms
    this.#roomId = roomId
    this.#version = version
  }

  async make(draft: RemoteDraft): Promise<RemoteEvent> {
    const rules = roomVersion(this.#version)!
    const view = (await this.#rooms.view(this.#roomId))!
    const sender = draft.sender ?? zoe
    const state_key = draft.stateKey
    const subject = {
      type: draft.type,
      sender,
      content: draft.content,
      ...(state_key !== undefined && { state_key }),
    }
    const auth =
      draft.auth ??
      authTypesFor(subject, rules).flatMap(([type, key]) => view.state(type, key)?.eventId ?? [])
    const prev = draft.prev ?? view.forwardExtremities
    const newest = (await this.#rooms.events([...prev])).map(event => event?.depth ?? 0)
    const event = withContentHash(
      {
        ...subject,
        room_id: this.#roomId,
        origin_server_ts: draft.ts ?? this.#now++,
        depth: draft.depth ?? Math.max(0, ...newest) + 1,
        prev_events: prev,
        auth_events: auth,
        ...(draft.redacts !== undefined && { redacts: draft.redacts }),
      },
      sha256,
    )
    const pdu = signEvent(event, rules, there, theirKeyId, theirKey.sign) as Pdu & JsonObject
    return { pdu, eventId: eventIdOf(pdu, rules, sha256) }
  }

  async send(draft: RemoteDraft): Promise<EventId> {
    const { pdu, eventId } = await this.make(draft)
    const received = await this.#rooms.receive(this.#roomId, pdu)
    if (received.kind !== 'accepted') throw new Error(JSON.stringify(received))
    return eventId
  }

  message(body: string, more: Partial<RemoteDraft> = {}): RemoteDraft {
    return { type: 'm.room.message', content: { body }, ...more }
  }

  join(userId = zoe): Promise<EventId> {
    return this.send({
      type: 'm.room.member',
      sender: userId,
      stateKey: userId,
      content: { membership: 'join' },
    })
  }
}

export { ann }
