/** Spec: client-server-api#relationships-api (relations.yaml) */
import { queryBoolean } from '../http/fields.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { People } from '../rooms/people.ts'
import type { ChildrenPage, Relations } from '../rooms/relations.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { showEvents } from '../rooms/shown-events.ts'
import { timelineToken } from '../rooms/timeline-token.ts'
import { visibleEvent } from './event.ts'
import { pathEventId, pathRoomId, queryForwards, queryLimit, queryPlace, readerOf } from './room-request.ts'

export interface RelationsDeps {
  readonly authenticate: Step
  readonly rooms: Rooms
  readonly relations: Relations
  readonly people: People
  readonly clock: () => number
}

const maxLimit = 500
const path = '/_matrix/client/v1/rooms/:roomId/relations/:eventId'

export function relationsRoutes(deps: RelationsDeps): Route[] {
  const { authenticate, rooms, relations, clock } = deps
  const getChildren: Step = async function getChildren(ctx) {
    const { userId } = ctx.state.requester
    const { relType, eventType } = ctx.state.params
    const forwards = queryForwards(ctx, 'dir', 'b')
    const recurse = queryBoolean(ctx.query, 'recurse')
    const count = queryLimit(ctx, 20, maxLimit)
    const [from, to] = [queryPlace(ctx, 'from'), queryPlace(ctx, 'to')]
    const { view, event } = await visibleEvent(rooms, userId, pathRoomId(ctx), pathEventId(ctx))
    const page = await relations.children(userId, view.roomId, event.eventId, {
      forwards,
      recurse: recurse ?? false,
      limit: count,
      ...(relType === undefined ? {} : { relType }),
      ...(eventType === undefined ? {} : { type: eventType }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    })
    ctx.body = {
      chunk: await showEvents(deps, view, readerOf(ctx, clock), page.events),
      ...nextBatch(page, forwards),
      ...(from === undefined ? {} : { prev_batch: timelineToken(from) }),
      ...(recurse === undefined ? {} : { recursion_depth: page.depth }),
    }
  }

  const steps = [authenticate, limit('read'), getChildren]
  return [
    { method: 'GET', path, steps },
    { method: 'GET', path: `${path}/:relType`, steps },
    { method: 'GET', path: `${path}/:relType/:eventType`, steps },
  ]
}

function nextBatch({ events, more }: ChildrenPage, forwards: boolean): { next_batch?: string } {
  const last = events.at(-1)
  if (!more || !last) return {}
  return { next_batch: timelineToken(forwards ? last.order : last.order - 1) }
}
