import { formatDateTime, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { call } from '../account.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { useAsked } from '../use-asked.ts'
import { Text } from './message-body.tsx'
import { wordsOf } from './message-content.ts'

/** What a message said before, the newest first. */
export function MessageHistory({ item, onClose }: { item: TimelineItem; onClose: () => void }) {
  const { answer, error, again } = useAsked(`edits ${item.eventId}`, () =>
    call('edits', { roomId: item.roomId, eventId: item.eventId! }),
  )
  return (
    <Dialog title={t('room.historyTitle')} onClose={onClose}>
      {error !== null && <Failure error={error} onRetry={again} />}
      {!answer && error === null && <Skeleton lines={4} />}
      <ol class="history">
        {answer?.toReversed().map(({ ts, content }, i) => (
          <li key={ts}>
            <small>
              <time>{formatDateTime(ts)}</time>
              {i === answer.length - 1 && ` · ${t('room.historyOriginal')}`}
            </small>
            <Text words={wordsOf(content, false)} />
          </li>
        ))}
      </ol>
    </Dialog>
  )
}
