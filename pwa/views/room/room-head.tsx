import { t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import type { RoomDetail } from '../../worker/calls.ts'
import { call, ourUserId } from '../account.ts'
import { IconButton } from '../parts/button.tsx'
import { Menu } from '../parts/menu.tsx'
import { Name } from '../parts/name.tsx'
import { errorText } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { isPhone } from '../rooms/list-state.ts'
import { searchIn } from '../rooms/searched.ts'
import { Presence } from '../trust/presence.tsx'
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
  const words = entry && headWords(entry, count, isPhone.value)
  const partner = partnerIn(entry)
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
          {partner !== null && <Presence userId={partner} after=" · " />}
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
          { label: t('room.searchHere'), onSelect: () => searchIn(roomId) },
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

/** The other one, where two people write to each other alone. */
function partnerIn(entry: RoomEntry | null): string | null {
  const others = entry?.directWith.filter(userId => userId !== ourUserId.value) ?? []
  return others.length === 1 && entry?.joinedCount === 2 ? others[0]! : null
}

/** Who can read it. Where there is little room, what a name of a server would push out is said before the name. */
function headWords({ encrypted, servers }: RoomEntry, count: number, isShort: boolean): string {
  const key = encrypted ? 'room.headEncrypted' : 'room.headPlain'
  const words = (said: string) => t(key, { count, servers: said }).split(separator)
  if (!isShort) return words(serverWords(servers)).join(separator)
  const [people, where, whoReads] = words(t('room.organisations', { count: servers.length }))
  return [people, ...(servers.length > 1 ? [where] : []), whoReads].join(separator)
}

const separator = ' · '
