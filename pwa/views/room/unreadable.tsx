import { t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { addressOf } from '../route.ts'
import { unreadableWords } from './trust-words.ts'

/** A message that cannot be read: why, and what to do about it. */
export function Unreadable({ of }: { of: NonNullable<TimelineItem['unreadable']> }) {
  const { key, act } = unreadableWords(of)
  return (
    <p class="unreadable">
      {t(key)}{' '}
      {act === 'backup' && (
        <a href={addressOf({ view: 'settings', page: 'backup' })}>{t('room.unreadableOpenBackup')}</a>
      )}
      {act === 'confirm' && (
        <a href={addressOf({ view: 'settings', page: 'devices' })}>{t('room.unreadableConfirm')}</a>
      )}
    </p>
  )
}
