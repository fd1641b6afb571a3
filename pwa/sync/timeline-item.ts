/**
 * A line of a room's timeline as views show it: decrypted, with the newest edit, its reactions and its state.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { Shield } from '../e2ee/room-decryption.ts'

export interface TimelineItem {
  /** Stays the same when a queued message becomes a sent one: its transaction id, else its event id. */
  readonly key: string
  /** Null until the server has it. */
  readonly eventId: string | null
  readonly roomId: string
  readonly sender: string
  readonly senderName: string
  readonly senderAvatar: string | null
  readonly ts: number
  /** Of the decrypted event; `m.room.encrypted` where it could not be read. */
  readonly type: string
  /** State events have one. */
  readonly stateKey: string | null
  /** Of the newest valid edit. Parsed from JSON, and nothing more: any member may be missing or of another type. */
  readonly content: JsonObject
  /** Of a state event, what stood there before. */
  readonly previousContent: JsonObject | null
  readonly editedTs: number | null
  readonly redacted: { readonly by: string; readonly byName: string; readonly reason: string | null } | null
  readonly reactions: readonly Reaction[]
  readonly replyTo: Quoted | null
  /** The root of the thread that it stands in. */
  readonly threadRoot: string | null
  /** Where it is the root of one. */
  readonly thread: ThreadSummary | null
  /** Of our own: where it is. `read`: somebody else has seen it. Null of others'. */
  readonly state: SendState | null
  readonly problem: ItemProblem | null
  /** People whose newest read receipt stands here, the newest first, without us. */
  readonly readBy: readonly string[]
  readonly mentionsUs: boolean
  readonly encrypted: boolean
  readonly shield: Shield
  /** Who gave the key, where `shield` is `not-authentic` and it is known. */
  readonly keyGivenBy: string | null
  /** It could not be read: the engine's code, and what the sender said of a withheld key. */
  readonly unreadable: { readonly code: string; readonly withheld: string | null } | null
}

export type SendState = 'queued' | 'sending' | 'sent' | 'read' | 'failed'

/** Why it does not leave. `blocked`: somebody has to be decided about first. */
export interface ItemProblem {
  readonly code: string
  /** The server's own words, for Details. */
  readonly message: string
  readonly blockedBy: readonly string[]
}

export interface Reaction {
  readonly key: string
  readonly senders: readonly { readonly userId: string; readonly name: string }[]
  /** Our own reaction's event, to take it back. */
  readonly ours: string | null
}

export interface Quoted {
  readonly eventId: string
  /** Null: not here. */
  readonly item: { readonly sender: string; readonly senderName: string; readonly text: string } | null
}

export interface ThreadSummary {
  readonly count: number
  readonly lastTs: number
  readonly lastSenderName: string
  readonly lastText: string
  readonly unread: boolean
}

/** A stretch of a timeline, the oldest first. */
export interface TimelinePage {
  readonly items: readonly TimelineItem[]
  /** More is to be had in that direction: here, or from the server. */
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  /** The server would have to be asked and does not answer: what is here is all for now. */
  readonly offline: boolean
}

/** Which stretch: around a place. `end`: where live messages come. */
export interface TimelineQuery {
  readonly roomId: string
  /** Only this thread: its root and what stands in it. Absent: the room without what stands in threads. */
  readonly threadRoot?: string
  readonly at: 'end' | { readonly eventId: string } | { readonly ts: number }
  /** Items before the place, and after it. */
  readonly before: number
  readonly after: number
}
