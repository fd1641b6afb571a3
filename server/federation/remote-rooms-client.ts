/**
 * `RemoteRooms` over https: each method one request of the server-server API.
 *
 * Spec: server-server-api. Lists are bounded here, so that nobody inside has to count.
 */
import { parseEventId, parseRoomId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { EventTemplate, RemoteRooms } from '../rooms/remote-rooms.ts'
import { RemoteError } from '../rooms/remote-rooms.ts'
import { type FederationClient, pathOf } from './client.ts'
import { eventIdsIn, integerIn, listIn, mayTextIn, objectIn, serversIn, wrong } from './shapes.ts'

/** The largest rooms of public federation have some 100,000 state events. */
const maxState = 200_000
const maxStateBytes = 256 * 1024 * 1024
/** A resident server may have to resolve the state of a large room first. */
const joinMs = 180_000
const maxPage = 1_000
/** A policy server may look at files before it answers; our room's writer waits for it. */
const policyMs = 20_000

export function remoteRoomsClient(client: FederationClient): RemoteRooms {
  return {
    async makeJoin(server, roomId, userId, versions) {
      const path = pathOf`/v1/make_join/${roomId}/${userId}`
      return template(await client.json(server, { method: 'GET', path, query: { ver: versions } }))
    },

    async sendJoin(server, roomId, eventId, event) {
      const answer = await client.json(server, {
        method: 'PUT',
        path: pathOf`/v2/send_join/${roomId}/${eventId}`,
        body: event,
        timeoutMs: joinMs,
        maxBytes: maxStateBytes,
      })
      // We never ask for it, and could not check a room without its members.
      if (answer['members_omitted'] === true) throw wrong('members_omitted', 'was not asked for')
      return {
        state: listIn(answer, 'state', maxState),
        authChain: listIn(answer, 'auth_chain', maxState),
        event: isObject(answer['event']) ? answer['event'] : undefined,
      }
    },

    async makeLeave(server, roomId, userId) {
      return template(
        await client.json(server, { method: 'GET', path: pathOf`/v1/make_leave/${roomId}/${userId}` }),
      )
    },

    async sendLeave(server, roomId, eventId, event) {
      await client.json(server, {
        method: 'PUT',
        path: pathOf`/v2/send_leave/${roomId}/${eventId}`,
        body: event,
      })
    },

    async makeKnock(server, roomId, userId, versions) {
      const path = pathOf`/v1/make_knock/${roomId}/${userId}`
      return template(await client.json(server, { method: 'GET', path, query: { ver: versions } }))
    },

    async sendKnock(server, roomId, eventId, event) {
      const path = pathOf`/v1/send_knock/${roomId}/${eventId}`
      const answer = await client.json(server, { method: 'PUT', path, body: event })
      return listIn(answer, 'knock_room_state', 100).filter(isObject)
    },

    async invite(server, { roomId, eventId, event, roomVersion, inviteRoomState }) {
      const answer = await client.json(server, {
        method: 'PUT',
        path: pathOf`/v2/invite/${roomId}/${eventId}`,
        body: { event, room_version: roomVersion, invite_room_state: inviteRoomState },
      })
      return objectIn(answer, 'event')
    },

    async event(server, eventId) {
      const answer = await client.json(server, { method: 'GET', path: pathOf`/v1/event/${eventId}` })
      const [pdu] = listIn(answer, 'pdus', 1)
      if (pdu === undefined) throw wrong('pdus', 'is empty')
      return pdu
    },

    async state(server, roomId, at) {
      const answer = await client.json(server, {
        method: 'GET',
        path: pathOf`/v1/state/${roomId}`,
        query: { event_id: at },
        timeoutMs: joinMs,
        maxBytes: maxStateBytes,
      })
      return { pdus: listIn(answer, 'pdus', maxState), authChain: listIn(answer, 'auth_chain', maxState) }
    },

    async stateIds(server, roomId, at) {
      const answer = await client.json(server, {
        method: 'GET',
        path: pathOf`/v1/state_ids/${roomId}`,
        query: { event_id: at },
        timeoutMs: joinMs,
        maxBytes: 32 * 1024 * 1024,
      })
      return {
        stateIds: eventIdsIn(answer, 'pdu_ids', maxState),
        authChainIds: eventIdsIn(answer, 'auth_chain_ids', maxState),
      }
    },

    async eventAuth(server, roomId, eventId) {
      const answer = await client.json(server, {
        method: 'GET',
        path: pathOf`/v1/event_auth/${roomId}/${eventId}`,
        maxBytes: maxStateBytes,
      })
      return listIn(answer, 'auth_chain', maxState)
    },

    async missingEvents(server, roomId, { earliest, latest, limit, minDepth }) {
      const answer = await client.json(server, {
        method: 'POST',
        path: pathOf`/v1/get_missing_events/${roomId}`,
        body: { earliest_events: earliest, latest_events: latest, limit, min_depth: minDepth },
      })
      return listIn(answer, 'events', maxPage)
    },

    async backfill(server, roomId, from, limit) {
      const answer = await client.json(server, {
        method: 'GET',
        path: pathOf`/v1/backfill/${roomId}`,
        query: { v: from, limit },
      })
      return listIn(answer, 'pdus', maxPage)
    },

    async policySignature(server, event) {
      return client.json(server, {
        method: 'POST',
        path: '/_matrix/policy/v1/sign',
        body: event,
        timeoutMs: policyMs,
        maxBytes: 64 * 1024,
      })
    },

    async timestampToEvent(server, roomId, timestamp, direction) {
      const answer = await client.json(server, {
        method: 'GET',
        path: pathOf`/v1/timestamp_to_event/${roomId}`,
        query: { ts: timestamp, dir: direction },
      })
      const eventId = parseEventId(answer['event_id'])
      if (!eventId) throw wrong('event_id', 'is not an event id')
      return { eventId, originServerTs: integerIn(answer, 'origin_server_ts') }
    },

    async resolveAlias(server, alias) {
      const answer = await orNull(
        client.json(server, {
          method: 'GET',
          path: pathOf`/v1/query/directory`,
          query: { room_alias: alias },
        }),
      )
      if (!answer) return null
      const roomId = parseRoomId(answer['room_id'])
      if (!roomId) throw wrong('room_id', 'is not a room id')
      return { roomId, servers: serversIn(answer, 'servers', 100) }
    },

    async publicRooms(server, query) {
      return client.json(server, { method: 'POST', path: pathOf`/v1/publicRooms`, body: query })
    },

    async hierarchy(server, roomId, suggestedOnly) {
      return client.json(server, {
        method: 'GET',
        path: pathOf`/v1/hierarchy/${roomId}`,
        query: { suggested_only: String(suggestedOnly) },
      })
    },
  }
}

function template(answer: JsonObject): EventTemplate {
  return { roomVersion: mayTextIn(answer, 'room_version'), event: objectIn(answer, 'event') }
}

/** 404 is an answer where the question is whether there is one. */
export async function orNull(asking: Promise<JsonObject>): Promise<JsonObject | null> {
  try {
    return await asking
  } catch (error) {
    if (error instanceof RemoteError && error.status === 404) return null
    throw error
  }
}
