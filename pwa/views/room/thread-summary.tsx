import { formatWhen, parts, t } from '../../i18n/i18n.ts'
import type { ThreadSummary, TimelineItem } from '../../sync/timeline-item.ts'
import { Name } from '../parts/name.tsx'
import { addressOf } from '../route.ts'

/** Under the root of a thread: how many answers, the newest. */
export function ThreadSummaryLine({ item, thread }: { item: TimelineItem; thread: ThreadSummary }) {
  return (
    <a
      class="thread-summary"
      href={addressOf({ view: 'room', roomId: item.roomId, threadRoot: item.eventId ?? item.key })}
    >
      <strong>{t('room.threadCount', { count: thread.count })}</strong>
      {thread.unread && <em>{t('room.threadNew')}</em>}
      <span>
        {parts('room.threadLast', {
          name: <Name of={thread.lastSenderName} limit={40} />,
          when: <bdi>{formatWhen(thread.lastTs)}</bdi>,
        })}
      </span>
      <bdi class="thread-text">{thread.lastText}</bdi>
    </a>
  )
}
