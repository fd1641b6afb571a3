/**
 * How far a person says to have read: receipts, which move unread counts, and the fully-read marker, which is
 * account data of the room. All that one request says is checked before any of it is written.
 *
 * Spec: client-server-api#receipts, #read-and-unread-markers.
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { type NewReceipt, type Receipts, type ThreadId, threadOf } from '../rooms/receipts.ts'
import { RoomError, type RoomEvent, type Rooms } from '../rooms/rooms.ts'
import { SyncError } from './sync-error.ts'

export interface Marker {
  readonly eventId: EventId
  readonly threadId?: ThreadId | undefined
}

export interface Markers {
  readonly 'm.fully_read'?: Marker
  readonly 'm.read'?: Marker
  readonly 'm.read.private'?: Marker
}

export interface ReadMarkers {
  mark(roomId: RoomId, userId: UserId, markers: Markers): Promise<void>
}

export interface ReadMarkerDeps {
  readonly rooms: Pick<Rooms, 'view' | 'event' | 'visible'>
  readonly receipts: Pick<Receipts, 'set'>
  /** The room's account data of this person. */
  setAccountData(userId: UserId, roomId: RoomId, type: string, content: JsonObject): Promise<void>
}

export function openReadMarkers({ rooms, receipts, setAccountData }: ReadMarkerDeps): ReadMarkers {
  async function eventOf(roomId: RoomId, userId: UserId, name: string, marker: Marker): Promise<RoomEvent> {
    const event = await rooms.event(marker.eventId)
    if (!event || event.roomId !== roomId || !(await rooms.visible(userId, [event]))[0])
      throw new SyncError('M_NOT_FOUND', `${name}: this room has no such event.`)
    const { threadId } = marker
    // Spec: "The event_id is not related to the thread_id". A thread's root stands in the main timeline, and
    // clients that show it at the top of the thread mark it there as well.
    if (
      threadId !== undefined &&
      threadId !== event.eventId &&
      (await threadOf(event, rooms.event)) !== threadId
    )
      throw new SyncError('M_INVALID_PARAM', 'thread_id: the event is not in this thread.')
    return event
  }

  return {
    async mark(roomId, userId, markers) {
      const view = await rooms.view(roomId)
      if (view?.membership(userId) !== 'join') throw new RoomError('M_FORBIDDEN', 'You are not in this room.')
      const wanted: NewReceipt[] = []
      for (const type of ['m.read', 'm.read.private'] as const) {
        const marker = markers[type]
        if (!marker) continue
        wanted.push({ type, threadId: marker.threadId, event: await eventOf(roomId, userId, type, marker) })
      }
      const fullyRead = markers['m.fully_read']
      if (fullyRead) await eventOf(roomId, userId, 'm.fully_read', fullyRead)
      await Promise.all([
        wanted.length > 0 && receipts.set(roomId, userId, wanted),
        fullyRead && setAccountData(userId, roomId, 'm.fully_read', { event_id: fullyRead.eventId }),
      ])
    },
  }
}
