/**
 * What a peer may ask about our people and our aliases.
 *
 * Every pinned server may look up a name that it was told: it has to before it can invite or join. Nobody can list names
 * here. A room that the peer has no way into, by its server ACL or because it stands still, has no alias for it.
 *
 * Spec: server-server-api#querying-for-information
 */
import type { Accounts } from '../accounts/accounts.ts'
import { checkFieldName } from '../accounts/profiles.ts'
import { queryText, userId } from '../http/fields.ts'
import { invalidParam, missingParam, notFound } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import { parseRoomAlias, type ServerName, serverOf } from '../protocol/ids.ts'
import type { Aliases } from '../rooms/aliases.ts'
import type { InboundRooms } from '../rooms/inbound-rooms.ts'
import { mayAsk } from './may-ask.ts'

export interface QueriesDeps {
  readonly authenticate: Step
  readonly serverName: ServerName
  readonly people: Pick<Accounts['people'], 'get'>
  readonly profiles: Pick<Accounts['profiles'], 'get'>
  readonly aliases: Pick<Aliases, 'resolve'>
  readonly rooms: Pick<InboundRooms, 'askedBy'>
}

export function queryRoutes({
  authenticate,
  serverName,
  people,
  profiles,
  aliases,
  rooms,
}: QueriesDeps): Route[] {
  const profile: Step = async function profile(ctx) {
    const asked = queryText(ctx.query, 'user_id')
    if (asked === undefined) throw missingParam('user_id')
    const wanted = userId(asked, 'user_id')
    const field = queryText(ctx.query, 'field')
    if (field !== undefined) checkFieldName(field)
    const person = serverOf(wanted) === serverName ? await people.get(wanted) : null
    if (!person || person.deactivatedTs !== undefined) throw notFound('user_id names nobody here.')
    const fields = await profiles.get(wanted)
    if (field === undefined) {
      ctx.body = fields
      return
    }
    if (!Object.hasOwn(fields, field)) throw notFound(`The profile has no field ${field}.`)
    ctx.body = { [field]: fields[field] }
  }

  // Only we are named: which other servers are in a room is told to those who are let in.
  const directory: Step = async function directory(ctx) {
    const asked = queryText(ctx.query, 'room_alias')
    if (asked === undefined) throw missingParam('room_alias')
    const alias = parseRoomAlias(asked)
    if (!alias) throw invalidParam('room_alias is not a room alias (#name:server).')
    const resolved = serverOf(alias) === serverName ? await aliases.resolve(alias) : null
    if (!resolved || !(await mayAsk(rooms, ctx.state.origin, resolved.roomId))) {
      throw notFound(`room_alias: there is no room alias ${alias}.`)
    }
    ctx.body = { room_id: resolved.roomId, servers: [serverName] }
  }

  const route = (path: string, step: Step): Route => ({
    method: 'GET',
    path: `/_matrix/federation/v1/query/${path}`,
    steps: [authenticate, step],
  })
  return [route('profile', profile), route('directory', directory)]
}
