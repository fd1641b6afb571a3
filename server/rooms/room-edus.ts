/** Whom what happens in a room without being an event of it concerns. */
import type { RoomId, ServerName } from '../protocol/ids.ts'
import type { InboundRooms } from './inbound-rooms.ts'
import { RoomError, type RoomView } from './rooms.ts'

/** None while the room stands still: nothing of it leaves. */
export function otherServersIn(view: RoomView | null, ours: ServerName): ServerName[] {
  if (!view || view.frozen) return []
  return [...view.joinedServers.keys()].filter(server => server !== ours)
}

/**
 * The room, if this server may speak in it: it has a member there, the room's server ACL lets it, the room does not stand
 * still. Spec: server-server-api#server-access-control-lists-acls: EDUs that are local to a room count like events.
 */
export async function roomFor(
  rooms: Pick<InboundRooms, 'askedBy'>,
  origin: ServerName,
  roomId: RoomId,
): Promise<RoomView | null> {
  try {
    return await rooms.askedBy(origin, roomId)
  } catch (error) {
    if (error instanceof RoomError) return null
    throw error
  }
}
