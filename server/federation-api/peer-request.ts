/** What handlers of requests from peers read of them. */

import { eventId, roomId, userId } from '../http/fields.ts'
import { badJson } from '../http/matrix-error.ts'
import type { Context } from '../http/route.ts'
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'

export function pathRoom(ctx: Context): RoomId {
  return roomId(ctx.state.params['roomId'], 'roomId')
}

export function pathEvent(ctx: Context): EventId {
  return eventId(ctx.state.params['eventId'], 'eventId')
}

export function pathUser(ctx: Context): UserId {
  return userId(ctx.state.params['userId'], 'userId')
}

/** All values of a repeated query parameter, at most so many. */
export function queryAll(ctx: Context, name: string, atMost: number): string[] {
  const value = ctx.query[name]
  const all = value === undefined ? [] : Array.isArray(value) ? value : [value]
  if (all.length > atMost) throw badJson(`${name} is there more than ${atMost} times.`)
  return all
}

/** A list of the body whose entries nobody has looked at yet. */
export function bodyList(ctx: Context, name: string, atMost: number): readonly Json[] {
  const value = ctx.state.body[name] ?? []
  if (!Array.isArray(value)) throw badJson(`${name} must be a list.`)
  if (value.length > atMost) throw badJson(`${name} has more than ${atMost} entries.`)
  return value as readonly Json[]
}
