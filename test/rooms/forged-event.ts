/** An event of a server in the tests' world, on whatever it likes: hashed and signed in order, true or not. */
import type { Pdu } from '../../server/protocol/event.ts'
import { eventIdOf } from '../../server/protocol/event-hash.ts'
import { signEvent, withContentHash } from '../../server/protocol/event-signing.ts'
import type { EventId, RoomId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomVersion, roomVersion } from '../../server/protocol/room-versions.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { sha256 } from '../support/primitives.ts'
import { person } from './federated-room.ts'
import type { Site, World } from './two-servers.ts'

export interface ForgedEvent {
  readonly pdu: JsonObject & Pdu
  readonly eventId: EventId
}

/** A message of Bob's unless `more` says otherwise. */
export function forged(
  world: World,
  site: Site,
  roomId: RoomId,
  more: JsonObject,
  version: RoomVersion = '12',
): ForgedEvent {
  const rules = roomVersion(version)!
  const event = withContentHash(
    {
      type: 'm.room.message',
      sender: person('bob', site),
      room_id: roomId,
      content: { body: 'forged' },
      origin_server_ts: 1,
      depth: 100,
      prev_events: [],
      auth_events: [],
      ...more,
    },
    sha256,
  )
  const pdu = signEvent(event, rules, site.name, 'ed25519:1' as KeyId, world.keyOf(site.name).sign)
  return { pdu: pdu as JsonObject & Pdu, eventId: eventIdOf(pdu, rules, sha256) }
}

/** Into a room of theirs that is nowhere else. */
export function forgedInvite(world: World, site: Site, number: number, invitee: string): ForgedEvent {
  return forged(
    world,
    site,
    `!${number}:${site.name}` as RoomId,
    { type: 'm.room.member', state_key: invitee, content: { membership: 'invite' } },
    '11',
  )
}
