/** What a message says, read from content that anybody may have written. Pure. Spec: client-server-api#mroommessage */
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { type AttachedFile, attachedFile, hasCaption } from './attached-file.ts'
import { isNestedTooDeep } from './html-depth.ts'

export interface Words {
  readonly text: string
  /** To be sanitised; null: text alone. */
  readonly html: string | null
  /** User ids, as the writer says. */
  readonly mentions?: readonly string[]
}

export type Said =
  | { readonly kind: 'text'; readonly tone: 'plain' | 'notice' | 'emote'; readonly words: Words }
  | { readonly kind: 'file'; readonly file: AttachedFile; readonly caption: Words | null }
  | { readonly kind: 'location'; readonly place: string }
  | { readonly kind: 'verification' }
  | { readonly kind: 'unknown'; readonly text: string | null }

/** Longer texts are not shown as HTML: sanitising would hold up the page. */
const longestHtml = 40_000
const longestText = 100_000
const mostMentions = 50

export function saidBy(item: TimelineItem): Said {
  const { type, content } = item
  const file = attachedFile(type, content)
  if (file) return { kind: 'file', file, caption: hasCaption(content) ? wordsOf(content, false) : null }
  if (type !== 'm.room.message') return { kind: 'unknown', text: textOf(content['body']) }
  const words = wordsOf(content, item.replyTo !== null)
  switch (content['msgtype']) {
    case 'm.text':
      return { kind: 'text', tone: 'plain', words }
    case 'm.notice':
      return { kind: 'text', tone: 'notice', words }
    case 'm.emote':
      return { kind: 'text', tone: 'emote', words }
    case 'm.location':
      return { kind: 'location', place: words.text }
    case 'm.key.verification.request':
      return { kind: 'verification' }
    default:
      return { kind: 'unknown', text: textOf(content['body']) }
  }
}

export function wordsOf(content: JsonObject, isReply: boolean): Words {
  const text = calmText((textOf(content['body']) ?? '').slice(0, longestText))
  const formatted = content['format'] === 'org.matrix.custom.html' ? textOf(content['formatted_body']) : null
  const html =
    formatted !== null && formatted.length <= longestHtml && !isNestedTooDeep(formatted) ? formatted : null
  const mentions = mentionedIn(content)
  return {
    text: isReply ? withoutFallback(text) : text,
    ...(mentions.length > 0 ? { mentions } : {}),
    html: html === null ? null : calmText(html).replace(/^\s*<mx-reply>[\s\S]*?<\/mx-reply>/i, ''),
  }
}

/** Spec: client-server-api#user-and-room-mentions */
function mentionedIn(content: JsonObject): readonly string[] {
  const mentions = content['m.mentions']
  const userIds = isObject(mentions) ? mentions['user_ids'] : null
  return Array.isArray(userIds) ? userIds.filter(id => typeof id === 'string').slice(0, mostMentions) : []
}

/** Without what turns the words around it, or towers over the lines above: more marks on a letter than any script needs. */
export function calmText(text: string): string {
  return text.replace(/[\u202a-\u202e]/g, '').replace(/(\p{M}{8})\p{M}+/gu, '$1')
}

/** Older clients repeat what they answer. Spec: client-server-api#rich-replies (removed in v1.13; still sent) */
export function withoutFallback(body: string): string {
  const lines = body.split('\n')
  if (!lines[0]?.startsWith('> <') && !lines[0]?.startsWith('> * <')) return body
  const end = lines.findIndex(line => !line.startsWith('> ') && line !== '>')
  if (end === -1) return body
  return lines.slice(lines[end] === '' ? end + 1 : end).join('\n')
}

/** A few emoji and nothing else are drawn larger. */
export function isEmojiOnly(text: string): boolean {
  return text.length <= 60 && /^(?:\p{RGI_Emoji}\s*){1,6}$/v.test(text.trim())
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
