/**
 * Which servers an event goes to: in the batch that accepts it, it is put into the queue of each of them.
 *
 * What is made here goes to every server in the room, and a membership also to the server of the person whom it takes
 * out. What another server made goes nowhere, except what it gave to us alone as the resident server (send_join and its
 * like): spec, server-server-api#joining-rooms. We carry nothing for a third server otherwise.
 */
import type { Outbound } from '../peers/outbound.ts'
import { parseUserId, type ServerName, serverOf } from '../protocol/ids.ts'
import type { AcceptedEvent, Projection } from './projection.ts'
import type { RoomView } from './rooms.ts'

export function outboundProjection(serverName: ServerName, outbound: Pick<Outbound, 'put'>): Projection {
  return {
    name: 'outbound',
    rows(event, view, _loaded, rows, source) {
      if (source === 'elsewhere') return
      const origin = serverOf(event.sender)
      for (const server of destinations(event, view)) {
        if (server === serverName || server === origin) continue
        outbound.put(rows, server, { kind: 'pdu', roomId: event.roomId, eventId: event.eventId })
      }
    },
  }
}

function destinations(event: AcceptedEvent, view: RoomView): Set<ServerName> {
  const servers = new Set(view.joinedServers.keys())
  if (event.type !== 'm.room.member') return servers
  const target = parseUserId(event.stateKey)
  // Whom an invite is for gets it by /invite, where it can be refused.
  if (target && event.content['membership'] !== 'invite') servers.add(serverOf(target))
  return servers
}
