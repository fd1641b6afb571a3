/** Spec: client-server-api#joining-rooms, #knocking-on-rooms (joining.yaml, knocking.yaml) */
import { refuseSuspended } from '../http/authenticate.ts'
import { parseOptionalBody } from '../http/body.ts'
import { mayString, roomId as toRoomId } from '../http/fields.ts'
import { invalidParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import { parseRoomAlias, parseServerName, type ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { MovedRooms } from '../push/moved-room.ts'
import type { Aliases, ResolvedAlias } from '../rooms/aliases.ts'
import type { RoomMembers } from '../rooms/membership.ts'
import { fromPeer } from './remote-answer.ts'
import { pathRoomId } from './room-request.ts'

export interface JoiningDeps {
  readonly authenticate: Step
  readonly members: Pick<RoomMembers, 'join' | 'knock'>
  readonly aliases: Pick<Aliases, 'resolve'>
  readonly movedRooms: MovedRooms
}

export function joiningRoutes({ authenticate, members, aliases, movedRooms }: JoiningDeps): Route[] {
  const before = [authenticate, limit('membership'), refuseSuspended, parseOptionalBody]

  const joinById: Step = async function joinById(ctx) {
    await join(ctx, { roomId: pathRoomId(ctx), servers: [] })
  }
  const joinByIdOrAlias: Step = async function joinByIdOrAlias(ctx) {
    await join(ctx, await resolveRoomVia(ctx))
  }
  const knock: Step = async function knock(ctx) {
    const { roomId, servers } = await resolveRoomVia(ctx)
    await members.knock(ctx.state.requester, roomId, {
      reason: mayString(ctx.state.body, 'reason'),
      via: servers,
    })
    ctx.body = { room_id: roomId }
  }

  async function resolveRoomVia(ctx: Context): Promise<ResolvedAlias> {
    const found = await resolveRoom(aliases, ctx.state.params['roomIdOrAlias'])
    return { roomId: found.roomId, servers: [...viaOf(ctx), ...found.servers] }
  }

  async function join(ctx: Context, { roomId, servers }: ResolvedAlias): Promise<void> {
    const { requester, body } = ctx.state
    const more = ownContent(body)
    await members.join(requester, roomId, { reason: mayString(body, 'reason'), more, via: servers })
    await movedRooms.follow(requester.userId, roomId)
    ctx.body = { room_id: roomId }
  }

  return [
    { method: 'POST', path: '/_matrix/client/v3/rooms/:roomId/join', steps: [...before, joinById] },
    { method: 'POST', path: '/_matrix/client/v3/join/:roomIdOrAlias', steps: [...before, joinByIdOrAlias] },
    { method: 'POST', path: '/_matrix/client/v3/knock/:roomIdOrAlias', steps: [...before, knock] },
  ]
}

/** What a join says by itself: who joins is written by the server, and these fields are not the joiner's to set. */
const notOwn = new Set([
  'membership',
  'displayname',
  'avatar_url',
  'is_direct',
  'join_authorised_via_users_server',
  'reason',
  'third_party_invite',
  'third_party_signed',
])

/**
 * Whatever else a client puts into the body of a join becomes content of its member event. The specification
 * (joining.yaml) names no such fields; the other servers carry them, and clients mark their members with them.
 */
function ownContent(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !notOwn.has(name)))
}

const maxVia = 20

/** Spec: joining.yaml: `via` says where else to ask; `server_name` is its former name. What is no server name is nobody. */
export function viaOf(ctx: Context): ServerName[] {
  const named = [ctx.query['via'], ctx.query['server_name']].flat()
  return named.flatMap(text => parseServerName(text) ?? []).slice(0, maxVia)
}

/** The room that an id or an alias names, and which servers the alias says know it. */
export async function resolveRoom(
  aliases: Pick<Aliases, 'resolve'>,
  text: string | undefined,
): Promise<ResolvedAlias> {
  if (!text?.startsWith('#')) return { roomId: toRoomId(text, 'roomIdOrAlias'), servers: [] }
  const alias = parseRoomAlias(text)
  if (!alias) throw invalidParam('roomIdOrAlias is not a room alias (#name:server).')
  const resolved = await fromPeer(aliases.resolve(alias))
  if (!resolved) throw notFound(`roomIdOrAlias: there is no room alias ${alias}.`)
  return resolved
}
