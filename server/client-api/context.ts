/** Spec: client-server-api#event-context (event_context.yaml) */
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { RoomEventFilter } from '../rooms/event-filter.ts'
import { readHistory } from '../rooms/history.ts'
import type { People } from '../rooms/people.ts'
import type { Relations } from '../rooms/relations.ts'
import type { RoomEvent, Rooms, RoomView } from '../rooms/rooms.ts'
import { sendersState } from '../rooms/senders-state.ts'
import { showEvents, showState } from '../rooms/shown-events.ts'
import { timelineToken } from '../rooms/timeline-token.ts'
import { visibleEvent } from './event.ts'
import { pathEventId, pathRoomId, queryFilter, queryLimit, readerOf } from './room-request.ts'

export interface ContextDeps {
  readonly authenticate: Step
  readonly rooms: Rooms
  readonly relations: Pick<Relations, 'bundle'>
  readonly people: People
  readonly clock: () => number
}

const maxLimit = 100

export function contextRoutes(deps: ContextDeps): Route[] {
  const { authenticate, rooms, clock } = deps
  const getContext: Step = async function getContext(ctx) {
    const { userId } = ctx.state.requester
    const { view, event } = await visibleEvent(rooms, userId, pathRoomId(ctx), pathEventId(ctx))
    const filter = queryFilter(ctx)
    const asked = queryLimit(ctx, 10, maxLimit, 0)
    const total = Math.min(asked, filter.limit ?? asked)
    const page = (forwards: boolean, from: number, count: number) =>
      readHistory(rooms, userId, view.roomId, { forwards, from, limit: count, filter })
    const [before, after] = await Promise.all([
      page(false, event.order - 1, Math.floor(total / 2)),
      page(true, event.order, Math.ceil(total / 2)),
    ])
    const reader = readerOf(ctx, clock)
    const all = [event, ...before.events, ...after.events]
    const shown = await showEvents(deps, view, reader, all)
    const afterAt = 1 + before.events.length
    ctx.body = {
      event: shown[0],
      events_before: shown.slice(1, afterAt),
      events_after: shown.slice(afterAt),
      // Below the oldest and above the newest that was returned, for /messages in either direction.
      start: timelineToken((before.events.at(-1) ?? event).order - 1),
      end: timelineToken((after.events.at(-1) ?? event).order),
      state: showState(reader, await stateOf(view, all, after.events.at(-1) ?? event, filter)),
    }
  }

  /** The state at the last event; with lazy loading only those of its members who sent what is shown. */
  async function stateOf(
    view: RoomView,
    events: readonly RoomEvent[],
    last: RoomEvent,
    filter: RoomEventFilter,
  ): Promise<RoomEvent[]> {
    const state = await (await rooms.stateAt(view.roomId, last.position, 'after')).getAll()
    const wanted = state.filter(event => filter.matches(event))
    if (!filter.lazyLoadMembers) return wanted
    const senders = new Set((await sendersState(rooms, view.roomId, events)).map(event => event.eventId))
    return wanted.filter(event => event.type !== 'm.room.member' || senders.has(event.eventId))
  }

  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/rooms/:roomId/context/:eventId',
      steps: [authenticate, limit('read'), getContext],
    },
  ]
}
