/** Spec: client-server-api#discovering-rooms-within-spaces (space_hierarchy.yaml) */
import { queryBoolean, queryInteger, queryText } from '../http/fields.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import { readHierarchy } from '../rooms/hierarchy.ts'
import type { RemoteSpaces } from '../rooms/remote-spaces.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { pathRoomId, queryLimit } from './room-request.ts'

export interface SpacesDeps {
  readonly authenticate: Step
  readonly rooms: Pick<Rooms, 'view' | 'memberships'>
  readonly remoteSpaces: RemoteSpaces
}

const maxLimit = 100

export function spacesRoutes({ authenticate, rooms, remoteSpaces }: SpacesDeps): Route[] {
  const getHierarchy: Step = async function getHierarchy(ctx) {
    const maxDepth = queryInteger(ctx.query, 'max_depth')
    const from = queryText(ctx.query, 'from')
    const page = await readHierarchy(rooms, remoteSpaces, ctx.state.requester, pathRoomId(ctx), {
      suggestedOnly: queryBoolean(ctx.query, 'suggested_only') ?? false,
      limit: queryLimit(ctx, 50, maxLimit),
      ...(maxDepth === undefined ? {} : { maxDepth }),
      ...(from === undefined ? {} : { from }),
    })
    ctx.body = {
      rooms: page.rooms,
      ...(page.nextBatch === undefined ? {} : { next_batch: page.nextBatch }),
    }
  }
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v1/rooms/:roomId/hierarchy',
      steps: [authenticate, limit('directory'), getHierarchy],
    },
  ]
}
