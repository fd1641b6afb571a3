/**
 * Events, states and history of rooms that the asking server is in.
 *
 * Nobody outside the room learns an event of it, auth events included (CVE-2022-39335): every route asks
 * `rooms.askedBy` first, and an event counts only in the room that it is of. Who was put out may still ask what led to that.
 *
 * Spec: server-server-api#retrieving-events, #backfilling-and-retrieving-missing-events, #get_matrixfederationv1event_authroomideventid
 */
import { mayInteger, queryInteger, queryText, eventId as toEventId } from '../http/fields.ts'
import { invalidParam, missingParam, notFound } from '../http/matrix-error.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { EventId, RoomId, ServerName } from '../protocol/ids.ts'
import type { InboundRooms } from '../rooms/inbound-rooms.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { RoomsInternal } from '../rooms/rooms-internal.ts'
import { bodyList, pathEvent, pathRoom, queryAll } from './peer-request.ts'
import { historyFor, signedEvents } from './signed-events.ts'

export interface EventsDeps {
  readonly authenticate: Step
  /** Before what is costly: see peer-turns.ts. */
  readonly takeTurn: Step
  readonly serverName: ServerName
  readonly rooms: InboundRooms &
    Pick<RoomsInternal, 'signed' | 'stored' | 'authChain' | 'visibleToServer' | 'eventsBefore'> &
    Pick<Rooms, 'eventNear'>
  readonly clock: () => number
}

const maxHistory = 100
const defaultMissing = 10
const maxExtremities = 100

export function eventsRoutes({ authenticate, takeTurn, serverName, rooms, clock }: EventsDeps): Route[] {
  const transaction = (pdus: unknown) => ({ origin: serverName, origin_server_ts: clock(), pdus })

  const event: Step = async function event(ctx) {
    const id = pathEvent(ctx)
    const room = await roomOf(id)
    if (!room) throw notFound('eventId: this server does not have the event.')
    const view = await rooms.askedBy(ctx.state.origin, room)
    ctx.body = transaction(await historyFor(rooms, ctx.state.origin, view, [id]))
  }

  const state: Step = async function state(ctx) {
    const { state, authChain } = await stateAsked(ctx)
    ctx.body = {
      pdus: await signedEvents(rooms, state),
      auth_chain: await signedEvents(rooms, authChain),
    }
  }
  const stateIds: Step = async function stateIds(ctx) {
    const { state, authChain } = await stateAsked(ctx)
    ctx.body = { pdu_ids: state, auth_chain_ids: authChain }
  }
  async function stateAsked(ctx: Context) {
    const roomId = pathRoom(ctx)
    const id = queryText(ctx.query, 'event_id')
    if (id === undefined) throw missingParam('event_id')
    const eventId = toEventId(id, 'event_id')
    await rooms.askedBy(ctx.state.origin, roomId, { about: [eventId] })
    const found = await rooms.stateBefore(roomId, eventId)
    if (!found) throw notFound('event_id: this server does not know the state at that event.')
    return found
  }

  const eventAuth: Step = async function eventAuth(ctx) {
    const roomId = pathRoom(ctx)
    const id = pathEvent(ctx)
    await rooms.askedBy(ctx.state.origin, roomId, { about: [id] })
    if ((await roomOf(id)) !== roomId) throw notFound('eventId: this room has no such event here.')
    const chain = await rooms.authChain([id])
    ctx.body = { auth_chain: await signedEvents(rooms, [...chain]) }
  }

  const backfill: Step = async function backfill(ctx) {
    const limit = queryInteger(ctx.query, 'limit', 1)
    if (limit === undefined) throw missingParam('limit')
    const from = queryAll(ctx, 'v', maxExtremities).map(id => toEventId(id, 'v'))
    if (from.length === 0) throw missingParam('v')
    const roomId = pathRoom(ctx)
    const view = await rooms.askedBy(ctx.state.origin, roomId)
    const ids = await rooms.eventsBefore(roomId, {
      latest: from,
      withLatest: true,
      limit: Math.min(limit, maxHistory),
    })
    ctx.body = transaction(await historyFor(rooms, ctx.state.origin, view, ids))
  }

  const missingEvents: Step = async function missingEvents(ctx) {
    const roomId = pathRoom(ctx)
    const { body, origin } = ctx.state
    const latest = idsIn(ctx, 'latest_events')
    const earliest = idsIn(ctx, 'earliest_events')
    const limit = mayInteger(body, 'limit', 0) ?? defaultMissing
    const minDepth = mayInteger(body, 'min_depth') ?? 0
    const view = await rooms.askedBy(origin, roomId, { about: latest })
    const ids = await rooms.eventsBefore(roomId, {
      latest,
      earliest,
      minDepth,
      limit: Math.min(limit, maxHistory),
    })
    // The oldest first: whoever takes them in this order misses nothing on the way.
    ctx.body = { events: await historyFor(rooms, origin, view, ids.toReversed()) }
  }

  const timestampToEvent: Step = async function timestampToEvent(ctx) {
    const roomId = pathRoom(ctx)
    const ts = queryInteger(ctx.query, 'ts')
    const dir = queryText(ctx.query, 'dir')
    if (ts === undefined) throw missingParam('ts')
    if (dir !== 'f' && dir !== 'b') throw invalidParam('dir must be f or b.')
    await rooms.askedBy(ctx.state.origin, roomId)
    const found = await rooms.eventNear(roomId, ts, dir === 'f' ? 'forwards' : 'backwards')
    const [isVisible] = found ? await rooms.visibleToServer(ctx.state.origin, roomId, [found.eventId]) : []
    if (!found || !isVisible) throw notFound('ts: there is no such event.')
    ctx.body = { event_id: found.eventId, origin_server_ts: found.originServerTs }
  }

  /** Where the event really stands; undefined: it is not here. */
  async function roomOf(id: EventId): Promise<RoomId | undefined> {
    const [stored] = await rooms.stored([id])
    return stored?.roomId
  }

  const route = (method: 'GET' | 'POST', path: string, ...steps: Step[]): Route => ({
    method,
    path: `/_matrix/federation/v1${path}`,
    steps: [authenticate, ...steps],
  })
  return [
    route('GET', '/event/:eventId', event),
    route('GET', '/state/:roomId', takeTurn, state),
    route('GET', '/state_ids/:roomId', takeTurn, stateIds),
    route('GET', '/event_auth/:roomId/:eventId', takeTurn, eventAuth),
    route('GET', '/backfill/:roomId', takeTurn, backfill),
    route('POST', '/get_missing_events/:roomId', takeTurn, missingEvents),
    route('GET', '/timestamp_to_event/:roomId', timestampToEvent),
  ]
}

function idsIn(ctx: Context, name: string): EventId[] {
  return bodyList(ctx, name, maxExtremities).map(id =>
    toEventId(typeof id === 'string' ? id : undefined, name),
  )
}
