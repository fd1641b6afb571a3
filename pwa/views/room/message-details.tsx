import { formatDateTime, formatList, parts, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Code, Name } from '../parts/name.tsx'
import { nameIn, useGround } from './room-ground.ts'
import { readersFrom } from './timeline-rows.ts'
import { shieldKey } from './trust-words.ts'

/** When, by whom, how protected, who has read it. */
export function MessageDetails({
  item,
  items,
  onClose,
}: {
  item: TimelineItem
  items: readonly TimelineItem[]
  onClose: () => void
}) {
  const ground = useGround()
  const readers = readersFrom(items, item, ground.ourUserId)
  const finding = shieldKey(item, ground.entry?.encrypted ?? false)
  return (
    <Dialog title={t('room.detailsTitle')} onClose={onClose}>
      <dl class="details">
        <dt>{t('room.detailsWritten')}</dt>
        <dd>{formatDateTime(item.ts)}</dd>
        <dt>{t('room.detailsSender')}</dt>
        <dd>
          <Name of={item.senderName} /> <Code>{item.sender}</Code>
        </dd>
        <dt>{t('room.detailsProtection')}</dt>
        <dd>
          {finding !== null
            ? parts(finding, {
                name: <Name of={item.senderName} />,
                giver: <Name of={item.keyGivenBy === null ? null : nameIn(ground, item.keyGivenBy)} />,
              })
            : t(item.encrypted ? 'room.protectionGood' : 'room.protectionNone')}
        </dd>
        <dt>{t('room.detailsReadBy')}</dt>
        <dd>
          {readers.length > 0
            ? formatList(readers.map(userId => nameIn(ground, userId)))
            : t('room.detailsReadByNobody')}
        </dd>
        {item.eventId !== null && (
          <>
            <dt>{t('room.detailsId')}</dt>
            <dd>
              <Code>{item.eventId}</Code>
            </dd>
          </>
        )}
      </dl>
    </Dialog>
  )
}
