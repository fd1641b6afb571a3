/** Spec: client-server-api#getting-events-for-a-room, #sending-events-to-a-room (room_state.yaml, rooms.yaml) */
import { refuseSuspended } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { queryText, userId } from '../http/fields.ts'
import { invalidParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import { serverOf, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { Aliases } from '../rooms/aliases.ts'
import { clientEvent } from '../rooms/client-event.ts'
import { joinRestriction, type RoomMembers } from '../rooms/membership.ts'
import type { OutwardRooms } from '../rooms/outward.ts'
import { joinedView, readAccess, visibleState, wholeVisibleState } from '../rooms/room-access.ts'
import type { Rooms, RoomView } from '../rooms/rooms.ts'
import { showState } from '../rooms/shown-events.ts'
import { pathRoomId, readerOf } from './room-request.ts'

export interface StateDeps {
  readonly authenticate: Step
  readonly rooms: Rooms
  readonly members: Pick<RoomMembers, 'checkInvitee'>
  readonly outward: Pick<OutwardRooms, 'invite'>
  readonly aliases: Pick<Aliases, 'checkCanonical'>
  readonly clock: () => number
}

const wholePath = '/_matrix/client/v3/rooms/:roomId/state'
const typePath = `${wholePath}/:eventType`
const keyPath = `${typePath}/:stateKey`

export function stateRoutes({ authenticate, rooms, members, outward, aliases, clock }: StateDeps): Route[] {
  const getWholeState: Step = async function getWholeState(ctx) {
    const access = await readAccess(rooms, ctx.state.requester.userId, pathRoomId(ctx))
    ctx.body = showState(readerOf(ctx, clock), await wholeVisibleState(rooms, access))
  }

  const getState: Step = async function getState(ctx) {
    const { type, stateKey } = pathState(ctx)
    const format = queryText(ctx.query, 'format') ?? 'content'
    if (format !== 'content' && format !== 'event') throw invalidParam('format must be content or event.')
    const access = await readAccess(rooms, ctx.state.requester.userId, pathRoomId(ctx))
    const event = await visibleState(rooms, access, type, stateKey)
    if (!event) throw notFound(`The room has no state ${type} with this state key.`)
    ctx.body =
      format === 'event'
        ? clientEvent(event, readerOf(ctx, clock), { hidesPrevContent: true })
        : event.content
  }

  const putState: Step = async function putState(ctx) {
    const { userId: sender } = ctx.state.requester
    const { type, stateKey } = pathState(ctx)
    const content = await checkedContent(ctx, type, stateKey)
    const draft = { roomId: pathRoomId(ctx), sender, type, stateKey, content }
    const server = type === 'm.room.member' ? serverOf(stateKey as UserId) : rooms.serverName
    // Somebody of another server is invited by asking that server, or they would never learn of it.
    const isInvite = content['membership'] === 'invite' && server !== rooms.serverName
    ctx.body = {
      event_id: isInvite
        ? await outward.invite({ ...draft, stateKey: stateKey as UserId }, server)
        : (await rooms.send(draft)).eventId,
    }
  }

  /** What some types need beyond the auth rules. */
  async function checkedContent(ctx: Context, type: string, stateKey: string): Promise<JsonObject> {
    const { body, requester } = ctx.state
    if (type === 'm.room.canonical_alias' && stateKey === '') {
      await aliases.checkCanonical(await joinedView(rooms, requester.userId, pathRoomId(ctx)), body)
    }
    // What nobody could write is no question of permission but malformed. Spec: room_state.yaml (400)
    if (type === 'm.room.create') throw invalidParam('eventType: a room has one create event, its first.')
    if (type === 'm.room.power_levels' && stateKey === '') {
      checkNoCreator(await joinedView(rooms, requester.userId, pathRoomId(ctx)), body)
    }
    return type === 'm.room.member' ? checkedMember(ctx, stateKey) : body
  }

  /** Inviting and joining by a state event need what /invite and /join need. */
  async function checkedMember(ctx: Context, stateKey: string): Promise<JsonObject> {
    const { body, requester } = ctx.state
    const target = userId(stateKey, 'stateKey')
    const { membership } = body
    // Who is meant has a name before they accept: /invite writes it as well.
    if (membership === 'invite')
      return { ...(await members.checkInvitee(requester, target, 'stateKey')), ...body }
    if (membership !== 'join' || target !== requester.userId) return body
    // Who vouches is for the server to say, and only where somebody comes in: clients that change a name in one room
    // send back the whole content that they found. Spec: client-server-api#mroommember
    const { join_authorised_via_users_server: _, ...content } = body
    const view = await rooms.view(pathRoomId(ctx))
    if (!view || view.membership(target) === 'join') return content
    return { ...content, ...(await joinRestriction(rooms, view, target)) }
  }

  const read = [authenticate, limit('read')]
  const write = [authenticate, limit('send'), refuseSuspended, parseBody, putState]
  return [
    { method: 'GET', path: wholePath, steps: [...read, getWholeState] },
    { method: 'GET', path: typePath, steps: [...read, getState] },
    { method: 'GET', path: keyPath, steps: [...read, getState] },
    { method: 'PUT', path: typePath, steps: write },
    { method: 'PUT', path: keyPath, steps: write },
  ]
}

/** Spec: rooms/v12#authorization-rules (10.4): whose power is infinite is not named. */
function checkNoCreator(view: RoomView, { users }: JsonObject): void {
  if (!isObject(users)) return
  const named = [...view.creators].find(
    creator => Object.hasOwn(users, creator) && view.powerLevel(creator) === Number.POSITIVE_INFINITY,
  )
  if (named)
    throw invalidParam(`users: ${named} is a creator of the room and has all power without being named.`)
}

/** Spec: the slash before an empty state key is optional. */
function pathState(ctx: Context): { type: string; stateKey: string } {
  const { eventType, stateKey } = ctx.state.params
  return { type: eventType!, stateKey: stateKey ?? '' }
}
