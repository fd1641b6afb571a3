/**
 * Member events of those who sent what is shown. Spec: client-server-api#lazy-loading-room-members
 */
import type { RoomId } from '../protocol/ids.ts'
import type { RoomEvent, Rooms } from './rooms.ts'

/** As they were at the newest of these events. */
export async function sendersState(
  rooms: Pick<Rooms, 'stateAt'>,
  roomId: RoomId,
  events: readonly RoomEvent[],
): Promise<RoomEvent[]> {
  const newest = events.reduce<RoomEvent | undefined>(
    (found, event) => (found && found.order > event.order ? found : event),
    undefined,
  )
  if (!newest) return []
  const state = await rooms.stateAt(roomId, newest.position, 'after')
  const senders = [...new Set(events.map(event => event.sender))]
  const found = await Promise.all(senders.map(sender => state.get('m.room.member', sender)))
  return found.filter(event => event !== undefined)
}
