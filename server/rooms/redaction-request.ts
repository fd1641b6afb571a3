/**
 * May this person redact that event? The auth rules let anyone send a redaction; whether it takes effect is decided
 * later, so what would have none is refused here.
 *
 * Spec: client-server-api#redactions, rooms/v11#handling-redactions
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import { namedLevel } from './power.ts'
import { joinedView } from './room-access.ts'
import { RoomError, type Rooms } from './rooms.ts'

export async function checkRedaction(
  rooms: Pick<Rooms, 'view' | 'event'>,
  userId: UserId,
  roomId: RoomId,
  target: EventId,
): Promise<void> {
  const view = await joinedView(rooms, userId, roomId)
  const event = await rooms.event(target)
  if (event?.roomId !== roomId) {
    throw new RoomError('M_NOT_FOUND', `eventId: there is no event ${target} in this room.`)
  }
  if (event.sender !== userId && view.powerLevel(userId) < namedLevel(view, 'redact')) {
    throw new RoomError(
      'M_FORBIDDEN',
      'eventId: you do not have the power level to redact what others have sent in this room.',
    )
  }
}
