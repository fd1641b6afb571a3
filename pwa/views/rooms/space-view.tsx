import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { rooms } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Name } from '../parts/name.tsx'
import { plainName } from '../parts/plain-name.ts'
import { addressOf, go } from '../route.ts'
import { WhoCanRead } from '../trust/who-can-read.tsx'
import { RoomLine } from './room-line.tsx'
import { BackToList } from './shell.tsx'

/** A space: what belongs to it, and who is in it. */
export function SpaceView({ entry }: { entry: RoomEntry }) {
  const [isManaging, setManaging] = useState(false)
  const children = [...(rooms.value?.values() ?? [])].filter(
    each => entry.children.includes(each.roomId) || each.parents.includes(entry.roomId),
  )
  return (
    <div class="space">
      <header class="bar">
        <BackToList />
        <h1 class="space-name">
          <Name of={entry.name} />
        </h1>
        <Button onClick={() => setManaging(!isManaging)}>
          {isManaging ? t('rooms.spaceRooms') : t('rooms.spacePeople')}
        </Button>
      </header>
      {isManaging ? (
        <WhoCanRead roomId={entry.roomId} />
      ) : (
        <div class="space-body">
          {entry.topic !== null && (
            <p>
              <bdi>{plainName(entry.topic, 500)}</bdi>
            </p>
          )}
          <ul class="space-list">
            {children.map(child => (
              <li key={child.roomId}>
                {child.isSpace ? (
                  <a class="room" href={addressOf({ view: 'room', roomId: child.roomId })}>
                    <Name of={child.name} />
                    <span class="room-preview">{t('rooms.space')}</span>
                  </a>
                ) : (
                  <RoomLine entry={child} />
                )}
              </li>
            ))}
          </ul>
          {children.length === 0 && <p>{t('rooms.spaceEmpty')}</p>}
          <Button onClick={() => go({ view: 'new', kind: `room-in-${entry.roomId}` })}>
            {t('rooms.newRoomHere')}
          </Button>
        </div>
      )}
    </div>
  )
}
