import { t } from '../../i18n/i18n.ts'
import type { Quoted } from '../../sync/timeline-item.ts'
import { Name } from '../parts/name.tsx'
import { useGround } from './room-ground.ts'

/** What a message answers: a line of it. Pressing it goes there. */
export function Quotation({ of }: { of: Quoted }) {
  const { show } = useGround()
  return (
    <button type="button" class="quotation" onClick={() => show(of.eventId)}>
      {of.item ? (
        <>
          <span class="quotation-who">
            <Name of={of.item.senderName} fallback={of.item.sender} limit={40} />
          </span>
          <bdi class="quotation-text">{of.item.text}</bdi>
        </>
      ) : (
        t('room.answersUnknown')
      )}
    </button>
  )
}
