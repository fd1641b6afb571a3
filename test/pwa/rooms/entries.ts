/** Rooms of a list, made up for a test: whatever matters there is given. */
import type { RoomEntry } from '../../../pwa/sync/room-entry.ts'

export function entry(roomId: string, change: Partial<RoomEntry> = {}): RoomEntry {
  return {
    roomId,
    membership: 'join',
    isSpace: false,
    directWith: [],
    name: roomId.slice(1),
    avatar: null,
    topic: null,
    encrypted: true,
    parents: [],
    children: [],
    joinedCount: 2,
    invitedCount: 0,
    servers: ['clinic.example'],
    guests: 0,
    frozen: null,
    unread: 0,
    mentions: 0,
    markedUnread: false,
    muted: false,
    favourite: false,
    lowPriority: false,
    lastTs: 1,
    preview: null,
    waiting: 0,
    failed: 0,
    draft: false,
    blockedBy: [],
    invite: null,
    replacedBy: null,
    ...change,
  }
}

export function space(roomId: string, children: readonly string[], change: Partial<RoomEntry> = {}) {
  return entry(roomId, { isSpace: true, children, ...change })
}
