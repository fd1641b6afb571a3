/**
 * A room in a few lines, for people who are not in it; and who may see these lines.
 *
 * Spec: client-server-api#get_matrixclientv1room_summaryroomidoralias, #published-room-directory
 */
import { type ServerName, serverOf } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import { allowedRooms, isRestricted, joinRuleOf, meetsRestriction } from './membership.ts'
import type { Actor } from './people.ts'
import { isWorldReadable } from './room-access.ts'
import type { Rooms, RoomView } from './rooms.ts'

/** Spec: PublishedRoomsChunk: what the directory says of a room. */
export function publishedSummary(view: RoomView): JsonObject {
  const text = (type: string, field: string) => textOf(view.state(type)?.content[field])
  const optional = {
    name: text('m.room.name', 'name'),
    topic: plainTopic(view.state('m.room.topic')?.content),
    canonical_alias: text('m.room.canonical_alias', 'alias'),
    avatar_url: text('m.room.avatar', 'url'),
    room_type: textOf(view.createEvent.content['type']),
  }
  return {
    room_id: view.roomId,
    num_joined_members: view.memberCount('join'),
    world_readable: isWorldReadable(view),
    guest_can_join: view.state('m.room.guest_access')?.content['guest_access'] === 'can_join',
    join_rule: joinRuleOf(view),
    ...present(optional),
  }
}

/** Spec: RoomSummary: the directory's lines and what joining would mean. */
export function roomSummary(view: RoomView): JsonObject {
  const joinRule = joinRuleOf(view)
  return {
    ...publishedSummary(view),
    room_version: view.version,
    ...present({ encryption: textOf(view.state('m.room.encryption')?.content['algorithm']) }),
    ...(isRestricted(joinRule) ? { allowed_room_ids: allowedRooms(view) } : {}),
  }
}

/**
 * May this person learn of the room? Who is or may be in it, or may knock, or anyone where all may read.
 * Spec: client-server-api#get_matrixclientv1roomsroomidhierarchy
 */
export async function mayDiscover(
  rooms: Pick<Rooms, 'memberships'>,
  view: RoomView,
  { userId, kind }: Actor,
): Promise<boolean> {
  const membership = view.membership(userId)
  if (membership === 'join' || membership === 'invite') return true
  // What is open to everybody is open to the organisation's own people.
  if (kind === 'external') return false
  if (isWorldReadable(view)) return true
  if (membership === 'ban') return false
  const rule = joinRuleOf(view)
  if (rule === 'public' || rule === 'knock' || rule === 'knock_restricted') return true
  return rule === 'restricted' && (await meetsRestriction(rooms, view, userId))
}

/**
 * May the people of this server learn of the room? Somebody of it is or may be in it, or may knock, or all may read.
 * Spec: server-server-api#get_matrixfederationv1hierarchyroomid: "could feasibly peek/join"
 */
export async function mayServerDiscover(
  rooms: Pick<Rooms, 'view'>,
  view: RoomView,
  server: ServerName,
): Promise<boolean> {
  if (view.joinedServers.has(server) || isWorldReadable(view)) return true
  const rule = joinRuleOf(view)
  if (rule === 'public' || rule === 'knock' || rule === 'knock_restricted') return true
  for (const { stateKey } of view.members('invite')) if (serverOf(stateKey) === server) return true
  if (!isRestricted(rule)) return false
  for (const roomId of allowedRooms(view)) {
    if ((await rooms.view(roomId))?.joinedServers.has(server)) return true
  }
  return false
}

/** Spec: client-server-api#mroomtopic: `topic` repeats the plain text of `m.topic`; either may be missing. */
function plainTopic(content: JsonObject | undefined): string | undefined {
  const block = content?.['m.topic']
  const texts = isObject(block) ? block['m.text'] : undefined
  if (Array.isArray(texts)) {
    const plain = texts.find(item => isObject(item) && (item['mimetype'] ?? 'text/plain') === 'text/plain') as
      | JsonObject
      | undefined
    const body = textOf(plain?.['body'])
    if (body !== undefined) return body
  }
  return textOf(content?.['topic'])
}

/** What people may write into state is anything; only text that says something is passed on. */
function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function present(fields: { readonly [name: string]: string | undefined }): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
