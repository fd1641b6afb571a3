/**
 * The published rooms of this server, for peers: those that the asking server has a way into.
 *
 * Spec: server-server-api#published-room-directory
 */
import { mayInteger, mayList, mayObject, mayString, queryInteger, queryText } from '../http/fields.ts'
import { badJson } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import type { RoomId, ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { InboundRooms } from '../rooms/inbound-rooms.ts'
import type { DirectoryQuery, PublicRooms } from '../rooms/public-rooms.ts'
import { mayAsk } from './may-ask.ts'

export interface PublicRoomsDeps {
  readonly authenticate: Step
  readonly publicRooms: Pick<PublicRooms, 'list'>
  readonly rooms: Pick<InboundRooms, 'askedBy'>
}

const maxLimit = 500
const defaultLimit = 100

export function publicRoomsRoutes({ authenticate, publicRooms, rooms }: PublicRoomsDeps): Route[] {
  const seenBy = (origin: ServerName) => async (roomId: RoomId) =>
    (await mayAsk(rooms, origin, roomId)) !== null

  const listRooms: Step = async function listRooms(ctx) {
    const limit = queryInteger(ctx.query, 'limit', 1) ?? defaultLimit
    const thirdParty = queryText(ctx.query, 'third_party_instance_id')
    ctx.body = await list(ctx.state.origin, thirdParty, {
      limit: Math.min(limit, maxLimit),
      ...since(queryText(ctx.query, 'since')),
    })
  }
  const searchRooms: Step = async function searchRooms(ctx) {
    const { body, origin } = ctx.state
    const filter = mayObject(body, 'filter') ?? {}
    const searchTerm = mayString(filter, 'generic_search_term', 512)
    const roomTypes = roomTypesIn(filter)
    ctx.body = await list(origin, mayString(body, 'third_party_instance_id'), {
      limit: Math.min(mayInteger(body, 'limit', 1) ?? defaultLimit, maxLimit),
      ...since(mayString(body, 'since')),
      ...(searchTerm === undefined ? {} : { searchTerm }),
      ...(roomTypes === undefined ? {} : { roomTypes }),
    })
  }

  async function list(
    origin: ServerName,
    thirdParty: string | undefined,
    query: DirectoryQuery,
  ): Promise<JsonObject> {
    // Rooms of another network are bridged by application services, of which there are none.
    if (thirdParty !== undefined && thirdParty !== '') return { chunk: [], total_room_count_estimate: 0 }
    return publicRooms.list({ ...query, isShown: seenBy(origin) })
  }

  const path = '/_matrix/federation/v1/publicRooms'
  return [
    { method: 'GET', path, steps: [authenticate, listRooms] },
    { method: 'POST', path, steps: [authenticate, searchRooms] },
  ]
}

function since(token: string | undefined): { readonly since?: string } {
  return token === undefined || token === '' ? {} : { since: token }
}

function roomTypesIn(filter: JsonObject): readonly (string | null)[] | undefined {
  const types = mayList(filter, 'room_types')
  if (types === undefined) return undefined
  if (!types.every(type => type === null || typeof type === 'string')) {
    throw badJson('filter.room_types must be a list of strings and null.')
  }
  return types as readonly (string | null)[]
}
