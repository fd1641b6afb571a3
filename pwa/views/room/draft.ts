/** What is being written in a room: text, whom it mentions, what it answers or edits. Kept sealed, read with care. Pure. */
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import type { Mention } from './mention-query.ts'

export interface Answered {
  readonly eventId: string
  readonly sender: string
  readonly senderName: string
  readonly text: string
}

export interface Draft {
  readonly text: string
  readonly mentions: readonly Mention[]
  readonly replyTo: Answered | null
  /** The event that this replaces, and whom it mentioned before. */
  readonly editing: { readonly eventId: string; readonly mentioned: readonly string[] } | null
}

export const emptyDraft: Draft = { text: '', mentions: [], replyTo: null, editing: null }

export function isEmptyDraft(draft: Draft): boolean {
  return draft.text.trim() === '' && draft.replyTo === null && draft.editing === null
}

/** What is being written, and what an edit has put aside. */
export interface Desk {
  readonly draft: Draft
  readonly aside: Draft
}

/** Whoever edits a message finds afterwards what they were writing before. */
export function turnedTo(next: Draft, { draft, aside }: Desk): Desk {
  if (next.editing && !draft.editing) return { draft: next, aside: draft }
  if (!next.editing && draft.editing)
    return { draft: { ...aside, replyTo: next.replyTo ?? aside.replyTo }, aside: emptyDraft }
  return { draft: next, aside }
}

/** What did not leave is written again: before what has been written meanwhile, and beside an edit that has begun. */
export function givenBack(unsent: readonly Draft[], { draft, aside }: Desk): Desk {
  if (draft.editing) return { draft, aside: joined([...unsent, aside]) }
  const edit = unsent.find(each => each.editing)
  if (edit) return { draft: edit, aside: joined([...unsent.filter(each => each !== edit), draft]) }
  return { draft: joined([...unsent, draft]), aside }
}

function joined(drafts: readonly Draft[]): Draft {
  const written = drafts.filter(each => !isEmptyDraft(each))
  if (written.length < 2) return { ...(written[0] ?? emptyDraft), editing: null }
  return {
    text: written.map(each => each.text).join('\n'),
    mentions: written.flatMap(each => each.mentions),
    replyTo: written.find(each => each.replyTo)?.replyTo ?? null,
    editing: null,
  }
}

/** An edit is not kept: what it changes may be another by the time that somebody comes back. */
export function storedDraft(draft: Draft): JsonObject | null {
  if (draft.editing !== null || isEmptyDraft(draft)) return null
  return {
    text: draft.text,
    mentions: draft.mentions.map(({ userId, name }) => ({ userId, name })),
    replyTo: draft.replyTo && { ...draft.replyTo },
  }
}

export function parseDraft(stored: JsonObject | null): Draft {
  const text = typeof stored?.['text'] === 'string' ? stored['text'] : ''
  const mentions = Array.isArray(stored?.['mentions']) ? stored['mentions'].flatMap(parseMention) : []
  return { text, mentions, replyTo: parseAnswered(stored?.['replyTo']), editing: null }
}

function parseMention(value: Json): Mention[] {
  if (!isObject(value) || typeof value['name'] !== 'string') return []
  const { userId, name } = value
  return typeof userId === 'string' || userId === null ? [{ userId, name }] : []
}

function parseAnswered(value: Json | undefined): Answered | null {
  if (!isObject(value)) return null
  const { eventId, sender, senderName, text } = value
  const all = [eventId, sender, senderName, text]
  return all.every(each => typeof each === 'string')
    ? ({ eventId, sender, senderName, text } as Answered)
    : null
}
