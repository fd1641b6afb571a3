/**
 * Authorisation of m.room.member events: joining, inviting, leaving and kicking, banning, knocking.
 *
 * Spec: rooms/v12#authorization-rules (5), rooms/v11#authorization-rules (4), rooms/v10#authorization-rules (4). Numbers in
 * comments are those of version 12; earlier versions have 4 in front instead of 5.
 */
import { decodeBase64, decodeBase64Url } from '../protocol/base64.ts'
import type { Pdu } from '../protocol/event.ts'
import { parseUserId, type UserId } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject, memberOf } from '../protocol/json.ts'
import type { Verify } from '../protocol/primitives.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { parseKeyId, signedBytes } from '../protocol/signing.ts'
import type { GraphEvent, StateLookup } from './graph-event.ts'
import { creatorOf, type PowerLevels, powerLevelsIn } from './power-levels.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** What the rules below look at, found once. */
type MembershipChange = {
  readonly event: Pdu
  readonly rules: RoomRules
  readonly create: GraphEvent
  readonly state: StateLookup
  readonly target: UserId
  readonly levels: PowerLevels
}

export function authoriseMembership(
  event: Pdu,
  rules: RoomRules,
  create: GraphEvent,
  state: StateLookup,
  verify: Verify,
): Verdict {
  const { content, state_key } = event
  // (5.1)
  if (state_key === undefined) return reject(rules, '5.1', 'the event has no state key')
  const membership = memberOf(content, 'membership')
  if (typeof membership !== 'string') return reject(rules, '5.1', 'the content has no membership')
  const target = parseUserId(state_key)
  if (!target) return reject(rules, '5.1', 'the state key is not a user id')

  // (5.2.1) The signature itself was checked with the sender's.
  const authoriser = memberOf(content, 'join_authorised_via_users_server')
  if (authoriser !== undefined && !parseUserId(authoriser)) {
    return reject(rules, '5.2.1', 'join_authorised_via_users_server is not a user id')
  }

  const change = { event, rules, create, state, target, levels: powerLevelsIn(state, rules) }
  switch (membership) {
    case 'join':
      return authoriseJoin(change)
    case 'invite':
      return memberOf(content, 'third_party_invite') === undefined
        ? authoriseInvite(change)
        : authoriseThirdPartyInvite(change, verify)
    case 'leave':
      return authoriseLeave(change)
    case 'ban':
      return authoriseBan(change)
    case 'knock':
      return authoriseKnock(change)
    default:
      return reject(rules, '5.8', 'the membership is unknown')
  }
}

function authoriseJoin({ event, rules, create, state, target, levels }: MembershipChange): Verdict {
  // (5.3.1)
  const afterCreate = event.prev_events.length === 1 && event.prev_events[0] === create.eventId
  if (afterCreate && target === creatorOf(create.pdu, rules)) return accept
  // (5.3.2)
  if (event.sender !== target) return reject(rules, '5.3.2', 'nobody joins for somebody else')
  // (5.3.3)
  const current = membershipIn(state, target)
  if (current === 'ban') return reject(rules, '5.3.3', 'the sender is banned')

  const member = current === 'invite' || current === 'join'
  switch (joinRuleIn(state)) {
    // (5.3.4)
    case 'invite':
    case 'knock':
      return member ? accept : reject(rules, '5.3.7', 'the sender is not invited')
    // (5.3.5)
    case 'restricted':
    case 'knock_restricted': {
      // (5.3.5.1)
      if (member) return accept
      // (5.3.5.2)
      const authoriser = memberOf(event.content, 'join_authorised_via_users_server')
      if (typeof authoriser !== 'string' || membershipIn(state, authoriser) !== 'join') {
        return reject(rules, '5.3.5.2', 'no member of the room authorised the join')
      }
      return levels.ofUser(authoriser) >= levels.named('invite')
        ? accept // (5.3.5.3)
        : reject(rules, '5.3.5.2', 'the member who authorised the join may not invite')
    }
    // (5.3.6)
    case 'public':
      return accept
    // (5.3.7)
    default:
      return reject(rules, '5.3.7', 'the join rule lets nobody in')
  }
}

function authoriseInvite({ event, rules, state, target, levels }: MembershipChange): Verdict {
  // (5.4.2)
  if (membershipIn(state, event.sender) !== 'join') {
    return reject(rules, '5.4.2', 'the sender is not joined to the room')
  }
  // (5.4.3)
  const current = membershipIn(state, target)
  if (current === 'join') return reject(rules, '5.4.3', 'the invited user is already in the room')
  if (current === 'ban') return reject(rules, '5.4.3', 'the invited user is banned')
  // (5.4.4, 5.4.5)
  return levels.ofUser(event.sender) >= levels.named('invite')
    ? accept
    : reject(rules, '5.4.5', 'the sender may not invite')
}

/** Spec: server-server-api#verifying-the-invite. Somebody redeems an invitation that was made to an address. */
function authoriseThirdPartyInvite(
  { event, rules, state, target }: MembershipChange,
  verify: Verify,
): Verdict {
  // (5.4.1.1)
  if (membershipIn(state, target) === 'ban') return reject(rules, '5.4.1.1', 'the invited user is banned')
  // (5.4.1.2)
  const invite = memberOf(event.content, 'third_party_invite')
  const signed = isObject(invite) ? memberOf(invite, 'signed') : undefined
  if (!isObject(signed)) return reject(rules, '5.4.1.2', 'third_party_invite has no signed object')
  // (5.4.1.3)
  const mxid = memberOf(signed, 'mxid')
  const token = memberOf(signed, 'token')
  if (typeof mxid !== 'string' || typeof token !== 'string') {
    return reject(rules, '5.4.1.3', 'the signed object has no mxid and token')
  }
  // (5.4.1.4)
  if (mxid !== target) return reject(rules, '5.4.1.4', 'the signed object is for another user')
  // (5.4.1.5)
  const pending = state('m.room.third_party_invite', token)
  if (!pending) return reject(rules, '5.4.1.5', 'the room has no such third-party invite')
  // (5.4.1.6)
  if (event.sender !== pending.pdu.sender) {
    return reject(rules, '5.4.1.6', 'the third-party invite is from somebody else')
  }
  // (5.4.1.7, 5.4.1.8)
  return isSignedByAny(signed, publicKeysOf(pending.pdu.content), verify)
    ? accept
    : reject(rules, '5.4.1.8', 'no key of the third-party invite signed it')
}

function authoriseLeave({ event, rules, state, target, levels }: MembershipChange): Verdict {
  const current = membershipIn(state, target)
  // (5.5.1)
  if (event.sender === target) {
    return current === 'invite' || current === 'join' || current === 'knock'
      ? accept
      : reject(rules, '5.5.1', 'the sender is not in the room, nor invited, nor knocking')
  }
  // (5.5.2)
  if (membershipIn(state, event.sender) !== 'join') {
    return reject(rules, '5.5.2', 'the sender is not joined to the room')
  }
  // (5.5.3)
  const senderLevel = levels.ofUser(event.sender)
  if (current === 'ban' && senderLevel < levels.named('ban')) {
    return reject(rules, '5.5.3', 'the sender may not lift a ban')
  }
  // (5.5.4, 5.5.5)
  return senderLevel >= levels.named('kick') && levels.ofUser(target) < senderLevel
    ? accept
    : reject(rules, '5.5.5', 'the sender may not remove this user')
}

function authoriseBan({ event, rules, state, target, levels }: MembershipChange): Verdict {
  // (5.6.1)
  if (membershipIn(state, event.sender) !== 'join') {
    return reject(rules, '5.6.1', 'the sender is not joined to the room')
  }
  // (5.6.2, 5.6.3)
  const senderLevel = levels.ofUser(event.sender)
  return senderLevel >= levels.named('ban') && levels.ofUser(target) < senderLevel
    ? accept
    : reject(rules, '5.6.3', 'the sender may not ban this user')
}

function authoriseKnock({ event, rules, state, target }: MembershipChange): Verdict {
  // (5.7.1)
  const rule = joinRuleIn(state)
  if (rule !== 'knock' && rule !== 'knock_restricted') {
    return reject(rules, '5.7.1', 'the join rule does not allow knocking')
  }
  // (5.7.2)
  if (event.sender !== target) return reject(rules, '5.7.2', 'nobody knocks for somebody else')
  // (5.7.3, 5.7.4)
  const current = membershipIn(state, target)
  return current === 'ban' || current === 'invite' || current === 'join'
    ? reject(rules, '5.7.4', `the sender's membership is ${current}`)
    : accept
}

function membershipIn(state: StateLookup, user: string): Json | undefined {
  const member = state('m.room.member', user)
  return member && memberOf(member.pdu.content, 'membership')
}

/** Spec: client-server-api#mroomjoin_rules. A room that says nothing is open to the invited alone. */
function joinRuleIn(state: StateLookup): Json | undefined {
  const rules = state('m.room.join_rules', '')
  return rules ? memberOf(rules.pdu.content, 'join_rule') : 'invite'
}

/** (5.4.1.7.1, 5.4.1.7.2) */
function publicKeysOf(invite: JsonObject): Uint8Array[] {
  const listed = memberOf(invite, 'public_keys')
  const entries = Array.isArray(listed) ? listed : []
  const texts = [
    memberOf(invite, 'public_key'),
    ...entries.map((entry: Json) => (isObject(entry) ? memberOf(entry, 'public_key') : undefined)),
  ]
  const keys: Uint8Array[] = []
  for (const text of texts) {
    const key = typeof text === 'string' ? (decodeBase64(text) ?? decodeBase64Url(text)) : null
    if (key) keys.push(key)
  }
  return keys
}

function isSignedByAny(signed: JsonObject, keys: readonly Uint8Array[], verify: Verify): boolean {
  const signatures = memberOf(signed, 'signatures')
  if (!isObject(signatures) || keys.length === 0) return false
  const bytes = signedBytes(signed)
  for (const byKey of Object.values(signatures)) {
    if (!isObject(byKey)) continue
    for (const [keyId, text] of Object.entries(byKey)) {
      const signature = parseKeyId(keyId) && typeof text === 'string' ? decodeBase64(text) : null
      if (signature && keys.some(key => verify(bytes, signature, key))) return true
    }
  }
  return false
}
