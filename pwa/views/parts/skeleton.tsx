import './skeleton.css'
import { t } from '../../i18n/i18n.ts'

/** Lines where text will stand, in place of a spinner. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label={t('parts.loading')}>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  )
}
