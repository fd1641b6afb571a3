/**
 * The event nearest to a moment, where the history here has gaps: what is missing may be nearer than what is here. It is
 * fetched before it is told, so that whoever is told can read on from it.
 *
 * Only where history is open to all members: what a peer shows to a server as a whole, not everybody of it may see.
 * Spec: client-server-api#get_matrixclientv1roomsroomidtimestamp_to_event, server-server-api#get_matrixfederationv1timestamp_to_eventroomid
 */
import type { EventId, ServerName } from '../protocol/ids.ts'
import { RemoteError, type RemoteRooms } from './remote-rooms.ts'
import type { RoomEvent, Rooms, RoomView } from './rooms.ts'
import type { RoomsInternal } from './rooms-internal.ts'

export interface Near {
  readonly eventId: EventId
  readonly originServerTs: number
}

export interface RemoteNearDeps {
  readonly rooms: Pick<Rooms, 'serverName'> & Pick<RoomsInternal, 'backwardExtremities' | 'fetchEvent'>
  readonly remote: Pick<RemoteRooms, 'timestampToEvent'>
}

/** Somebody waits; the servers with the most members come first. */
const maxServers = 3

/** `here`: what this server found. The nearer of both. */
export async function nearestOfAll<N extends Near>(
  { rooms, remote }: RemoteNearDeps,
  view: RoomView,
  timestamp: number,
  forwards: boolean,
  here: N | undefined,
): Promise<N | RoomEvent | undefined> {
  if (here?.originServerTs === timestamp || view.frozen || !isOpen(view)) return here
  const { roomId } = view
  if ((await rooms.backwardExtremities(roomId)).size === 0) return here
  const isThatWay = ({ originServerTs }: Near): boolean =>
    forwards ? originServerTs >= timestamp : originServerTs <= timestamp
  for (const server of serversOf(view, rooms.serverName)) {
    try {
      const found = await remote.timestampToEvent(server, roomId, timestamp, forwards ? 'f' : 'b')
      if (!isThatWay(found)) continue
      if (here && distance(found, timestamp) >= distance(here, timestamp)) return here
      const event = await rooms.fetchEvent(roomId, server, found.eventId)
      // The time that the event itself bears counts, not the one that was told with it.
      if (event?.roomId === roomId && event.originServerTs === found.originServerTs) return event
    } catch (error) {
      // Not pinned, away, or without such an event: the next may know.
      if (!(error instanceof RemoteError)) throw error
    }
  }
  return here
}

function serversOf(view: RoomView, ours: ServerName): ServerName[] {
  return [...view.joinedServers]
    .filter(([server]) => server !== ours)
    .sort(([, a], [, b]) => b - a)
    .slice(0, maxServers)
    .map(([server]) => server)
}

function isOpen(view: RoomView): boolean {
  const setting = view.state('m.room.history_visibility')?.content['history_visibility'] ?? 'shared'
  return setting === 'shared' || setting === 'world_readable'
}

function distance({ originServerTs }: Near, timestamp: number): number {
  return Math.abs(originServerTs - timestamp)
}
