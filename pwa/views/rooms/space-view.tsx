import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import type { OpenRoom } from '../../worker/calls.ts'
import { call, rooms } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Name } from '../parts/name.tsx'
import { codeOf, Failure, Notice } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { go } from '../route.ts'
import { WhoCanRead } from '../trust/who-can-read.tsx'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { OpenRooms } from './open-rooms.tsx'
import { BackToList } from './page.tsx'
import { RoomLine } from './room-line.tsx'

/** A space: what belongs to it, what one may come into, and who is in it. */
export function SpaceView({ entry }: { entry: RoomEntry }) {
  const [isManaging, setManaging] = useState(false)
  return (
    <div class="space">
      <header class="bar">
        <BackToList />
        <h1>
          <Name of={entry.name} fallback={t('rooms.space')} />
        </h1>
        <Button onClick={() => setManaging(!isManaging)}>
          {isManaging ? t('rooms.spaceRooms') : t('rooms.spacePeople')}
        </Button>
      </header>
      {isManaging ? (
        <div class="space-people">
          <WhoCanRead roomId={entry.roomId} />
        </div>
      ) : (
        <SpaceRooms entry={entry} />
      )}
    </div>
  )
}

function SpaceRooms({ entry }: { entry: RoomEntry }) {
  const known = entry.children.flatMap(roomId => rooms.value?.get(roomId) ?? [])
  const entered = known.filter(({ membership }) => membership === 'join' || membership === 'invite')
  const open = useAsked(
    `space ${entry.roomId}`,
    () => call('spaceRooms', entry.roomId),
    notice => notice.kind === 'rooms' && notice.changed.some(({ roomId }) => roomId === entry.roomId),
  )
  const { busy, error, act } = useAct()
  const join = ({ roomId: room, via }: OpenRoom) =>
    act(async () => go({ view: 'room', roomId: await call('join', { room, via }) }))
  const others = open.answer?.filter(({ roomId }) => !entered.some(each => each.roomId === roomId)) ?? []
  const isAway = open.error !== null && ['OFFLINE', 'TIMED_OUT'].includes(codeOf(open.error))
  return (
    <div class="space-body">
      {entry.topic !== null && (
        <p class="lead">
          <bdi>{plainName(entry.topic, 500)}</bdi>
        </p>
      )}
      <ul class="space-list">
        {entered.map(child => (
          <li key={child.roomId}>
            <RoomLine entry={child} />
          </li>
        ))}
      </ul>
      {entered.length === 0 && others.length === 0 && open.error === null && <p>{t('rooms.spaceEmpty')}</p>}
      {others.length > 0 && (
        <section class="space-open" aria-labelledby="space-open">
          <h2 id="space-open">{t('rooms.spaceOpen')}</h2>
          <OpenRooms rooms={others} busy={busy} onJoin={room => void join(room)} />
        </section>
      )}
      {isAway && <Notice>{t('rooms.spaceOffline')}</Notice>}
      {open.error !== null && !isAway && <Failure error={open.error} onRetry={open.again} />}
      {error !== null && <Failure error={error} />}
      <Button onClick={() => go({ view: 'new', kind: `room-in-${entry.roomId}` })}>
        {t('rooms.newRoomHere')}
      </Button>
    </div>
  )
}
