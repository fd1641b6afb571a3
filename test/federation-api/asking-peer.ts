/** The routes for peers over plain HTTP: who asks is what a header says, and a room lets in whoever a test does not refuse. */
import { parseBody } from '../../server/http/body.ts'
import type { Route, Step } from '../../server/http/route.ts'
import type { RoomId, ServerName } from '../../server/protocol/ids.ts'
import type { InboundRooms } from '../../server/rooms/inbound-rooms.ts'
import { RoomError, type Rooms } from '../../server/rooms/rooms.ts'
import type { Answer } from '../support/client.ts'
import { startHttp } from '../support/http.ts'

export const peer = 'peer.test' as ServerName

export interface AskingPeer {
  readonly base: string
  get(path: string, origin?: string): Promise<Answer>
  post(path: string, body: object, origin?: string): Promise<Answer>
  close(): Promise<void>
}

export const authenticate: Step = async function authenticate(ctx, next) {
  ctx.state.origin = ctx.req.headers['x-test-origin'] as ServerName
  if (ctx.method === 'GET') await next()
  else await parseBody(ctx, next)
}

export async function startAsking(routes: readonly Route[]): Promise<AskingPeer> {
  const http = await startHttp(routes)
  const path = (rest: string) => `/_matrix/federation/v1${rest}`
  const headers = (origin: string) => ({ 'x-test-origin': origin })
  return {
    base: http.base,
    get: (rest, origin = peer) => http.call('GET', path(rest), { headers: headers(origin) }),
    post: (rest, body, origin = peer) => http.call('POST', path(rest), { body, headers: headers(origin) }),
    close: () => http.close(),
  }
}

/** Rooms whose server ACL refuses whom a test says. */
export function gatedRooms(
  rooms: Pick<Rooms, 'view'>,
): Pick<InboundRooms, 'askedBy'> & Pick<Rooms, 'view'> & { readonly denied: Set<string> } {
  const denied = new Set<string>()
  return {
    denied,
    view: roomId => rooms.view(roomId),
    async askedBy(origin: ServerName, roomId: RoomId, options) {
      const view = await rooms.view(roomId)
      if (!view) throw new RoomError('M_NOT_FOUND', 'no such room')
      const isIn = view.joinedServers.has(origin)
      if (denied.has(`${origin} ${roomId}`) || !(isIn || options?.mayBeOutside)) {
        throw new RoomError('M_FORBIDDEN', 'not for this server')
      }
      return view
    },
  }
}
