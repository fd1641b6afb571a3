/** The vault is open, and this device's keys or the proof of who we are is broken: nobody comes in before it is decided. */
import { t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { loadDamage } from '../damage.tsx'
import { Button } from '../parts/button.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'

export async function loadDamagedView() {
  const Damage = await loadDamage()
  return function DamagedView() {
    const { busy, error, act } = useAct()
    return (
      <Page title={t('damage.title')}>
        <Damage isTitled />
        {error !== null && <Failure error={error} />}
        <p class="enter-foot">
          <Button tone="quiet" busy={busy} onClick={() => void act(() => call('lock', null))}>
            {t('enter.lockAgain')}
          </Button>
        </p>
      </Page>
    )
  }
}
