/**
 * The tree of rooms below a space, as one person may see it, page by page.
 *
 * Depth first; a room is returned once, so a loop ends. Pages hold no state on the server: the token says how many
 * rooms were returned, and the walk is repeated. Spec: client-server-api#discovering-rooms-within-spaces
 */
import { parseRoomId, type RoomId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Actor } from './people.ts'
import { mayDiscover, roomSummary } from './room-summary.ts'
import { RoomError, type RoomEvent, type Rooms, type RoomView } from './rooms.ts'

export interface HierarchyQuery {
  readonly suggestedOnly: boolean
  readonly maxDepth?: number
  readonly limit: number
  readonly from?: string
}

export interface HierarchyPage {
  readonly rooms: readonly JsonObject[]
  readonly nextBatch?: string
}

const deepest = 50
/** Rooms walked for one request. */
const maxWalked = 5_000

export async function readHierarchy(
  rooms: Pick<Rooms, 'view' | 'memberships'>,
  actor: Actor,
  root: RoomId,
  query: HierarchyQuery,
): Promise<HierarchyPage> {
  const { suggestedOnly, limit } = query
  const maxDepth = Math.min(query.maxDepth ?? deepest, deepest)
  const skip = query.from === undefined ? 0 : readToken(query.from, suggestedOnly, maxDepth)
  const page: JsonObject[] = []
  const seen = new Set<RoomId>()
  // Last in, first out, so children are pushed in reverse.
  const stack: { roomId: RoomId; depth: number }[] = [{ roomId: root, depth: 0 }]
  let returned = 0
  while (stack.length > 0 && seen.size < maxWalked) {
    const { roomId, depth } = stack.pop()!
    if (seen.has(roomId)) continue
    seen.add(roomId)
    const view = await rooms.view(roomId)
    if (!view || !(await mayDiscover(rooms, view, actor))) {
      if (roomId === root)
        throw new RoomError('M_FORBIDDEN', 'roomId: you are not allowed to view this room.')
      continue
    }
    if (page.length === limit) return { rooms: page, nextBatch: token(returned, suggestedOnly, maxDepth) }
    const children = childrenOf(view, suggestedOnly)
    if (returned++ >= skip) page.push({ ...roomSummary(view), children_state: children.map(strippedChild) })
    if (depth === maxDepth) continue
    for (const child of children.toReversed()) {
      stack.push({ roomId: child.stateKey as RoomId, depth: depth + 1 })
    }
  }
  return { rooms: page }
}

/** The valid children of a space in the order that clients show. Spec: client-server-api#ordering-of-children-within-a-space */
function childrenOf(view: RoomView, suggestedOnly: boolean): RoomEvent[] {
  if (view.createEvent.content['type'] !== 'm.space') return []
  const children = [...view.stateOfType('m.space.child')].filter(
    ({ stateKey, content }) =>
      parseRoomId(stateKey) !== null &&
      Array.isArray(content['via']) &&
      content['via'].length > 0 &&
      (!suggestedOnly || content['suggested'] === true),
  )
  return children.sort(byOrder)
}

function byOrder(a: RoomEvent, b: RoomEvent): number {
  const [orderA, orderB] = [orderOf(a), orderOf(b)]
  if (orderA !== orderB) {
    if (orderA === undefined) return 1
    if (orderB === undefined) return -1
    return orderA < orderB ? -1 : 1
  }
  return a.originServerTs - b.originServerTs || (a.stateKey! < b.stateKey! ? -1 : 1)
}

/** Spec: client-server-api#mspacechild: at most 50 characters between \x20 and \x7E; anything else is no order. */
function orderOf({ content }: RoomEvent): string | undefined {
  const order = content['order']
  return typeof order === 'string' && /^[\x20-\x7e]{1,50}$/.test(order) ? order : undefined
}

function strippedChild(event: RoomEvent): JsonObject {
  return {
    type: event.type,
    state_key: event.stateKey,
    sender: event.sender,
    content: event.content,
    origin_server_ts: event.originServerTs,
  }
}

function token(returned: number, suggestedOnly: boolean, maxDepth: number): string {
  return `h${returned}_${maxDepth}_${suggestedOnly ? 's' : 'a'}`
}

function readToken(text: string, suggestedOnly: boolean, maxDepth: number): number {
  const match = /^h([0-9]{1,6})_([0-9]{1,3})_([sa])$/.exec(text)
  if (!match) throw new RoomError('M_INVALID_PARAM', 'from: this is no token of this endpoint.')
  if (Number(match[2]) !== maxDepth || (match[3] === 's') !== suggestedOnly) {
    throw new RoomError('M_INVALID_PARAM', 'suggested_only and max_depth cannot change from page to page.')
  }
  return Number(match[1])
}
