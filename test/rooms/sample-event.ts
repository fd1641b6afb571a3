/** A room event with what a test does not care about filled in. */
import type { RoomEvent } from '../../server/rooms/rooms.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests write ids as plain text
type Fields = { readonly [K in keyof RoomEvent]?: any }

export function sampleEvent(fields: Fields = {}): RoomEvent {
  const position = fields.position ?? 1
  return {
    position,
    order: position,
    roomId: '!room:hq.test',
    eventId: `$${String(position).padStart(43, 'A')}`,
    type: 'm.room.message',
    sender: '@alice:hq.test',
    content: { msgtype: 'm.text', body: 'hello' },
    originServerTs: 1_000,
    depth: 1,
    ...fields,
  }
}
