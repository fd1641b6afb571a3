/**
 * Rooms of a space that are on other servers, as one of ours may see them.
 *
 * What a peer says of a room is the peer's word: it is cut to the fields of a summary, and who of ours may read it is
 * decided here, because the peer answers for a server as a whole. Answers are kept for some minutes: a tree is walked
 * again for each page, and one space is opened by many people.
 *
 * Spec: server-server-api#spaces, client-server-api#get_matrixclientv1roomsroomidhierarchy
 */
import { parseRoomId, type RoomId, type ServerName } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { Actor } from './people.ts'
import { RemoteError, type RemoteRooms } from './remote-rooms.ts'
import { summariesIn, summaryIn } from './remote-summary.ts'
import type { Rooms } from './rooms.ts'
import { type ChildRoom, childrenAmong, type SpaceNode } from './space-children.ts'

export interface RemoteSpaces {
  walk(actor: Actor, suggestedOnly: boolean): RemoteWalk
}

/** For one request: it asks so many servers, and no more. */
export interface RemoteWalk {
  /** null: nobody knows the room, or it is not for this person. */
  node(
    child: Pick<ChildRoom, 'roomId' | 'via'>,
    parent: RoomId | undefined,
    withChildren: boolean,
  ): Promise<SpaceNode | null>
}

export interface RemoteSpacesDeps {
  readonly rooms: Pick<Rooms, 'memberships' | 'serverName'>
  readonly remote: Pick<RemoteRooms, 'hierarchy'>
  readonly clock: () => number
}

interface Answer {
  readonly node: SpaceNode
  readonly children: ReadonlyMap<RoomId, JsonObject>
}

const keptMs = 5 * 60_000
/** A server that could not be asked is asked again sooner. */
const failureKeptMs = 30_000
const maxKept = 500
const maxAsked = 30
const maxServers = 3
const maxChildren = 1_000

export function openRemoteSpaces({ rooms, remote, clock }: RemoteSpacesDeps): RemoteSpaces {
  const kept = new Map<string, { readonly answer: Promise<Answer | null>; until: number }>()

  function answerOf(server: ServerName, roomId: RoomId, suggestedOnly: boolean): Promise<Answer | null> {
    const key = `${server} ${roomId} ${suggestedOnly}`
    const known = kept.get(key)
    if (known && known.until > clock()) return known.answer
    const entry = { answer: ask(server, roomId, suggestedOnly), until: clock() + keptMs }
    kept.delete(key)
    kept.set(key, entry)
    if (kept.size > maxKept) kept.delete(kept.keys().next().value!)
    return entry.answer.then(answer => {
      if (!answer) entry.until = Math.min(entry.until, clock() + failureKeptMs)
      return answer
    })
  }

  async function ask(server: ServerName, roomId: RoomId, suggestedOnly: boolean): Promise<Answer | null> {
    try {
      return answerIn(await remote.hierarchy(server, roomId, suggestedOnly), roomId, suggestedOnly)
    } catch (error) {
      if (error instanceof RemoteError) return null
      throw error
    }
  }

  return {
    walk(actor, suggestedOnly) {
      const told = new Map<RoomId, ReadonlyMap<RoomId, JsonObject>>()
      let asked = 0

      async function find({ roomId, via }: Pick<ChildRoom, 'roomId' | 'via'>): Promise<SpaceNode | null> {
        for (const server of via.filter(each => each !== rooms.serverName).slice(0, maxServers)) {
          if (asked++ >= maxAsked) return null
          const answer = await answerOf(server, roomId, suggestedOnly)
          if (!answer) continue
          told.set(roomId, answer.children)
          return answer.node
        }
        return null
      }

      return {
        async node(child, parent, withChildren) {
          const summary = parent === undefined ? undefined : told.get(parent)?.get(child.roomId)
          // Who told of the space told of its rooms; only for a space within it there is more to ask.
          const isEnough = summary && (!withChildren || summary['room_type'] !== 'm.space')
          const node = isEnough ? { summary, children: [] } : await find(child)
          return node && (await mayDiscoverRemote(rooms, node.summary, actor)) ? node : null
        },
      }
    },
  }
}

function answerIn(body: JsonObject, roomId: RoomId, suggestedOnly: boolean): Answer | null {
  const { room, children } = body
  const summary = summaryIn(room)
  if (!isObject(room) || summary?.['room_id'] !== roomId) return null
  const state = Array.isArray(room['children_state']) ? room['children_state'].slice(0, maxChildren) : []
  const summaries = Array.isArray(children) ? summariesIn(children.slice(0, maxChildren)) : []
  return {
    node: {
      summary,
      children: summary['room_type'] === 'm.space' ? childrenAmong(state, suggestedOnly) : [],
    },
    children: new Map(summaries.map(child => [child['room_id'] as RoomId, child])),
  }
}

/** As `mayDiscover`, for a room of which we have a peer's summary only. */
async function mayDiscoverRemote(
  rooms: Pick<Rooms, 'memberships'>,
  summary: JsonObject,
  { userId, kind }: Actor,
): Promise<boolean> {
  const memberships = await rooms.memberships(userId)
  const membership = memberships.get(summary['room_id'] as RoomId)?.membership
  if (membership === 'join' || membership === 'invite') return true
  if (kind === 'external') return false
  if (summary['world_readable'] === true) return true
  if (membership === 'ban') return false
  const { join_rule: rule = 'public', allowed_room_ids: allowed } = summary
  if (rule === 'public' || rule === 'knock' || rule === 'knock_restricted') return true
  if (rule !== 'restricted' || !Array.isArray(allowed)) return false
  return allowed.some(each => {
    const roomId = parseRoomId(each)
    return roomId !== null && memberships.get(roomId)?.membership === 'join'
  })
}
