import { formatNumber, formatWhen, t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { ourUserId } from '../account.ts'
import { Icon } from '../parts/icon.tsx'
import { Name } from '../parts/name.tsx'
import { cut, plainName } from '../parts/plain-name.ts'
import { addressOf } from '../route.ts'
import { shownRoom } from './list-state.ts'
import { isUnread } from './sections.ts'

const longestCount = 99

/** A room in the list: name, when, the last words, what is unread. Its whole meaning is in its text. */
export function RoomLine({ entry }: { entry: RoomEntry }) {
  const { roomId, unread, mentions, markedUnread, muted } = entry
  const isOn = shownRoom.value === roomId
  const isNew = isUnread(entry)
  const count = mentions > 0 ? mentions : muted ? 0 : unread
  return (
    <a
      class={`room${isOn ? ' on' : ''}${isNew ? ' new' : ''}`}
      href={addressOf({ view: 'room', roomId })}
      aria-current={isOn ? 'page' : undefined}
    >
      <Name of={entry.name} fallback={t('rooms.emptyRoom')} />
      {entry.lastTs > 0 && (
        <time dateTime={new Date(entry.lastTs).toISOString()}>{formatWhen(entry.lastTs)}</time>
      )}
      <span class="room-preview">
        <Preview entry={entry} />
      </span>
      <span class="room-marks">
        {muted && <Icon name="mute" size={14} />}
        {muted && <span class="spoken">{t('rooms.muted')}</span>}
        {entry.failed > 0 && <span class="mark bad">{t('rooms.notSent')}</span>}
        {(count > 0 || markedUnread) && (
          <span class={mentions > 0 ? 'count' : 'count quiet'}>
            {count > 0
              ? count > longestCount
                ? `${formatNumber(longestCount)}+`
                : formatNumber(count)
              : '•'}
            <span class="spoken">{mentions > 0 ? t('rooms.mentionsOfYou') : t('rooms.unread')}</span>
          </span>
        )}
      </span>
    </a>
  )
}

function Preview({ entry }: { entry: RoomEntry }) {
  const { preview, draft, waiting, invite, membership } = entry
  if (membership === 'invite' && invite)
    return <>{t('rooms.invitedBy', { name: plainName(invite.senderName) ?? invite.sender })}</>
  if (membership === 'knock') return <>{t('rooms.waitingToBeLetIn')}</>
  if (draft) return <em>{t('rooms.draft')}</em>
  if (waiting > 0) return <em>{t('rooms.waiting', { count: waiting })}</em>
  if (!preview) return <>{entry.topic ? cut(plainName(entry.topic) ?? '', 120) : ''}</>
  const text =
    preview.text !== '' && preview.msgtype !== null
      ? wordsOf(preview.msgtype, preview.text)
      : t('rooms.preview_unreadable')
  if (preview.sender === ourUserId.value) return <>{t('rooms.previewOurs', { text })}</>
  if (entry.directWith.length === 1) return <bdi>{text}</bdi>
  return <>{t('rooms.previewOf', { name: plainName(preview.senderName, 24) ?? preview.sender, text })}</>
}

function wordsOf(msgtype: string, text: string): string {
  switch (msgtype) {
    case 'm.image':
      return t('rooms.preview_image')
    case 'm.video':
      return t('rooms.preview_video')
    case 'm.audio':
      return t('rooms.preview_audio')
    case 'm.file':
      return t('rooms.preview_file')
    default:
      return cut(plainName(text, 200) ?? '', 160)
  }
}
