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

type Said = Pick<StoredEvent, 'type' | 'content'>

/** One line of words for lists and notifications, without the marks of its formatting; empty where the event has none. */
export function plainText({ type, content }: Said): string {
  const { body, format, formatted_body: html } = content
  if (!hasWords(type, body)) return ''
  const isFormatted = format === 'org.matrix.custom.html' && typeof html === 'string'
  const text = (isFormatted && wordsOfHtml(html)) || withoutFallback(body)
  return onOneLine(text.slice(0, 1000))
}

/** All that it can be found by: to its end, and a file by its name too. */
export function searchedText({ type, content }: Said): string {
  const { body, filename } = content
  if (!hasWords(type, body)) return ''
  const name = typeof filename === 'string' && filename !== body ? ` ${filename}` : ''
  return onOneLine(withoutFallback(body) + name)
}

function hasWords(type: string, body: unknown): body is string {
  return (type === 'm.room.message' || type === 'm.sticker') && typeof body === 'string'
}

function onOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

const longestHtml = 4_000
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  nbsp: ' ',
}

/** For a line of text, not to be shown as HTML: what a spoiler hides stays hidden. */
function wordsOfHtml(html: string): string {
  return html
    .slice(0, longestHtml)
    .replace(/<mx-reply>[\s\S]*?<\/mx-reply>/i, '')
    .replace(/<span[^>]*\bdata-mx-spoiler\b[\s\S]*?(?:<\/span>|$)/gi, '▒▒▒')
    .replace(/<\/?(?:p|br|div|li|ul|ol|h[1-6]|blockquote|pre|tr|table|hr)\b[^>]*(?:>|$)/gi, ' ')
    .replace(/<\/?[a-z][^>]*(?:>|$)/gi, '')
    .replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => entities[name]!)
    .trim()
}

/** Older clients repeat what they reply to, line by line after `>`. Spec: v1.12 #fallbacks-for-rich-replies */
export function withoutFallback(body: string): string {
  return body.startsWith('> <') ? body.replace(/^(?:> .*(?:\n|$))+\n?/, '') : body
}
