/**
 * Authorisation rules: may this event stand on this state?
 *
 * Pure: no store, clock or network. Format, signatures and hashes were checked before; that covers the signature
 * of rules rooms/v12 (5.2.1) and rooms/v11 (4.2.1), see `requiredSigners`. The list of auth events is rule 3 of
 * version 12 and rule 2 before: `checkAuthEvents`.
 *
 * Spec: rooms/v12#authorization-rules, rooms/v11#authorization-rules, rooms/v10#authorization-rules. Comments give the
 * number in version 12, and in versions 10 and 11 where it differs.
 */
import type { Pdu } from '../protocol/event.ts'
import { parseUserId, roomIdOfCreateEvent, serverOf } from '../protocol/ids.ts'
import { memberOf } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import { type RoomRules, roomVersion } from '../protocol/room-versions.ts'
import type { StateLookup } from './graph-event.ts'
import { authoriseMembership } from './membership-auth.ts'
import { authorisePowerLevels } from './power-level-auth.ts'
import { powerLevelsIn } from './power-levels.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/**
 * `state` is the state to stand on: that of the event's auth events, the state before it, or the current one. It
 * holds the create event in every version, though version 12 does not list it as an auth event.
 */
export function authorise(event: Pdu, rules: RoomRules, state: StateLookup, verify: Verify): Verdict {
  // Spec: rooms/v12#authorization-rules (1)
  if (event.type === 'm.room.create') return authoriseCreate(event, rules)

  const create = state('m.room.create', '')
  // Spec: rooms/v12#authorization-rules (2); in versions 10 and 11 the create event is an auth event (2.3, 2.4)
  if (!create) {
    return reject(rules, rules.roomIdIsCreateEventHash ? '2' : '3.4', 'the room has no create event')
  }
  if (rules.roomIdIsCreateEventHash && event.room_id !== roomIdOfCreateEvent(create.eventId)) {
    return reject(rules, '2', 'the room id is not the hash of the create event')
  }
  if (create.rejected) {
    return reject(rules, rules.roomIdIsCreateEventHash ? '2' : '3.3', 'the create event was rejected')
  }

  // Spec: rooms/v12#authorization-rules (4), rooms/v11 (3)
  if (
    memberOf(create.pdu.content, 'm.federate') === false &&
    serverOf(event.sender) !== serverOf(create.pdu.sender)
  ) {
    return reject(rules, '4', 'the room is closed to other servers')
  }

  // Spec: rooms/v12#authorization-rules (5), rooms/v11 (4)
  if (event.type === 'm.room.member') return authoriseMembership(event, rules, create, state, verify)

  // Spec: rooms/v12#authorization-rules (6), rooms/v11 (5)
  const sender = state('m.room.member', event.sender)
  if (sender?.pdu.content['membership'] !== 'join') {
    return reject(rules, '6', 'the sender is not joined to the room')
  }

  const levels = powerLevelsIn(state, rules)
  const senderLevel = levels.ofUser(event.sender)

  // Spec: rooms/v12#authorization-rules (7), rooms/v11 (6)
  if (event.type === 'm.room.third_party_invite') {
    return senderLevel >= levels.named('invite') ? accept : reject(rules, '7.1', 'the sender may not invite')
  }

  // Spec: rooms/v12#authorization-rules (8), rooms/v11 (7)
  const required = levels.toSend(event.type, event.state_key !== undefined)
  if (required > senderLevel) {
    return reject(rules, '8', `${event.type} needs power level ${required}, the sender has ${senderLevel}`)
  }

  // Spec: rooms/v12#authorization-rules (9), rooms/v11 (8)
  if (event.state_key?.startsWith('@') && event.state_key !== event.sender) {
    return reject(rules, '9', "the state key is another user's id")
  }

  // Spec: rooms/v12#authorization-rules (10), rooms/v11 (9)
  if (event.type === 'm.room.power_levels') {
    const current = state('m.room.power_levels', '')?.pdu
    return authorisePowerLevels(event, rules, create.pdu, current, senderLevel)
  }

  // Spec: rooms/v12#authorization-rules (11), rooms/v11 (10)
  return accept
}

function authoriseCreate(event: Pdu, rules: RoomRules): Verdict {
  const { content } = event
  // (1.1)
  if (event.prev_events.length > 0) return reject(rules, '1.1', 'a create event has no previous events')
  // (1.2)
  if (rules.roomIdIsCreateEventHash) {
    if (event.room_id !== undefined) return reject(rules, '1.2', 'a create event has no room id')
  } else if (domainOf(event.room_id) !== serverOf(event.sender)) {
    return reject(rules, '1.2', "the room id is not of the sender's server")
  }
  // (1.3)
  const version = memberOf(content, 'room_version')
  if (version !== undefined && !(typeof version === 'string' && roomVersion(version))) {
    return reject(rules, '1.3', 'the room version is unknown')
  }
  // Spec: rooms/v10#authorization-rules (1.4)
  if (rules.creatorIsInContent && memberOf(content, 'creator') === undefined) {
    return reject(rules, '1.4', 'the content names no creator')
  }
  // Spec: rooms/v12#authorization-rules (1.4)
  const additional = memberOf(content, 'additional_creators')
  if (rules.creatorsHaveInfinitePower && additional !== undefined) {
    if (!Array.isArray(additional) || !additional.every(user => parseUserId(user))) {
      return reject(rules, '1.4', 'additional_creators is not a list of user ids')
    }
  }
  return accept
}

function domainOf(roomId: string | undefined): string | undefined {
  return roomId?.slice(roomId.indexOf(':') + 1)
}
