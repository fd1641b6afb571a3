/** Spec: client-server-api#creation (create_room.yaml) */
import { refuseSuspended } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayBoolean, mayList, mayObject, mayString, mayStrings, userId } from '../http/fields.ts'
import { badJson, invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import { parseRoomAlias, type RoomAlias, type ServerName, type UserId } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import {
  type CreateRoomDeps,
  createRoom,
  type Preset,
  type RefusedInvite,
  type StateDraft,
} from '../rooms/create-room.ts'

export interface CreateRoomRoutesDeps extends CreateRoomDeps {
  readonly authenticate: Step
}

export function createRoomRoutes(deps: CreateRoomRoutesDeps): Route[] {
  const createRoomStep: Step = async function createRoomStep(ctx) {
    const { body, requester } = ctx.state
    const { roomId, refused } = await createRoom(deps, requester, {
      version: mayString(body, 'room_version'),
      published: readVisibility(body) === 'public',
      alias: readAlias(body, deps.rooms.serverName),
      preset: readPreset(body),
      name: mayString(body, 'name'),
      topic: mayString(body, 'topic'),
      creationContent: readCreationContent(body),
      initialState: readInitialState(body),
      invite: readUserIds(body, 'invite'),
      isDirect: mayBoolean(body, 'is_direct') ?? false,
      powerLevels: mayObject(body, 'power_level_content_override'),
    })
    ctx.body = { room_id: roomId, ...(refused.length > 0 && { [refusedInvites]: refused.map(refusalBody) }) }
  }

  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/createRoom',
      steps: [
        deps.authenticate,
        limit('room'),
        refuseSuspended,
        parseBody,
        refuseThirdPartyInvites,
        createRoomStep,
      ],
    },
  ]
}

/**
 * Beyond the specification: `createRoom` succeeds also where servers of those who are invited refuse or cannot be reached,
 * and without this nobody would hear of it. Each has `user_id`, `errcode` and `error`, as /invite would have answered.
 */
const refusedInvites = 'org.letro.refused_invites'

function refusalBody({ userId, code, message }: RefusedInvite): JsonObject {
  return { user_id: userId, errcode: code, error: message }
}

/** This server knows no identity server, so an address without an account cannot be invited. */
const refuseThirdPartyInvites: Step = async function refuseThirdPartyInvites(ctx, next) {
  if ((mayList(ctx.state.body, 'invite_3pid') ?? []).length > 0) {
    throw invalidParam('invite_3pid: this server invites people by their user id only.')
  }
  await next()
}

function readVisibility(body: JsonObject): 'public' | 'private' {
  const visibility = mayString(body, 'visibility') ?? 'private'
  if (visibility !== 'public' && visibility !== 'private') {
    throw invalidParam('visibility must be public or private.')
  }
  return visibility
}

function readPreset(body: JsonObject): Preset | undefined {
  const preset = mayString(body, 'preset')
  switch (preset) {
    case undefined:
    case 'private_chat':
    case 'trusted_private_chat':
    case 'public_chat':
      return preset
    default:
      throw invalidParam('preset must be private_chat, trusted_private_chat or public_chat.')
  }
}

function readAlias(body: JsonObject, serverName: ServerName): RoomAlias | undefined {
  const localpart = mayString(body, 'room_alias_name')
  if (localpart === undefined) return undefined
  const alias =
    localpart === '' || localpart.includes(':') ? null : parseRoomAlias(`#${localpart}:${serverName}`)
  return alias ?? refuseAlias(serverName)
}

function refuseAlias(serverName: ServerName): never {
  throw invalidParam(
    `room_alias_name must be the part of an alias between # and :${serverName}, 255 bytes at most together.`,
  )
}

function readCreationContent(body: JsonObject): JsonObject {
  const content = mayObject(body, 'creation_content') ?? {}
  if (content['additional_creators'] !== undefined) readUserIds(content, 'additional_creators')
  if (content['type'] !== undefined && typeof content['type'] !== 'string') {
    throw badJson('creation_content.type must be a string.')
  }
  return content
}

function readInitialState(body: JsonObject): StateDraft[] {
  return atMost(maxItems, mayList(body, 'initial_state') ?? [], 'initial_state').map(readStateEvent)
}

/** All events of a new room are one transaction, in which nothing else moves. */
const maxItems = 500

function atMost<T>(max: number, list: readonly T[], name: string): readonly T[] {
  if (list.length > max) throw invalidParam(`${name} has more than ${max} entries.`)
  return list
}

function readStateEvent(item: Json, index: number): StateDraft {
  const name = `initial_state[${index}]`
  if (!isObject(item)) throw badJson(`${name} must be an object.`)
  const { type, state_key: stateKey = '', content } = item
  if (typeof type !== 'string') throw badJson(`${name}.type must be a string.`)
  if (typeof stateKey !== 'string') throw badJson(`${name}.state_key must be a string.`)
  if (!isObject(content)) throw badJson(`${name}.content must be an object.`)
  if (type === 'm.room.create') throw invalidParam(`${name}.type: the create event is made by the server.`)
  if (type === 'm.room.member') throw invalidParam(`${name}.type: members are invited by invite.`)
  return { type, stateKey, content }
}

function readUserIds(body: JsonObject, name: string): UserId[] {
  return atMost(maxItems, mayStrings(body, name) ?? [], name).map((text, index) =>
    userId(text, `${name}[${index}]`),
  )
}
