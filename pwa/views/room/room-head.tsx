import { t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import type { RoomDetail } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { IconButton } from '../parts/button.tsx'
import { Menu } from '../parts/menu.tsx'
import { Name } from '../parts/name.tsx'
import { errorText } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { serverWords } from './composer-label.ts'
import type { Question } from './room-ground.ts'

/** The room's name, and who can read it. */
export function RoomHead({
  entry,
  detail,
  onBack,
  onReaders,
  onAsk,
}: {
  entry: RoomEntry | null
  detail: RoomDetail | null
  onBack: (() => void) | undefined
  onReaders: (() => void) | undefined
  onAsk: (question: Question) => void
}) {
  const roomId = entry?.roomId ?? ''
  const count = (entry?.joinedCount ?? 0) + (entry?.invitedCount ?? 0)
  const words =
    entry &&
    t(entry.encrypted ? 'room.headEncrypted' : 'room.headPlain', {
      count,
      servers: serverWords(entry.servers),
    })
  const pins = detail?.pinned.length ?? 0
  const tag = (name: 'm.favourite' | 'm.lowpriority', on: boolean) =>
    void call('setTag', { roomId, tag: name, on }).catch(error => toast(errorText(error)))
  return (
    <header class="room-head">
      {onBack && <IconButton icon="back" label={t('parts.back')} onClick={onBack} />}
      <div class="room-words">
        <h1 id="room-title">
          <Name of={entry?.name} limit={80} />
        </h1>
        <p class={entry?.encrypted === false ? 'plain-room' : ''}>
          {onReaders ? (
            <button type="button" class="head-words" onClick={onReaders}>
              {words}
            </button>
          ) : (
            words
          )}
        </p>
      </div>
      {pins > 0 && (
        <IconButton icon="pin" label={t('room.pinned')} onClick={() => onAsk({ kind: 'pinned' })} />
      )}
      {onReaders && <IconButton icon="people" label={t('room.whoCanRead')} onClick={onReaders} />}
      <Menu
        label={t('room.aboutRoom')}
        items={[
          { label: t('room.goToDate'), onSelect: () => onAsk({ kind: 'date' }) },
          { label: t('room.pinned'), onSelect: () => onAsk({ kind: 'pinned' }) },
          {
            label: t('room.markUnread'),
            onSelect: () => void call('markUnread', { roomId, unread: true }).catch(() => {}),
          },
          {
            label: t(entry?.favourite ? 'room.noFavourite' : 'room.favourite'),
            onSelect: () => tag('m.favourite', !entry?.favourite),
          },
          {
            label: t(entry?.lowPriority ? 'room.notLessImportant' : 'room.lessImportant'),
            onSelect: () => tag('m.lowpriority', !entry?.lowPriority),
          },
          ...(detail?.may.invite
            ? [{ label: t('trust.invitePeople'), onSelect: () => onAsk({ kind: 'invite' }) }]
            : []),
        ]}
      />
    </header>
  )
}
