/** All that readers can learn of a room: two servers over the same rows must say the same. */
import type { RoomId } from '../../server/protocol/ids.ts'
import { clientEvent } from '../../server/rooms/client-event.ts'
import type { RoomEvent } from '../../server/rooms/rooms.ts'
import { ann, ben, type Opened } from './room-fixture.ts'

export async function everything(rooms: Opened, roomId: RoomId) {
  const show = (event: RoomEvent) => ({ ...clientEvent(event, { now: 0, userId: ann }), order: event.order })
  const view = (await rooms.view(roomId))!
  const timeline = await rooms.timeline(roomId, { limit: 1000 })
  const states = []
  for (const { position } of timeline.slice(-20)) {
    states.push([...(await rooms.stateAt(roomId, position, 'after')).ids])
  }
  const current = await rooms.currentStateAsOf(roomId, view.lastPosition)
  return {
    timeline: timeline.map(show),
    newest: (await rooms.timeline(roomId, { limit: 10, reverse: true })).map(show),
    state: Array.from(view.allState(), show).sort((a, b) => a.order - b.order),
    current: Array.from(current.ids.keys()).sort(),
    forward: view.forwardExtremities,
    last: view.lastPosition,
    joined: view.memberCount('join'),
    left: view.memberCount('leave'),
    states,
    visible: await rooms.visible(ben, timeline),
    memberships: (await rooms.memberships(ben)).get(roomId),
  }
}
