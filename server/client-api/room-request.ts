/** What room endpoints read from a request in the same way: ids, who reads, places in a timeline, filters. */

import { queryInteger, queryText, roomId, eventId as toEventId } from '../http/fields.ts'
import { invalidParam, MatrixError, missingParam } from '../http/matrix-error.ts'
import type { Context } from '../http/route.ts'
import { parseStrictJson } from '../http/strict-json.ts'
import type { EventId, RoomId } from '../protocol/ids.ts'
import type { Reader } from '../rooms/client-event.ts'
import { noFilter, parseRoomEventFilter, type RoomEventFilter } from '../rooms/event-filter.ts'
import { parseTimelineToken } from '../rooms/timeline-token.ts'

export function pathRoomId(ctx: Context): RoomId {
  return roomId(ctx.state.params['roomId'], 'roomId')
}

export function pathEventId(ctx: Context): EventId {
  return toEventId(ctx.state.params['eventId'], 'eventId')
}

export function readerOf(ctx: Context, clock: () => number): Reader {
  const { userId, deviceId } = ctx.state.requester
  return { userId, deviceId, now: clock() }
}

/** A pagination token of ours, as a place in the timeline. */
export function queryPlace(ctx: Context, name: string): number | undefined {
  const text = queryText(ctx.query, name)
  if (text === undefined || text === '') return undefined
  const place = parseTimelineToken(text)
  if (place === null) throw invalidParam(`${name} is no pagination token of this server.`)
  return place
}

/** `f` is forwards; without a default the parameter is needed. */
export function queryForwards(ctx: Context, name: string, otherwise?: 'f' | 'b'): boolean {
  const direction = queryText(ctx.query, name) ?? otherwise
  if (direction === undefined) throw missingParam(name)
  if (direction !== 'f' && direction !== 'b') throw invalidParam(`${name} must be f or b.`)
  return direction === 'f'
}

/** More than the maximum is no error: the page is shorter than asked for. */
export function queryLimit(ctx: Context, otherwise: number, max: number, min = 1): number {
  const limit = queryInteger(ctx.query, 'limit', Number.MIN_SAFE_INTEGER) ?? otherwise
  if (limit < min) throw invalidParam(`limit must be ${min} or more.`)
  return Math.min(limit, max)
}

/** Spec: client-server-api#filtering: the filter itself as JSON text. */
export function queryFilter(ctx: Context): RoomEventFilter {
  const text = queryText(ctx.query, 'filter')
  if (text === undefined || text === '') return noFilter
  try {
    return parseRoomEventFilter(parseStrictJson(Buffer.from(text)), 'filter')
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error
    throw new MatrixError(error.status, error.errcode, error.message.replace('The body', 'filter'))
  }
}
