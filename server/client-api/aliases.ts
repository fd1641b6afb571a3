/** Spec: client-server-api#room-aliases (directory.yaml) */
import { refuseSuspended } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { needString, roomId } from '../http/fields.ts'
import { invalidParam, MatrixError, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import { parseRoomAlias, type RoomAlias } from '../protocol/ids.ts'
import type { Aliases } from '../rooms/aliases.ts'
import { RoomError } from '../rooms/rooms.ts'
import { fromPeer } from './remote-answer.ts'
import { pathRoomId } from './room-request.ts'

export interface AliasesDeps {
  readonly authenticate: Step
  readonly aliases: Aliases
}

const aliasPath = '/_matrix/client/v3/directory/room/:roomAlias'

export function aliasRoutes({ authenticate, aliases }: AliasesDeps): Route[] {
  const createAlias: Step = async function createAlias(ctx) {
    const { requester, body } = ctx.state
    const alias = pathAlias(ctx)
    try {
      await aliases.create(requester, alias, roomId(needString(body, 'room_id'), 'room_id'))
    } catch (error) {
      // Spec: put_matrixclientv3directoryroomroomalias names its own status and code for this.
      if (!(error instanceof RoomError) || error.code !== 'M_ROOM_IN_USE') throw error
      throw new MatrixError(409, 'M_UNKNOWN', error.message)
    }
    ctx.body = {}
  }
  const resolveAlias: Step = async function resolveAlias(ctx) {
    const alias = pathAlias(ctx)
    const resolved = await fromPeer(aliases.resolve(alias))
    if (!resolved) throw notFound(`roomAlias: there is no room alias ${alias}.`)
    ctx.body = { room_id: resolved.roomId, servers: resolved.servers }
  }
  const removeAlias: Step = async function removeAlias(ctx) {
    await aliases.remove(ctx.state.requester, pathAlias(ctx))
    ctx.body = {}
  }
  const listAliases: Step = async function listAliases(ctx) {
    ctx.body = { aliases: await aliases.list(ctx.state.requester, pathRoomId(ctx)) }
  }

  return [
    {
      method: 'PUT',
      path: aliasPath,
      steps: [authenticate, limit('room'), refuseSuspended, parseBody, createAlias],
    },
    // Deviation: the specification lets anyone resolve an alias. Room names of an organisation are for its people.
    { method: 'GET', path: aliasPath, steps: [authenticate, limit('directory'), resolveAlias] },
    { method: 'DELETE', path: aliasPath, steps: [authenticate, limit('room'), refuseSuspended, removeAlias] },
    {
      method: 'GET',
      path: '/_matrix/client/v3/rooms/:roomId/aliases',
      steps: [authenticate, limit('read'), listAliases],
    },
  ]
}

function pathAlias(ctx: Context): RoomAlias {
  const alias = parseRoomAlias(ctx.state.params['roomAlias'])
  if (!alias) throw invalidParam('roomAlias is not a room alias (#name:server).')
  return alias
}
