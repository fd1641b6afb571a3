import { formatDateTime, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Name } from '../parts/name.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { useAsked } from '../use-asked.ts'
import { saidBy, wordsOf } from './message-content.ts'
import { useGround } from './room-ground.ts'

const mostShown = 50

/** The pinned messages, the newest pin first. */
export function Pinned({
  pinned,
  onShow,
  onClose,
}: {
  pinned: readonly string[]
  onShow: (eventId: string) => void
  onClose: () => void
}) {
  const newest = pinned.toReversed().slice(0, mostShown)
  return (
    <Dialog title={t('room.pinned')} onClose={onClose} wide>
      {newest.length === 0 && <p>{t('room.pinnedNone')}</p>}
      <ul class="pinned">
        {newest.map(eventId => (
          <Pin key={eventId} eventId={eventId} onShow={() => onShow(eventId)} />
        ))}
      </ul>
    </Dialog>
  )
}

function Pin({ eventId, onShow }: { eventId: string; onShow: () => void }) {
  const { roomId } = useGround()
  const { answer, error } = useAsked(`pin ${eventId}`, async () => {
    const page = await call('timeline', { roomId, at: { eventId }, before: 1, after: 1 })
    return page.items.find(item => item.eventId === eventId) ?? null
  })
  if (error !== null) return <li class="quiet">{t('room.pinnedGone')}</li>
  return (
    <li>
      {answer ? (
        <>
          <p>
            <strong>
              <Name of={answer.senderName} fallback={answer.sender} limit={60} />
            </strong>{' '}
            <small>{formatDateTime(answer.ts)}</small>
          </p>
          <p dir="auto" class="pinned-text">
            {lineOf(answer)}
          </p>
          <Button tone="quiet" onClick={onShow}>
            {t('room.pinnedShow')}
          </Button>
        </>
      ) : (
        <Skeleton lines={2} />
      )}
    </li>
  )
}

function lineOf(item: TimelineItem): string {
  if (item.redacted) return t('room.deleted')
  const said = saidBy(item)
  const text =
    said.kind === 'file' ? (said.file.name ?? t('room.fileFile')) : wordsOf(item.content, true).text
  return text.slice(0, 400)
}
