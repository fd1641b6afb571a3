import './demo-banner.css'
import { t } from '../../i18n/i18n.ts'
import { isDemo } from '../server-info.ts'

/** On a demonstration's server every page says what it is. */
export function DemoBanner() {
  if (!isDemo()) return null
  return (
    <aside class="demo-banner" aria-label={t('enter.demo')}>
      <strong>{t('enter.demo')}</strong> {t('enter.demoText')}
    </aside>
  )
}
