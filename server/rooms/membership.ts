/**
 * Becoming a member of a room and ceasing to be one: what each request writes, and what it needs first.
 *
 * The room's auth rules have the last word; what is checked here gives a better sentence, or is no auth rule.
 * Repeating what is already so (joining twice, leaving twice) succeeds and writes nothing.
 * Spec: client-server-api#room-membership
 */
import type { Peers } from '../peers/peer.ts'
import { type RoomId, type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { OutwardRooms } from './outward.ts'
import type { Actor, People } from './people.ts'
import { namedLevel } from './power.ts'
import { notInRoom } from './room-access.ts'
import { type Draft, RoomError, type Rooms, type RoomView } from './rooms.ts'

export interface Reason {
  readonly reason?: string | undefined
}

export interface Via extends Reason {
  /** Servers that may know the room, where it is not here. */
  readonly via?: readonly ServerName[]
}

export interface RoomMembers {
  /** `more`: content that the joiner adds to the member event. */
  join(actor: Actor, roomId: RoomId, options: Via & { readonly more?: JsonObject }): Promise<void>
  knock(actor: Actor, roomId: RoomId, options: Via): Promise<void>
  leave(actor: Actor, roomId: RoomId, options: Reason): Promise<void>
  invite(actor: Actor, roomId: RoomId, target: UserId, options: Reason): Promise<void>
  kick(actor: Actor, roomId: RoomId, target: UserId, options: Reason): Promise<void>
  ban(actor: Actor, roomId: RoomId, target: UserId, options: Reason): Promise<void>
  unban(actor: Actor, roomId: RoomId, target: UserId, options: Reason): Promise<void>
  /** Takes a room that was left from the person's list. */
  forget(actor: Actor, roomId: RoomId): Promise<void>
  /** May this person invite that one at all? Throws M_FORBIDDEN or M_INVITE_BLOCKED; answers with the invitee's profile. */
  checkInvitee(actor: Actor, target: UserId, field: string): Promise<JsonObject>
}

export interface RoomMembersDeps {
  readonly rooms: Rooms
  readonly people: People
  /** Rooms and people of other servers. */
  readonly outward: OutwardRooms
  readonly peers: Pick<Peers, 'maySendTo'>
}

export function openRoomMembers({ rooms, people, outward, peers }: RoomMembersDeps): RoomMembers {
  return {
    async join({ userId }, roomId, { reason, more, via = [] }) {
      const view = await residentView(roomId)
      if (view?.membership(userId) === 'join') return
      const own = { ...more, ...(await profileOf(userId)), reason }
      if (!view) return outward.join(userId, roomId, via, memberContent('join', own))
      const restriction = await joinRestriction(rooms, view, userId).catch(error => {
        // Another server in the room may know the rooms whose members may join, or have somebody who may invite.
        if (isRestricted(joinRuleOf(view)) && view.joinedServers.size > 1) return null
        throw error
      })
      if (!restriction) return outward.join(userId, roomId, via, memberContent('join', own))
      await rooms.send(memberDraft(roomId, userId, userId, 'join', { ...own, ...restriction }))
    },

    async knock({ userId }, roomId, { reason, via = [] }) {
      const own = { ...(await profileOf(userId)), reason }
      const view = await residentView(roomId)
      if (!view) return outward.knock(userId, roomId, via, memberContent('knock', own))
      checkKnock(view, userId)
      await rooms.send(memberDraft(roomId, userId, userId, 'knock', own))
    },

    async leave({ userId }, roomId, { reason }) {
      const view = await rooms.view(roomId)
      const standing = (await rooms.memberships(userId)).get(roomId)?.membership
      const isWaiting = standing === 'invite' || standing === 'knock'
      if (isWaiting && !(await isHeldHere(roomId, userId))) {
        return outward.leave(userId, roomId, memberContent('leave', { reason }))
      }
      const membership = view?.membership(userId)
      if (membership === undefined) throw notInRoom()
      if (membership === 'leave') return
      if (membership === 'ban') throw forbidden('roomId: you are banned from this room.')
      await rooms.send(memberDraft(roomId, userId, userId, 'leave', { reason }))
    },

    async invite(actor, roomId, target, { reason }) {
      const view = await viewAsMember(actor, roomId)
      const membership = view.membership(target)
      if (membership === 'ban') throw forbidden(`user_id: ${target} is banned from the room.`)
      if (membership === 'join') throw forbidden(`user_id: ${target} is already in the room.`)
      if (view.powerLevel(actor.userId) < namedLevel(view, 'invite')) {
        throw forbidden('You do not have the power level to invite to this room.')
      }
      const profile = await checkInvitee(actor, target, 'user_id')
      const server = serverOf(target)
      const draft = memberDraft(roomId, actor.userId, target, 'invite', { ...profile, reason })
      if (server === rooms.serverName) await rooms.send(draft)
      else await outward.invite({ ...draft, stateKey: target }, server)
    },

    async kick(actor, roomId, target, { reason }) {
      const view = await viewAsMember(actor, roomId)
      const membership = view.membership(target)
      if (membership !== 'join' && membership !== 'invite' && membership !== 'knock') {
        throw forbidden(`user_id: ${target} is not in the room.`)
      }
      if (target !== actor.userId && !view.mayKick(actor.userId, target)) {
        throw forbidden(`user_id: you do not have the power level to kick ${target} from this room.`)
      }
      await rooms.send(memberDraft(roomId, actor.userId, target, 'leave', { reason }))
    },

    async ban(actor, roomId, target, { reason }) {
      const view = await viewAsMember(actor, roomId)
      checkBanPower(view, actor.userId, target, 'ban')
      await rooms.send(memberDraft(roomId, actor.userId, target, 'ban', { reason }))
    },

    async unban(actor, roomId, target, { reason }) {
      const view = await viewAsMember(actor, roomId)
      if (view.membership(target) !== 'ban')
        throw forbidden(`user_id: ${target} is not banned from the room.`)
      checkBanPower(view, actor.userId, target, 'unban')
      await rooms.send(memberDraft(roomId, actor.userId, target, 'leave', { reason }))
    },

    async forget({ userId }, roomId) {
      if (!(await rooms.memberships(userId)).has(roomId)) throw notInRoom()
      await rooms.forget(userId, roomId)
    },

    checkInvitee,
  }

  /** The room, if we are in it: what we know of one that we left is not how it is. */
  async function residentView(roomId: RoomId): Promise<RoomView | null> {
    const view = await rooms.view(roomId)
    return view?.joinedServers.has(rooms.serverName) ? view : null
  }

  /** Is this person's invite or knock part of a room that is here? */
  async function isHeldHere(roomId: RoomId, userId: UserId): Promise<boolean> {
    const membership = (await residentView(roomId))?.membership(userId)
    return membership === 'invite' || membership === 'knock'
  }

  async function viewAsMember({ userId }: Actor, roomId: RoomId): Promise<RoomView> {
    const view = await rooms.view(roomId)
    if (view?.membership(userId) !== 'join') throw notInRoom()
    return view
  }

  async function profileOf(userId: UserId): Promise<JsonObject> {
    return (await people.memberProfile(userId)) ?? {}
  }

  async function checkInvitee(actor: Actor, target: UserId, field: string): Promise<JsonObject> {
    const server = serverOf(target)
    if (server !== rooms.serverName && !peers.maySendTo(server)) {
      throw forbidden(`${field}: this server is not connected to ${server}.`)
    }
    // An external person learns of nobody with whom they share no room, not even whether the account exists.
    if (actor.kind === 'external' && !(await rooms.sharesRoomWith(actor.userId)).has(target)) {
      throw forbidden(`${field}: you may only invite people with whom you share a room.`)
    }
    // Whether there is such a person, and whether they take invites, their server says when it is asked.
    if (server !== rooms.serverName) return people.remoteProfile(target)
    const profile = await people.memberProfile(target)
    if (!profile) throw forbidden(`${field}: there is no account ${target}.`)
    // Spec: client-server-api#invite-permission
    if (await people.blocksInvites(target)) {
      throw new RoomError('M_INVITE_BLOCKED', `${field}: ${target} takes no invites.`)
    }
    return profile
  }
}

export function memberDraft(
  roomId: RoomId,
  sender: UserId,
  stateKey: UserId,
  membership: string,
  more: JsonObject,
): Draft {
  return { roomId, sender, type: 'm.room.member', stateKey, content: memberContent(membership, more) }
}

/** Absent fields are left out: events are hashed, and `undefined` is no JSON. */
export function memberContent(membership: string, more: JsonObject): JsonObject {
  const content: { [key: string]: JsonObject[string] } = { membership }
  for (const [name, value] of Object.entries(more)) if (value !== undefined) content[name] = value
  return content
}

export function joinRuleOf(view: Pick<RoomView, 'state'>): string {
  const rule = view.state('m.room.join_rules')?.content['join_rule']
  // Spec: client-server-api#mroomjoin_rules: without the event a room is `invite`.
  return typeof rule === 'string' ? rule : 'invite'
}

export function isRestricted(joinRule: string): boolean {
  return joinRule === 'restricted' || joinRule === 'knock_restricted'
}

/** Rooms whose members may join. Spec: client-server-api#restricted-rooms */
export function allowedRooms(view: Pick<RoomView, 'state'>): RoomId[] {
  const allow = view.state('m.room.join_rules')?.content['allow']
  if (!Array.isArray(allow)) return []
  return allow.flatMap(condition =>
    isObject(condition) &&
    condition['type'] === 'm.room_membership' &&
    typeof condition['room_id'] === 'string'
      ? [condition['room_id'] as RoomId]
      : [],
  )
}

export async function meetsRestriction(
  rooms: Pick<Rooms, 'memberships'>,
  view: RoomView,
  userId: UserId,
): Promise<boolean> {
  const allowed = allowedRooms(view)
  if (allowed.length === 0) return false
  const memberships = await rooms.memberships(userId)
  return allowed.some(roomId => memberships.get(roomId)?.membership === 'join')
}

/**
 * What a join needs beyond itself, or why it is refused. In a restricted room someone who may invite vouches
 * for a join without invite. Spec: client-server-api#restricted-rooms, rooms/v11#authorization-rules (5.3.5)
 */
export async function joinRestriction(
  rooms: Pick<Rooms, 'memberships' | 'serverName'>,
  view: RoomView,
  userId: UserId,
): Promise<JsonObject> {
  const membership = view.membership(userId)
  if (membership === 'ban') throw forbidden('roomId: you are banned from this room.')
  if (membership === 'invite') return {}
  const rule = joinRuleOf(view)
  if (rule === 'public') return {}
  if (!isRestricted(rule)) throw forbidden('roomId: you are not invited to this room.')
  if (!(await meetsRestriction(rooms, view, userId))) {
    throw forbidden('roomId: you are not invited, and in none of the rooms whose members may join this one.')
  }
  const voucher = localInviter(view, rooms.serverName)
  if (!voucher)
    throw forbidden('roomId: nobody of this server may invite to this room, so nobody can let you in.')
  return { join_authorised_via_users_server: voucher }
}

/** A joined member of this server who may invite: those with named power first, then anyone whose level suffices. */
export function localInviter(view: RoomView, serverName: string): UserId | undefined {
  const needed = namedLevel(view, 'invite')
  const isInviter = (userId: UserId) =>
    serverOf(userId) === serverName && view.membership(userId) === 'join' && view.powerLevel(userId) >= needed
  const users = view.state('m.room.power_levels')?.content['users']
  const named = [...view.creators, ...(isObject(users) ? (Object.keys(users) as UserId[]) : [])]
  const found = named.find(isInviter)
  if (found) return found
  for (const { stateKey } of view.members('join')) if (isInviter(stateKey)) return stateKey
  return undefined
}

function checkKnock(view: RoomView, userId: UserId): void {
  const membership = view.membership(userId)
  if (membership === 'ban') throw forbidden('roomId: you are banned from this room.')
  if (membership === 'join') throw forbidden('roomId: you are already in this room.')
  if (membership === 'invite') throw forbidden('roomId: you are already invited to this room.')
  const rule = joinRuleOf(view)
  if (rule !== 'knock' && rule !== 'knock_restricted') {
    throw forbidden('roomId: this room does not let people knock.')
  }
}

/** Spec: rooms/v11#authorization-rules (5.5.3, 5.6.2) */
function checkBanPower(view: RoomView, actor: UserId, target: UserId, act: 'ban' | 'unban'): void {
  const power = view.powerLevel(actor)
  const kickLevel = act === 'unban' ? namedLevel(view, 'kick') : 0
  const enough = power >= Math.max(namedLevel(view, 'ban'), kickLevel)
  if (enough && power > view.powerLevel(target)) return
  throw forbidden(`user_id: you do not have the power level to ${act} ${target} in this room.`)
}

function forbidden(message: string): RoomError {
  return new RoomError('M_FORBIDDEN', message)
}
