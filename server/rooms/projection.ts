/**
 * Projections: rows that areas above keep about events, in the event's own batch.
 *
 * After a crash the event and everything that was derived from it are there, or none of it. A projection sees
 * accepted events of the timeline, from here and from other servers, never rejected, soft-failed or fetched history.
 *
 * Only the room's writer serialises its transactions: what a projection reads and writes must be keyed by the room,
 * or two rooms overwrite each other's rows.
 */
import type { Key } from '../store/key.ts'
import type { RowWriter } from '../store/store.ts'
import type { LoadedRows } from './gate.ts'
import type { RoomEvent, RoomView } from './rooms.ts'

/** Accepted, but not yet at its place in the order. */
export type AcceptedEvent = Omit<RoomEvent, 'position' | 'order'>

/**
 * Where an accepted event came from. `entrusted`: from another server, which gave it to us alone (send_join and its
 * like): telling the room's other servers is our task. `elsewhere`: whoever made it tells the others.
 */
export type EventSource = 'here' | 'entrusted' | 'elsewhere'

export interface Projection {
  readonly name: string
  /** The rows that `rows` will look at. `view` is the room with this event in its state. */
  reads?(accepted: AcceptedEvent, view: RoomView): readonly Key<unknown>[]
  /**
   * Called when the position is known, without anything in between: no await, no store, and no throwing, which the
   * store could only treat as a failed write. `loaded` has the rows named
   * by `reads` and, on top, what earlier events of the same transaction put there. `view` is not durable yet.
   */
  rows(accepted: RoomEvent, view: RoomView, loaded: LoadedRows, rows: RowWriter, source: EventSource): void
}
