/** Spec: client-server-api#get_matrixclientv3roomsroomidmessages (message_pagination.yaml) */
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import { readHistory } from '../rooms/history.ts'
import type { People } from '../rooms/people.ts'
import type { Relations } from '../rooms/relations.ts'
import { readAccess } from '../rooms/room-access.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { sendersState } from '../rooms/senders-state.ts'
import { showEvents, showState } from '../rooms/shown-events.ts'
import { timelineToken } from '../rooms/timeline-token.ts'
import { pathRoomId, queryFilter, queryForwards, queryLimit, queryPlace, readerOf } from './room-request.ts'

export interface MessagesDeps {
  readonly authenticate: Step
  readonly rooms: Rooms
  readonly relations: Pick<Relations, 'bundle'>
  readonly people: People
  readonly clock: () => number
}

const maxLimit = 1000

export function messagesRoutes(deps: MessagesDeps): Route[] {
  const { authenticate, rooms, clock } = deps
  const getMessages: Step = async function getMessages(ctx) {
    const { userId } = ctx.state.requester
    const { view, until } = await readAccess(rooms, userId, pathRoomId(ctx))
    const forwards = queryForwards(ctx, 'dir')
    const filter = queryFilter(ctx)
    const asked = queryLimit(ctx, 10, maxLimit)
    const [given, to] = [queryPlace(ctx, 'from'), queryPlace(ctx, 'to')]
    // What came after the reader left is not looked at; what they could see at the time is.
    const last = until ?? view.lastPosition
    const from = given ?? (forwards ? undefined : last)
    const page = filter.matchesRoom(view.roomId)
      ? await readHistory(rooms, userId, view.roomId, {
          forwards,
          ...(from === undefined ? {} : { from: forwards ? from : Math.min(from, last) }),
          ...(forwards ? { to: Math.min(to ?? last, last) } : to === undefined ? {} : { to }),
          limit: Math.min(asked, filter.limit ?? asked),
          filter,
        })
      : { events: [] }
    const reader = readerOf(ctx, clock)
    const chunk = await showEvents(deps, view, reader, page.events)
    ctx.body = {
      // Without `from` a page begins where the timeline does: below its first event, or above its last.
      start: timelineToken(from ?? (page.events[0] ? page.events[0].order - 1 : 0)),
      chunk,
      ...(page.end === undefined ? {} : { end: timelineToken(page.end) }),
      ...(filter.lazyLoadMembers
        ? { state: showState(reader, await sendersState(rooms, view.roomId, page.events)) }
        : {}),
    }
  }

  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/rooms/:roomId/messages',
      steps: [authenticate, limit('read'), getMessages],
    },
  ]
}
