/**
 * A room as lists show it: made by the worker from state, account data and the timeline, sent to every tab when it changed.
 *
 * Everything in it that a person typed is theirs to abuse: views isolate it (`bdi`) and cut it.
 */

import type { Frozen } from './frozen.ts'

export type Membership = 'join' | 'invite' | 'knock' | 'leave' | 'ban'

export interface RoomEntry {
  readonly roomId: string
  readonly membership: Membership
  readonly isSpace: boolean
  /** The people of a direct chat; empty for a room. */
  readonly directWith: readonly string[]
  /** Spec: client-server-api#calculating-the-display-name-for-a-room. Null: nobody is there and it has no name. */
  readonly name: string | null
  /** An `mxc:` address. */
  readonly avatar: string | null
  readonly topic: string | null
  readonly encrypted: boolean
  /** Spaces that list it, and, of a space, what it lists, in its order. */
  readonly parents: readonly string[]
  readonly children: readonly string[]
  readonly joinedCount: number
  readonly invitedCount: number
  /** Server names of those who are in it or invited, ours first. */
  readonly servers: readonly string[]
  /** How many of them are guests of our own organisation. */
  readonly guests: number
  readonly unread: number
  readonly mentions: number
  readonly markedUnread: boolean
  readonly muted: boolean
  readonly favourite: boolean
  readonly lowPriority: boolean
  /** Of the newest thing that counts, else of the join. 0: unknown. */
  readonly lastTs: number
  readonly preview: Preview | null
  /** Messages of ours that wait to leave, and those that were refused for good. */
  readonly waiting: number
  readonly failed: number
  readonly draft: boolean
  /** Who has to be decided about before anything can be sent: identity changed, or nobody vouched for them. */
  readonly blockedBy: readonly string[]
  /** It stands still: nothing is sent. Absent in what an earlier release kept. */
  readonly frozen: Frozen | null
  /** Of an invitation. */
  readonly invite: Invite | null
  /** The room that took its place. */
  readonly replacedBy: string | null
}

export interface Preview {
  readonly eventId: string
  readonly sender: string
  readonly senderName: string
  readonly type: string
  /** `m.text`, `m.image` … of a message. */
  readonly msgtype: string | null
  /** One line; empty where the type has no words of its own. */
  readonly text: string
}

export interface Invite {
  readonly sender: string
  readonly senderName: string
  readonly ts: number
  readonly reason: string | null
  readonly isDirect: boolean
}
