/** Rooms and spaces for administrators: what rooms/room-oversight.ts shows of them, and power that is given back. */
import type { OrphanedRooms } from '../accounts/orphaned-rooms.ts'
import { parseBody } from '../http/body.ts'
import { needUserId, queryInteger, queryText } from '../http/fields.ts'
import { invalidParam, notFound } from '../http/matrix-error.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { RoomId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { OverseenRoom, PowerIs, RoomOversight } from '../rooms/room-oversight.ts'
import { actorOf } from './administrator.ts'

export interface RoomAdminDeps {
  readonly oversight: RoomOversight
  readonly orphaned: OrphanedRooms
}

const powers = ['here', 'elsewhere', 'nobody'] as const

export function roomAdminRoutes(
  deps: RoomAdminDeps,
  administrator: readonly Step[],
  confirmation: Step,
): Route[] {
  const all = '/_letro/admin/v1/rooms'
  const one = `${all}/:roomId`
  return [
    { method: 'GET', path: all, steps: [...administrator, list(deps)] },
    { method: 'GET', path: one, steps: [...administrator, get(deps)] },
    {
      method: 'POST',
      path: `${one}/power`,
      steps: [...administrator, parseBody, confirmation, giveBack(deps)],
    },
  ]
}

function list({ oversight }: RoomAdminDeps): Step {
  return async ctx => {
    const { query } = ctx
    const power = queryText(query, 'power')
    const state = queryText(query, 'state')
    if (state !== undefined && state !== 'frozen') throw invalidParam('state must be frozen.')
    const { rooms, more, conversations } = await oversight.list({
      limit: queryInteger(query, 'limit', 1, 500) ?? 100,
      after: queryText(query, 'from'),
      text: queryText(query, 'search'),
      power: power === undefined ? undefined : powerOf(power),
      frozen: state === 'frozen' ? true : undefined,
    })
    ctx.body = {
      rooms: rooms.map(roomAnswer),
      conversations,
      ...(more ? { next_batch: rooms.at(-1)!.roomId } : {}),
    }
  }
}

function get({ oversight, orphaned }: RoomAdminDeps): Step {
  return async ctx => {
    const room = await oversight.get(target(ctx))
    if (!room) throw notFound('roomId is no room that this server shows: not known, or a conversation.')
    const way = room.power === 'nobody' ? await orphaned.wayBack(room.roomId) : null
    ctx.body = {
      ...roomAnswer(room),
      ...(way ? { way_back: { through: way.through, ask: [...way.ask] } } : {}),
    }
  }
}

function giveBack({ oversight, orphaned }: RoomAdminDeps): Step {
  return async ctx => {
    await orphaned.giveBack(actorOf(ctx), target(ctx), needUserId(ctx.state.body, 'user_id'))
    const room = await oversight.get(target(ctx))
    ctx.body = room ? roomAnswer(room) : {}
  }
}

function target(ctx: Context): RoomId {
  return ctx.state.params['roomId'] as RoomId
}

function powerOf(text: string): PowerIs {
  const power = powers.find(known => known === text)
  if (!power) throw invalidParam(`power must be one of ${powers.join(', ')}.`)
  return power
}

function roomAnswer(room: OverseenRoom): JsonObject {
  const { frozen } = room
  return {
    room_id: room.roomId,
    name: room.name,
    space: room.isSpace,
    encrypted: room.isEncrypted,
    version: room.version,
    joined: room.joined,
    invited: room.invited,
    servers: room.servers.map(({ server, joined }) => ({ server, joined })),
    powerful: room.powerful.map(({ userId, level }) => ({ user_id: userId, level })),
    power: room.power,
    ...(frozen ? { frozen: { server: frozen.server, by: frozen.by, since_ts: frozen.sinceTs } } : {}),
  }
}
