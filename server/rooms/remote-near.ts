/**
 * The event nearest to a moment, where the history here has gaps: what is missing may be nearer than what is here.
 *
 * Only where history is open to all members: what a peer shows to a server as a whole, not everybody of it may see.
 * Spec: client-server-api#get_matrixclientv1roomsroomidtimestamp_to_event, server-server-api#get_matrixfederationv1timestamp_to_eventroomid
 */
import type { EventId } from '../protocol/ids.ts'
import { RemoteError, type RemoteRooms } from './remote-rooms.ts'
import type { Rooms, RoomView } from './rooms.ts'
import type { RoomsInternal } from './rooms-internal.ts'

export interface Near {
  readonly eventId: EventId
  readonly originServerTs: number
}

export interface RemoteNearDeps {
  readonly rooms: Pick<Rooms, 'serverName'> & Pick<RoomsInternal, 'backwardExtremities'>
  readonly remote: Pick<RemoteRooms, 'timestampToEvent'>
}

/** Somebody waits; the servers with the most members come first. */
const maxServers = 3

/** `here`: what this server found. The nearer of both. */
export async function nearestOfAll(
  { rooms, remote }: RemoteNearDeps,
  view: RoomView,
  timestamp: number,
  forwards: boolean,
  here: Near | undefined,
): Promise<Near | undefined> {
  if (here?.originServerTs === timestamp || view.frozen || !isOpen(view)) return here
  if ((await rooms.backwardExtremities(view.roomId)).size === 0) return here
  const found = await ask(rooms, remote, view, timestamp, forwards)
  if (!found || !here) return found ?? here
  return distance(found, timestamp) < distance(here, timestamp) ? found : here
}

async function ask(
  { serverName }: RemoteNearDeps['rooms'],
  remote: RemoteNearDeps['remote'],
  view: RoomView,
  timestamp: number,
  forwards: boolean,
): Promise<Near | undefined> {
  const servers = [...view.joinedServers]
    .filter(([server]) => server !== serverName)
    .sort(([, a], [, b]) => b - a)
    .slice(0, maxServers)
  for (const [server] of servers) {
    try {
      const found = await remote.timestampToEvent(server, view.roomId, timestamp, forwards ? 'f' : 'b')
      const isThatWay = forwards ? found.originServerTs >= timestamp : found.originServerTs <= timestamp
      if (isThatWay) return found
    } catch (error) {
      // Not pinned, away, or without such an event: the next may know.
      if (!(error instanceof RemoteError)) throw error
    }
  }
  return undefined
}

function isOpen(view: RoomView): boolean {
  const setting = view.state('m.room.history_visibility')?.content['history_visibility'] ?? 'shared'
  return setting === 'shared' || setting === 'world_readable'
}

function distance({ originServerTs }: Near, timestamp: number): number {
  return Math.abs(originServerTs - timestamp)
}
