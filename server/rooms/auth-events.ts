/**
 * Which events give a sender the right to send, and whether the ones that an event lists are those.
 *
 * Spec: server-server-api#auth-events-selection, rooms/v12#authorization-rules (3), rooms/v11#authorization-rules (2)
 */
import { isStateEvent, type Pdu } from '../protocol/event.ts'
import { isObject, type JsonObject, memberOf } from '../protocol/json.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { type GraphEvent, stateKeyOf } from './graph-event.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** What the selection looks at: an event, or a draft that has no auth events yet. */
export type AuthSubject = Pick<Pdu, 'type' | 'sender' | 'state_key' | 'content'>

/** The places in the room state that an event's auth events come from, no place twice. */
export function authTypesFor(
  event: AuthSubject,
  rules: RoomRules,
): readonly (readonly [type: string, stateKey: string])[] {
  if (event.type === 'm.room.create') return []
  const places: [string, string][] = [
    ['m.room.power_levels', ''],
    ['m.room.member', event.sender],
  ]
  // Spec: rooms/v12#authorization-rules, note on m.room.create: the room id implies it.
  if (!rules.roomIdIsCreateEventHash) places.unshift(['m.room.create', ''])
  if (event.type !== 'm.room.member') return places

  const { state_key: target, content } = event
  const membership = memberOf(content, 'membership')
  if (target !== undefined && target !== event.sender) places.push(['m.room.member', target])
  if (membership === 'join' || membership === 'invite' || membership === 'knock') {
    places.push(['m.room.join_rules', ''])
  }
  const token = membership === 'invite' ? thirdPartyInviteToken(content) : undefined
  if (token !== undefined) places.push(['m.room.third_party_invite', token])
  const authoriser = membership === 'join' ? memberOf(content, 'join_authorised_via_users_server') : undefined
  if (typeof authoriser === 'string' && authoriser !== event.sender && authoriser !== target) {
    places.push(['m.room.member', authoriser])
  }
  return places
}

function thirdPartyInviteToken(content: JsonObject): string | undefined {
  const invite = memberOf(content, 'third_party_invite')
  const signed = isObject(invite) ? memberOf(invite, 'signed') : undefined
  const token = isObject(signed) ? memberOf(signed, 'token') : undefined
  return typeof token === 'string' ? token : undefined
}

/**
 * May the event stand on the auth events that it lists? `listed` are the events of its `auth_events`, all of them.
 *
 * This looks at the list alone; whether these events allow it, `authorise` says.
 */
export function checkAuthEvents(event: Pdu, rules: RoomRules, listed: readonly GraphEvent[]): Verdict {
  // Rule 1 decides about create events before this rule is reached.
  if (event.type === 'm.room.create') return accept

  const expected = new Set(authTypesFor(event, rules).map(([type, stateKey]) => stateKeyOf(type, stateKey)))
  const seen = new Set<string>()
  for (const { pdu, rejected } of listed) {
    const place = isStateEvent(pdu) ? stateKeyOf(pdu.type, pdu.state_key) : null
    // Spec: rooms/v12#authorization-rules (3.1), rooms/v11 (2.1)
    if (place !== null && seen.has(place)) {
      return reject(rules, '3.1', `two auth events of type ${pdu.type} with one state key`)
    }
    // Spec: rooms/v12#authorization-rules (3.2), rooms/v11 (2.2)
    if (place === null || !expected.has(place)) {
      return reject(rules, '3.2', `an auth event of type ${pdu.type} has no say in this event`)
    }
    // Spec: rooms/v12#authorization-rules (3.3), rooms/v11 (2.3)
    if (rejected) return reject(rules, '3.3', 'an auth event was itself rejected')
    // Spec: rooms/v12#authorization-rules (3.5), rooms/v11 (2.5)
    if (pdu.room_id !== event.room_id) return reject(rules, '3.5', 'an auth event is of another room')
    seen.add(place)
  }
  // Spec: rooms/v11#authorization-rules (2.4)
  if (!rules.roomIdIsCreateEventHash && !seen.has(stateKeyOf('m.room.create', ''))) {
    return reject(rules, '3.4', 'the create event is not among the auth events')
  }
  return accept
}
