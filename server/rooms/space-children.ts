/**
 * Where a space leads: its valid `m.space.child` events in the order that clients show.
 *
 * Spec: client-server-api#mspacechild, #ordering-of-children-within-a-space
 */
import { parseRoomId, parseServerName, type RoomId, type ServerName } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import type { RoomView } from './rooms.ts'

export interface ChildRoom {
  readonly roomId: RoomId
  /** Servers that may know the room. */
  readonly via: readonly ServerName[]
  /** Spec: stripped state with `origin_server_ts` */
  readonly stripped: JsonObject
}

/** One room of the tree: the lines about it, and its children. */
export interface SpaceNode {
  readonly summary: JsonObject
  readonly children: readonly ChildRoom[]
}

const maxVia = 20

export function childRooms(view: RoomView, suggestedOnly: boolean): ChildRoom[] {
  if (view.createEvent.content['type'] !== 'm.space') return []
  const stripped = [...view.stateOfType('m.space.child')].map(event => ({
    type: event.type,
    state_key: event.stateKey!,
    sender: event.sender,
    content: event.content,
    origin_server_ts: event.originServerTs,
  }))
  return childrenAmong(stripped, suggestedOnly)
}

/** What is no link to a room is left out, whoever wrote it. */
export function childrenAmong(stripped: readonly Json[], suggestedOnly: boolean): ChildRoom[] {
  const children = stripped.flatMap(each => childIn(each) ?? [])
  return children
    .filter(({ stripped }) => !suggestedOnly || (stripped['content'] as JsonObject)['suggested'] === true)
    .sort(byOrder)
}

function childIn(stripped: Json): ChildRoom | null {
  if (!isObject(stripped) || stripped['type'] !== 'm.space.child') return null
  const { state_key: stateKey, sender, content, origin_server_ts: ts } = stripped
  const roomId = parseRoomId(stateKey)
  if (!roomId || typeof sender !== 'string' || !Number.isSafeInteger(ts) || !isObject(content)) return null
  const { via } = content
  if (!Array.isArray(via) || via.length === 0) return null
  return {
    roomId,
    via: via.slice(0, maxVia).flatMap(server => parseServerName(server) ?? []),
    stripped: { type: 'm.space.child', state_key: roomId, sender, content, origin_server_ts: ts as number },
  }
}

function byOrder(a: ChildRoom, b: ChildRoom): number {
  const [orderA, orderB] = [orderOf(a), orderOf(b)]
  if (orderA !== orderB) {
    if (orderA === undefined) return 1
    if (orderB === undefined) return -1
    return orderA < orderB ? -1 : 1
  }
  return timeOf(a) - timeOf(b) || (a.roomId < b.roomId ? -1 : 1)
}

/** Spec: client-server-api#mspacechild: at most 50 characters between \x20 and \x7E; anything else is no order. */
function orderOf({ stripped }: ChildRoom): string | undefined {
  const order = (stripped['content'] as JsonObject)['order']
  return typeof order === 'string' && /^[\x20-\x7e]{1,50}$/.test(order) ? order : undefined
}

function timeOf({ stripped }: ChildRoom): number {
  return stripped['origin_server_ts'] as number
}
