import './reactions.css'
import { formatList, formatNumber, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { plainName } from '../parts/plain-name.ts'
import { react } from './message-acts.ts'
import { useGround } from './room-ground.ts'

const mostShown = 24
const named = 8

/** Under a message: what people think of it. Pressing one gives the same, or takes ours back. */
export function Reactions({ item }: { item: TimelineItem }) {
  const { detail } = useGround()
  const mayReact = (detail?.may.send ?? true) && item.eventId !== null
  return (
    <ul class="reactions" aria-label={t('room.reactions')}>
      {item.reactions.slice(0, mostShown).map(reaction => {
        const emoji = plainName(reaction.key, 24) ?? '·'
        const names = formatList(
          reaction.senders.slice(0, named).map(({ name, userId }) => plainName(name) ?? userId),
        )
        const said = t('room.reactedWith', { names, emoji })
        return (
          <li key={reaction.key}>
            <button
              type="button"
              class="reaction"
              aria-pressed={reaction.ours !== null}
              title={said}
              disabled={!mayReact}
              onClick={() => void react(item, reaction.key)}
            >
              <bdi>{emoji}</bdi> {formatNumber(reaction.senders.length)}
              <span class="spoken">{said}</span>
            </button>
          </li>
        )
      })}
    </ul>
  )
}
