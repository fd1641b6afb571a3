/**
 * From what was written to the content of an event. Pure.
 *
 * Spec: client-server-api#user-and-room-mentions, #rich-replies, #threading, #event-replacements
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Draft } from './draft.ts'
import { type Mention, presentMentions } from './mention-query.ts'

export interface Writing {
  readonly draft: Draft
  readonly formatted: (text: string, mentions: readonly Mention[]) => string | null
  /** Written in a thread: its root, and the newest event there, for clients that know no threads. */
  readonly thread: { readonly root: string; readonly last: string } | null
  readonly ourUserId: string
}

/** An event is at most 65,536 bytes; encryption and the envelope take a third. */
export const longestBytes = 40_000

export function writtenContent({ draft, formatted, thread, ourUserId }: Writing): JsonObject {
  const isEmote = /^\/me\s+\S/.test(draft.text)
  const text = (isEmote ? draft.text.replace(/^\/me\s+/, '') : draft.text).trim()
  const mentions = presentMentions(text, draft.mentions)
  const html = formatted(text, mentions)
  const words: JsonObject = {
    msgtype: isEmote ? 'm.emote' : 'm.text',
    body: text,
    ...(html !== null && { format: 'org.matrix.custom.html', formatted_body: html }),
  }
  const people = mentions.flatMap(({ userId }) => (userId === null ? [] : [userId]))
  const everybody = mentions.some(({ userId }) => userId === null)
  if (draft.editing) return editContent(words, draft.editing, people, everybody)
  // Spec: who is answered is mentioned, but for ourselves.
  const answered = draft.replyTo && draft.replyTo.sender !== ourUserId ? [draft.replyTo.sender] : []
  return {
    ...words,
    'm.mentions': mentionsOf([...people, ...answered], everybody),
    ...relation(draft, thread),
  }
}

export function isTooLong(content: JsonObject): boolean {
  return new TextEncoder().encode(JSON.stringify(content)).length > longestBytes
}

/** Those who were mentioned before are not told again. */
function editContent(
  words: JsonObject,
  editing: NonNullable<Draft['editing']>,
  people: readonly string[],
  everybody: boolean,
): JsonObject {
  const fresh = people.filter(userId => !editing.mentioned.includes(userId))
  return {
    ...words,
    body: `* ${words['body']}`,
    ...(typeof words['formatted_body'] === 'string' && { formatted_body: `* ${words['formatted_body']}` }),
    'm.new_content': { ...words, 'm.mentions': mentionsOf(people, everybody) },
    'm.mentions': mentionsOf(fresh, false),
    'm.relates_to': { rel_type: 'm.replace', event_id: editing.eventId },
  }
}

function mentionsOf(userIds: readonly string[], room: boolean): JsonObject {
  const unique = [...new Set(userIds)]
  return { ...(unique.length > 0 && { user_ids: unique }), ...(room && { room: true }) }
}

function relation({ replyTo }: Draft, thread: Writing['thread']): JsonObject {
  if (!thread) return replyTo ? { 'm.relates_to': { 'm.in_reply_to': { event_id: replyTo.eventId } } } : {}
  return {
    'm.relates_to': {
      rel_type: 'm.thread',
      event_id: thread.root,
      is_falling_back: replyTo === null,
      'm.in_reply_to': { event_id: replyTo?.eventId ?? thread.last },
    },
  }
}
