import { formatWhen, parts } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { useStandings } from '../trust/standings.ts'

const keys = {
  suspended: 'room.standingSuspended',
  closed: 'room.standingClosed',
  away: 'room.standingAway',
} as const

/** Above the composer: which organisation does not get what is written here, why, and what becomes of it. */
export function StandingLine({ entry }: { entry: RoomEntry }) {
  const standings = useStandings(entry.servers)
  return (
    <div class="standings" role="status">
      {standings.map(({ server, state, sinceTs }) => (
        <p key={server} class={`standing ${state}`}>
          {parts(state === 'away' && sinceTs !== null ? 'room.standingAwaySince' : keys[state], {
            server: <bdi dir="ltr">{server}</bdi>,
            date: sinceTs === null ? '' : formatWhen(sinceTs),
          })}
        </p>
      ))}
    </div>
  )
}
