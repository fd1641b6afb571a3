/** What can be done with a message, as far as we may. */
import { t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { call } from '../account.ts'
import type { MenuItem } from '../parts/menu.tsx'
import { errorText } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { addressOf, go } from '../route.ts'
import { saidBy, wordsOf } from './message-content.ts'
import type { RoomGround } from './room-ground.ts'

/** Has left, and is there for others to refer to. */
export function isSettled(item: TimelineItem): boolean {
  return item.eventId !== null && item.redacted === null
}

export function canEdit(item: TimelineItem, ourUserId: string): boolean {
  const { msgtype } = item.content
  return (
    isSettled(item) &&
    item.sender === ourUserId &&
    item.type === 'm.room.message' &&
    (msgtype === 'm.text' || msgtype === 'm.emote')
  )
}

export function menuOf(item: TimelineItem, ground: RoomGround): MenuItem[] {
  const { detail, ourUserId } = ground
  const mayWrite = detail?.may.send ?? true
  const isOurs = item.sender === ourUserId
  const said = saidBy(item)
  const isBareFile = said.kind === 'file' && said.caption === null
  const text = isBareFile ? '' : wordsOf(item.content, item.replyTo !== null).text
  const isPinned = item.eventId !== null && (detail?.pinned.includes(item.eventId) ?? false)
  const acts: (MenuItem | false)[] = [
    canEdit(item, ourUserId) && mayWrite && { label: t('room.edit'), onSelect: () => ground.edit(item) },
    text !== '' &&
      !item.redacted && { label: t('room.copyText'), onSelect: () => void copy(text, t('parts.copied')) },
    item.eventId !== null && { label: t('room.copyLink'), onSelect: () => void copyLink(item) },
    isSettled(item) &&
      (detail?.may.pin ?? false) && {
        label: t(isPinned ? 'room.unpin' : 'room.pin'),
        onSelect: () => void setPinned(item, ground, !isPinned),
      },
    item.editedTs !== null && {
      label: t('room.history'),
      onSelect: () => ground.ask({ kind: 'history', item }),
    },
    item.eventId !== null && {
      label: t('room.details'),
      onSelect: () => ground.ask({ kind: 'details', item }),
    },
    isSettled(item) &&
      (isOurs || (detail?.may.redactOthers ?? false)) && {
        label: t('room.delete'),
        grave: true,
        onSelect: () => ground.ask({ kind: 'delete', item }),
      },
  ]
  return acts.filter(act => act !== false)
}

/** Gives a reaction, or takes ours back. */
export async function react(item: TimelineItem, emoji: string): Promise<void> {
  const { roomId, eventId } = item
  if (eventId === null) return
  const ours = item.reactions.find(reaction => reaction.key === emoji)?.ours
  await told(
    ours
      ? call('redact', { roomId, eventId: ours })
      : call('send', {
          roomId,
          type: 'm.reaction',
          content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key: emoji } },
        }),
  )
}

export function openThread(item: TimelineItem): void {
  const threadRoot = item.threadRoot ?? item.eventId
  if (threadRoot !== null) go({ view: 'room', roomId: item.roomId, threadRoot })
}

export async function discard(item: TimelineItem): Promise<void> {
  const done = await told(call('discard', item.key))
  if (done !== null) toast(t(done ? 'room.discarded' : 'room.tooLate'))
}

export async function retry(item: TimelineItem): Promise<void> {
  await told(call('retry', item.key))
}

async function setPinned(item: TimelineItem, { detail, roomId }: RoomGround, pin: boolean): Promise<void> {
  const others = (detail?.pinned ?? []).filter(eventId => eventId !== item.eventId)
  const pinned = pin ? [...others, item.eventId!] : others
  await told(call('setState', { roomId, type: 'm.room.pinned_events', stateKey: '', content: { pinned } }))
}

/** Ours: it opens in the app, and tells no third party. */
async function copyLink({ roomId, eventId }: TimelineItem): Promise<void> {
  await copy(
    `${location.origin}/${addressOf({ view: 'room', roomId, eventId: eventId! })}`,
    t('room.linkCopied'),
  )
}

async function copy(text: string, said: string): Promise<void> {
  if ((await told(navigator.clipboard.writeText(text).then(() => true))) !== null) toast(said)
}

/** Null: it failed, and that was said. */
async function told<T>(doing: Promise<T>): Promise<T | null> {
  try {
    return await doing
  } catch (error) {
    toast(errorText(error))
    return null
  }
}
