/**
 * What deserves a person's attention: who was mentioned, what is worth a notification.
 *
 * The server counts what is unread; in what it cannot read, mentions are ours to count, until we have read up to them. One
 * answer gives one notification a room at most: whoever comes back after a week is not met by a thousand.
 */
import { memberName } from './names.ts'
import type { SyncNotice } from './ports.ts'
import { powerOf, powerToNotifyRoom } from './power.ts'
import { judge, type PushVerdict } from './push-rules.ts'
import { plainText } from './reading.ts'
import { type Room, stateContent } from './room.ts'
import type { RoomEntry } from './room-entry.ts'
import type { RoomStore } from './room-store.ts'
import type { StoredEvent } from './stored-event.ts'

export interface Judged {
  readonly event: StoredEvent
  readonly verdict: PushVerdict
}

type Judgeable = Pick<StoredEvent, 'type' | 'sender' | 'stateKey' | 'content'>

/** Those that nobody has seen yet, of events that came live. */
export function judged(
  store: RoomStore,
  before: Room | null,
  room: Room,
  events: readonly StoredEvent[],
): Judged[] {
  // What was said before we came is no news.
  if (before?.membership !== 'join') return []
  return events
    .slice(readIndex(room, events, store.ourUserId) + 1)
    .filter(({ sender }) => !store.isIgnored(sender))
    .map(event => ({ event, verdict: verdictOn(store, room, event) }))
}

export function verdictOn(store: RoomStore, room: Room, event: Judgeable): PushVerdict {
  return judge(
    store.accountData('m.push_rules') ?? {},
    { ...event, roomId: room.roomId },
    {
      ourUserId: store.ourUserId,
      ourName: room.members.get(store.ourUserId)?.name ?? null,
      joinedCount: room.joinedCount,
      power: userId => powerOf(room, userId),
      roomNotificationPower: powerToNotifyRoom(stateContent(room, 'm.room.power_levels')),
    },
  )
}

/** Whoever writes has read what stands above. */
function readIndex(room: Room, events: readonly StoredEvent[], ourUserId: string): number {
  const receipt = room.receipts.get(ourUserId)?.eventId
  return events.findLastIndex(({ eventId, sender }) => eventId === receipt || sender === ourUserId)
}

export function withMentions(
  before: Room | null,
  room: Room,
  events: readonly StoredEvent[],
  verdicts: readonly Judged[],
  ourUserId: string,
): Room {
  const receiptOf = (each: Room | null) => each?.receipts.get(ourUserId)?.eventId
  const wasRead =
    receiptOf(before) !== receiptOf(room) ||
    readIndex(room, events, ourUserId) >= 0 ||
    ((before?.unread ?? 0) > 0 && room.unread === 0)
  const found = verdicts.filter(({ event, verdict }) => event.encrypted && verdict.highlight).length
  return { ...room, mentions: (wasRead ? 0 : room.mentions) + found }
}

export function notificationsOf(room: Room, entry: RoomEntry, verdicts: readonly Judged[]): SyncNotice[] {
  const chosen =
    verdicts.findLast(({ verdict }) => verdict.notify && verdict.highlight) ??
    verdicts.findLast(({ verdict }) => verdict.notify)
  return chosen ? [notification(room, entry, chosen)] : []
}

/** Somebody wants us in a room. */
export function invitationNotice(
  store: RoomStore,
  before: Room | null,
  room: Room,
  entry: RoomEntry,
): SyncNotice[] {
  if (room.membership !== 'invite' || before?.membership === 'invite' || !entry.invite) return []
  const event = {
    eventId: `invite ${room.roomId}`,
    type: 'm.room.member',
    stateKey: store.ourUserId,
    sender: entry.invite.sender,
    content: { membership: 'invite' },
  }
  const verdict = verdictOn(store, room, event)
  return verdict.notify ? [notification(room, entry, { event, verdict })] : []
}

function notification(
  room: Room,
  entry: RoomEntry,
  { event, verdict }: { event: Judgeable & { eventId: string }; verdict: PushVerdict },
): SyncNotice {
  return {
    kind: 'notify',
    roomId: room.roomId,
    eventId: event.eventId,
    title: entry.name ?? '',
    body: [memberName(room, event.sender), plainText(event)].filter(text => text !== '').join(': '),
    sound: verdict.sound,
    highlight: verdict.highlight,
  }
}
