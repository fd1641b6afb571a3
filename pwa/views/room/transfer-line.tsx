import { formatBytes, t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { transferOf } from './transfers.ts'

/** How far a file is on its way, with pause and go on. Nothing where it is not on its way. */
export function TransferLine({ id }: { id: string | null }) {
  const transfer = transferOf(id)
  if (!transfer) return null
  const { doneBytes, totalBytes, state } = transfer
  const words = t('room.progress', { done: formatBytes(doneBytes), total: formatBytes(totalBytes) })
  const isHeld = state === 'paused'
  return (
    <div class="transfer">
      <progress max={Math.max(1, totalBytes)} value={doneBytes} aria-label={words} />
      <small>
        {words}
        {state === 'paused' && ` · ${t('room.paused')}`}
        {state === 'waiting' && ` · ${t('room.stateQueued')}`}
      </small>
      <Button
        tone="quiet"
        onClick={() => void call(isHeld ? 'resumeTransfer' : 'pauseTransfer', transfer.id).catch(() => {})}
      >
        {t(isHeld ? 'room.resume' : 'room.pause')}
      </Button>
    </div>
  )
}
