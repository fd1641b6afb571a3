import { formatDateTime, parts, t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { Name } from '../parts/name.tsx'
import { addressOf } from '../route.ts'
import { nameIn, serverOf, useGround } from './room-ground.ts'

/** In the composer's place: for whom the room stands still, who let them in, and what somebody can do about it. */
export function Frozen({ entry }: { entry: RoomEntry }) {
  const ground = useGround()
  const { frozen, waiting } = entry
  if (!frozen) return null
  const { server, by, sinceTs } = frozen
  const unknown = <bdi dir="ltr">{server}</bdi>
  return (
    <section class="blocked frozen" aria-label={t('room.frozen')} role="status">
      <h2>{t('room.frozen')}</h2>
      <p>
        {parts('room.frozenText', { server: unknown })}{' '}
        {by !== null &&
          parts(serverOf(by) === server ? 'room.frozenCame' : 'room.frozenBy', {
            name: (
              <a href={addressOf({ view: 'person', userId: by })}>
                <Name of={nameIn(ground, by)} limit={60} />
              </a>
            ),
          })}{' '}
        {sinceTs !== null && t('room.frozenSince', { date: formatDateTime(sinceTs) })}
      </p>
      <p>{parts('room.frozenAct', { server: unknown })}</p>
      {waiting > 0 && <p>{t('room.frozenWaiting')}</p>}
    </section>
  )
}
