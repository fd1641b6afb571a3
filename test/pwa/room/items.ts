/** Timeline items for tests: what a case does not name is plain. */
import type { TimelineItem } from '../../../pwa/sync/timeline-item.ts'

export const amal = '@amal:clinic.example'
export const jonas = '@jonas:court.example'
export const samir = '@samir:clinic.example'
const names: Record<string, string> = {
  [amal]: 'Amal Nasser',
  [jonas]: 'Jonas Weber',
  [samir]: 'Samir Haddad',
}

export const noon = Date.UTC(2026, 10, 19, 12)
export const minute = 60_000

export function item(id: string, change: Partial<TimelineItem> = {}): TimelineItem {
  const sender = change.sender ?? amal
  return {
    key: id,
    eventId: `$${id}`,
    roomId: '!ward:clinic.example',
    sender,
    senderName: names[sender] ?? sender,
    senderAvatar: null,
    ts: noon,
    type: 'm.room.message',
    stateKey: null,
    content: { msgtype: 'm.text', body: `text of ${id}` },
    previousContent: null,
    editedTs: null,
    redacted: null,
    reactions: [],
    replyTo: null,
    threadRoot: null,
    thread: null,
    state: null,
    problem: null,
    readBy: [],
    mentionsUs: false,
    encrypted: true,
    shield: 'none',
    keyGivenBy: null,
    unreadable: null,
    ...change,
  }
}

export function member(
  id: string,
  of: string,
  membership: string,
  change: Partial<TimelineItem> = {},
): TimelineItem {
  return item(id, {
    sender: of,
    type: 'm.room.member',
    stateKey: of,
    content: { membership, displayname: names[of] ?? of },
    ...change,
  })
}
