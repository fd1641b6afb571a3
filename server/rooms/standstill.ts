/**
 * How a room's own events begin and end its standstill, in their batch: a stranger who is brought in stops the room,
 * and when the last of them is put out it goes on. After a crash both are there or neither.
 */
import { serverOf, type UserId } from '../protocol/ids.ts'
import { frozenRooms } from '../store/catalogue.ts'
import type { RowWriter } from '../store/store.ts'
import type { RoomActor } from './room-actor.ts'
import type { RoomsContext } from './rooms-context.ts'
import type { StateChange } from './state-layer.ts'
import { strangerAmong } from './strangers.ts'

/** `actor` holds the room with these changes in it. Answers whether the room stopped or went on. */
export function moveStandstill(
  { peers, clock }: Pick<RoomsContext, 'peers' | 'clock'>,
  actor: RoomActor,
  changes: readonly StateChange[],
  rows: RowWriter,
): boolean {
  const members = changes.filter(({ type }) => type === 'm.room.member')
  if (!peers || members.length === 0) return false
  const { frozen } = actor
  if (frozen) {
    const isPutOut = members.some(({ stateKey }) => serverOf(stateKey as UserId) === frozen.server)
    if (!isPutOut || strangerAmong(peers, actor.tip.ofType('m.room.member'), clock())) return false
    actor.frozen = null
    rows.delete(frozenRooms.key(actor.number))
    return true
  }
  const events = members.flatMap(({ event }) => event ?? [])
  actor.frozen = strangerAmong(peers, events, clock())
  if (actor.frozen) rows.put(frozenRooms.key(actor.number), actor.frozen)
  return actor.frozen !== null
}
