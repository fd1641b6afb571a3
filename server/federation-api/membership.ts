/**
 * Joining, leaving, knocking and inviting across servers: what a room's rules say of it is the rooms area's business.
 *
 * Spec: server-server-api#joining-rooms, #leaving-rooms-rejecting-invites, #knocking-upon-a-room,
 * #inviting-to-a-room, #third-party-invites
 */
import { mayList, needObject, needString } from '../http/fields.ts'
import type { Context, Route, Step } from '../http/route.ts'
import { parseServerName, type ServerName } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { InboundRooms } from '../rooms/inbound-rooms.ts'
import type { EventTemplate } from '../rooms/remote-rooms.ts'
import type { RoomsInternal } from '../rooms/rooms-internal.ts'
import { pathEvent, pathRoom, pathUser, queryAll } from './peer-request.ts'
import { signedEvents } from './signed-events.ts'

export interface MembershipDeps {
  readonly authenticate: Step
  /** Before what is costly: see peer-turns.ts. */
  readonly takeTurn: Step
  readonly serverName: ServerName
  readonly rooms: InboundRooms & Pick<RoomsInternal, 'signed'>
}

/** Versions that a server can say it knows: there are a dozen, with names of a few letters. */
const maxVersions = 100
const maxStrippedState = 100
const maxVia = 20

export function membershipRoutes({ authenticate, takeTurn, serverName, rooms }: MembershipDeps): Route[] {
  const makeJoin: Step = async function makeJoin(ctx) {
    ctx.body = templateBody(
      await rooms.makeJoin(ctx.state.origin, pathRoom(ctx), pathUser(ctx), versionsOf(ctx)),
    )
  }
  const makeKnock: Step = async function makeKnock(ctx) {
    ctx.body = templateBody(
      await rooms.makeKnock(ctx.state.origin, pathRoom(ctx), pathUser(ctx), versionsOf(ctx)),
    )
  }
  const makeLeave: Step = async function makeLeave(ctx) {
    ctx.body = templateBody(await rooms.makeLeave(ctx.state.origin, pathRoom(ctx), pathUser(ctx)))
  }

  // Deviation: server-server-api#put_matrixfederationv2send_joinroomideventid (omit_members). All members are sent:
  // who asks for fewer may be given more.
  const sendJoin: Step = async function sendJoin(ctx) {
    const { origin, body } = ctx.state
    const { event, state, authChain } = await rooms.sendJoin(origin, pathRoom(ctx), pathEvent(ctx), body)
    ctx.body = {
      origin: serverName,
      event,
      members_omitted: false,
      state: await signedEvents(rooms, state),
      auth_chain: await signedEvents(rooms, authChain),
    }
  }
  const sendLeave: Step = async function sendLeave(ctx) {
    await rooms.sendLeave(ctx.state.origin, pathRoom(ctx), pathEvent(ctx), ctx.state.body)
    ctx.body = {}
  }
  const sendKnock: Step = async function sendKnock(ctx) {
    const { origin, body } = ctx.state
    ctx.body = { knock_room_state: await rooms.sendKnock(origin, pathRoom(ctx), pathEvent(ctx), body) }
  }

  const invite: Step = async function invite(ctx) {
    const { origin, body } = ctx.state
    const event = await rooms.invite(origin, pathRoom(ctx), pathEvent(ctx), {
      event: needObject(body, 'event'),
      roomVersion: needString(body, 'room_version', 255),
      inviteRoomState: strippedState(body),
      via: viaOf(body),
    })
    ctx.body = { event }
  }
  const exchangeInvite: Step = async function exchangeInvite(ctx) {
    await rooms.exchangeThirdPartyInvite(ctx.state.origin, pathRoom(ctx), ctx.state.body)
    ctx.body = {}
  }

  /** Each costs rows that stay, and a look by a person or the whole state in answer, whoever it is for. */
  const limited: Step = async function limited(ctx, next) {
    ctx.state.limits.take('peerMembership', `peer ${ctx.state.origin}`)
    await next()
  }

  const get = (path: string, step: Step): Route => route('GET', path, step)
  const put = (path: string, ...steps: Step[]): Route => route('PUT', path, ...steps)
  const route = (method: 'GET' | 'PUT', path: string, ...steps: Step[]): Route => ({
    method,
    path: `/_matrix/federation${path}`,
    steps: [authenticate, ...steps],
  })
  return [
    get('/v1/make_join/:roomId/:userId', makeJoin),
    get('/v1/make_leave/:roomId/:userId', makeLeave),
    get('/v1/make_knock/:roomId/:userId', makeKnock),
    put('/v2/send_join/:roomId/:eventId', limited, takeTurn, sendJoin),
    put('/v1/send_join/:roomId/:eventId', limited, takeTurn, listed(sendJoin)),
    put('/v2/send_leave/:roomId/:eventId', sendLeave),
    put('/v1/send_leave/:roomId/:eventId', listed(sendLeave)),
    put('/v1/send_knock/:roomId/:eventId', limited, sendKnock),
    put('/v2/invite/:roomId/:eventId', limited, invite),
    put('/v1/exchange_third_party_invite/:roomId', exchangeInvite),
  ]
}

/** Spec: server-server-api#put_matrixfederationv1send_joinroomideventid: version 1 wraps its answer in `[200, …]`. */
function listed(step: Step): Step {
  return async function listed(ctx, next) {
    await step(ctx, next)
    ctx.body = JSON.stringify([200, ctx.body])
    ctx.type = 'application/json'
  }
}

function templateBody({ roomVersion, event }: EventTemplate): JsonObject {
  return { ...(roomVersion === undefined ? {} : { room_version: roomVersion }), event }
}

function versionsOf(ctx: Context): readonly string[] {
  const versions = queryAll(ctx, 'ver', maxVersions)
  return versions.length === 0 ? ['1'] : versions
}

/** CVE-2023-32323: an invite's stripped state is bounded, and what is no object is left out. */
function strippedState(body: JsonObject): JsonObject[] {
  return (mayList(body, 'invite_room_state') ?? []).slice(0, maxStrippedState).filter(isObject)
}

function viaOf(body: JsonObject): ServerName[] {
  return (mayList(body, 'via') ?? []).slice(0, maxVia).flatMap(each => parseServerName(each) ?? [])
}
