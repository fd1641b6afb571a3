/**
 * What of a room someone may read: the room as it is, as it was when they left, or nothing.
 *
 * A room that does not exist and one that is none of the asker's business get the same refusal.
 * Spec: client-server-api#room-history-visibility, #get_matrixclientv3roomsroomidstate
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import type { Position } from '../store/store.ts'
import { RoomError, type RoomEvent, type Rooms, type RoomView } from './rooms.ts'

export interface Access {
  readonly view: RoomView
  /**
   * Set for someone who has left: what came after this is not theirs to see. No event need stand there: where the room's
   * branches met, it was resolving them that ended the membership.
   */
  readonly until?: Position
}

type RoomsRead = Pick<Rooms, 'view' | 'memberships' | 'currentStateAsOf'>

/** Joined, formerly joined and not forgotten, or anyone where history is world-readable. */
export async function readAccess(
  rooms: Pick<Rooms, 'view' | 'memberships'>,
  userId: UserId,
  roomId: RoomId,
): Promise<Access> {
  const view = await rooms.view(roomId)
  if (view?.membership(userId) === 'join') return { view }
  if (view && isWorldReadable(view)) return { view }
  const past = view && (await rooms.memberships(userId)).get(roomId)
  if (!past || past.forgotten || !past.everJoined || past.joinedUntil === undefined) throw notInRoom()
  return { view, until: past.joinedUntil }
}

/** Joined now. */
export async function joinedView(
  rooms: Pick<Rooms, 'view'>,
  userId: UserId,
  roomId: RoomId,
): Promise<RoomView> {
  const view = await rooms.view(roomId)
  if (view?.membership(userId) !== 'join') throw notInRoom()
  return view
}

export function isWorldReadable(view: Pick<RoomView, 'state'>): boolean {
  return view.state('m.room.history_visibility')?.content['history_visibility'] === 'world_readable'
}

/** One state event as this person may see it. */
export async function visibleState(
  rooms: RoomsRead,
  { view, until }: Access,
  type: string,
  stateKey: string,
): Promise<RoomEvent | undefined> {
  if (until === undefined) return view.state(type, stateKey)
  return (await rooms.currentStateAsOf(view.roomId, until)).get(type, stateKey)
}

/** The whole state as this person may see it. */
export async function wholeVisibleState(
  rooms: RoomsRead,
  { view, until }: Access,
): Promise<Iterable<RoomEvent>> {
  if (until === undefined) return view.allState()
  return (await rooms.currentStateAsOf(view.roomId, until)).getAll()
}

export function notInRoom(): RoomError {
  return new RoomError('M_FORBIDDEN', 'roomId: you are not in this room.')
}
