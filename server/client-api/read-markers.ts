/** Read markers. Spec: client-server-api#post_matrixclientv3roomsroomidread_markers. */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { eventId, mayString, roomId } from '../http/fields.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Marker, ReadMarkers } from '../sync/read-markers.ts'

export interface ReadMarkerRouteDeps {
  readonly accounts: TokenReader
  readonly readMarkers: ReadMarkers
}

export function readMarkerRoutes({ accounts, readMarkers }: ReadMarkerRouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/rooms/:roomId/read_markers',
      steps: [requireAccessToken(accounts), limit('ephemeral'), parseBody, setMarkers(readMarkers)],
    },
  ]
}

function setMarkers(readMarkers: ReadMarkers): Step {
  return async function setMarkers(ctx) {
    const { params, body, requester } = ctx.state
    await readMarkers.mark(roomId(params['roomId'], 'roomId'), requester.userId, {
      ...marker(body, 'm.fully_read'),
      ...marker(body, 'm.read'),
      ...marker(body, 'm.read.private'),
    })
    ctx.body = {}
  }
}

function marker(body: JsonObject, name: string): { readonly [name: string]: Marker } {
  const text = mayString(body, name)
  return text === undefined ? {} : { [name]: { eventId: eventId(text, name) } }
}
