/** What a person was notified of. Spec: client-server-api#get_matrixclientv3notifications (notifications.yaml) */
import { queryText } from '../http/fields.ts'
import { invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'
import { type NotifiedDeps, notifiedOf } from '../push/notified.ts'
import type { People } from '../rooms/people.ts'
import type { Relations } from '../rooms/relations.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { showEvents } from '../rooms/shown-events.ts'
import { maxOrder, timelineToken } from '../rooms/timeline-token.ts'
import { queryLimit, queryPlace, readerOf } from './room-request.ts'

export interface NotificationDeps extends NotifiedDeps {
  readonly authenticate: Step
  readonly rooms: Rooms
  readonly relations: Pick<Relations, 'bundle'>
  readonly people: People
  readonly clock: () => number
}

const maxLimit = 100

export function notificationRoutes(deps: NotificationDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/notifications',
      steps: [deps.authenticate, limit('read'), getNotifications(deps)],
    },
  ]
}

function getNotifications(deps: NotificationDeps): Step {
  return async function getNotifications(ctx) {
    const only = queryText(ctx.query, 'only')
    if (only !== undefined && only !== 'highlight') throw invalidParam('only must be "highlight", or absent.')
    const { notified, next } = await notifiedOf(deps, ctx.state.requester.userId, {
      before: queryPlace(ctx, 'from') ?? maxOrder,
      limit: queryLimit(ctx, 20, maxLimit),
      highlightsOnly: only === 'highlight',
    })
    const reader = readerOf(ctx, deps.clock)
    const notifications: JsonObject[] = []
    for (const { event, actions, read } of notified) {
      const view = await deps.rooms.view(event.roomId)
      const [shown] = view ? await showEvents(deps, view, reader, [event]) : []
      if (shown)
        notifications.push({
          actions: [...actions],
          event: shown,
          read,
          room_id: event.roomId,
          ts: event.originServerTs,
        })
    }
    ctx.body = { notifications, ...(next === null ? {} : { next_token: timelineToken(next) }) }
  }
}
