/**
 * What one person's membership in a room was, back in time.
 *
 * Walks the chain of the person's own member events backwards from the newest, so the cost is how often the
 * membership changed since then, not how many events there are.
 */
import type { UserId } from '../protocol/ids.ts'
import type { Membership, RoomEvent, Rooms, RoomView } from './rooms.ts'

/** Someone who renames themselves in a loop must not make every page slow: older than this stays unsaid. */
const maxSteps = 100

/**
 * The user's membership after each event whose `order` is `since` or more; undefined where it is not known.
 * Spec: client-server-api#room-event-format (unsigned.membership): `leave` before the first member event.
 */
export async function membershipSince(
  rooms: Pick<Rooms, 'event'>,
  view: Pick<RoomView, 'state'>,
  userId: UserId,
  since: number,
): Promise<(at: number) => Membership | undefined> {
  const newestFirst: { from: number; membership: Membership }[] = []
  let beforeAll: Membership | undefined = 'leave'
  let event: RoomEvent | null | undefined = view.state('m.room.member', userId)
  for (let steps = 0; event; steps++) {
    newestFirst.push({ from: event.order, membership: event.content['membership'] as Membership })
    if (event.order <= since) break
    if (steps === maxSteps) {
      beforeAll = undefined
      break
    }
    event = event.replacesState ? await rooms.event(event.replacesState.eventId) : undefined
  }
  return at => newestFirst.find(change => change.from <= at)?.membership ?? beforeAll
}
