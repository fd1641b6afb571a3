/**
 * The tree of rooms below a space, as one person may see it, page by page.
 *
 * Depth first; a room is returned once, so a loop ends. Pages hold no state on the server: the token says how many
 * rooms were returned, and the walk is repeated; what is not here is asked of the servers that the link to it names. Spec: client-server-api#discovering-rooms-within-spaces
 */
import { type RoomId, type ServerName, serverOf } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Actor } from './people.ts'
import type { RemoteSpaces } from './remote-spaces.ts'
import { mayDiscover, roomSummary } from './room-summary.ts'
import { RoomError, type Rooms, type RoomView } from './rooms.ts'
import { type ChildRoom, childRooms, type SpaceNode } from './space-children.ts'

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
  remote: RemoteSpaces,
  actor: Actor,
  root: RoomId,
  query: HierarchyQuery,
): Promise<HierarchyPage> {
  const { suggestedOnly, limit } = query
  const maxDepth = Math.min(query.maxDepth ?? deepest, deepest)
  const skip = query.from === undefined ? 0 : readToken(query.from, suggestedOnly, maxDepth)
  const walk = remote.walk(actor, suggestedOnly)
  const page: JsonObject[] = []
  const seen = new Set<RoomId>()
  // Last in, first out, so children are pushed in reverse.
  const stack: { child: Pick<ChildRoom, 'roomId' | 'via'>; parent?: RoomId; depth: number }[] = [
    { child: { roomId: root, via: await whoInvited(rooms, actor, root) }, depth: 0 },
  ]
  let returned = 0
  while (stack.length > 0 && seen.size < maxWalked) {
    const { child, parent, depth } = stack.pop()!
    const { roomId } = child
    if (seen.has(roomId)) continue
    seen.add(roomId)
    const view = await rooms.view(roomId)
    const node = view
      ? await hereAs(rooms, view, actor, suggestedOnly)
      : await walk.node(child, parent, depth < maxDepth)
    if (!node) {
      if (roomId === root)
        throw new RoomError('M_FORBIDDEN', 'roomId: you are not allowed to view this room.')
      continue
    }
    if (page.length === limit) return { rooms: page, nextBatch: token(returned, suggestedOnly, maxDepth) }
    if (returned++ >= skip) {
      page.push({ ...node.summary, children_state: node.children.map(({ stripped }) => stripped) })
    }
    if (depth === maxDepth) continue
    for (const child of node.children.toReversed()) stack.push({ child, parent: roomId, depth: depth + 1 })
  }
  return { rooms: page }
}

/** A space that nobody here is in can be asked for where the invitation came from. */
async function whoInvited(
  rooms: Pick<Rooms, 'memberships'>,
  { userId }: Actor,
  roomId: RoomId,
): Promise<readonly ServerName[]> {
  const own = (await rooms.memberships(userId)).get(roomId)
  return own?.membership === 'invite' ? [serverOf(own.sender)] : []
}

/** A room that is here: what is said of it, and where it leads. null: not for this person. */
async function hereAs(
  rooms: Pick<Rooms, 'memberships'>,
  view: RoomView,
  actor: Actor,
  suggestedOnly: boolean,
): Promise<SpaceNode | null> {
  if (!(await mayDiscover(rooms, view, actor))) return null
  return { summary: roomSummary(view), children: childRooms(view, suggestedOnly) }
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
