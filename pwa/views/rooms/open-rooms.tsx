import { t } from '../../i18n/i18n.ts'
import type { OpenRoom } from '../../worker/calls.ts'
import { Button } from '../parts/button.tsx'
import { Name } from '../parts/name.tsx'
import { plainName } from '../parts/plain-name.ts'

/** Rooms that one may come into, each with what it is for and how many are there. */
export function OpenRooms({
  rooms,
  busy,
  onJoin,
}: {
  rooms: readonly OpenRoom[]
  busy: boolean
  onJoin: (room: OpenRoom) => void
}) {
  return (
    <ul class="picker-list">
      {rooms.map(room => (
        <li key={room.roomId} class="directory-room">
          <span>
            <Name of={room.name} fallback={room.isSpace ? t('rooms.space') : t('rooms.emptyRoom')} />
            <small>
              {t('rooms.people', { count: room.joinedCount })}
              {room.topic !== null && (
                <>
                  {' · '}
                  <bdi>{plainName(room.topic, 120)}</bdi>
                </>
              )}
            </small>
          </span>
          <Button busy={busy} onClick={() => onJoin(room)}>
            {t('rooms.join')}
            <span class="spoken">
              <Name of={room.name} fallback={t('rooms.emptyRoom')} />
            </span>
          </Button>
        </li>
      ))}
    </ul>
  )
}
