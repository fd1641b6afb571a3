import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'

export function DeleteMessage({ item, onClose }: { item: TimelineItem; onClose: () => void }) {
  const [reason, setReason] = useState('')
  const { busy, error, act } = useAct()
  const redact = () =>
    call('redact', {
      roomId: item.roomId,
      eventId: item.eventId!,
      ...(reason.trim() !== '' && { reason: reason.trim() }),
    })
  return (
    <Dialog title={t('room.deleteTitle')} onClose={onClose}>
      <form
        onSubmit={async event => {
          event.preventDefault()
          if (await act(redact)) onClose()
        }}
      >
        <p>{t('room.deleteText')}</p>
        <Field
          label={t('room.deleteReason')}
          value={reason}
          maxLength={300}
          onInput={event => setReason(event.currentTarget.value)}
        />
        {error !== null && <Failure error={error} />}
        <Actions>
          <Button onClick={onClose} disabled={busy}>
            {t('parts.cancel')}
          </Button>
          <Button tone="grave" type="submit" busy={busy}>
            {t('room.delete')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  )
}
