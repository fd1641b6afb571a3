import { formatNumber, formatWhen, parts, t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { ourUserId } from '../account.ts'
import { Icon } from '../parts/icon.tsx'
import { Name } from '../parts/name.tsx'
import { cut, plainName } from '../parts/plain-name.ts'
import { addressOf } from '../route.ts'
import { shownRoom } from './list-state.ts'
import { previewWords, wayOf } from './preview-words.ts'
import { isUnread, isWithOutside } from './sections.ts'

const longestCount = 99

/** A room in the list: name, when, the last words, what is unread. Its whole meaning is in its text. */
export function RoomLine({ entry, tabIndex }: { entry: RoomEntry; tabIndex?: number }) {
  const { roomId, muted, lastTs, isSpace } = entry
  const isOn = shownRoom.value === roomId
  return (
    <a
      class={`room${isOn ? ' on' : ''}${isUnread(entry) ? ' new' : ''}`}
      href={addressOf({ view: 'room', roomId })}
      aria-current={isOn ? 'page' : undefined}
      data-stop={roomId}
      {...(tabIndex !== undefined && { tabIndex })}
    >
      <span class="room-name">
        <Name of={entry.name} fallback={t('rooms.emptyRoom')} />
        {isWithOutside(entry) && <small class="external">{t('rooms.external')}</small>}
      </span>
      {lastTs > 0 ? <time dateTime={isoOf(lastTs)}>{formatWhen(lastTs)}</time> : <span />}
      <span class="room-preview">{isSpace ? t('rooms.space') : <Preview entry={entry} />}</span>
      <span class="room-marks">
        {muted && <Icon name="mute" size={14} />}
        {muted && <span class="spoken">{t('rooms.muted')}</span>}
        {entry.failed > 0 && <span class="mark bad">{t('rooms.notSent')}</span>}
        <Count entry={entry} />
      </span>
    </a>
  )
}

/** Mentions in copper; what is only unread as a ring. */
function Count({ entry }: { entry: RoomEntry }) {
  const { unread, mentions, markedUnread, muted } = entry
  const count = mentions > 0 ? mentions : muted ? 0 : unread
  if (count === 0 && !markedUnread) return null
  return (
    <span class={mentions > 0 ? 'count' : 'count quiet'}>
      <span aria-hidden="true">{count > 0 ? shortCount(count) : '•'}</span>
      <span class="spoken">
        {mentions > 0
          ? t('rooms.mentionCount', { count })
          : count > 0
            ? t('rooms.unreadCount', { count })
            : t('rooms.markedUnread')}
      </span>
    </span>
  )
}

function Preview({ entry }: { entry: RoomEntry }) {
  const { preview, draft, waiting, invite, membership } = entry
  if (membership === 'invite' && invite)
    return <>{t('rooms.invitedBy', { name: plainName(invite.senderName) ?? invite.sender })}</>
  if (membership === 'knock') return <>{t('rooms.waitingToBeLetIn')}</>
  if (entry.blockedBy.length > 0 && waiting > 0) return <em class="decision">{t('rooms.decisionNeeded')}</em>
  if (entry.frozen) return <em class="decision">{t('rooms.frozen')}</em>
  if (waiting > 0) return <em>{t('rooms.waiting', { count: waiting })}</em>
  if (draft) return <em>{t('rooms.draft')}</em>
  if (!preview) {
    const topic = plainName(entry.topic, 200)
    if (topic !== null) return <Words text={cut(topic, 120)} />
    return <>{t('rooms.people', { count: entry.joinedCount + entry.invitedCount })}</>
  }
  const words = previewWords(preview)
  const text = 'key' in words ? t(words.key) : words.text
  const shown = <Words text={text} />
  if (preview.sender === ourUserId.value && 'key' in words && words.key === 'rooms.preview_verification')
    return <>{t('rooms.preview_verificationOurs')}</>
  if (preview.sender === ourUserId.value) return <>{parts('rooms.previewOurs', { text: shown })}</>
  if (entry.directWith.length === 1) return shown
  const name = <Name of={preview.senderName} fallback={preview.sender} limit={24} />
  return <>{parts('rooms.previewOf', { name, text: shown })}</>
}

/** In the direction of its own, so that its end is cut and not its beginning. */
function Words({ text }: { text: string }) {
  return (
    <span class="room-words-cut" dir={wayOf(text)}>
      {text}
    </span>
  )
}

export function shortCount(count: number): string {
  return count > longestCount ? `${formatNumber(longestCount)}+` : formatNumber(count)
}

/** A server may give any number for a time. */
function isoOf(ts: number): string | undefined {
  const date = new Date(ts)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
