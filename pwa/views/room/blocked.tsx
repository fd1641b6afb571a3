import { t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import type { Member } from '../../worker/calls.ts'
import { lazy } from '../parts/lazy.tsx'

const Newcomers = lazy(async () => (await import('../trust/newcomers.tsx')).Newcomers)

/** Nothing leaves before somebody decides: what about, and the decision, at the place where one writes. */
export function Blocked({ entry, members }: { entry: RoomEntry; members: ReadonlyMap<string, Member> }) {
  return (
    <section class="blocked" aria-label={t('room.blockedTitle')}>
      <h2>{t('room.blockedTitle')}</h2>
      <Newcomers entry={entry} members={[...members.values()]} />
    </section>
  )
}
