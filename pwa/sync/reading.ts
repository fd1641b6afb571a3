/** Events as the server gave them become events as we keep them: the engine opens those that are encrypted, many at once. */
import type { Json, JsonObject } from '#protocol/json.ts'
import type { Machine } from '../e2ee/machine.ts'
import { isEncrypted, type StoredEvent, storedEvent } from './stored-event.ts'
import type { ClientEvent } from './sync-answer.ts'

/** In the order of the events. */
export async function readEvents(
  machine: Pick<Machine, 'decryptRoomEvents'>,
  roomId: string,
  events: readonly ClientEvent[],
): Promise<StoredEvent[]> {
  const encrypted = events.filter(isEncrypted)
  const results =
    encrypted.length === 0
      ? []
      : await machine.decryptRoomEvents(
          roomId,
          encrypted.map(event => rawEvent(roomId, event)),
        )
  const byEvent = new Map(encrypted.map((event, i) => [event, results[i]!]))
  return events.map(event => storedEvent(event, byEvent.get(event) ?? null))
}

/** As the engine takes it. */
export function rawEvent(
  roomId: string,
  event: Pick<ClientEvent, 'eventId' | 'sender' | 'type' | 'ts' | 'content'>,
): JsonObject {
  return {
    event_id: event.eventId,
    room_id: roomId,
    sender: event.sender,
    type: event.type,
    origin_server_ts: event.ts,
    content: event.content as Json,
  }
}

/** One line of words for lists and notifications; empty where the event has none. */
export function plainText({ type, content }: Pick<StoredEvent, 'type' | 'content'>): string {
  const { body } = content
  if ((type !== 'm.room.message' && type !== 'm.sticker') || typeof body !== 'string') return ''
  return withoutFallback(body).slice(0, 1000).replace(/\s+/g, ' ').trim()
}

/** Older clients repeat what they reply to, line by line after `>`. Spec: v1.12 #fallbacks-for-rich-replies */
export function withoutFallback(body: string): string {
  return body.startsWith('> <') ? body.replace(/^(?:> .*(?:\n|$))+\n?/, '') : body
}
