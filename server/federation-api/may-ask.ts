/** Is there a way for this server to a room of ours, for endpoints that answer "no such room" where there is none? */
import type { RoomId, ServerName } from '../protocol/ids.ts'
import type { InboundRooms } from '../rooms/inbound-rooms.ts'
import { RoomError, type RoomView } from '../rooms/rooms.ts'

/** null: the room is not here, stands still, or its server ACL names the server. */
export async function mayAsk(
  rooms: Pick<InboundRooms, 'askedBy'>,
  origin: ServerName,
  roomId: RoomId,
): Promise<RoomView | null> {
  try {
    return await rooms.askedBy(origin, roomId, { mayBeOutside: true })
  } catch (error) {
    if (error instanceof RoomError) return null
    throw error
  }
}
