/** Spec: client-server-api#published-room-directory (list_public_rooms.yaml) */
import { refuseSuspended } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayInteger, mayList, mayObject, mayString, queryText } from '../http/fields.ts'
import { badJson, forbidden, invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import { parseServerName, type ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { DirectoryQuery, PublicRooms } from '../rooms/public-rooms.ts'
import { listRemoteRooms } from '../rooms/remote-directory.ts'
import type { RemoteRooms } from '../rooms/remote-rooms.ts'
import { fromPeer } from './remote-answer.ts'
import { pathRoomId, queryLimit } from './room-request.ts'

export interface PublicRoomsDeps {
  readonly authenticate: Step
  readonly publicRooms: PublicRooms
  readonly remoteRooms: Pick<RemoteRooms, 'publicRooms'>
  readonly serverName: ServerName
}

const maxLimit = 500
const visibilityPath = '/_matrix/client/v3/directory/list/room/:roomId'
const listPath = '/_matrix/client/v3/publicRooms'

export function publicRoomsRoutes({
  authenticate,
  publicRooms,
  remoteRooms,
  serverName,
}: PublicRoomsDeps): Route[] {
  const getVisibility: Step = async function getVisibility(ctx) {
    const published = await publicRooms.isPublished(pathRoomId(ctx))
    ctx.body = { visibility: published ? 'public' : 'private' }
  }
  const setVisibility: Step = async function setVisibility(ctx) {
    const { requester, body } = ctx.state
    const visibility = mayString(body, 'visibility') ?? 'public'
    if (visibility !== 'public' && visibility !== 'private') {
      throw invalidParam('visibility must be public or private.')
    }
    await publicRooms.publish(requester, pathRoomId(ctx), visibility === 'public')
    ctx.body = {}
  }
  const listRooms: Step = async function listRooms(ctx) {
    const since = queryText(ctx.query, 'since')
    await answer(ctx, {
      limit: queryLimit(ctx, 100, maxLimit),
      ...(since === undefined || since === '' ? {} : { since }),
    })
  }
  const searchRooms: Step = async function searchRooms(ctx) {
    // Rooms of another network are bridged by application services, of which there are none.
    if (mayString(ctx.state.body, 'third_party_instance_id') !== undefined) {
      ctx.body = { chunk: [], total_room_count_estimate: 0 }
    } else await answer(ctx, queryIn(ctx.state.body))
  }

  async function answer(ctx: Context, query: DirectoryQuery): Promise<void> {
    const server = queryText(ctx.query, 'server')
    if (server === undefined || server === serverName) {
      ctx.body = await publicRooms.list(query)
      return
    }
    const peer = parseServerName(server)
    if (!peer) throw invalidParam('server is not a server name.')
    ctx.body = await fromPeer(listRemoteRooms(remoteRooms, peer, query))
  }

  return [
    // Deviation: the specification needs no token for these; an organisation's rooms are for its own people.
    { method: 'GET', path: visibilityPath, steps: [authenticate, limit('directory'), getVisibility] },
    {
      method: 'PUT',
      path: visibilityPath,
      steps: [authenticate, limit('room'), refuseSuspended, parseBody, setVisibility],
    },
    {
      method: 'GET',
      path: listPath,
      steps: [authenticate, limit('directory'), refuseExternal, listRooms],
    },
    {
      method: 'POST',
      path: listPath,
      steps: [authenticate, limit('directory'), refuseExternal, parseBody, searchRooms],
    },
  ]
}

const refuseExternal: Step = async function refuseExternal(ctx, next) {
  if (ctx.state.requester.kind === 'external') {
    throw forbidden('External people come by invitation: the room directory is not for them.')
  }
  await next()
}

function queryIn(body: JsonObject): DirectoryQuery {
  const filter = mayObject(body, 'filter') ?? {}
  const since = mayString(body, 'since')
  const searchTerm = mayString(filter, 'generic_search_term', 512)
  const roomTypes = readRoomTypes(filter)
  return {
    limit: Math.min(mayInteger(body, 'limit', 1) ?? 100, maxLimit),
    ...(since === undefined || since === '' ? {} : { since }),
    ...(searchTerm === undefined ? {} : { searchTerm }),
    ...(roomTypes === undefined ? {} : { roomTypes }),
  }
}

function readRoomTypes(filter: JsonObject): readonly (string | null)[] | undefined {
  const types = mayList(filter, 'room_types')
  if (!types?.every(type => type === null || typeof type === 'string')) {
    if (types) throw badJson('filter.room_types must be a list of strings and null.')
    return undefined
  }
  return types as readonly (string | null)[]
}
