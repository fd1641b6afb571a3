/** Spec: client-server-api#querying-threads-in-a-room (threads_list.yaml) */
import { queryText } from '../http/fields.ts'
import { invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { People } from '../rooms/people.ts'
import type { Relations } from '../rooms/relations.ts'
import { readAccess } from '../rooms/room-access.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { showEvents } from '../rooms/shown-events.ts'
import { timelineToken } from '../rooms/timeline-token.ts'
import { pathRoomId, queryLimit, queryPlace, readerOf } from './room-request.ts'

export interface ThreadsDeps {
  readonly authenticate: Step
  readonly rooms: Rooms
  readonly relations: Pick<Relations, 'bundle' | 'threads'>
  readonly people: People
  readonly clock: () => number
}

const maxLimit = 100

export function threadsRoutes(deps: ThreadsDeps): Route[] {
  const { authenticate, rooms, relations, clock } = deps
  const getThreads: Step = async function getThreads(ctx) {
    const { userId } = ctx.state.requester
    const include = queryText(ctx.query, 'include') ?? 'all'
    if (include !== 'all' && include !== 'participated') {
      throw invalidParam('include must be all or participated.')
    }
    const from = queryPlace(ctx, 'from')
    const { view } = await readAccess(rooms, userId, pathRoomId(ctx))
    const page = await relations.threads(userId, view.roomId, {
      participated: include === 'participated',
      limit: queryLimit(ctx, 20, maxLimit),
      ...(from === undefined ? {} : { from }),
    })
    const shown = await showEvents(deps, view, readerOf(ctx, clock), page.roots)
    ctx.body = {
      // Where every reply is redacted or out of sight there is no thread any more.
      chunk: shown.filter(hasThread),
      ...(page.end === undefined ? {} : { next_batch: timelineToken(page.end) }),
    }
  }
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v1/rooms/:roomId/threads',
      steps: [authenticate, limit('read'), getThreads],
    },
  ]
}

function hasThread(event: JsonObject): boolean {
  const bundled = isObject(event['unsigned']) ? event['unsigned']['m.relations'] : undefined
  return isObject(bundled) && bundled['m.thread'] !== undefined
}
